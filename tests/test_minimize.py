"""The door: arguments of every kind, stops, callbacks, checkpoints, exceptions, threads."""

import math
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from scipy.optimize import Bounds

from thalweg.kernels import Problem, objective
from thalweg.orchestration import islands, restarts
from thalweg.solvers import SOLVERS, Optimizer, StopReason, minimize
from thalweg.solvers.driving import hooks, running, settings
from thalweg.solvers.driving.settings import choose_method, make_limits

BOX = [(-2.0, 3.0)] * 4


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def slow_in_python(x):
    time.sleep(0.002)
    return float((x**2).sum())


# --- what it takes ------------------------------------------------------------------------------------------------


def test_forms_of_bounds_and_fun_give_the_same_run():
    reference = minimize(valley, BOX, seed=1, max_evals=2000)
    for bounds in (np.array(BOX), Bounds([-2] * 4, [3] * 4), tuple(BOX)):
        assert minimize(valley, bounds, seed=1, max_evals=2000).fun == reference.fun
    problem = Problem(fun=valley, bounds=BOX)
    assert minimize(problem, seed=1, max_evals=2000).fun == reference.fun
    assert minimize(objective(valley), BOX, seed=1, max_evals=2000).fun == reference.fun


def test_python_objectives_take_the_same_path_as_compiled_ones():
    """An objective exact in binary: whole-numbered x, so that Python and compiled code cannot differ by rounding."""
    whole = dict(integrality=True, seed=3, max_evals=600, method="lshade", bounds=[(-50, 50)] * 3)
    compiled = minimize(lambda x: x[0] ** 2 + 3 * x[1] ** 2 + (x[2] - 7) ** 2, **whole)
    python = minimize(objective(lambda x: float(x[0] ** 2 + 3 * x[1] ** 2 + (x[2] - 7) ** 2), compiled=False), **whole)
    batch = minimize(
        objective(lambda x: x[:, 0] ** 2 + 3 * x[:, 1] ** 2 + (x[:, 2] - 7) ** 2, vectorized=True), **whole
    )
    assert compiled.objective == "compiled" and python.objective == "python" and "vectorized" in batch.objective
    for other in (python, batch):
        assert other.fun == compiled.fun and np.array_equal(other.x, compiled.x)
        np.testing.assert_array_equal(other.history["best"], compiled.history["best"])


def test_auto_is_a_portfolio_or_chooses_by_dimension_and_budget():
    def chosen(dimension, **limits):
        problem = Problem(fun=objective(valley), bounds=[(0, 1)] * dimension, integrality=limits.pop("whole", None))
        return choose_method(problem, make_limits(dimension, limits.pop("budget", None), None, None, None, **limits))

    assert chosen(3, budget=500) == chosen(3) == chosen(200) == chosen(1000) == "portfolio"
    assert chosen(3, budget=500, whole=True) == chosen(20, budget=10_000, whole=True) == "lshade"
    assert chosen(3, whole=True) == "jso" and chosen(20, whole=True) == chosen(1001) == "lsrtde"
    assert chosen(3, max_iters=50, whole=True) == "lshade" and chosen(3, max_iters=2000, whole=True) == "jso"


def test_result_behaves_like_scipys():
    result = minimize(valley, BOX, seed=1, max_evals=500, method="lshade")
    assert result["x"] is result.x and result.nfev == 500 and "nit" in result
    with pytest.raises(AttributeError, match="no 'wrong'"):
        _ = result.wrong
    copied = pickle.loads(pickle.dumps(result))
    assert copied.fun == result.fun and copied.stop_reason is StopReason.OUT_OF_BUDGET
    text = repr(result)
    assert "out_of_budget" in text and "lshade" in text and len(text.splitlines()) == len(result)
    assert {"thalweg", "numba", "llvmlite", "cpu"} <= set(result.versions)
    assert 0 <= result.timing["evaluate"] <= result.timing["run"] > 0


def test_a_drawn_seed_is_told_and_repeats_the_run():
    drawn = minimize(valley, BOX, max_evals=500)
    assert minimize(valley, BOX, seed=drawn.seed, max_evals=500).fun == drawn.fun


# --- what it refuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"bounds": [(1, 0)] * 4}, ValueError, "bounds: variable 0 has low 1.0 above high 0.0"),
        ({"bounds": [(0, np.nan)]}, ValueError, "bounds: variable 0"),
        (
            {"bounds": [(0, np.inf)], "method": "de"},
            ValueError,
            r"variable 0 has \(0.0, inf\), expected a finite box: de",
        ),
        ({"bounds": [(0, np.inf)]}, ValueError, "x0: l_bfgs_b needs a point to begin with"),
        ({"bounds": [(0, 1, 2)]}, ValueError, "bounds: got an array of shape"),
        ({"bounds": []}, ValueError, "bounds: got none"),
        ({"bounds": None}, ValueError, "bounds: got None"),
        ({"x0": [0, 0]}, ValueError, "x0: got shape"),
        ({"x0": [9, 0, 0, 0]}, ValueError, r"x0: variable 0 is 9.0, expected a number in"),
        ({"args": ({},)}, TypeError, r"args\[0\]: got a dict"),
        ({"method": "lsade"}, ValueError, "did you mean 'lshade'"),
        ({"method": 3}, TypeError, "method: got int"),
        ({"options": {"population": 3}}, ValueError, "population: got 3, expected at least 4"),
        ({"options": 7}, TypeError, "options: got int"),
        ({"max_evals": 0}, ValueError, "max_evals: got 0"),
        ({"max_evals": -5}, ValueError, "max_evals: got -5"),
        ({"max_evals": 1.5}, TypeError, "max_evals: got 1.5"),
        ({"max_evals": np.inf}, TypeError, "max_evals: got inf"),
        ({"max_time": 0}, ValueError, "max_time: got 0"),
        ({"seed": 1.0}, TypeError, "seed: got 1.0"),
        ({"seed": True}, TypeError, "seed: got True"),
        ({"seed": -1}, ValueError, "seed: got -1"),
        ({"restarts": 0}, ValueError, "restarts: got 0"),
        ({"threads": 0}, ValueError, "threads: got 0"),
        ({"ftol": -1e-3}, ValueError, "ftol: got"),
        ({"patience": -1}, ValueError, "patience: got -1"),
        ({"patience": 0}, ValueError, "patience: got 0"),
        ({"max_evals": 10**400}, ValueError, "max_evals: got a number beyond"),
        ({"bounds": [(0, 10**400)]}, ValueError, "bounds: got"),
        ({"options": {"archive": np.inf}, "method": "jso"}, ValueError, "archive: got inf"),
        ({"x0": np.zeros((600, 4))}, ValueError, "x0: got 600 points, expected at most"),
        ({"checkpoint": "no/such/folder/run.npz"}, ValueError, "in a folder that exists"),
        ({"checkpoint": 5}, TypeError, "checkpoint: got int"),
        ({"target": "low"}, TypeError, "target: got 'low'"),
        ({"device": "tpu"}, ValueError, "device: got 'tpu'"),
        ({"jac": valley, "method": "jso"}, ValueError, "uses no gradient"),
        ({"callback": 3}, TypeError, "callback: got int"),
        ({"integrality": [2, 0, 0, 0]}, ValueError, "integrality: got"),
        ({"integrality": [True]}, ValueError, "integrality: got 1 entries"),
        ({"bounds": [(0.2, 0.8)] * 4, "integrality": True}, ValueError, "no whole number"),
    ],
)
def test_bad_input_is_named(change, error, words):
    with pytest.raises(error, match=words):
        minimize(**{"fun": valley, "bounds": BOX, "max_evals": 100, **change})


def test_bad_objectives_are_named():
    for fun, error, words in [
        (lambda x: x, TypeError, r"returned an array of shape \(4,\)"),
        (lambda x: None, TypeError, "returned None"),
        (lambda x: 1j, TypeError, "returned complex"),
        (lambda x: "low", TypeError, "returned str"),
        (3, TypeError, "fun: got int"),
    ]:
        with pytest.raises(error, match=words):
            minimize(fun, BOX, max_evals=100)


# --- exceptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("restarts", [1, 6])
def test_an_exception_arrives_as_itself_with_its_x(restarts):
    def picky(x):
        if x[0] > 2.9:
            raise ValueError("too far")
        return x[0] ** 2

    seen, before = [], minimize(valley, BOX, seed=1, max_evals=200)
    for threads in (1, 2):
        with pytest.raises(ValueError, match="too far") as caught:
            minimize(objective(picky, check=False), BOX, seed=1, restarts=restarts, threads=threads)
        assert caught.value.x[0] > 2.9 and "raised by the objective at x" in caught.value.__notes__[0]
        seen.append(caught.value.x)
    np.testing.assert_array_equal(*seen)
    after = minimize(valley, BOX, seed=1, max_evals=200)  # and the next run is none the worse
    assert after.fun == before.fun and after.nfev == 200 and np.array_equal(after.x, before.x)


def test_an_exception_of_a_python_objective_arrives_as_itself():
    def picky(x):
        raise KeyError("nothing there")

    for vectorized in (False, True):
        with pytest.raises(KeyError, match="nothing there"):
            minimize(objective(picky, compiled=False, vectorized=vectorized), BOX, max_evals=100)


# --- max_iters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOLVERS)
def test_iterations_end_a_run(name):
    found = minimize(valley, BOX, method=name, seed=1, max_iters=7)
    assert found.nit == 7 and found.stop_reason is StopReason.OUT_OF_ITERATIONS
    assert "The iterations (max_iters) are done." in found.message
    both = minimize(valley, BOX, method=name, seed=1, max_iters=10**6, max_evals=10)
    assert both.nfev == 10 and both.stop_reason is StopReason.OUT_OF_BUDGET


@pytest.mark.parametrize(
    ("name", "iterations"), [("lshade", 150), ("jso", 200), ("lsrtde", 150), ("simulated_annealing", 10_000)]
)
def test_schedules_plan_by_the_limit_that_comes_first(name, iterations):
    """So a run of so many iterations converges, as one of so many evaluations does."""
    call = {"bounds": BOX, "method": name, "seed": 1}
    assert minimize(lambda x: ((x - 0.5) ** 2).sum(), max_iters=iterations, **call).fun < 1e-6
    same = minimize(valley, max_evals=2000, max_iters=10**9, **call)
    assert same.fun == pytest.approx(minimize(valley, max_evals=2000, **call).fun, rel=1e-12)


def test_the_population_shrinks_with_the_iterations():
    state = {}
    for name, limit in (("iterations", {"max_iters": 100}), ("evaluations", {"max_evals": 3000})):
        optimizer = Optimizer("lshade", BOX, seed=1, **limit)
        while not optimizer.done:
            optimizer.tell([valley(x) for x in optimizer.ask()])
        state[name] = int(optimizer.state.rows[0].live)
    assert state["iterations"] <= 5 and state["evaluations"] == 4


def test_iterations_go_everywhere_that_limits_go(tmp_path):
    path = tmp_path / "run.npz"
    call = {"seed": 1, "method": "de", "checkpoint": path}
    first = minimize(valley, BOX, max_iters=20, **call)
    assert minimize(valley, BOX, max_iters=20, **call).fun == first.fun
    with pytest.raises(ValueError, match="belongs to another run: its limits"):
        minimize(valley, BOX, max_iters=19, **call)
    once = minimize(valley, BOX, seed=1, method="de", max_iters=20, max_time=60)
    assert once.fun == first.fun and len(once.runs) == 1
    many = restarts(valley, BOX, runs=3, seed=1, method="de", max_iters=20, progress=True)
    assert many.fun <= first.fun and set(many.runs["nit"]) == {20}
    apart = islands(valley, BOX, islands=2, every=5, seed=1, method="de", max_iters=20, progress=True)
    assert set(apart.runs["nit"]) == {20} and apart.stop_reason is StopReason.OUT_OF_ITERATIONS
    with pytest.raises(ValueError, match="total_evals: it shares out the evaluations of runs; expected max_evals"):
        restarts(valley, BOX, runs=3, max_iters=20, total_evals=1000)
    with pytest.raises(ValueError, match="max_iters: got 0, expected at least 1"):
        minimize(valley, BOX, max_iters=0)


# --- stops that hang on the clock ---------------------------------------------------------------------------------


def test_max_time_alone_repeats_runs_until_it_is_up():
    call = {"method": "de", "seed": 1}
    result = minimize(valley, BOX, max_time=0.6, **call)
    assert 0.5 < result.timing["run"] < 3.0
    assert result.stop_reason == StopReason.OUT_OF_TIME and len(result.runs) > 1
    first = minimize(valley, BOX, **call)
    assert result.runs["fun"][0] == first.fun


def test_compilation_does_not_count(monkeypatch):
    """Also not that of the parallel driver, which is compiled when it is first tried, after the clock has started."""

    def slow(x):
        total = 0.0
        for i in range(4000):
            total += math.sin(x[0] * i)
        return total

    minimize(slow, BOX, seed=1, max_evals=500, threads=2, method="de")
    parallel = running.drivers.parallel

    def compiles(solver):
        time.sleep(0.0 if waited else 1.0)
        waited.append(True)
        return parallel(solver)

    waited = []
    monkeypatch.setattr(running.drivers, "parallel", compiles)
    options = {"population": 200}
    found = minimize(slow, BOX, seed=1, max_evals=10**9, max_time=0.6, threads=2, method="de", options=options)
    assert waited and found.timing["compile"] > 1.0 and 0.6 <= found.timing["run"] < 1.2 and found.runs["seconds"] < 1.2


def test_max_time_bounds_slow_objectives():
    result = minimize(objective(slow_in_python, compiled=False), BOX, seed=1, max_evals=10**6, max_time=0.4)
    assert result.timing["run"] < 1.5 and result.nfev < 1000 and np.isfinite(result.fun)


def test_an_unfinished_first_generation_counts():
    result = minimize(objective(slow_in_python, compiled=False), BOX, seed=1, max_evals=10**6, max_time=0.06)
    assert 0 < result.nfev < 72 and np.isfinite(result.fun) and slow_in_python(result.x) == result.fun


def test_callbacks_never_see_a_point_that_was_not_evaluated():
    seen = []
    minimize(valley, BOX, seed=1, max_evals=2000, callback=lambda x: seen.append(x))
    assert all(np.isfinite(x).all() for x in seen)


def test_callbacks_see_the_best_so_far_and_may_stop():
    seen = []

    def watch(intermediate_result):
        seen.append(intermediate_result)
        if len(seen) == 3:
            raise StopIteration

    result = minimize(valley, BOX, seed=1, max_evals=10**9, callback=watch, options={"population": 50})
    assert result.stop_reason == StopReason.CALLBACK and len(seen) == 3
    assert seen[0].fun >= seen[1].fun >= seen[2].fun >= result.fun and seen[0].x.shape == (4,)
    points = []
    minimize(valley, BOX, seed=1, max_time=0.3, callback=lambda x: points.append(x))
    assert points and points[0].shape == (4,)


def test_a_callback_that_raises_is_heard():
    def broken(x):
        raise RuntimeError("in the callback")

    for count in (1, 4):
        with pytest.raises(RuntimeError, match="in the callback"):
            minimize(valley, BOX, seed=1, max_evals=10**8, restarts=count, callback=broken)


INTERRUPTED = """
    import sys
    from thalweg.kernels import objective
    from thalweg.solvers import minimize
    def f(x):
        return (x[0] - 1) ** 2 + x[1] ** 2
    def tell(intermediate_result):
        if intermediate_result.fun < 1e-3 and not told:
            told.append(True)
            print("under way", flush=True)
    restarts, told = int(sys.argv[1]), []
    minimize(f, [(-5, 5)] * 2, seed=1, max_evals=100, restarts=2)  # what is compiled is compiled before
    r = minimize(f, [(-5, 5)] * 2, seed=1, max_evals=10**12, restarts=restarts, patience=10**9, callback=tell)
    print(r.stop_reason.name, r.success, r.fun < 1e-3, r.nfev > 0, flush=True)
"""


@pytest.mark.parametrize("restarts", [1, 4])
def test_ctrl_c_returns_the_best_so_far(restarts, tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(INTERRUPTED))
    command = [sys.executable, script, str(restarts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        guard = threading.Timer(300, child.kill)
        guard.start()
        try:
            under_way = child.stdout.readline()
            child.send_signal(signal.SIGINT)
            begin = time.perf_counter()
            found = child.stdout.readline()
            seconds = time.perf_counter() - begin
            rest, err = child.communicate()
        finally:
            guard.cancel()
    assert (under_way, child.returncode, rest) == ("under way\n", 0, ""), err
    assert found.split() == ["INTERRUPTED", "False", "True", "True"]
    assert seconds < 2.0  # 0.3 s on an idle machine; this one may be busy


def test_two_threads_may_minimise_at_the_same_time():
    expected = [minimize(valley, BOX, seed=s, max_evals=20_000, restarts=3).fun for s in range(4)]
    found = [None] * 4

    def work(s):
        found[s] = minimize(valley, BOX, seed=s, max_evals=20_000, restarts=3).fun

    workers = [threading.Thread(target=work, args=(s,)) for s in range(4)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert found == expected


def test_a_single_run_gives_the_same_bits_when_it_goes_parallel(monkeypatch):
    serial = minimize(valley, BOX, seed=5, max_evals=400_000, threads=1)
    for name in ("FIRST_PROBE", "PROBE_EVERY", "SHORT_GENERATION"):
        monkeypatch.setattr(running, name, 0.0)
    mixed = minimize(valley, BOX, seed=5, max_evals=400_000, threads=2)
    assert mixed.fun == serial.fun and np.array_equal(mixed.x, serial.x)


def test_starting_points_are_rounded_into_the_box():
    result = minimize(lambda x: x[0] ** 2, [(0.4, 3.4)], [0.45], integrality=[True], seed=1, max_evals=200)
    assert result.x[0] == 1.0


def test_minus_infinity_is_no_target():
    result = minimize(lambda x: -np.inf if x[0] < 0 else x[0], BOX, seed=1, max_evals=300)
    assert result.fun == -np.inf and result.stop_reason == StopReason.OUT_OF_BUDGET and "finite" not in result.message


# --- many runs ----------------------------------------------------------------------------------------------------


def test_a_target_keeps_the_runs_up_to_the_first_that_reached_it():
    def ragged(x):
        return x[0] ** 2 + np.cos(20.0 * x[0]) + x[1] ** 2 + np.cos(20.0 * x[1]) + 2.0

    arguments = dict(bounds=[(-5, 5)] * 2, seed=2, max_evals=400, method="de", target=0.1, restarts=40)
    one, two = (minimize(ragged, threads=t, **arguments) for t in (1, 2))
    np.testing.assert_array_equal(one.runs["fun"], two.runs["fun"])
    assert one.stop_reason == StopReason.REACHED_TARGET and 1 < len(one.runs) < 40
    assert one.runs["stop"][-1] == StopReason.REACHED_TARGET
    assert (one.runs["stop"][:-1] != StopReason.REACHED_TARGET).all()


# --- checkpoints --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(SOLVERS))
@pytest.mark.parametrize(("restarts", "where"), [(1, 0.0), (1, 0.2), (3, 1.2)])
def test_a_stopped_run_goes_on_to_the_same_bits(name, restarts, where, tmp_path, monkeypatch):
    """Stopped at the first chance; in the middle of a run; in the second of three runs."""
    monkeypatch.setattr(hooks, "CALLBACK_EVERY", 0.0)
    path = tmp_path / "run.npz"
    arguments = dict(bounds=BOX, seed=9, method=name, max_evals=5000, restarts=restarts)
    whole = minimize(valley, **arguments)
    evaluations = np.interp(where, range(restarts + 1), [0, *np.cumsum(whole.runs["nfev"])])

    def stop(intermediate_result):
        if intermediate_result.nfev >= evaluations:
            raise StopIteration

    quick = "gradient" in SOLVERS[name].asks or name == "cr_fm_nes"  # some end within one chunk
    each = {"callback_every": "generation"} if quick else {}
    stopped = minimize(valley, **arguments, checkpoint=path, callback=stop, threads=1, **each)
    assert stopped.stop_reason == StopReason.CALLBACK and evaluations <= stopped.nfev < whole.nfev
    resumed = minimize(valley, **arguments, checkpoint=path)
    assert resumed.fun == whole.fun and np.array_equal(resumed.x, whole.x) and resumed.nfev == whole.nfev
    np.testing.assert_array_equal(resumed.runs["fun"], whole.runs["fun"])
    np.testing.assert_array_equal(resumed.history["best"], whole.history["best"])
    again = minimize(valley, **arguments, checkpoint=path)  # all is done: the answer comes from the file
    assert again.fun == whole.fun and again.timing["run"] < 1.0
    np.testing.assert_array_equal(again.history["best"], whole.history["best"])


def test_python_objectives_resume_too(tmp_path):
    path = tmp_path / "run.npz"
    slow = objective(slow_in_python, compiled=False)
    arguments = dict(bounds=BOX, seed=9, method="de", max_evals=400)
    whole = minimize(slow, **arguments)
    stopped = minimize(slow, **arguments, checkpoint=path, max_time=0.25)
    assert stopped.nfev < 400
    resumed = minimize(slow, **arguments, checkpoint=path)
    assert resumed.fun == whole.fun and resumed.nfev == 400


def test_foreign_and_torn_checkpoints_are_refused(tmp_path):
    path = tmp_path / "run.npz"
    minimize(valley, BOX, method="lshade", seed=9, max_evals=2000, checkpoint=path)
    for change, name in [
        ({"seed": 8}, "seed"),
        ({"method": "de"}, "method"),
        ({"max_evals": 2001}, "limits"),
        ({"bounds": [(-2.0, 3.5)] * 4}, "box"),
        ({"fun": lambda x: x[0]}, "objective"),
        ({"options": {"population": 30}}, "options"),
    ]:
        with pytest.raises(ValueError, match=f"belongs to another run: its {name}"):
            whole = {"fun": valley, "bounds": BOX, "method": "lshade", "seed": 9, "max_evals": 2000, "checkpoint": path}
            minimize(**whole | change)
    path.write_bytes(path.read_bytes()[:500])
    for seed in (9, None):
        with pytest.raises(ValueError, match="torn"):
            minimize(valley, BOX, seed=seed, max_evals=2000, checkpoint=path)
    path.write_bytes(b"no archive at all")
    with pytest.raises(ValueError, match="torn"):
        minimize(valley, BOX, max_evals=2000, checkpoint=path)


KILLED = """
    import sys
    from thalweg.solvers import minimize
    def valley(x):
        total = 0.0
        for i in range(x.size - 1):
            total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
        return total
    path, budget = sys.argv[1:]
    call = dict(method="jso", seed=9, max_evals=int(budget), restarts=2, checkpoint=path or None)
    r = minimize(valley, [(-2.0, 3.0)] * 4, **call)
    print(r.fun.hex(), r.nfev)
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_to_the_same_bits(tmp_path):
    script, path, budget = tmp_path / "run.py", tmp_path / "run.npz", "6000000"
    script.write_text(textwrap.dedent(KILLED))
    first = subprocess.Popen([sys.executable, script, path, budget])
    end = time.monotonic() + 60
    while not path.exists() and first.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert path.exists()
    done = [
        subprocess.run([sys.executable, script, p, budget], capture_output=True, text=True, timeout=120).stdout
        for p in (path, "")
    ]
    assert done[0] == done[1] != ""


def test_a_drawn_seed_goes_on_from_its_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    options = SOLVERS["lshade"].Options(population=np.int64(30))
    first = minimize(valley, BOX, method="lshade", options=options, max_evals=2000, checkpoint=path)
    again = minimize(valley, BOX, method="lshade", options=options, max_evals=2000, checkpoint=path)
    assert again.seed == first.seed and again.fun == first.fun


def test_many_short_runs_take_time_in_proportion():
    few, many = (
        minimize(lambda x: x[0] ** 2, [(-5, 5)], method="de", seed=1, restarts=n, max_evals=40, threads=1).timing["run"]
        for n in (500, 4000)
    )
    assert many < 40 * few + 1.0  # 8 times as many runs; it was 64 times the time when each looked through all others


def test_seeds_reach_the_whole_range():
    assert settings.make_seed(2**64 - 1) == 2**64 - 1
    call = {"method": "lshade", "max_evals": 200}
    top = minimize(valley, BOX, seed=2**64 - 1, **call)
    assert top.seed == 2**64 - 1 and top.fun != minimize(valley, BOX, seed=2**63 - 1, **call).fun


# --- corners that a review found ---------------------------------------------------------------------------------


def distance(x):
    return (x[0] - 100.7) ** 2 + (x[1] - 100.7) ** 2


def test_nelder_mead_begins_at_a_bound_in_a_narrow_box():
    """Its first simplex, 5 % of x0, is wider than the box."""
    found = minimize(distance, [(100, 101)] * 2, x0=[100, 100], method="nelder_mead")
    assert found.success and found.fun < 1e-12


def test_values_that_agree_by_symmetry_are_no_success():
    found = minimize(lambda x: x[0] ** 2, [(-5, 5)], x0=[[-1], [1]], max_evals=2, method="nelder_mead")
    assert found.fun == 1.0 and not found.success


@pytest.mark.parametrize("method", ["de", "lshade", "jso", "lsrtde"])
def test_a_first_generation_cut_short_has_not_collapsed(method):
    found = minimize(lambda x: x[0] + x[1] + 2, [(-5, 5)] * 2, x0=[0, 0], max_evals=1, method=method)
    assert found.stop_reason == StopReason.OUT_OF_BUDGET and not found.success


def test_a_checkpoint_of_a_run_that_raised_raises_again(tmp_path):
    def steep(x):
        if x[0] > 4.9:
            raise ValueError("too far")
        return x[0]

    for _ in range(4):
        with pytest.raises(ValueError, match="too far"):
            minimize(steep, [(-5, 5)], method="random_search", seed=1, checkpoint=tmp_path / "run.npz")


def test_later_restarts_of_a_local_method_begin_elsewhere():
    found = minimize(lambda x: (x[0] - 1) ** 2, [(-5, 5)], x0=[3], method="nelder_mead", restarts=3, seed=1)
    assert len(set(found.runs["nfev"].tolist())) > 1
