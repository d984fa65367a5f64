"""Robust losses: rho of the squared residuals, and what it makes of residuals and Jacobian.

    cost = 1/2 sum C^2 rho(z_i),  z_i = (r_i / C)^2

Triggs, McLauchlan, Hartley and Fitzgibbon, Bundle adjustment: a modern synthesis (2000), section 4.3: with residuals
and rows of the Jacobian weighted as below, J'J and J'f are the Gauss-Newton Hessian and the gradient of that cost.
"""

import numpy as np

from ..compile.jit import inlined, part

LOSSES = ("linear", "soft_l1", "huber", "cauchy", "arctan")
LINEAR, SOFT_L1, HUBER, CAUCHY, ARCTAN, GIVEN = range(6)
EPSILON = 2.220446049250313e-16


@inlined
def rho_of(loss, z):
    """(rho, rho', rho'') at z >= 0."""
    if loss == SOFT_L1:
        root = np.sqrt(1.0 + z)
        return 2.0 * (root - 1.0), 1.0 / root, -0.5 / (root * root * root)
    if loss == HUBER:
        if z <= 1.0:
            return z, 1.0, 0.0
        root = np.sqrt(z)
        return 2.0 * root - 1.0, 1.0 / root, -0.5 / (root * z)
    if loss == CAUCHY:
        return np.log1p(z), 1.0 / (1.0 + z), -1.0 / ((1.0 + z) * (1.0 + z))
    if loss == ARCTAN:
        t = 1.0 + z * z
        return np.arctan(z), 1.0 / t, -2.0 * z / (t * t)
    return z, 1.0, 0.0


@inlined
def scaled_squares(r, scale, z):
    """z_i = (r_i / scale)^2"""
    for i in range(r.size):
        z[i] = (r[i] / scale) * (r[i] / scale)


@part
def measure(loss, z, rho):
    """rho (3, M): rho, rho' and rho'' at z (M,)."""
    for i in range(z.size):
        rho[0, i], rho[1, i], rho[2, i] = rho_of(loss, z[i])


@part
def cost_of(r):
    """1/2 sum r_i^2"""
    total = 0.0
    for i in range(r.size):
        total += r[i] * r[i]
    return 0.5 * total


@part
def weigh(z, rho, f, J):
    """Weight residuals f (M,) and Jacobian J (M, D) by what rho (3, M) says at z (M,)."""
    for i in range(f.size):
        curvature = np.sqrt(max(rho[1, i] + 2.0 * rho[2, i] * z[i], EPSILON))
        f[i] *= rho[1, i] / curvature
        for j in range(J.shape[1]):
            J[i, j] *= curvature
