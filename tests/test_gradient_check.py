"""`check=True` finds a wrong gradient before anything runs, and lets a right one pass."""

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.solvers import minimize

WEIGHTS = np.array([1.0, 1e4, 1e-3, 2.0])
X0 = [0.0, 0.5, 300.0, -1.0]


def bowl(x, weights):
    total = np.exp(0.1 * x[0])
    for i in range(x.size):
        total += weights[i] * (x[i] - 1.0) ** 2
    return total + x[0] * x[3]


def right(x, weights):
    g = 2.0 * weights * (x - 1.0)
    g[0] += 0.1 * np.exp(0.1 * x[0]) + x[3]
    g[3] += x[0]
    return g


def check(jac, fun=bowl, x0=X0, **more):
    more = {"args": (WEIGHTS,), "method": "gradient_descent", "max_iters": 2} | more
    return minimize(fun, x0, jac=jac, check=True, **more)


def test_a_right_gradient_passes():
    plain = minimize(bowl, X0, args=(WEIGHTS,), jac=right, method="gradient_descent", max_iters=2)
    assert check(right).nfev == plain.nfev == 3  # the check counts none
    check(None)  # automatic: nothing to compare
    check("3-point")
    check(right, bounds=[(0.0, 0.0), (0.5, 2.0), (None, 300.0), (-1.0, -1.0 + 1e-9)])  # no room, or little
    check(lambda x, w: w * np.sign(x), lambda x, w: (w * np.abs(x)).sum(), [0.0] * 4)  # at a kink
    check(True, lambda x, w: (bowl(x, w), right(x, w)))


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("entry", range(4))
def test_a_wrong_entry_is_named(entry, compiled):
    def wrong(x, weights, entry=entry):
        g = right(x, weights)
        g[entry] *= 1.001
        return g

    with pytest.raises(ValueError, match=rf"^jac: entry {entry} is .* where differences of fun give"):
        check(wrong, objective(bowl, compiled=compiled))


def test_other_wrong_gradients_are_found():
    for jac in (lambda x, w: -right(x, w), lambda x, w: np.nan * x, lambda x, w: right(x, w)[::-1].copy()):
        with pytest.raises(ValueError, match=r"^jac: entry"):
            check(jac)
    with pytest.raises(ValueError, match=r"^jac: entry 3 is"):
        check(True, lambda x, w: (bowl(x, w), np.array([1.0, 1.0, 1.0, 2.0]) * right(x, w)))
    with pytest.raises(ValueError, match=r"^jac: entry 1 is"):  # right at 0 alone
        check(lambda x: x, lambda x: (x**2).sum(), [0.0] * 2, args=())
    with pytest.raises(TypeError, match="check: got 'yes', expected True or False"):
        minimize(bowl, X0, args=(WEIGHTS,), jac=right, method="gradient_descent", check="yes")
