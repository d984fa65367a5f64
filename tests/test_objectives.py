"""The objectives of bench/objectives: their gradients by dual numbers are those by differences.

tests/test_automatic_gradients.py holds the automatic ones against them.
"""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from . import differences, duals
from .by_path import load_file

objectives = load_file(Path(__file__).parents[1] / "bench" / "objectives" / "__init__.py")
by_objective = pytest.mark.parametrize("objective", objectives.OBJECTIVES, ids=lambda objective: objective.name)


def value(objective, x):
    """f at x, args as they were: what f writes into is a copy."""
    args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in objective.args)
    return float(objective.fun(np.array(x), *args))


def known_gradient(objective):
    """(n,) and how exact it is: by dual numbers, or by differences."""
    if objective.exact:
        return duals.gradient(objective.fun, objective.x0, objective.args), 1e-12
    return differences.gradient(lambda x: value(objective, x), objective.x0), 1e-7


def test_there_are_enough_and_each_has_its_name():
    assert len(objectives.BASICS) == 24
    assert len(objectives.FURTHER) >= 40
    assert Counter(objective.name for objective in objectives.OBJECTIVES).most_common(1)[0][1] == 1


@by_objective
def test_dual_numbers_and_differences_agree(objective):
    assert np.isfinite(value(objective, objective.x0))
    g, _ = known_gradient(objective)
    by_differences = differences.gradient(lambda x: value(objective, x), objective.x0)
    assert np.any(g != 0.0)
    assert g == pytest.approx(by_differences, rel=0.0, abs=1e-7 * (1.0 + np.abs(g).max()))
