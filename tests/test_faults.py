"""Faults on a Dask cluster, each one made to happen: processes that are killed, units that raise, hang or crash."""

import contextlib
import json
import logging
import math
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import dask
import pytest
from distributed import Client, LocalCluster

from thalweg.orchestration.execution import Execution
from thalweg.solvers import StopReason

pytestmark = pytest.mark.slow


def value(unit):
    return math.sin(unit * 12.9898) * 43758.5453 % 1.0


class Scripted:
    """Units that take `seconds`, and some that do as told: {unit: act}. With `once`, only the first time."""

    name = "unit"

    def __init__(self, seconds=0.0, acts=None, once=None, polls=True):
        self.seconds, self.acts, self.once, self.polls = seconds, acts or {}, once, polls

    def prepare(self):
        pass

    def carry_out(self, unit, given, ends):
        act = self.acts.get(unit)
        if act is not None and (self.once is None or self._first(unit)):
            getattr(self, act)()
        until = time.perf_counter() + self.seconds
        while time.perf_counter() < until:
            if self.polls and ends():
                return None
            time.sleep(min(0.01, max(until - time.perf_counter(), 0.0)))
        return {"fun": value(unit) + (given or 0)}

    def _first(self, unit):
        with contextlib.suppress(FileExistsError):
            os.close(os.open(os.path.join(self.once, str(unit)), os.O_CREAT | os.O_EXCL))
            return True
        return False

    def fail(self):
        raise ArithmeticError("no such number")

    def leave(self):
        sys.exit(3)

    def interrupt(self):
        raise KeyboardInterrupt

    def sleep(self):
        time.sleep(1000)

    def spin(self):
        while True:
            sum(range(1000))

    def kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def allocate(self):
        hoard = []
        while True:
            hoard.append(bytearray(os.urandom(1) * (16 << 20)))
            time.sleep(0.02)


class Book:
    """A journal in memory."""

    def __init__(self, records=()):
        self.records, self.lines = dict(records), []

    def append(self, batch):
        self.lines += batch


@contextlib.contextmanager
def local_cluster(allowed_failures=0, **options):
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"} | options
    settings = {
        "distributed.scheduler.allowed-failures": allowed_failures,
        "distributed.deploy.lost-worker-timeout": "1h",  # else a worker that dies again 15 s later never comes back
    }
    with dask.config.set(settings):
        with LocalCluster(silence_logs=logging.CRITICAL, **options) as cluster, Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def client():
    """Two worker processes; a worker that dies comes back."""
    with local_cluster() as client:
        yield client


def pids(client):
    return list(client.run(os.getpid).values())


def later(seconds, call, *arguments):
    timer = threading.Timer(seconds, call, arguments)
    timer.daemon = True
    timer.start()


def deaths(client):
    """Counts workers that leave."""
    return sum(e.get("action") == "remove-worker" for _, e in client.get_events("all") if isinstance(e, dict))


def check_all(outcome, units, but=()):
    assert list(outcome.records) == [unit for unit in units if unit not in but]
    assert all(record["fun"] == value(unit) for unit, record in outcome.records.items())
    assert sorted(outcome.failures) == sorted(but)


# --- workers that die ---------------------------------------------------------------------------------------------


def test_a_killed_worker_costs_nothing_but_time(client):
    book = Book()
    with Execution(Scripted(0.03), client=client) as execution:
        later(0.5, os.kill, pids(client)[0], signal.SIGKILL)
        outcome = execution.run(range(100), journal=book)
    check_all(outcome, range(100))
    assert sorted(line["unit"] for line in book.lines) == list(range(100))  # nothing lost, nothing twice


def test_all_workers_killed(client):
    """For a second there is nobody; then the new ones get the work and go on."""
    with Execution(Scripted(0.03), client=client) as execution:
        for pid in pids(client):
            later(0.3, os.kill, pid, signal.SIGKILL)
        outcome = execution.run(range(50))
    check_all(outcome, range(50))


@pytest.mark.parametrize("killers, retries", [({41}, 0), ({0}, 1), ({7, 50}, 0)])
def test_units_that_kill_their_worker(client, killers, retries):
    before = deaths(client)
    with Execution(Scripted(0.01, dict.fromkeys(killers, "kill")), client=client, retries=retries) as execution:
        outcome = execution.run(range(100))
    check_all(outcome, range(100), killers)
    for failure in outcome.failures.values():
        assert failure["kind"] == "killed" and "died" in failure["error"]
        assert failure["attempts"] == retries + 1 == len(failure["workers"])
    # each is found among the units of its task, and then alone
    assert deaths(client) - before <= len(killers) * (3 + retries)


def test_a_unit_that_kills_once_is_done_in_the_end(client, tmp_path):
    work = Scripted(0.01, {20: "kill"}, once=tmp_path)
    with Execution(work, client=client, retries=1) as execution:
        check_all(execution.run(range(80)), range(80))


def test_a_killer_on_a_cluster_with_the_settings_of_dask():
    with local_cluster(allowed_failures=3) as client:
        with Execution(Scripted(0.01, {30: "kill"}), client=client) as execution:
            outcome = execution.run(range(60))
    check_all(outcome, range(60), {30})
    assert outcome.failures[30]["attempts"] == 1


def test_nothing_but_killers(client):
    with Execution(Scripted(0.01, dict.fromkeys(range(2), "kill")), client=client) as execution:
        outcome = execution.run(range(2))
    assert not outcome.records and len(outcome.failures) == 2


def test_memory_limit():
    with local_cluster(memory_limit="500MB") as client:
        with Execution(Scripted(0.05, {5: "allocate"}), client=client) as execution:
            outcome = execution.run(range(40))
    check_all(outcome, range(40), {5})
    assert outcome.failures[5]["kind"] == "killed"


# --- units that raise or hang -------------------------------------------------------------------------------------


def test_a_unit_that_raises(client):
    with Execution(Scripted(0.001, {3: "fail"}), client=client, retries=2) as execution:
        outcome = execution.run(range(100))
    check_all(outcome, range(100), {3})
    failure = outcome.failures[3]
    assert failure["kind"] == "raised" and failure["attempts"] == 3 == len(failure["workers"])
    assert failure["error"].endswith("ArithmeticError: no such number") and "in fail" in failure["error"]


def test_what_is_meant_for_the_program_ends_the_call(client):
    """sys.exit() in a unit reaches the caller, Ctrl-C there ends with what there is; the workers stay."""
    before, book = set(pids(client)), Book()
    with Execution(Scripted(0.001, {70: "leave"}), client=client, retries=2) as execution:
        with pytest.raises(SystemExit, match="3"):
            execution.run(range(100), journal=book)
    assert len(book.lines) >= 16
    with Execution(Scripted(0.001, {70: "interrupt"}), client=client, retries=2) as execution:
        outcome = execution.run(range(100))
    assert outcome.stop is StopReason.INTERRUPTED and outcome.records and not outcome.failures
    assert set(pids(client)) == before


def test_a_unit_that_raises_once_is_tried_again(client, tmp_path):
    with Execution(Scripted(0.001, {3: "fail"}, once=tmp_path), client=client, retries=1) as execution:
        check_all(execution.run(range(20)), range(20))


def test_a_unit_that_sleeps_past_its_time(client):
    """Its thread cannot be ended: its process is restarted."""
    before = set(pids(client))
    with Execution(Scripted(0.02, {10: "sleep"}), client=client, task_timeout=0.5) as execution:
        outcome = execution.run(range(60))
    check_all(outcome, range(60), {10})
    assert outcome.failures[10]["kind"] == "timeout" and "0.5 s" in outcome.failures[10]["error"]
    until = time.perf_counter() + 10
    while len(client.nthreads()) < 2 and time.perf_counter() < until:
        time.sleep(0.05)
    assert len(before & set(pids(client))) == 1


def test_a_unit_that_spins_past_its_time(client):
    """Its thread is ended; the process stays."""
    before = set(pids(client))
    with Execution(Scripted(0.02, {10: "spin"}), client=client, retries=1, task_timeout=0.4) as execution:
        outcome = execution.run(range(60))
    check_all(outcome, range(60), {10})
    assert outcome.failures[10]["kind"] == "timeout" and outcome.failures[10]["attempts"] == 2
    assert set(pids(client)) == before
    assert not any(client.run(alive_tasks).values())


alive_tasks = lambda: [thread.name for thread in threading.enumerate() if thread.name == "thalweg task"]


# --- what ends a campaign early -----------------------------------------------------------------------------------


def test_the_target_rule(client):
    """Unit 20 reaches the target at once, unit 21 is long at work: lower ones finish, higher ones are cut."""
    target = min(value(unit) for unit in range(30))
    best = next(unit for unit in range(30) if value(unit) == target)
    with Execution(Scripted(0.02), client=client) as execution:
        outcome = execution.run(range(2000), target=target)
        assert outcome.reached == best and list(outcome.records) == list(range(best + 1)) and outcome.seconds < 3
        assert list(execution.run(range(100)).records) == list(range(100))  # the limit was that campaign's


def test_units_beyond_the_target_are_cut_at_work(client):
    work = Scripted(30.0, {0: "reach"})
    work.reach = lambda: setattr(work, "seconds", 0.3)
    with Execution(work, client=client) as execution:
        begin = time.perf_counter()
        outcome = execution.run(range(2), target=1.0)
        assert time.perf_counter() - begin < 2.0 and list(outcome.records) == [0]
        wait_for(lambda: not any(client.run(alive_tasks).values()), 1.0)


def test_units_that_do_not_poll_are_ended(client):
    with Execution(Scripted(1000.0, polls=False), client=client) as execution:
        outcome = execution.run(range(2), max_time=0.3)
        assert outcome.stop is StopReason.OUT_OF_TIME and not outcome.records and outcome.seconds < 2.0
        wait_for(lambda: not any(client.run(alive_tasks).values()), 4.0)


def test_time_hooks_and_a_full_disk(client):
    def enough(campaign):
        if len(campaign.records) >= 10:
            raise StopIteration

    def broken(campaign):
        raise ZeroDivisionError("hook")

    class Full(Book):
        written = 0

        def append(self, batch):
            self.written += 1
            raise OSError(28, "No space left on device")

    book = Full()
    with Execution(Scripted(0.01), client=client) as execution:
        outcome = execution.run(range(2000), max_time=0.5)
        assert outcome.stop is StopReason.OUT_OF_TIME and 20 < len(outcome.records) < 200
        assert execution.run(range(2000), hooks=[enough]).stop is StopReason.CALLBACK
        with pytest.raises(ZeroDivisionError, match="hook"):
            execution.run(range(2000), hooks=[broken])
        with pytest.warns(RuntimeWarning, match="No space left"):
            check_all(execution.run(range(200), journal=book), range(200))
        wait_for(lambda: not any(client.run(alive_tasks).values()), 1.0)
        check_all(execution.run(range(10)), range(10))
    assert book.written == 1


# --- who carries out ----------------------------------------------------------------------------------------------


def test_same_bits_everywhere(client):
    from thalweg.orchestration.runs import Runs
    from thalweg.solvers.driving.call import parse_call

    call = parse_call(lambda x: ((x - 0.3) ** 2).sum(), [(-5, 5)] * 4, method="lshade", max_evals=400, seed=7)

    def bits(client=None, threads=None, book=None):
        with Execution(Runs(call), client=client, threads=threads) as execution:
            records = execution.run(range(40), journal=book).records
        return [(unit, record["fun"], record["x"], record["nfev"]) for unit, record in records.items()]

    reference = bits(threads=1)
    assert bits(threads=2) == reference and bits(client) == reference
    with local_cluster(processes=False, n_workers=1, threads_per_worker=2) as other:
        assert bits(other) == reference
    book = Book()
    with Execution(Runs(call), client=client) as execution:
        execution.run(range(15), journal=book)
    assert bits(client, book=Book({line["unit"]: line for line in book.lines})) == reference


def test_a_worker_that_joins_takes_part():
    with local_cluster(n_workers=1, processes=False) as client, Execution(Scripted(0.02), client=client) as execution:
        later(0.3, client.cluster.scale, 2)
        outcome = execution.run(range(150))
    check_all(outcome, range(150))
    assert len({record["worker"] for record in outcome.records.values()}) == 2


def test_an_adaptive_cluster_grows():
    """It has no worker at first, and sees enough work to ask for more than one."""
    with local_cluster(n_workers=1, processes=False) as client, Execution(Scripted(0.1), client=client) as execution:
        client.cluster.scale(0)
        wait_for(lambda: not client.nthreads())
        client.cluster.adapt(minimum=0, maximum=2, interval="100ms", target_duration="500ms")
        outcome = execution.run(range(60))
    check_all(outcome, range(60))
    assert len({record["worker"] for record in outcome.records.values()}) == 2


def test_a_work_that_cannot_be_prepared_or_sent(client):
    class Unprepared(Scripted):
        def prepare(self):
            raise FileNotFoundError("no data here")

    with pytest.raises(FileNotFoundError, match="no data here"):
        Execution(Unprepared(), client=client)
    work = Scripted()
    work.lock = threading.Lock()
    with pytest.raises(TypeError, match=r"client: the unit cannot be sent to workers .*lock"):
        Execution(work, client=client)
    assert not any(client.run(shipments).values())


@pytest.mark.parametrize("once", [True, False])
def test_a_worker_that_dies_while_the_work_is_prepared(tmp_path, once):
    class Deadly(Scripted):
        def prepare(self):
            if not once or self._first("prepared"):
                self.kill()

    with local_cluster() as client:
        work = Deadly(once=tmp_path)
        if once:
            with Execution(work, client=client) as execution:
                check_all(execution.run(range(20)), range(20))
        else:
            with pytest.raises(RuntimeError, match="client: workers died while the unit was prepared"):
                Execution(work, client=client)


def test_nothing_is_left_on_the_workers(client):
    with Execution(Scripted(), client=client) as execution:
        execution.run(range(10))
        assert all(client.run(shipments).values())
    assert not any(client.run(shipments).values())
    # What the client lets go it tells the scheduler in a stream of its own, a few milliseconds later.
    wait_for(lambda: not client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)))


def test_given_and_units_of_any_numbers(client):
    with Execution(Scripted(), client=client) as execution:
        outcome = execution.run([3, 10, 11], given=lambda unit: 2 * unit)
    assert {u: r["fun"] for u, r in outcome.records.items()} == {u: value(u) + 2 * u for u in (3, 10, 11)}


# --- the scheduler or the client gone -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A scheduler and a worker in processes of their own: the scheduler's process, and its address."""
    folder = tmp_path_factory.mktemp("outside")
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    quiet = {"env": os.environ | {"DASK_LOGGING__DISTRIBUTED": "critical"}, "cwd": folder}
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
    scheduler = subprocess.Popen(command + common, **quiet)
    wait_for(file.exists)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--nthreads", "1"]
    worker = subprocess.Popen(command + common, **quiet)
    try:
        wait_for(lambda: file.read_text())
        yield scheduler, json.loads(file.read_text())["address"]
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()


def wait_for(condition, seconds=20.0):
    until = time.perf_counter() + seconds
    while not condition():
        assert time.perf_counter() < until
        time.sleep(0.02)


SCRIPT = """
    import sys, threading
    from distributed import Client
    from beside import Steps
    from thalweg.orchestration.execution import Execution
    from thalweg.orchestration.journal import open_journal

    class Mine(Steps):
        name = "step"

    with Client(sys.argv[1]) as client, Execution(Mine(), client=client) as execution:
        with open_journal("steps.jsonl", {"work": "steps", "units": 40}) as book:
            outcome = execution.run(range(40), journal=book)
    values = [record["fun"] for record in outcome.records.values()]
    print(outcome.stop.name if outcome.stop else None, len(values), sum(values))
"""
BESIDE = """
    import time

    class Steps:
        def prepare(self):
            pass

        def carry_out(self, unit, given, ends):
            for _ in range(5):
                if ends():
                    return None
                time.sleep(0.01)
            return {"fun": 0.1 * unit}
"""


@pytest.fixture
def script(tmp_path, outside):
    """Starts a script whose work is its own, and in a module that lies beside it."""
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    (tmp_path / "beside.py").write_text(textwrap.dedent(BESIDE))

    def start():
        command = [sys.executable, "script.py", outside[1]]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def lines(path):
    return path.read_text().count('"fun"') if path.exists() else 0


def test_a_killed_client_resumes(script, outside, tmp_path):
    book = tmp_path / "steps.jsonl"
    first = script()
    wait_for(lambda: lines(book) >= 5)
    first.kill()
    first.communicate()
    with Client(outside[1]) as client:
        begin = time.perf_counter()
        wait_for(lambda: not any(client.run(alive_tasks).values()), 1.0)  # its tasks end
        assert time.perf_counter() - begin < 1.0
    done = lines(book)
    assert 5 <= done < 40
    second = script()
    out, err = second.communicate(timeout=30)
    assert out.split() == ["None", "40", str(sum(0.1 * unit for unit in range(40)))], err
    assert lines(book) == 40


def test_ctrl_c(script, outside, tmp_path):
    process = script()
    wait_for(lambda: lines(tmp_path / "steps.jsonl") >= 5)
    process.send_signal(signal.SIGINT)
    begin = time.perf_counter()
    out, err = process.communicate(timeout=20)
    assert time.perf_counter() - begin < 3.0
    stop, count, _ = out.split()
    assert stop == "INTERRUPTED" and 5 <= int(count) == lines(tmp_path / "steps.jsonl") < 40
    assert err == ""
    with Client(outside[1]) as client:
        assert not any(client.run(alive_tasks).values())
        assert not any(client.run(shipments).values())


shipments = lambda dask_worker: [name for name in dask_worker.plugins if name.startswith("thalweg")]


def test_the_scheduler_killed(outside, caplog):
    scheduler, address = outside
    client = Client(address)
    book = Book()
    killed = []

    def kill_it(campaign):
        if campaign.records and not killed:
            killed.append(time.perf_counter())
            scheduler.kill()

    with Execution(Scripted(0.05), client=client) as execution:
        outcome = execution.run(range(1000), journal=book, hooks=[kill_it])
    assert time.perf_counter() - killed[0] < 4.0
    assert outcome.stop is StopReason.SCHEDULER_LOST and 0 < len(outcome.records) == len(book.lines) < 100
    assert len(caplog.text.splitlines()) < 10
    client.close()
