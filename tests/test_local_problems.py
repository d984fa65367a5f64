"""The 74 problems on which local methods are compared say what an independent implementation says, gradients too."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from .by_path import load_file
from .duals import value_and_gradient

ROOT = Path(__file__).parents[1]
KNOWN = json.loads((ROOT / "tests" / "data" / "local.json").read_text("utf-8"))["problems"]
PROBLEMS = load_file(ROOT / "bench" / "local_problems.py").PROBLEMS

by_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def test_there_are_seventy_four():
    assert sorted(problem.name for problem in PROBLEMS) == sorted(KNOWN)
    assert Counter(known["set"] for known in KNOWN.values()) == {"hs": 4, "mgh": 11, "cutest": 59}


@by_problem
def test_the_formula_has_the_known_values(problem):
    known = KNOWN[problem.name]
    for point in known["points"]:
        assert problem.fun(np.array(point["x"]), *problem.args) == pytest.approx(point["f"], rel=1e-13, abs=0.0)
    assert problem.fun(problem.x0, *problem.args) == pytest.approx(known["f0"], rel=1e-13, abs=0.0)


@by_problem
def test_the_formula_has_the_known_gradients(problem):
    for point in KNOWN[problem.name]["points"]:
        value, g = value_and_gradient(problem.fun, point["x"], problem.args)
        assert value == pytest.approx(point["f"], rel=1e-13, abs=0.0)
        assert_equal_gradients(g, point["g"])


def assert_equal_gradients(g, known):
    """To 1e-12 of the largest component. None: not to be had from the implementation that made the list."""
    known = np.array(known, dtype=np.float64)
    there = ~np.isnan(known)
    assert np.all(np.isfinite(g))
    assert g[there] == pytest.approx(known[there], rel=0.0, abs=1e-12 * np.abs(known[there]).max())


@by_problem
def test_it_begins_and_ends_where_the_list_says(problem):
    known = KNOWN[problem.name]
    lower = [-math.inf if value is None else value for value in known["lower"]]
    upper = [math.inf if value is None else value for value in known["upper"]]
    assert np.array_equal(problem.bounds, np.column_stack([lower, upper]))
    assert problem.x0 == pytest.approx(np.array(known["x0"]), rel=1e-15, abs=1e-15)
    # Of the lists' minima some have few digits; ours have at least ten.
    assert math.isclose(problem.f_ref, known["f_ref"], rel_tol=2e-5, abs_tol=0.0)
    assert min(known["f0"], *(point["f"] for point in known["points"])) > problem.f_ref
