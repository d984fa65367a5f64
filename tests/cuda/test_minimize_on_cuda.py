"""`minimize(device="cuda")`: the results and stops of the CPU; what cannot run there is refused with a reason."""

import ctypes
import dataclasses
import math

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from numba.core import config

from thalweg.kernels import objective
from thalweg.kernels.cuda.launches import ROW_BLOCK
from thalweg.kernels.cuda.shim import device_name
from thalweg.solvers import SOLVERS, StopReason, minimize
from thalweg.solvers.driving import cuda as on_cuda
from thalweg.solvers.driving.result import Result

on_device = pytest.mark.usefixtures("simulated")
BOUNDS = [(-3, 3)] * 2


@objective(precise=True)
def shifted(x, centre, scale):
    total = 0.0
    for j in range(x.size):
        total += (x[j] - centre[j]) ** 2 * scale - math.cos(x[j])
    return total


CALL = {"args": (np.array([0.5, 1.0]), 2.0), "method": "de", "seed": 1, "max_evals": 60, "options": {"population": 8}}


def counts(result):
    return [row[:6] for row in result.runs.tolist()]


@pytest.mark.parametrize(
    "stop",
    [{}, {"restarts": 3}, {"restarts": 4, "target": -0.9}, {"ftol": 0.5}, {"patience": 2}, {"x0": [0.5, 1.0]}],
    ids=str,
)
def test_the_result_is_that_of_the_cpu(stop, close):
    result, expected = (
        minimize(shifted, BOUNDS, device="cuda", **CALL, **stop),
        minimize(shifted, BOUNDS, **CALL, **stop),
    )
    assert isinstance(result, Result) and set(result) == set(expected)
    np.testing.assert_allclose(result.x, expected.x, **close)
    np.testing.assert_allclose(result.fun, expected.fun, **close)
    np.testing.assert_allclose(result.history["best"], expected.history["best"], **close)
    np.testing.assert_allclose(np.array(counts(result)), np.array(counts(expected)), **close)
    assert (result.stop_reason, result.message) == (expected.stop_reason, expected.message)
    assert result.device == "cuda" and result.threads >= 8 and result.versions["gpu"] == device_name()


@on_device
@pytest.mark.parametrize(("method", "options"), [("de", {}), ("jso", {"archive": 0})])
def test_a_population_that_has_collapsed_ends_its_run(method, options):
    call = CALL | {"args": (), "method": method, "max_evals": 400, "options": {"population": 8, **options}}
    fun, call["integrality"] = lambda x: x[0] * x[0] + x[1] * x[1], [True, True]
    result, expected = minimize(fun, BOUNDS, device="cuda", **call), minimize(fun, BOUNDS, **call)
    assert expected.stop_reason == StopReason.COLLAPSED
    assert counts(result) == counts(expected) and result.message == expected.message


def test_a_single_large_population_has_a_thread_for_each_individual(monkeypatch, close):
    monkeypatch.setattr(on_cuda, "LARGE", 20)
    call = CALL | {"options": {"population": 21}}
    result, expected = minimize(shifted, BOUNDS, device="cuda", **call), minimize(shifted, BOUNDS, **call)
    assert result.threads == -(-21 // ROW_BLOCK) * ROW_BLOCK  # three blocks of eight in the simulator
    np.testing.assert_allclose(result.fun, expected.fun, **close)


def test_runs_come_in_waves(monkeypatch, close):
    monkeypatch.setattr(on_cuda, "WAVE_BYTES", 1)
    result = minimize(shifted, BOUNDS, device="cuda", restarts=3, **CALL)
    np.testing.assert_allclose(counts(result), counts(minimize(shifted, BOUNDS, restarts=3, **CALL)), **close)


@on_device
def test_clock_and_callback_end_a_run():
    endless = CALL | {"method": "random_search", "max_evals": 10**9}  # of which nothing collapses, however fast it is
    result = minimize(shifted, BOUNDS, device="cuda", max_time=0.3, **endless)
    assert result.stop_reason == StopReason.OUT_OF_TIME and result.nfev > 0
    repeated = minimize(
        shifted, BOUNDS, device="cuda", max_time=0.5, args=CALL["args"], options={"population": 4}, method="de"
    )
    assert repeated.stop_reason == StopReason.OUT_OF_TIME and len(repeated.runs) > 1
    seen = []

    def callback(intermediate_result):
        seen.append(intermediate_result.fun)
        raise StopIteration

    stopped = minimize(shifted, BOUNDS, device="cuda", callback=callback, **endless)
    assert stopped.stop_reason == StopReason.CALLBACK and stopped.fun == seen[0]


def test_a_checkpoint_goes_on_where_it_stopped(tmp_path, simulated):
    calls = 0

    def interrupt(x):
        nonlocal calls
        calls += 1
        if calls == (2 if simulated else 1):  # a GPU is done before the second
            raise KeyboardInterrupt

    call = CALL | {"max_evals": 400, "restarts": 2, "device": "cuda", "checkpoint": tmp_path / "run.npz"}
    broken = minimize(shifted, BOUNDS, callback=interrupt, **call)
    assert broken.stop_reason == StopReason.INTERRUPTED and broken.nfev < 800
    resumed = minimize(shifted, BOUNDS, **call)
    whole = minimize(shifted, BOUNDS, **{k: v for k, v in call.items() if k != "checkpoint"})
    assert resumed.nfev == 800
    assert resumed.fun == whole.fun and counts(resumed) == counts(whole)
    with pytest.raises(ValueError, match="checkpoint"):
        minimize(shifted, BOUNDS, **{**call, "device": "cpu"})


@on_device
def test_an_objective_of_nan_ends_with_infinity():
    result = minimize(lambda x: math.nan, BOUNDS, device="cuda", method="random_search", seed=1, max_evals=20)
    assert result.n_failed == 20 and result.fun == math.inf and not result.success


@on_device
def test_an_exception_of_the_objective_is_raised():
    def picky(x):
        if x[0] > 0.5:
            raise ValueError("too large")
        return x[0]

    with pytest.raises(ValueError, match="too large"):
        minimize(picky, BOUNDS, x0=[0.0, 0.0], device="cuda", seed=1)


@pytest.mark.usefixtures("only_simulated")
def test_a_row_that_was_never_filled_in_is_evaluated_again_on_the_host(monkeypatch):
    """On a GPU a `raise` ends the thread: the row keeps its mark, the run does not go on."""

    def raises(x):
        if x[0] > -10.0 and x[1] != 0.0:
            raise ValueError("never right")
        return 0.0

    def carries_nothing_on(self, generations, last):
        self.states.trial[0, 3] = 1.0
        self.states.trial_f[0, 3] = np.int64(on_cuda_mark).view(np.float64)

    from thalweg.kernels.calling.arguments import RAISED_BITS as on_cuda_mark

    monkeypatch.setattr(on_cuda.Runs, "advance", carries_nothing_on)
    with pytest.raises(ValueError, match="never right") as caught:
        minimize(raises, BOUNDS, x0=[0.0, 0.0], device="cuda", seed=1)
    assert caught.value.x.shape == (2,)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (objective(lambda x: x[0], compiled=False), "compiled=False"),
        (objective(lambda x: x[:, 0], vectorized=True), "vectorized=True"),
        (
            ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int, ctypes.POINTER(ctypes.c_double))(lambda n, x: x[0]),
            "C function",
        ),
    ],
)
@on_device
def test_what_no_gpu_can_run_is_refused(function, reason):
    with pytest.raises(ValueError, match=reason):
        minimize(function, BOUNDS, device="cuda", seed=1)


def test_a_method_without_rows_is_refused(monkeypatch):
    sequential = dataclasses.replace(SOLVERS["de"], name="one_by_one", rows=None, iterate=lambda problem, state: None)
    monkeypatch.setitem(SOLVERS, "one_by_one", sequential)
    with pytest.raises(ValueError, match="device='cuda': one_by_one has no rows"):
        minimize(shifted, BOUNDS, device="cuda", **CALL | {"method": "one_by_one"})


def test_a_method_that_no_gpu_runs_is_refused():
    with pytest.raises(ValueError, match="device='cuda': cma_es runs on the CPU only"):
        minimize(shifted, BOUNDS, device="cuda", **CALL | {"method": "cma_es"})


def test_threads_are_the_device_s_own():
    with pytest.raises(ValueError, match="threads"):
        minimize(shifted, BOUNDS, device="cuda", threads=2, **CALL)


@pytest.mark.skipif(bool(config.ENABLE_CUDASIM), reason="the simulator stands in for a GPU")
def test_a_missing_gpu_is_named():
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match="no NVIDIA GPU"):
        minimize(shifted, BOUNDS, device="cuda", **CALL)
