"""max_time is that of the runs: what is compiled on workers is compiled before."""

import pytest

import thalweg as tw


@pytest.mark.slow
def test_compilation_on_workers_is_no_time_of_the_runs(tmp_path, monkeypatch):
    """400 runs of 50 evaluations take milliseconds; the loop of short runs, compiled in the midst of them, took all."""
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
    call = dict(runs=400, method="random_search", max_evals=50, seed=1)
    with tw.cluster(1) as client:
        there = tw.restarts(lambda x: x[0] ** 2, [(-5, 5)] * 2, **call, client=client, max_time=1.5)
    assert there.stop_reason != tw.StopReason.OUT_OF_TIME and len(there.runs) == 400
    assert there.timing["compile"] > there.timing["run"]
    here = tw.restarts(lambda x: x[0] ** 2, [(-5, 5)] * 2, **call, threads=1)
    assert here.fun == there.fun and (here.runs["x"] == there.runs["x"]).all()
