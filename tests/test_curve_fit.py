"""curve_fit: parameters and covariance against formulas, weights, bounds, and what is refused."""

import numpy as np
import pytest

from thalweg import OptimizeWarning, curve_fit, objective

X = np.linspace(0.0, 4.0, 20)
NOISE = np.random.default_rng(1).standard_normal(20)
Y = 2.0 - 0.5 * X + 0.1 * NOISE
SIGMA = np.linspace(0.05, 0.3, 20)


def line(x, a, b):
    return a + b * x


def by_formula(weights):
    """(popt, the inverse of A'WA, chi^2 per degree of freedom) of the weighted linear problem."""
    A = np.stack((np.ones_like(X), X), axis=1)
    inverse = np.linalg.inv(A.T @ weights @ A)
    popt = inverse @ A.T @ weights @ Y
    r = Y - A @ popt
    return popt, inverse, r @ weights @ r / 18


COVARIANCE = 0.02 * np.exp(-np.abs(X[:, None] - X[None, :]))


@pytest.mark.parametrize("method", ["lm", "trf"])
@pytest.mark.parametrize("sigma", [None, 0.2, SIGMA, COVARIANCE], ids=["none", "number", "vector", "matrix"])
def test_covariance(method, sigma):
    size = np.ndim(sigma) if sigma is not None else 0
    spread = np.full(20, 1.0 if sigma is None else sigma) if size == 0 else sigma
    weights = np.linalg.inv(sigma) if size == 2 else np.diag(1 / np.asarray(spread) ** 2)
    expected, inverse, per_freedom = by_formula(weights)
    popt, pcov = curve_fit(line, X, Y, sigma=sigma, method=method)
    assert np.allclose(popt, expected, rtol=1e-7) and np.allclose(pcov, inverse * per_freedom, rtol=1e-6)
    _, absolute = curve_fit(line, X, Y, sigma=sigma, method=method, absolute_sigma=True)
    assert np.allclose(absolute, inverse, rtol=1e-6)


def test_the_models_jacobian_bounds_and_python():
    def jac(x, a, b):
        return np.stack((np.ones_like(x), x), axis=1)

    expected = by_formula(np.diag(1 / SIGMA**2))[0]
    assert np.allclose(curve_fit(line, X, Y, sigma=SIGMA, jac=jac)[0], expected, rtol=1e-7)
    assert np.allclose(curve_fit(objective(line, compiled=False), X, Y, sigma=SIGMA)[0], expected, rtol=1e-6)
    bounded, _ = curve_fit(line, X, Y, bounds=([-np.inf, -0.4], [np.inf, 0.0]))
    assert bounded[1] == pytest.approx(-0.4, abs=1e-6)


def test_nan_and_more_dimensions():
    x, y = X.copy(), Y.copy()
    x[3], y[7] = np.nan, np.nan
    expected = curve_fit(line, np.delete(X, [3, 7]), np.delete(Y, [3, 7]))[0]
    assert np.allclose(curve_fit(line, x, y, nan_policy="omit")[0], expected, rtol=1e-12)
    plane, _ = curve_fit(lambda x, a, b: a * x[0] + b * x[1], np.stack((X, X**2)), 3 * X - X**2)
    assert np.allclose(plane, [3.0, -1.0])


def test_a_covariance_that_cannot_be_estimated():
    with pytest.warns(OptimizeWarning, match="could not be estimated"):
        _, pcov = curve_fit(lambda x, a, b: a * x + 0 * b, X, Y)
    assert np.isinf(pcov).all()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"f": 3}, TypeError, "f: got 3"),
        ({"f": lambda x: x}, ValueError, "f: its signature"),
        ({"ydata": []}, ValueError, "ydata: got no data"),
        ({"ydata": np.where(X > 3, np.nan, Y)}, ValueError, "ydata: it holds"),
        ({"sigma": np.ones(3)}, ValueError, "sigma: got shape"),
        ({"sigma": -np.eye(20)}, ValueError, "sigma: the matrix"),
        ({"p0": [1.0, 1.0], "bounds": (2, 3)}, ValueError, "p0: Initial guess"),
        ({"bounds": (0, 3), "method": "lm"}, ValueError, "bounds: lm"),
        ({"nan_policy": "propagate"}, ValueError, "nan_policy"),
        ({"args": (1,)}, ValueError, "args: curve_fit"),
        ({"maxfev": 1, "p0": [90.0, 70.0]}, RuntimeError, "Optimal parameters not found"),
    ],
)
def test_what_is_refused(settings, error, message):
    with pytest.raises(error, match=message):
        curve_fit(**{"f": line, "xdata": X, "ydata": Y, **settings})
