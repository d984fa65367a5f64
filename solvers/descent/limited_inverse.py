"""`hess_inv` of a limited-memory method: the inverse of the Hessian by the pairs that it has kept, not as a matrix."""

from __future__ import annotations

import numpy as np


class LimitedInverse:
    """H, the inverse of the Hessian as L-BFGS knows it: (D, D), symmetric, given by its products with vectors.

    It is used as SciPy's LbfgsInvHessProduct is: `H @ v`, `H.matvec(v)`, `H.todense()`.

    Parameters
    ----------
    sk, yk : (n, D) arrays
        The last n steps, and what they changed in the gradient, from the oldest to the newest.
    theta : float
        What is known of the Hessian before these: it is theta times the identity.

    Examples
    --------
    >>> import numpy as np
    >>> LimitedInverse(np.array([[1.0, 0.0]]), np.array([[4.0, 0.0]]), 4.0).todense().tolist()
    [[0.25, 0.0], [0.0, 0.25]]
    """

    def __init__(self, sk: np.ndarray, yk: np.ndarray, theta: float):
        self.sk, self.yk, self.theta = sk, yk, theta
        self.rho = 1.0 / np.einsum("ij,ij->i", sk, yk)
        self.n_corrs, self.dtype = len(sk), sk.dtype
        self.shape = (sk.shape[1], sk.shape[1])

    def matvec(self, v) -> np.ndarray:
        """H v (D,), or (D, k) of the columns of v (algorithm 7.4 of Nocedal and Wright 2006)."""
        found = np.array(v, dtype=np.float64)
        if found.ndim not in (1, 2) or len(found) != self.shape[0]:
            raise ValueError(f"v: got shape {found.shape}, expected ({self.shape[0]},), or as many rows")
        factors = []
        for s, y, rho in zip(self.sk[::-1], self.yk[::-1], self.rho[::-1]):
            factors.append(rho * (s @ found))
            found -= np.multiply.outer(y, factors[-1])
        found /= self.theta
        for s, y, rho in zip(self.sk, self.yk, self.rho):
            found += np.multiply.outer(s, factors.pop() - rho * (y @ found))
        return found

    __call__ = dot = matmat = rmatvec = __matmul__ = __mul__ = matvec

    def todense(self) -> np.ndarray:
        """The matrix (D, D)."""
        return self.matvec(np.eye(self.shape[0]))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self.todense().astype(dtype or self.dtype, copy=False)

    def __repr__(self) -> str:
        return f"the product with a matrix of shape {self.shape}, known by {self.n_corrs} steps"


def limited_inverse(pairs) -> LimitedInverse:
    """What the pairs of a state (kernels/descent/limited_memory.py) say; a copy."""
    now, memory = pairs.now[0], len(pairs.sy)
    ages = (int(now["next"]) - int(now["kept"]) + np.arange(int(now["kept"]))) % memory
    return LimitedInverse(pairs.s[ages], pairs.y[ages], float(now["theta"]))
