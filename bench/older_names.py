"""SciPy's older names of what `minimize_scalar` does: for its own tests (scipy_suite.py)."""

from __future__ import annotations

from thalweg import BracketError, minimize_scalar


def brent(func, args=(), brack=None, tol=1.48e-8, full_output=0, maxiter=500):
    result = _found(func, brack, args, "brent", tol, maxiter)
    return (result.x, result.fun, result.nit, result.nfev) if full_output else result.x


def golden(func, args=(), brack=None, tol=1.4901161193847656e-08, full_output=0, maxiter=5000):
    result = _found(func, brack, args, "golden", tol, maxiter)
    return (result.x, result.fun, result.nfev) if full_output else result.x


def fminbound(func, x1, x2, args=(), xtol=1e-5, maxfun=500, full_output=0, disp=1):
    result = minimize_scalar(func, bounds=(x1, x2), args=args, options={"xatol": xtol, "maxiter": maxfun})
    return (result.x, result.fun, int(not result.success), result.nfev) if full_output else result.x


def _found(func, brack, args, method, tol, maxiter):
    result = minimize_scalar(func, brack, args=args, method=method, options={"xtol": tol, "maxiter": maxiter})
    if "bracket" in result.message:
        raise BracketError(result.message, ())
    return result
