"""Callbacks in every form that SciPy has, their answers, and when they are called."""

import functools
import inspect
import threading

import numpy as np
import pytest
from scipy.optimize import OptimizeResult

import thalweg as tw
from thalweg import StopReason, objective

BOX = [(-1.0, 1.0)] * 3
LONG = {"seed": 1, "max_evals": 10**8, "max_time": 20.0, "threads": 1, "method": "lshade"}
METHODS = ("lshade", "jso", "de", "lsrtde", "cma_es", "random_search", "nelder_mead", "simulated_annealing")


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


class Watcher:
    def __init__(self, answer=True):
        self.seen, self.answer = [], answer

    def __call__(self, x, convergence):
        self.seen.append((x, convergence))
        return self.answer

    def look(self, xk, convergence=None):
        return self(xk, convergence)

    def look_at_result(self, intermediate_result, /):
        return self(intermediate_result, None)


def by_name(*, intermediate_result):
    return intermediate_result.fun < np.inf


def stops(x):
    raise StopIteration


# --- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "callback",
    [
        lambda x: True,
        lambda xk: True,
        lambda x, convergence: True,
        lambda xk, convergence=0: True,
        lambda x, *, convergence: True,
        lambda *x: True,
        lambda x, f=None, context=None: True,
        by_name,
        lambda intermediate_result, more=1: True,
        lambda x: np.True_,
        lambda x: np.array(True),
        lambda x: 1,
        Watcher(),
        Watcher().look,
        functools.partial(Watcher.look, Watcher()),
        stops,
        all,  # a builtin: no coordinate is zero
    ],
)
def test_every_form_is_called_and_stops(callback):
    stopped = tw.minimize(valley, BOX, callback=callback, **LONG)
    assert stopped.stop_reason is StopReason.CALLBACK and stopped.nfev < 10**8
    assert stopped.message.startswith("The callback asked to stop.")


def test_what_each_form_gets():
    pair, result, point = Watcher(), [], []
    tw.minimize(valley, BOX, callback=pair, **LONG)
    tw.minimize(valley, BOX, callback=lambda intermediate_result: result.append(intermediate_result) or True, **LONG)
    tw.minimize(valley, BOX, callback=lambda xk: point.append(xk) or True, **LONG)
    (x, convergence), (found,) = pair.seen[0], result
    assert valley(x) == pytest.approx(valley(point[0])) == pytest.approx(found.fun) and 0.0 <= convergence < 1.0
    assert set(found) == {"x", "fun", "nfev", "nit"} and found.fun == pytest.approx(valley(found.x))


@pytest.mark.parametrize("callback", [print, [].append, lambda x: None, lambda x: False, lambda x: 0])
def test_what_answers_nothing_or_no_lets_the_run_go_on(callback):
    assert tw.minimize(valley, BOX, seed=1, max_evals=500, callback=callback).nfev == 500


def test_a_builtin_whose_parameters_python_does_not_know_gets_x():
    with pytest.raises(ValueError, match="no signature"):
        inspect.signature(bool)
    assert tw.minimize(lambda x: (x[0] - 0.5) ** 2, [(0, 1)], callback=bool, seed=1).stop_reason is StopReason.CALLBACK


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (lambda x, f, context: None, "a function of x, f, context, expected"),  # SciPy's dual_annealing
        (lambda xk, state: None, "a function of xk, state, expected"),  # trust-constr
        (lambda: None, "a function of nothing, expected"),
        (lambda *, result: None, "a function of result, expected"),
        (3, "got int, expected a callable"),
        ("print", "got str, expected a callable"),
    ],
)
@pytest.mark.parametrize("door", [tw.minimize, tw.restarts])
def test_other_forms_are_refused_before_anything_runs(door, callback, words):
    calls = []
    with pytest.raises(TypeError, match=f"^callback: .*{words}"):
        door(objective(lambda x: calls.append(x) or 0.0, compiled=False), BOX, callback=callback)
    assert not calls


async def waits(x):
    return True


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(
    "callback", [np.copy, str, lambda x: 2, waits, lambda x: "stop", lambda x: (yield), lambda x: []]
)
def test_other_answers_are_said(callback):
    """Neither a stop nor a go: `f.write` returns a number, an async function a coroutine that nobody awaits."""
    with pytest.raises(TypeError, match=r"callback: it returned .*, expected True to stop, None or False to go on"):
        tw.minimize(valley, BOX, callback=callback, **LONG)


@pytest.mark.parametrize("kind", [ValueError, KeyError, SystemExit])
def test_what_a_callback_raises_reaches_the_caller(kind):
    def raises(x):
        raise kind("from the callback")

    for door, more in ((tw.minimize, {}), (tw.minimize, {"restarts": 2}), (tw.restarts, {"runs": 3})):
        with pytest.raises(kind, match="from the callback"):
            door(valley, BOX, callback=raises, seed=1, max_evals=2000, **more)


def test_a_callback_may_change_what_it_gets():
    def spoils(intermediate_result):
        intermediate_result.x[:] = 7.0
        intermediate_result.clear()

    expected = tw.minimize(valley, BOX, seed=1, max_evals=2000)
    found = tw.minimize(valley, BOX, seed=1, max_evals=2000, callback=spoils, callback_every="generation")
    np.testing.assert_array_equal(found.x, expected.x)


# --- after each generation --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("compiled", [True, False])
def test_after_each_generation(method, compiled):
    """All of them, in order, and the answer is that without a callback."""
    seen = []
    call = {"seed": 1, "max_evals": 400, "method": method, "ftol": None, "x0": [0.5, 0.5, 0.5], "threads": 1}
    expected = tw.minimize(valley, BOX, **call)
    found = tw.minimize(
        objective(valley, compiled=compiled), BOX, **call,
        callback=lambda intermediate_result: seen.append(dict(intermediate_result)), callback_every="generation",
    )  # fmt: skip
    assert [each["nit"] for each in seen] == list(range(1, found.nit + 1))
    assert all(a["fun"] >= b["fun"] and a["nfev"] <= b["nfev"] for a, b in zip(seen, seen[1:]))
    assert seen[-1]["nfev"] == found.nfev and seen[-1]["fun"] == found.fun
    if compiled:
        assert found.fun == expected.fun and found.nit == expected.nit


@pytest.mark.parametrize("function", [valley, objective(lambda x: (x**2).sum(axis=1), vectorized=True)])
def test_where_a_generation_stops_hangs_on_no_clock(function):
    def stop(intermediate_result):
        return intermediate_result.nit == 7

    call = {
        "seed": 1,
        "max_evals": 10**7,
        "target": -1.0,
        "method": "de",
        "callback": stop,
        "callback_every": "generation",
    }
    first, second = (tw.minimize(function, BOX, **call) for _ in range(2))
    assert first.nit == 7 and first.nfev == 7 * 30 and first.stop_reason is StopReason.CALLBACK
    assert "clock" not in first.message
    np.testing.assert_array_equal(first.x, second.x)
    assert (
        "clock" in tw.minimize(function, BOX, **(call | {"callback": lambda x: True, "callback_every": None})).message
    )


def test_runs_go_one_after_another():
    seen, threads = [], set()

    def note(intermediate_result):
        seen.append(intermediate_result.nit)
        threads.add(threading.get_ident())

    call = {"seed": 1, "max_evals": 300, "restarts": 3, "method": "de"}
    found = tw.minimize(valley, BOX, callback=note, callback_every="generation", **call)
    assert seen == list(range(1, found.nit + 1)) and threads == {threading.get_ident()}
    assert found.fun == tw.minimize(valley, BOX, **call).fun


def test_convergence_is_one_where_the_run_ends_by_ftol():
    """`ftol` is the same rule: the last call is the first that says 1 or more."""
    told = []
    found = tw.minimize(
        valley, BOX, seed=1, method="de", ftol=1e-3, max_evals=10**6, callback_every="generation",
        callback=lambda x, convergence: told.append(convergence),
    )  # fmt: skip
    assert found.stop_reason is StopReason.CONVERGED
    assert told[-1] >= 1.0 and max(told[:-1]) < 1.0


def test_other_words_for_when_are_refused():
    for word in ("iteration", 3, np.array(["generation"])):
        with pytest.raises(ValueError, match=r"^callback_every: got "):
            tw.minimize(valley, BOX, callback=print, callback_every=word)
    with pytest.raises(ValueError, match="callback_every: got 'generation' without a callback"):
        tw.minimize(valley, BOX, callback_every="generation")


# --- restarts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [{}, {"threads": 2}, {"coordinated": True, "round_size": 5}])
def test_restarts_tell_the_best_of_the_runs_that_are_done(more):
    seen = []
    call = {"runs": 20, "seed": 1, "max_evals": 500, **more}
    found = tw.restarts(valley, BOX, callback=lambda intermediate_result: seen.append(intermediate_result), **call)
    last = seen[-1]
    assert (last.fun, last.nfev, last.nit) == (found.fun, found.nfev, found.nit)
    np.testing.assert_array_equal(last.x, found.x)
    assert all(a.fun >= b.fun and a.nfev < b.nfev for a, b in zip(seen, seen[1:]))


def test_restarts_stop_where_the_callback_says_so():
    slow = objective(lambda x: float((x**2).sum()), compiled=False)
    for answer in (lambda x: True, lambda x, convergence: True, stops):
        found = tw.restarts(slow, BOX, runs=10**5, seed=1, max_evals=300, callback=answer)
        assert found.stop_reason is StopReason.CALLBACK and 1 <= len(found.runs) < 10**5
        assert "clock" in found.message


def test_the_programs_of_scipy_run():
    """Callbacks as SciPy's documentation has them."""
    path: list = []

    def of_minimize(intermediate_result: OptimizeResult):
        path.append(intermediate_result.fun)

    def of_evolution(xk, convergence):
        path.append(xk)
        return convergence > 1

    tw.minimize(valley, [0.0, 0.0, 0.0], method="Nelder-Mead", callback=of_minimize)
    tw.minimize(valley, BOX, method="differential_evolution", callback=of_evolution, maxiter=50)
    assert len(path) >= 2


# --- clocks without an end --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_time", [np.inf, 1e18, None])
def test_a_time_without_an_end_is_no_limit(max_time):
    """It asked for runs of the default length until the time is up, which it never is."""
    found = tw.minimize(valley, BOX, method="de", seed=1, max_time=max_time)
    assert len(found.runs) == 1 and found.nfev <= 30_000
    few = {"method": "de", "seed": 1, "max_evals": 300, "max_time": max_time}
    assert len(tw.restarts(valley, BOX, runs=3, **few).runs) == len(tw.islands(valley, BOX, islands=3, **few).runs) == 3
    assert tw.random_search(objective(valley), BOX, points=50, seed=1, max_time=max_time).nfev == 50


@pytest.mark.parametrize("max_time", [np.nan, 0, -np.inf, "1", True])
def test_other_times_are_refused(max_time):
    for door in (tw.minimize, tw.restarts, tw.islands):
        with pytest.raises((TypeError, ValueError), match=r"^max_time: got "):
            door(valley, BOX, max_time=max_time)
