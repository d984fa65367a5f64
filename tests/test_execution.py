"""Campaigns on threads, the target rule, how units are shared out, what a task does with a unit."""

import math
import os
import random
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.orchestration.execution import Execution
from thalweg.orchestration.execution.campaign import Campaign
from thalweg.orchestration.execution.pace import PROBE_UNITS, UNITS, Aim, Pace
from thalweg.orchestration.execution.task import perform
from thalweg.solvers import StopReason


class Table:
    """Units with given values and durations; what raises is in `broken`."""

    name = "unit"

    def __init__(self, values, seconds=None, broken=()):
        self.values, self.seconds, self.broken = values, seconds, broken
        self.calls = []

    def prepare(self):
        pass

    def carry_out(self, unit, given, ends):
        self.calls.append(unit)
        if unit in self.broken:
            raise ArithmeticError(f"unit {unit}")
        until = time.perf_counter() + (0.0 if self.seconds is None else self.seconds[unit])
        while time.perf_counter() < until:
            if ends():
                return None
            time.sleep(0.0002)
        return {"fun": self.values[unit]}


class Act:
    """Every unit does the same."""

    name = "unit"

    def __init__(self, act):
        self.act = act

    def prepare(self):
        pass

    def carry_out(self, unit, given, ends):
        return {"fun": float(self.act(unit, ends) or 0)}


class Book:
    def __init__(self, records=()):
        self.records, self.lines = dict(records), []

    def append(self, batch):
        self.lines += batch


def run(work, units, threads=2, retries=0, task_timeout=None, **options):
    with Execution(work, threads=threads, retries=retries, task_timeout=task_timeout) as execution:
        return execution.run(units, **options)


def sleeping(unit, ends):
    threading.current_thread().name = "left to itself"
    time.sleep(1000)


def spinning(unit, ends):
    while True:
        sum(range(1000))


def polling(unit, ends):
    while not ends():
        time.sleep(0.01)


def no_threads_left():
    until = time.perf_counter() + 3
    while any(thread.name == "thalweg task" for thread in threading.enumerate()):
        assert time.perf_counter() < until
        time.sleep(0.01)
    return True


# --- records ------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_target_rule(data):
    """Records are those of units 0..k, k the smallest that reaches the target, whatever takes how long."""
    count = data.draw(st.integers(1, 25))
    values = data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count))
    seconds = [k / 2000 for k in data.draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))]
    broken = data.draw(st.sets(st.integers(0, count - 1), max_size=3))
    kept = [unit for unit in range(count) if unit not in broken]
    reached = next((unit for unit in kept if values[unit] <= 1), None)
    limit = count if reached is None else reached + 1
    for threads in (1, 3):
        outcome = run(Table(values, seconds, broken), range(count), threads, target=1)
        assert outcome.reached == reached
        assert list(outcome.records) == [unit for unit in kept if unit < limit]
        assert list(outcome.failures) == [unit for unit in sorted(broken) if unit < limit]


def test_a_resumed_campaign_does_what_is_missing():
    work = Table(range(100))
    outcome = run(work, range(50), journal=Book({unit: {"unit": unit, "fun": unit} for unit in (3, 7, 99)}))
    assert list(outcome.records) == list(range(50)) and sorted(work.calls) == sorted({*range(50)} - {3, 7})


def test_a_resumed_campaign_knows_what_reached_the_target():
    work = Table([5, 5, 5, 0, 5])
    outcome = run(work, range(5), target=0, journal=Book({3: {"unit": 3, "fun": 0}}))
    assert list(outcome.records) == [0, 1, 2, 3] and sorted(work.calls) == [0, 1, 2]


def test_nan_is_worst_and_ties_go_to_the_lower_unit():
    assert run(Table([math.nan, 2.0, 1.0, 1.0]), range(4)).best() == 2
    assert run(Table([math.nan, math.nan]), range(2)).best() == 0


def test_no_units():
    assert run(Table([]), range(0)).records == {}


def test_journal_gets_every_entry_once():
    book = Book()
    outcome = run(Table(range(3000), broken={5}), range(3000), retries=1, journal=book)
    assert len(book.lines) == 3000 and {line["unit"] for line in book.lines} == {*range(3000)}
    failure = next(line for line in book.lines if "failed" in line)
    assert failure["failed"] == "raised" and failure["attempts"] == 2 and failure["unit"] == 5
    assert "exception" not in failure and outcome.failures[5]["kind"] == "raised"


def test_what_a_unit_sees():
    """The NumPy error state of the caller, and one Numba thread."""
    import numba

    def look(unit, ends):
        assert np.geterr()["divide"] == "raise" and numba.get_num_threads() == 1

    with np.errstate(divide="raise"):
        assert not run(Act(look), range(3)).failures


# --- failures -----------------------------------------------------------------------------------------------------


def test_an_exception_keeps_itself_and_its_last_lines():
    failure = run(Table(range(9), broken={4}), range(9), retries=2).failures[4]
    assert isinstance(failure["exception"], ArithmeticError) and failure["error"].endswith("ArithmeticError: unit 4")
    assert failure["attempts"] == 3 == len(failure["workers"])


@pytest.mark.parametrize("act", [sleeping, spinning, polling])
def test_timeout(act):
    outcome = run(Act(lambda unit, ends: act(unit, ends) if unit == 2 else unit), range(6), task_timeout=0.2)
    assert list(outcome.failures) == [2] and outcome.failures[2]["kind"] == "timeout" and len(outcome.records) == 5
    assert act is sleeping or no_threads_left()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_is_meant_for_the_program_ends_the_call(kind):
    """sys.exit() in a unit reaches the caller, as where no thread is between; Ctrl-C ends with what there is."""

    def leave(unit, ends):
        if unit == 3:
            raise kind(7)

    book, work = Book(), Act(leave)
    if kind is SystemExit:
        with pytest.raises(SystemExit, match="7") as caught:
            run(work, range(1000), threads=1, retries=2, journal=book)
        assert caught.value.__notes__ == ["raised by unit 3"]
    else:
        outcome = run(work, range(1000), threads=1, retries=2, journal=book)
        assert outcome.stop is StopReason.INTERRUPTED and {0, 1, 2} <= {*outcome.records} and not outcome.failures
    assert {0, 1, 2} <= {line["unit"] for line in book.lines} and no_threads_left()


# --- ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_time_and_hooks(threads):
    seen = []

    def enough(campaign):
        seen.append(threading.current_thread())
        if len(campaign.records) >= 5:
            raise StopIteration

    def broken(campaign):
        raise ZeroDivisionError

    work = Table(range(2000), [0.005] * 2000)
    assert run(work, range(2000), threads, hooks=[enough]).stop is StopReason.CALLBACK
    assert set(seen) == {threading.main_thread()}
    outcome = run(work, range(2000), threads, max_time=0.2)
    assert outcome.stop is StopReason.OUT_OF_TIME and 5 < len(outcome.records) < 200 and outcome.seconds < 1
    with pytest.raises(ZeroDivisionError):
        run(work, range(2000), threads, hooks=[broken])
    assert no_threads_left()


def test_a_full_disk_costs_the_journal_and_not_the_result():
    class Full(Book):
        def append(self, batch):
            super().append(batch)
            raise OSError(28, "No space left on device")

    book = Full()
    with pytest.warns(RuntimeWarning, match="No space left on device: from here on nothing is written") as told:
        outcome = run(Table(range(2000), [0.001] * 2000), range(2000), journal=book)
    assert len(outcome.records) == 2000 and len(told) == 1
    assert len(book.lines) < 1000 and no_threads_left()


@pytest.mark.parametrize("act", [polling, spinning])
def test_ctrl_c(act):
    """The first one ends the campaign with what there is; the handler is Python's own again."""
    three_are_done, book = threading.Event(), Book()

    def look(campaign):
        if {0, 1, 2} <= campaign.records.keys():
            three_are_done.set()

    def interrupt():
        three_are_done.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    sender = threading.Thread(target=interrupt)
    sender.start()
    work = Act(lambda unit, ends: act(unit, ends) if unit > 2 else unit)
    outcome = run(work, range(9), journal=book, hooks=[look])
    sender.join()
    assert outcome.stop is StopReason.INTERRUPTED and outcome.seconds < 3
    assert {*outcome.records} >= {0, 1, 2} <= {line["unit"] for line in book.lines}
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler and no_threads_left()


def test_the_target_does_not_wait_for_what_does_not_poll():
    outcome = run(Act(lambda unit, ends: spinning(unit, ends) if unit else 0), range(3), target=0)
    assert list(outcome.records) == [0] and outcome.seconds < 4 and no_threads_left()


@pytest.mark.parametrize(
    "arguments, message",
    [({"retries": -1}, "retries"), ({"task_timeout": 0}, "task_timeout"), ({"threads": 0}, "threads"),
     ({"threads": 1, "client": object()}, "threads"), ({"threads": 50_000}, "threads")],
)  # fmt: skip
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}: "):
        Execution(Table([]), **arguments)


# --- how units are shared out -------------------------------------------------------------------------------------


def test_a_task_hands_back_what_it_did_not_begin():
    entries, _ = perform(Table(range(100), [0.01] * 100), range(100), None, 0.1, lambda unit: False, None, "here")
    assert 2 <= len(entries) <= 11 and [entry["unit"] for entry in entries] == list(range(len(entries)))


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**9), st.integers(1, 64), st.floats(1e-6, 1e4))
def test_plans(total, slots, unit):
    """Never more than there is, never none; in the middle of a long campaign tasks are as long as aimed at."""
    pace = Pace(Aim(least=0.25, most=2.0, limit=5.0))
    count, _ = pace.plan(total, total, slots)
    assert 1 <= count <= PROBE_UNITS
    pace.learn("a", [100.0, unit, unit])  # the first one also loads and compiles
    left, tasks = total, 0
    while left > 0 and tasks < 100:
        count, seconds = pace.plan(left, total, slots)
        assert 1 <= count and (count == 1 or count * unit <= 2.0 + unit) and 0.25 <= seconds <= 5.0
        left, tasks = left - count, tasks + 1
    assert left <= 0 or tasks == 100
    if total * unit < 0.1 * slots:
        assert tasks <= 3 * slots + total // UNITS


def test_campaign_shares_out_every_unit_once():
    """Whatever comes back done, undone, failed or suspect, each unit is out at most once and ends exactly once."""
    rng = random.Random(1)
    for _ in range(50):
        campaign = Campaign(Table(()), range(200), retries=2)
        out, done = [], []
        while not campaign.over():
            units = campaign.take(rng.randint(1, 60)) or campaign.take_suspects()
            if units:
                out.append(units)
            assert sum(map(len, out)) == len(campaign.out)
            if out and (not units or rng.random() < 0.6):
                units = out.pop(rng.randrange(len(out)))
                if rng.random() < 0.2 and len(units) > 1:
                    campaign.suspect(units)
                    continue
                some = units[: rng.randint(0, len(units))]
                done += some
                campaign.settle(units, [{"unit": unit, "fun": 0.0, "seconds": 0.0} for unit in some])
        assert sorted(done) == list(range(200)) == sorted(campaign.records)


def test_no_task_without_units():
    """Of a journal: some units, also the one that reached the target."""
    rng = random.Random(2)
    for _ in range(300):
        held = {unit: {"unit": unit, "fun": rng.randint(0, 9)} for unit in range(40) if rng.random() < 0.7}
        campaign = Campaign(Table(()), range(40), target=0, journal=Book(held))
        taken = []
        while campaign.left() > 0:
            units = campaign.take(rng.randint(1, 9))
            assert units
            taken += units
        last = 39 if campaign.reached is None else campaign.reached
        assert taken == [unit for unit in range(last + 1) if unit not in held]


def test_the_lowest_limit_counts_whichever_comes_last():
    from types import SimpleNamespace

    from thalweg.orchestration.execution.worker import Shipment, set_limit

    shipment = Shipment("token", b"")
    worker = SimpleNamespace(plugins={"token": shipment})
    for campaign, unit in [(1, 20), (1, 10), (1, 15), (1, -1), (1, 10)]:
        set_limit("token", campaign, unit, worker)
    assert shipment.limit == (1, 1)
    set_limit("token", 2, 30, worker)
    set_limit("token", 1, 5, worker)  # one that was late
    assert shipment.limit == (2, -30)
    set_limit("gone", 2, 3, worker)


def test_failing_journal_is_left_alone():
    class Full(Book):
        def append(self, batch):
            raise OSError(5, "Input/output error", "fit.jsonl")

    campaign = Campaign(Table(()), range(2), journal=Full())
    campaign.accept([{"unit": 0, "fun": 0.0}])
    with pytest.warns(RuntimeWarning, match=r"fit\.jsonl"):
        campaign.flush()
    campaign.accept([{"unit": 1, "fun": 0.0}])
    campaign.flush()
