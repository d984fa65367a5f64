"""Moré's algorithm (1978, sections 5 to 7) with the constants of MINPACK's lmder, in dense NumPy, not factorised.

As the engine has it: a first radius of 10, and below LEVEL the step of Gauss and Newton, whatever it seems to gain.
"""

import numpy as np

FACTOR, SIGMA, ACCEPTED, LEVEL = 10.0, 0.1, 1e-4, 1e-12


def damped_step(J, f, D, par):
    """The least squares solution of J p = -f, sqrt(par) D p = 0."""
    rows = np.vstack([J, np.sqrt(par) * np.diag(D)])
    return np.linalg.lstsq(rows, -np.concatenate([f, np.zeros(len(D))]), rcond=None)[0]


def parameter(J, f, D, radius, par):
    """(the parameter, the step): the iteration (5.5) on phi(par) = |D p| - radius, safeguarded."""
    p = damped_step(J, f, D, 0.0)
    phi = np.linalg.norm(D * p) - radius
    if phi <= SIGMA * radius:
        return 0.0, p

    def newton(p, par):
        length = np.linalg.norm(D * p)
        v = D * (D * p) / length
        inverse = np.linalg.inv(J.T @ J + par * np.diag(D**2))
        return phi / radius / (v @ inverse @ v)

    lower, upper = newton(p, 0.0), np.linalg.norm(J.T @ f / D) / radius
    par = min(max(par, lower), upper) or np.linalg.norm(J.T @ f / D) / np.linalg.norm(D * p)
    for k in range(10):
        par = par or 0.001 * upper
        p = damped_step(J, f, D, par)
        phi = np.linalg.norm(D * p) - radius
        if abs(phi) <= SIGMA * radius or k == 9:
            break
        correction = newton(p, par)
        lower, upper = (max(lower, par), upper) if phi > 0 else (lower, min(upper, par))
        par = max(lower, par + correction)
    return par, p


def iterates(fun, jac, x, evaluations):
    """The points that are evaluated."""
    f, J = fun(x), jac(x)
    D = np.linalg.norm(J, axis=0)
    D[D == 0] = 1
    radius = FACTOR * np.linalg.norm(D * x) or FACTOR
    points, par, first = [x], 0.0, True
    while len(points) < evaluations:
        par, p = parameter(J, f, D, radius, par)
        length = np.linalg.norm(D * p)
        if first:
            radius = min(radius, length)
        points.append(x + p)
        new = fun(x + p)
        before, after = np.linalg.norm(f), np.linalg.norm(new)
        gain = 1 - (after / before) ** 2 if 0.1 * after < before else -1.0
        image, damped = np.linalg.norm(J @ p) / before, np.sqrt(par) * length / before
        foreseen = image**2 + 2 * damped**2
        ratio = gain / foreseen
        blind = par == 0 and abs(gain) <= LEVEL and foreseen <= LEVEL
        slope = -(image**2 + damped**2)
        if blind:
            pass
        elif ratio <= 0.25:
            factor = 0.5 if gain >= 0 else 0.5 * slope / (slope + 0.5 * gain)
            factor = 0.1 if 0.1 * after >= before or factor < 0.1 else factor
            radius, par = factor * min(radius, length / 0.1), par / factor
        elif par == 0 or ratio >= 0.75:
            radius, par = length / 0.5, 0.5 * par
        if ratio >= ACCEPTED or blind:
            x, f, first = x + p, new, False
            J = jac(x)
            D = np.maximum(D, np.linalg.norm(J, axis=0))
    return np.array(points)
