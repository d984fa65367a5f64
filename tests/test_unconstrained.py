"""The formulas of bench/unconstrained.py have the values of an independent implementation."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from .by_path import load_file

ROOT = Path(__file__).parents[1]
VALUES = json.loads((ROOT / "tests" / "data" / "unconstrained.json").read_text("utf-8"))["problems"]


unconstrained = load_file(ROOT / "bench" / "unconstrained.py")
by_problem = pytest.mark.parametrize("problem", unconstrained.PROBLEMS, ids=lambda problem: problem.name)


def test_there_are_values_for_each_problem():
    names = [problem.name for problem in unconstrained.PROBLEMS]
    assert sorted(names) == sorted(VALUES)
    assert len(names) == 43


@by_problem
def test_the_formula_has_the_published_values(problem):
    known = VALUES[problem.name]
    points = [*known["x"], problem.x0]
    values = [*known["f"], known["f0"]]
    assert [problem.fun(np.array(x)) for x in points] == pytest.approx(values, rel=1e-10, abs=0.0)


@by_problem
def test_it_begins_at_the_published_point_above_the_minimum(problem):
    known = VALUES[problem.name]
    assert problem.x0 == pytest.approx(np.array(known["x0"]), rel=1e-15, abs=1e-15)
    assert problem.x0.shape == (known["n"],) and problem.x0.dtype == np.float64
    assert min(*known["f"], known["f0"]) > problem.f_ref


@by_problem
def test_the_value_to_reach_is_the_listed_one_or_its_further_digits(problem):
    listed = VALUES[problem.name]["f_ref"]
    assert math.isclose(problem.f_ref, listed, rel_tol=2e-5, abs_tol=0.0)


def test_streg_away_from_its_start_is_rosenbrocks():
    # At its points two variables of 10^10 hide the others.
    for x in VALUES["ROSENBR"]["x"]:
        assert unconstrained.streg(np.array([*x, 0.0, 0.0])) == pytest.approx(unconstrained.rosenbrock(np.array(x)))
