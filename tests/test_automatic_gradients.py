"""Automatic gradients are exact: of the objectives, of the 74 problems, of random programs; these in all modes.

A gradient is compiled for each, in half a second to several; a few of each kind are in the quick part.
"""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from thalweg.kernels.functions import FUNCTIONS

from . import random_programs
from .automatic import value_and_gradient
from .by_path import load_file
from .test_objectives import known_gradient, objectives, value

ROOT = Path(__file__).parents[1]
KNOWN = json.loads((ROOT / "tests" / "data" / "local.json").read_text("utf-8"))["problems"]
PROBLEMS = load_file(ROOT / "bench" / "local_problems.py").PROBLEMS
QUICK = {
    "rosenbrock", "kepler", "interp", "quadratic", "overwritten", "tuples", "lookup", "closure",  # the 24
    "epidemic", "local_level", "cheapest_path", "distances", "probit", "relaxed", "gaussian_process",  # the others
    "HS25", "PALMER1B", "HIMMELBF", "SNAIL", "TOINTQOR", "DIXMAANB", "BROYDNBDLS",  # the problems
}  # fmt: skip
PROGRAMS, QUICK_PROGRAMS = 30, 4  # `python tests/random_programs.py 1000` tries more


def quick_first(items, name):
    """Parameters for pytest: those that are not named in QUICK are slow."""
    marks = {True: (), False: pytest.mark.slow}
    return pytest.mark.parametrize(
        name, [pytest.param(item, marks=marks[item.name in QUICK], id=item.name) for item in items]
    )


@quick_first(objectives.OBJECTIVES, "objective")
def test_of_an_objective(objective):
    known, exact = known_gradient(objective)
    args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in objective.args)
    found, g = value_and_gradient(objective.fun, objective.x0, args)
    assert found == pytest.approx(value(objective, objective.x0), rel=1e-12, abs=1e-12)
    assert g == pytest.approx(known, rel=0.0, abs=exact * np.abs(known).max())


@quick_first(PROBLEMS, "problem")
def test_of_a_problem(problem):
    for point in KNOWN[problem.name]["points"]:
        found, g = value_and_gradient(problem.fun, point["x"], problem.args)
        known = np.array(point["g"], dtype=np.float64)
        there = ~np.isnan(known)  # CHEBYQAD at a bound: the list's implementation has 0 / 0
        assert found == pytest.approx(point["f"], rel=1e-12, abs=0.0)
        assert g[there] == pytest.approx(known[there], rel=0.0, abs=1e-12 * np.abs(known[there]).max())
        assert np.all(np.isfinite(g))


def test_of_random_programs():
    seeds = itertools.islice(random_programs.usable(0), QUICK_PROGRAMS)
    assert [(seed, found) for seed in seeds if (found := random_programs.fault(seed))] == []


@pytest.mark.long
def test_of_more_random_programs():
    seeds = itertools.islice(random_programs.usable(0), QUICK_PROGRAMS, PROGRAMS)
    assert [(seed, found) for seed in seeds if (found := random_programs.fault(seed))] == []


def test_random_programs_have_what_they_promise():
    text = [random_programs.source(seed) for seed in itertools.islice(random_programs.usable(0), 100)]
    for part in ("while ", "break", "continue", "else:", "        x[", "m[", "chosen(", "return out\n", "range(k % 4)"):
        assert sum(part in program.split("def r(x, a)")[1] for program in text) > 10


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if f.gradient is not None])
def test_of_a_test_function(name):
    """Against the gradient by hand."""
    problem = FUNCTIONS[name].problem()
    lower, upper = problem.bounds.T
    for share in (0.31, 0.62):
        x = lower + (upper - lower) * (share + 0.1 * np.sin(np.arange(len(lower))))
        found, g = value_and_gradient(problem.fun, x, problem.args)
        known = problem.jac(x, *problem.args)
        assert found == pytest.approx(problem.fun(x, *problem.args), rel=1e-12)
        assert g == pytest.approx(known, rel=0.0, abs=1e-12 * np.abs(known).max())
