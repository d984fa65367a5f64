"""What people who came fresh stumbled over: texts that said nothing, or the wrong thing."""

import dataclasses

import numpy as np
import pytest

import thalweg as tw
from thalweg.orchestration.commands.tables import option_meanings
from thalweg.solvers import SOLVERS

BOX = [(-1.0, 1.0)] * 2


@pytest.mark.parametrize("solver", SOLVERS.values(), ids=lambda solver: solver.name)
def test_the_table_of_solvers_tells_what_options_mean(solver):
    """Inherited options, too, and no remark for a type checker."""
    meanings = option_meanings(solver.Options)
    assert not [name for name, text in meanings.items() if text.startswith("type:")]
    for owner in solver.Options.__mro__[1:-1]:
        inherited = option_meanings(owner)
        assert inherited.keys() <= meanings.keys()
    assert meanings.keys() <= {field.name for field in dataclasses.fields(solver.Options)}


def cliff(x):
    return -np.inf if x[0] > 0.5 else x[0]


def test_a_value_of_minus_infinity_is_no_success_and_no_convergence():
    found = tw.minimize(cliff, BOX, method="de", seed=1, max_evals=500)
    assert found.fun == -np.inf and not found.success
    assert "-inf is no minimum" in found.message and "converged" not in found.message


def test_a_run_that_the_clock_ended_says_that_it_had_converged():
    found = tw.minimize(tw.objective(lambda x: 0.0 * x[0], compiled=False), BOX, method="de", seed=1, max_time=0.1)
    assert found.success == ("It has converged" in found.message)
