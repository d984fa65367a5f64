"""What all methods of residuals have: options, and what they report."""

from __future__ import annotations

from dataclasses import dataclass

from ...kernels.compile.structures import copied
from ..contract import require


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """When a fit has converged; 0: no such test."""

    ftol: float = 1e-8  # of the cost: SciPy's, as those below
    xtol: float = 1e-8  # of x
    gtol: float = 1e-8  # of the gradient; of the cosine between residuals and columns of J in levenberg_marquardt
    x_scale: tuple[float, ...] | float | None = 1.0  # of each variable; None: from the columns of the Jacobian

    def __post_init__(self):
        for name in ("ftol", "xtol", "gtol"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "a number that is not negative")


def report(state) -> dict:
    """What the door makes its result of."""
    now = state.run.now
    return {"fit": copied(state.fit), "njev": int(now["gradients"][0]), "optimality": float(now["optimality"][0])}
