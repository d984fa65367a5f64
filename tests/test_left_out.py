"""With a target the answer is that of units 0..k, k the first that reached it; what is better behind k is told of."""

import threading
import time

import numpy as np

from thalweg import minimize
from thalweg.orchestration import grid_search, restarts
from thalweg.orchestration.execution.campaign import Campaign
from thalweg.orchestration.runs import Runs
from thalweg.solvers.driving.call import parse_call
from thalweg.solvers.driving.records import Records
from thalweg.solvers.driving.result import StopReason


def test_a_better_point_that_was_there_first():
    """Point 0 waits for point 1, which is better."""
    better = threading.Event()

    def loss(k):
        if k == 0:
            assert better.wait(30)
            time.sleep(0.2)  # until it is handed in
            return 0.5
        better.set()
        return 0.25

    found = grid_search(loss, {"k": [0, 1]}, target=0.5, threads=2)
    assert (found.fun, found.index, found.table["k"]) == (0.5, 0, [0])
    assert "A later point, number 1, had found 0.25, which is left out: with a target the answer is" in found.message
    alone = grid_search(lambda k: 0.5 - k, {"k": [0, 1]}, target=0.5)
    assert alone.fun == 0.5 and "left out" not in alone.message


def test_a_campaign_by_numbers():
    """Neither a worse unit behind k is told of, nor an equal one, nor one where no unit reached the target."""
    for values, left_out in [
        ({0: 3.0, 1: 1.0, 2: 0.5}, (0.5, 2)),
        ({0: 3.0, 1: 1.0, 2: 1.0, 3: 2.0}, None),
        ({0: 0.5, 1: 1.0, 2: 0.75}, None),
        ({0: 3.0, 2: 2.0}, None),
    ]:
        campaign = Campaign(Runs(parse_call(abs, [(0, 1)])), range(4), target=1.0)
        campaign.accept([{"unit": unit, "fun": fun} for unit, fun in values.items()])
        assert campaign.outcome().left_out == left_out


def test_records_by_numbers():
    records = Records(1)
    rows = np.zeros(3, records.dtype)
    rows["run"], rows["fun"], rows["stop"] = [0, 4, 2], [3.0, 0.5, 1.0], StopReason.OUT_OF_BUDGET
    records.add(rows)
    assert records.left_out() is None
    rows["stop"][2] = StopReason.REACHED_TARGET
    records = Records(1)
    records.add(rows)
    assert records.left_out() == (4, 0.5) and list(records.kept()["run"]) == [0, 2]


def test_the_messages_of_many_runs():
    """On threads short runs go on in batches; the message tells of a later one only where it is better."""
    call = {"method": "random_search", "max_evals": 50, "seed": 1}

    def parabola(x):
        return (x[0] - 0.3) ** 2

    whole = restarts(parabola, [(-1, 1)], runs=8, **call)
    found = restarts(parabola, [(-1, 1)], runs=8, target=1.0, **call)
    assert found.fun == whole.runs["fun"][0] and len(found.runs) == 1
    if "left out" in found.message:
        assert any(f"number {k}, had found {fun:.6g}" in found.message for k, fun in enumerate(whole.runs["fun"]))
        assert whole.fun < found.fun
    late = minimize(parabola, [(-1, 1)], restarts=8, target=1.0, threads=1, **call)
    assert "left out" not in late.message and late.fun == found.fun
