"""DIRECT against a plain transcription, and against the points that SciPy's program evaluates."""

import numpy as np
import pytest
from scipy.optimize import direct

from thalweg.kernels import objective
from thalweg.solvers import Optimizer, StopReason, minimize

BRANIN = [(-5.0, 10.0), (0.0, 15.0)]


def branin(x):
    bent = x[1] - 5.1 / (4 * np.pi**2) * x[0] ** 2 + 5 / np.pi * x[0] - 6
    return bent**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x[0]) + 10


def uneven(x):
    """No two points have one value by symmetry."""
    return (x[0] - 0.31) ** 2 + 1.7 * (x[1] + 0.43) ** 2 + 0.9 * abs(x[2] - 0.12) + 0.3 * np.sin(7 * x[0] + 3 * x[1])


def points_of(f, bounds, budget, **options):
    """The points in the order of their evaluation, and the result."""
    seen = []

    def noted(x):
        seen.append(x.copy())
        return f(x)

    found = minimize(objective(noted, compiled=False), bounds, method="direct", max_evals=budget, options=options)
    return np.array(seen), found


def transcription(f, bounds, budget, locally_biased):
    """Lists of (centre, cuts, value); all rectangles are looked at in each iteration."""
    lower, upper = np.transpose(bounds)
    seen = []

    def value(centre):
        seen.append(lower + centre * (upper - lower))
        return f(seen[-1])

    def size(cuts):
        return 3.0 ** -min(cuts) if locally_biased else float(np.sum(9.0 ** -np.sort(np.array(cuts))))

    middle = np.full(len(lower), 0.5)
    rectangles = [(middle, [0] * len(lower), value(middle))]
    while len(seen) < budget:
        least_of = {}
        for k, (_, cuts, f_k) in enumerate(rectangles):
            best = least_of.setdefault(size(cuts), k)
            if f_k < rectangles[best][2]:
                least_of[size(cuts)] = k
        chosen = []
        for key in sorted(least_of, reverse=True):
            if not chosen or rectangles[least_of[key]][2] < rectangles[chosen[-1]][2]:
                chosen.append(least_of[key])
        for k in chosen:
            centre, cuts, f_k = rectangles[k]
            sides = [j for j in range(len(cuts)) if cuts[j] == min(cuts)]
            step, pieces = 3.0 ** -(min(cuts) + 1), []
            for j in sides:
                pair = [centre + sign * step * np.eye(len(cuts))[j] for sign in (-1, 1)]
                pieces.append([(p, value(p)) for p in pair])
            left = list(cuts)
            new = {}
            for k_side in sorted(range(len(sides)), key=lambda k: min(v for _, v in pieces[k])):
                left[sides[k_side]] += 1
                new[k_side] = [(p, list(left), v) for p, v in pieces[k_side]]
            for k_side in range(len(sides)):
                rectangles += new[k_side]
            rectangles[k] = (centre, left, f_k)
    return np.array(seen[:budget])


@pytest.mark.parametrize("biased", [True, False])
@pytest.mark.parametrize(("f", "bounds"), [(branin, BRANIN), (uneven, [(-1.0, 1.3)] * 3)])
def test_the_points_are_those_of_a_plain_transcription(f, bounds, biased):
    seen, _ = points_of(f, bounds, 301, locally_biased=biased, xtol=0.0)
    np.testing.assert_allclose(seen, transcription(f, bounds, 301, biased), atol=1e-12)


@pytest.mark.parametrize("biased", [True, False])
def test_the_points_are_those_of_scipy(biased):
    """Its eps, too, has no effect there; the order of the two points of a side is another one."""
    bounds, theirs = [(-1.0, 1.3)] * 3, []

    def noted(x):
        theirs.append(tuple(np.round(x, 9)))
        return uneven(x)

    direct(noted, bounds, maxfun=300, maxiter=10_000, locally_biased=biased)
    ours, _ = points_of(uneven, bounds, 300, locally_biased=biased, xtol=0.0)
    assert len(set(theirs[:300]) & {tuple(np.round(x, 9)) for x in ours}) >= 290  # the last iteration is cut


def test_branin_is_found_with_few_evaluations():
    """Jones et al. (table II): 195 to within 0.01 %."""
    _, found = points_of(branin, BRANIN, 195, locally_biased=True)
    assert (found.fun - 0.397887) / 0.397887 < 1e-4


def test_it_ends_where_the_best_rectangle_is_small():
    _, found = points_of(branin, BRANIN, 20_000, xtol=1e-4)
    assert found.stop_reason == StopReason.CONVERGED and found.success and found.nfev < 1000
    assert abs(found.fun - 0.397887) < 1e-4


def test_a_point_that_is_given_is_looked_at_first():
    found = minimize(branin, BRANIN, [np.pi, 2.275], method="direct", max_evals=50)
    assert np.array_equal(found.x, [np.pi, 2.275])


def test_most_of_the_box_may_be_infeasible():
    def f(x):
        return (x[0] - 0.9) ** 2 + (x[1] - 0.2) ** 2 if x[0] > 0.8 and x[1] < 0.25 else np.inf

    assert minimize(f, [(0, 1)] * 2, method="direct", max_evals=2000).fun < 1e-6


@pytest.mark.parametrize("method", ["direct", "nelder_mead"])
def test_an_iteration_of_many_evaluations_is_asked_for_as_it_is_made(method):
    """More values than the eight that there is room for at first; the ninth was once taken for the first."""
    bounds = [(-1.0, 1.3)] * 12
    whole = minimize(uneven, bounds, method=method, seed=3, max_evals=100)
    optimizer = Optimizer(method, bounds, seed=3, max_evals=100)
    while not optimizer.done:
        x = optimizer.ask()
        optimizer.tell([uneven(x[0])])
    assert optimizer.result().nfev == whole.nfev
    np.testing.assert_allclose(optimizer.result().x, whole.x, atol=1e-9)


def test_what_is_refused():
    with pytest.raises(ValueError, match="xtol: got -1"):
        minimize(branin, BRANIN, method="direct", options={"xtol": -1})
    with pytest.raises(ValueError, match="direct takes no whole numbers"):
        minimize(branin, BRANIN, method="direct", integrality=[True, False])
    with pytest.raises(ValueError, match="x0: got 2 points"):
        minimize(branin, BRANIN, [[0, 1], [1, 2]], method="direct")
