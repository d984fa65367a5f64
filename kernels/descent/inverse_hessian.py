"""The inverse of the Hessian as BFGS builds it up: a full matrix H (D, D), symmetric.

Nocedal and Wright, Numerical Optimization, second edition (2006), whose numbers stand here.
"""

from ..calling.arguments import row
from ..compile.jit import inlined, part
from ..numbers.linear_algebra import dot


@inlined
def set_to_multiple(H, scale):
    """H becomes scale I."""
    for i in range(H.shape[0]):
        for j in range(H.shape[0]):
            H[i, j] = scale if i == j else 0.0


@part
def update_inverse(H, s, y, sy, Hy):
    """H becomes (I - s y'/sy) H (I - y s'/sy) + s s'/sy (6.17), so that H y = s; Hy (D,) is scratch."""
    n = s.size
    for i in range(n):
        Hy[i] = dot(row(H, i), y, n)
    inner = (1.0 + dot(y, Hy, n) / sy) / sy
    for i in range(n):
        a, b = inner * s[i] - Hy[i] / sy, s[i] / sy
        for j in range(n):
            H[i, j] += a * s[j] - b * Hy[j]


@part
def step_of_newton(H, g, direction):
    """direction (D,) = -H g."""
    for i in range(g.size):
        direction[i] = -dot(row(H, i), g, g.size)
