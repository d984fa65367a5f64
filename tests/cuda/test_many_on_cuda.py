"""Many small problems on the device: the answers of the CPU, to the bit in the simulator; what is refused."""

import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

import thalweg as tw
from thalweg.kernels.calling import asking
from thalweg.kernels.cuda import launches, many, questions
from thalweg.solvers import StopReason

T = np.linspace(0.0, 4.0, 20)
RATES = np.linspace(0.5, 2.0, 11)
CURVES = 3.0 * np.exp(-RATES[:, None] * T)
BOX = [(0.0, 2.5), (0.0, 9.0)]
FIELDS = ("nfev", "nit", "njev", "status", "success")
on_device = pytest.mark.usefixtures("simulated")
pytestmark = on_device


def misfit(b, y, t):
    return np.sum((b[0] * np.exp(-b[1] * t) - y) ** 2)


def gradient(b, y, t):
    r = b[0] * np.exp(-b[1] * t) - y
    return np.array([2 * np.sum(r * np.exp(-b[1] * t)), -2 * np.sum(r * b[0] * t * np.exp(-b[1] * t))])


def solve(*given, **more) -> Any:
    return tw.minimize_many(*given, **more)


def both(*given, **more) -> tuple[Any, Any]:
    """The same call on the device, and on the CPU."""
    return tuple(solve(*given, device=device, **more) for device in ("cuda", "cpu"))


def check_equal(found, expected, simulated):
    """The bits of the CPU in the simulator; on a GPU, which rounds otherwise, the same solutions."""
    assert found.method == expected.method and found.get("derivatives") == expected.get("derivatives")
    if simulated:
        for name in ("x", "fun", *FIELDS):
            assert found[name].tobytes() == expected[name].tobytes(), name
        assert found.message == expected.message
    else:
        np.testing.assert_allclose(found.x, expected.x, rtol=1e-3, atol=1e-3)
        assert found.success.mean() > 0.9


@pytest.mark.parametrize("more", [{}, {"bounds": BOX}, {"jac": gradient}], ids=["free", "bounds", "jac"])
def test_l_bfgs_b_finds_what_it_finds_on_the_cpu(more, simulated):
    """There are more problems than the simulator has threads: a thread goes on with the next one."""
    found, expected = both(misfit, [1.0, 1.0], (CURVES,), args=(T,), **more)
    check_equal(found, expected, simulated)
    assert found.method == "l_bfgs_b" and found.success.all()


def test_nelder_mead_needs_values_alone(simulated):
    check_equal(*both(misfit, [1.0, 1.0], (CURVES[:3],), args=(T,), method="nelder_mead"), simulated)


@pytest.mark.usefixtures("only_simulated")
@pytest.mark.parametrize(
    ("method", "limits"),
    [
        ("bfgs", {}), ("nonlinear_cg", {}), ("newton", {}), ("newton_cg", {}), ("trust_exact", {}),
        ("gradient_descent", {"max_evals": 20}), ("adam", {"max_evals": 20}),
    ],
)  # fmt: skip
def test_any_sequential_method_does(method, limits):
    check_equal(*both(misfit, [1.0, 1.0], (CURVES[:3],), args=(T,), method=method, **limits), True)


@pytest.mark.usefixtures("only_simulated")
@pytest.mark.parametrize("method", ["simulated_annealing", "de"])
def test_each_problem_draws_as_the_run_of_its_number(method):
    found, expected = both(misfit, args_each=(CURVES[:3],), args=(T,), bounds=BOX, method=method, max_evals=60, seed=4)
    check_equal(found, expected, True)
    assert len(np.unique(found.nfev)) == 1 and len(np.unique(found.x[:, 0])) == 3


def test_numbers_and_what_a_function_carries(simulated):
    centre = np.array([3.0, -2.0])

    def shifted(x, k, flag, weights):
        inside = np.zeros(2)
        for j in range(2):
            inside[j] = x[j] - centre[j] - k
        return np.sum(weights * inside**2) + (1.0 if flag else 2.0)

    each = np.arange(4), np.array([True, False, True, False]), np.full((4, 2), 2.0)
    found, expected = both(shifted, np.zeros((4, 2)), each, method="nelder_mead")
    check_equal(found, expected, simulated)
    np.testing.assert_allclose(found.x, centre + np.arange(4.0)[:, None], atol=1e-3)
    np.testing.assert_allclose(found.fun, [1, 2, 1, 2], atol=1e-6)


def test_problems_without_arguments(simulated):
    starts = np.random.default_rng(1).uniform(-1, 1, (5, 2))
    found, expected = both(lambda x: (x[0] - 1.0) ** 2 + 3.0 * (x[1] - x[0] ** 2) ** 2, starts, method="nelder_mead")
    check_equal(found, expected, simulated)


def test_functions_of_c(simulated):
    def special(x, k):
        return abs(x[0] - 1.0) ** 2.5 + (math.atan(x[1]) - 0.1 * k) ** 2 + math.erf(x[0] * x[0]) * 1e-3

    check_equal(*both(special, [0.5, 0.5], (np.arange(4.0),), method="nelder_mead"), simulated)


def test_a_target_and_a_budget(simulated):
    found, expected = both(misfit, [1.0, 1.0], (CURVES,), args=(T,), target=1e-3)
    check_equal(found, expected, simulated)
    found, expected = both(misfit, [1.0, 1.0], (CURVES,), args=(T,), max_evals=3)
    assert found.status.tolist() == expected.status.tolist() and not found.success.any()


def test_an_exception_names_its_problem():
    def picky(x, k):
        if k == 5:
            raise ValueError("five")
        return x[0] ** 2 + k

    with pytest.raises(ValueError, match="five") as caught:
        tw.minimize_many(picky, [1.0], (np.arange(10),), method="nelder_mead", device="cuda")
    assert "in problem 5 of 10" in caught.value.__notes__


def test_a_thread_whose_memory_is_too_small_gets_more(monkeypatch, simulated):
    """In the simulator the machine code of the CPU has memory of its own; there a note is made in its place."""

    def wide(x, k):
        inside = np.zeros(400)
        for i in range(400):
            inside[i] = x[0] - k + 1e-3 * i
        return np.sum(inside**2)

    if simulated:
        ask = questions.answers(False)

        def short(problem, x, g):
            if problem.size < 4 * many.FIRST:
                problem.full[problem.thread] = 1
                return questions.RAISED.view(np.float64)
            return ask[asking.value_and_gradient](problem, x, g)

        monkeypatch.setattr(many, "answers", lambda given: {**ask, asking.value_and_gradient: short})
        monkeypatch.setattr(many, "_rebuilt", {})
        monkeypatch.setattr(launches, "_compiled", {})
    sizes, begin = [], many.ManyProblems._begin
    monkeypatch.setattr(
        many.ManyProblems, "_begin", lambda self, numbers, size: (sizes.append(size), begin(self, numbers, size))
    )
    found, expected = both(wide, [1.0], (np.arange(7.0),), method="bfgs")
    check_equal(found, expected, simulated)
    assert sizes[:3] == [many.FIRST, 2 * many.FIRST, 4 * many.FIRST]


def test_ctrl_c_leaves_what_was_found(monkeypatch):
    step, steps = many.ManyProblems.step, []

    def interrupted(self, iterations):
        if steps:
            raise KeyboardInterrupt
        steps.append(step(self, iterations))
        return True

    monkeypatch.setattr(many.ManyProblems, "step", interrupted)
    found = solve(misfit, [1.0, 1.0], (CURVES,), args=(T,), device="cuda")
    assert "Interrupted from the keyboard" in found.message
    assert (found.status[~found.success] == StopReason.INTERRUPTED).all()


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"threads": 2}, ValueError, "threads: device='cuda' has threads of its own"),
        ({"method": "cma_es", "bounds": BOX}, ValueError, "device='cuda': cma_es runs on the CPU only"),
        ({"jac": "2-point"}, ValueError, "device='cuda': a gradient would be found as '2-point', which a GPU does not"),
        ({"jac": gradient, "method": "newton_cg"}, ValueError, "device='cuda': products with the Hessian would be fo"),
        ({"device": "gpu"}, ValueError, "device: got 'gpu'"),
    ],
)
def test_what_is_refused(more, error, words):
    with pytest.raises(error, match=words):
        tw.minimize_many(
            misfit, None if "bounds" in more else [1.0, 1.0], (CURVES,), args=(T,), **{"device": "cuda", **more}
        )


def test_an_objective_in_python_is_refused():
    with pytest.raises(ValueError, match="device='cuda' cannot run this: its objective runs as 'python'"):
        tw.minimize_many(tw.objective(lambda x: x[0] ** 2, compiled=False), [[1.0]], device="cuda")
