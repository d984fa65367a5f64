"""Runs that are at work when a call ends early: the best that they had found is not lost."""

import os
import signal
import threading

import pytest

import thalweg as tw
from thalweg.orchestration.execution.campaign import Campaign
from thalweg.orchestration.runs import Runs
from thalweg.solvers import StopReason
from thalweg.solvers.driving.call import parse_call

BOX = [(-5.0, 5.0)] * 4
LONG = {"runs": 6, "threads": 2, "method": "random_search", "max_evals": 10**9, "seed": 1}


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def check(result, reason):
    assert result.fun == valley(result.x) < 100.0
    assert 1 <= len(result.runs) <= 6 and (result.runs["stop"] == int(reason)).all()
    assert result.nfev == result.runs["nfev"].sum() > 0


def test_where_the_time_is_up():
    result = tw.restarts(valley, BOX, max_time=0.4, **LONG)
    check(result, StopReason.OUT_OF_TIME)


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_where_ctrl_c_stops(tmp_path):
    journal = tmp_path / "runs.jsonl"
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    result = tw.restarts(valley, BOX, journal=journal, **LONG)
    timer.join()
    check(result, StopReason.INTERRUPTED)
    assert not result.success
    assert len(journal.read_text().splitlines()) == 1  # its header: they are done anew when it is resumed


def test_finished_and_unfinished_ones_are_compared():
    """The first ends at once, and what the others find until the time is up is better."""
    work = Runs(parse_call(valley, BOX, method="de", seed=1, max_evals=400))
    campaign = Campaign(work, range(3))
    campaign.take(3)
    record = {"fun": 2.0, "x": [0.0] * 4, "nfev": 5, "nit": 1, "n_failed": 0, "stop": 1, "spread": 0.0, "seconds": 0.1}
    better = record | {"unit": 1, "fun": 1.0, "stop": 0, "unfinished": True}
    campaign.settle([0, 1, 2], [record | {"unit": 0}, better])
    assert campaign.left() == 2 and list(campaign.outcome().records) == [0]  # the call goes on: it is done anew
    campaign.stop = StopReason.OUT_OF_TIME
    outcome = campaign.outcome()
    assert outcome.best() == 1 and outcome.unfinished == 1 and list(outcome.records) == [0, 1]
    assert outcome.records[1]["stop"] == StopReason.OUT_OF_TIME and outcome.records[0]["stop"] == 1


def test_nothing_is_kept_of_a_run_behind_the_target():
    """Runs 0 to k are the answer, k the first that reached it: how far others were hangs on the clock."""
    result = tw.restarts(valley, BOX, target=1e3, **(LONG | {"max_evals": 20_000}))
    again = tw.restarts(valley, BOX, target=1e3, **(LONG | {"max_evals": 20_000, "threads": 1}))
    assert len(result.runs) == len(again.runs) and result.fun == again.fun
