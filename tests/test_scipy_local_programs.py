"""Programs for SciPy's local methods, fits and methods of one variable run with another import, and end as well."""

import textwrap

import numpy as np
import pytest

HEAD = """
import numpy as np
from DOOR import curve_fit, least_squares, minimize, minimize_scalar

def rosen(x):
    return sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)

def rosen_der(x):
    xm, xm_m1, xm_p1 = x[1:-1], x[:-2], x[2:]
    der = np.zeros_like(x)
    der[1:-1] = 200 * (xm - xm_m1**2) - 400 * (xm_p1 - xm**2) * xm - 2 * (1 - xm)
    der[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    der[-1] = 200 * (x[-1] - x[-2] ** 2)
    return der

def rosen_hess(x):
    H = np.diag(-400 * x[:-1], 1) - np.diag(400 * x[:-1], -1)
    diagonal = np.zeros_like(x)
    diagonal[0] = 1200 * x[0] ** 2 - 400 * x[1] + 2
    diagonal[-1] = 200
    diagonal[1:-1] = 202 + 1200 * x[1:-1] ** 2 - 400 * x[2:]
    return H + np.diag(diagonal)

x0 = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
t = np.linspace(0, 4, 50)
noise = np.random.default_rng(0).normal(size=t.size)
"""

MINIMIZE = {
    "the tutorial's BFGS": "res = minimize(rosen, x0, method='BFGS', jac=rosen_der, options={'disp': False})",
    "BFGS without a gradient": "res = minimize(rosen, x0, method='BFGS', tol=1e-6)",
    "the default method": "res = minimize(rosen, x0, jac=rosen_der, options={'gtol': 1e-8, 'maxiter': 500})",
    "value and gradient in one": """
        def both(x, a):
            return np.sum((x - a) ** 4) + np.sum(x**2), 4 * (x - a) ** 3 + 2 * x

        res = minimize(both, np.zeros(3), args=(2.0,), jac=True, method='BFGS')
    """,
    "L-BFGS-B within bounds": """
        res = minimize(rosen, x0, method='L-BFGS-B', jac=rosen_der, bounds=[(0.5, 2.0)] * 4 + [(None, 1.5)],
                       options={'maxcor': 20, 'ftol': 1e-12, 'gtol': 1e-8, 'maxls': 30, 'maxiter': 1000})
    """,
    "L-BFGS-B of a logistic regression": """
        X = np.column_stack([np.ones(50), t, noise])
        y = (noise + t > 2).astype(float)

        def loss(w, X, y, penalty):
            z = X @ w
            return np.sum(np.log(1 + np.exp(z)) - y * z) + penalty * np.sum(w**2)

        res = minimize(loss, np.zeros(3), args=(X, y, 0.1), method='L-BFGS-B')
    """,
    "CG": "res = minimize(rosen, x0, method='CG', jac=rosen_der, options={'gtol': 1e-6, 'norm': np.inf, 'c1': 1e-4})",
    "CG without a gradient": """
        res = minimize(lambda x: (x[0] - 1) ** 2 + 5 * (x[1] + x[0]) ** 2 + x[1] ** 4, [3.0, 1.0], method='CG')
    """,
    "the tutorial's Newton-CG": """
        res = minimize(rosen, x0, method='Newton-CG', jac=rosen_der, hess=rosen_hess, options={'xtol': 1e-8})
    """,
    "Newton-CG by products": """
        def rosen_hess_p(x, p):
            return rosen_hess(x) @ p

        res = minimize(rosen, x0, method='Newton-CG', jac=rosen_der, hessp=rosen_hess_p)
    """,
    "Nelder-Mead": """
        res = minimize(rosen, x0, method='Nelder-Mead', options={'xatol': 1e-8, 'fatol': 1e-8, 'maxiter': 5000})
    """,
}

LEAST_SQUARES = {
    "the manual's Rosenbrock": """
        def fun_rosenbrock(x):
            return np.array([10 * (x[1] - x[0] ** 2), (1 - x[0])])

        res = least_squares(fun_rosenbrock, np.array([2.0, 2.0]))
    """,
    "bounds and a Jacobian": """
        def fun_rosenbrock(x):
            return np.array([10 * (x[1] - x[0] ** 2), (1 - x[0])])

        def jac_rosenbrock(x):
            return np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])

        res = least_squares(fun_rosenbrock, np.array([2.0, 2.0]), jac_rosenbrock, bounds=([-np.inf, 1.5], np.inf))
    """,
    "a robust loss": """
        y = 0.5 + 2.0 * np.exp(-t) + 0.1 * noise
        y[::10] += 3.0

        def residuals(p, t, y):
            return p[0] + p[1] * np.exp(p[2] * t) - y

        res = least_squares(residuals, np.ones(3), loss='soft_l1', f_scale=0.1, args=(t, y))
    """,
    "method lm": """
        y = 1.5 * np.sin(2.0 * t + 0.3) + 0.05 * noise
        res = least_squares(lambda p: p[0] * np.sin(p[1] * t + p[2]) - y, [1.0, 1.9, 0.0], method='lm', xtol=1e-12)
    """,
}

FITS = {
    "the manual's exponential": """
        def func(x, a, b, c):
            return a * np.exp(-b * x) + c

        res = curve_fit(func, t, func(t, 2.5, 1.3, 0.5) + 0.2 * noise)
    """,
    "with sigma, p0 and bounds": """
        def func(x, a, b, c):
            return a * np.exp(-b * x) + c

        y = func(t, 2.5, 1.3, 0.5) + 0.2 * noise
        res = curve_fit(func, t, y, p0=[2, 1, 1], sigma=0.2 + 0.05 * t, absolute_sigma=True,
                        bounds=(0, [3.0, 2.0, 1.0]))
    """,
}

SCALAR = {
    "the manual's cubic": "res = minimize_scalar(lambda x: (x - 2) * x * (x + 2) ** 2)",
    "bounded": "res = minimize_scalar(lambda x: (x - 2) * x * (x + 2) ** 2, bounds=(-3, -1), method='bounded')",
    "golden from a bracket": """
        res = minimize_scalar(lambda x, a: (x - a) ** 2 + np.cos(x), bracket=(0.0, 1.0), args=(2.0,), method='golden',
                              tol=1e-10)
    """,
}


def run(program: str, door: str):
    scope: dict = {}
    exec(HEAD.replace("DOOR", door) + textwrap.dedent(program), scope)
    return scope["res"]


def both(program: str):
    return run(program, "scipy.optimize"), run(program, "thalweg")


def test_there_are_twenty_programs():
    assert len(MINIMIZE) + len(LEAST_SQUARES) + len(FITS) + len(SCALAR) == 20


@pytest.mark.parametrize("program", MINIMIZE.values(), ids=MINIMIZE)
def test_minimize(program):
    theirs, ours = both(program)
    assert ours.success and ours.fun <= theirs.fun + 1e-7 * (1 + abs(theirs.fun)), ours.message
    assert ours.x.shape == theirs.x.shape and ours.nit > 0 and ours.nfev > 0
    np.testing.assert_allclose(ours.x, theirs.x, atol=2e-3)


@pytest.mark.parametrize("program", LEAST_SQUARES.values(), ids=LEAST_SQUARES)
def test_least_squares(program):
    theirs, ours = both(program)
    assert ours.success and ours.cost <= theirs.cost * (1 + 1e-7) + 1e-12
    np.testing.assert_allclose(ours.x, theirs.x, rtol=1e-4, atol=1e-6)
    assert ours.jac.shape == theirs.jac.shape and ours.fun.shape == theirs.fun.shape and ours.optimality < 1e-3


@pytest.mark.parametrize("program", FITS.values(), ids=FITS)
def test_curve_fit(program):
    theirs, ours = both(program)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-5)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-3)


@pytest.mark.parametrize("program", SCALAR.values(), ids=SCALAR)
def test_minimize_scalar(program):
    theirs, ours = both(program)
    assert ours.success and ours.fun <= theirs.fun + 1e-9 * (1 + abs(theirs.fun))
    assert ours.x == pytest.approx(theirs.x, abs=1e-5)
