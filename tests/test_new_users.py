"""What people who came fresh stumbled over: texts that said nothing, or the wrong thing."""

import dataclasses
import math

import numpy as np
import pytest
import scipy.sparse

import thalweg as tw
from thalweg.kernels.calling.checking import CompilationError
from thalweg.kernels.compile import waiting
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


A = np.ones((2, 2))


def walrus(x):
    total, i = 0.0, 0
    while (value := x[i]) < 5 and i < 1:
        total += value
        i += 1
    return total * value


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (lambda x: np.mean(A * x[0], axis=0)[0], "np.sum(a, axis=0) / len(a)"),
        (lambda x: (A * x[0]).max(axis=1).sum(), "np.max takes no axis here"),
        (lambda x: np.std(x, ddof=1), "Without ddof"),
        (lambda x: np.sum(x, where=x > 0), "Leave where= out"),
        (lambda x: np.concatenate([x, x]).sum(), "np.concatenate((a, b))"),
        (lambda x: np.stack([x, x]).sum(), "np.stack((a, b))"),
        (lambda x: np.hstack([x, [1.0]]).sum(), "np.hstack((a, b))"),
        (lambda x: np.sum(x[[0, 1]]), "x[np.array([0, 2])]"),
        (lambda x: np.matmul(x, x), "Write a @ b"),
        (lambda x: np.sum(x, dtype=float), "dtype=np.float64"),
        (lambda x: np.outer(x, x).trace(), "np.trace(a)"),
        (lambda x: math.fmod(x[0], 2.0), "np.fmod(a, b)"),
        (lambda x: math.prod(x), "np.prod(x)"),
        (lambda x: math.log(x[0] + 2.0, 10), "math.log(v) / math.log(base)"),
        (lambda x: math.hypot(x[0], x[1], 1.0), "math.hypot(math.hypot(a, b), c)"),
        (lambda x: sum([2.0 * v for v in reversed(x)]), "x[::-1]"),
        (walrus, "on a line of its own"),
    ],
)
def test_what_numba_does_not_take_of_numpy_is_told_what_to_write(written, told):
    """Each of these had "Write it with numbers, arrays and loops", or advice that does not compile either."""
    with pytest.raises(CompilationError) as refused:
        tw.minimize(written, BOX)
    assert told in str(refused.value)


def test_what_is_told_compiles():
    def objective(x):
        a = np.vstack((x, x * 2.0))
        row = np.sum(a, axis=0) / len(a)
        return row[0] ** 2 + np.concatenate((x, x))[1] ** 2 + np.sum(x[np.array([0, 1])]) ** 2 + np.trace(a) ** 2

    assert tw.minimize(objective, BOX, method="de", seed=1, max_evals=100).fun >= 0


def test_one_point_is_told_by_a_number():
    """What ask() returns has a row; its value is a number, and its gradient one vector, as people write them."""
    runs = []
    for shape in ((), (1,)):
        optimizer = tw.Optimizer("l_bfgs_b", [(-5, 5)] * 2, x0=[1.0, 2.0])
        while not optimizer.done:
            x = optimizer.ask()[0]
            value = np.reshape(np.sum((x - 0.5) ** 2), shape)
            optimizer.tell(value, np.reshape(2 * (x - 0.5), (*shape, 2)))
        runs.append(optimizer.result().x)
    assert np.array_equal(*runs) and np.allclose(runs[0], 0.5)


def test_a_number_for_a_generation_is_refused():
    optimizer = tw.Optimizer("de", BOX, seed=1, max_evals=100)
    rows = len(optimizer.ask())
    with pytest.raises(ValueError, match=rf"got values of shape \(\), expected \({rows},\)"):
        optimizer.tell(0.0)


ESTIMATORS = (
    tw.LogisticRegression, tw.LogisticRegressionCV, tw.Lasso, tw.ElasticNet, tw.LassoCV, tw.ElasticNetCV,
    tw.SGDClassifier, tw.SGDRegressor, tw.MatrixFactorization,
)  # fmt: skip


class Enough(Exception):
    """Raised by what fit looks at first."""


class Looked(scipy.sparse.csr_array):
    def __getattribute__(self, name):
        waiting.announce()
        raise Enough


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.__name__)
def test_the_first_fit_says_what_takes_so_long(estimator, monkeypatch, capsys):
    """Ten seconds and more passed in silence: what is compiled within fit is announced."""
    monkeypatch.delenv(waiting.VARIABLE, raising=False)
    with pytest.raises(Enough):
        estimator().fit(object.__new__(Looked), [0.0, 1.0, 0.0])
    assert capsys.readouterr().err.startswith("thalweg: compiling ")
