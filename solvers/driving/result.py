"""What a run returns, and when it is a success."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from .stop_reason import StopReason
from .telling import columns_of, in_words, plain, show

if TYPE_CHECKING:
    import pandas


class Result(dict[str, Any]):
    """The outcome of `minimize` and its kin: SciPy's OptimizeResult and more, by attribute or by item."""

    x: np.ndarray  # (D,)
    fun: float
    success: bool
    status: int  # the code of stop_reason
    message: str
    nfev: int
    nit: int
    stop_reason: StopReason | None  # None: the run of an Optimizer goes on
    n_failed: int  # evaluations that gave NaN
    jac: np.ndarray  # of methods that use gradients, as all up to hess_inv: (D,) the gradient at x
    njev: int  # gradients, of the run that found x
    nhev: int  # Hessians, or products with them
    optimality: float  # the largest entry of the gradient, projected where there are bounds
    hess_inv: Any  # an approximation of the inverse of the Hessian
    arms: list[dict[str, Any]]  # of the portfolio, and of a run with a polish: what each search found and took
    arm: str  # the one that found x
    derivatives: dict[str, str]  # where each derivative came from: "given", "automatic", "2-point" ...
    history: dict[str, np.ndarray]  # `evaluations`, `best` (at most 512 entries), of the run that found x
    runs: np.ndarray  # a row per run: run, fun, nfev, nit, n_failed, stop, spread, seconds, x
    names: list[str]  # of the variables
    timing: dict[str, float]  # seconds: `compile`, `run`, and `evaluate`, about what the objective took
    method: str
    options: dict[str, Any]
    objective: str  # how it was evaluated
    threads: int
    device: str
    seed: int
    versions: dict[str, str]

    # of many runs
    failures: list[dict[str, Any]]  # what came to nothing
    workers: int
    scheduler: str
    tasks: int
    resumed: int  # runs that a journal had
    epochs: int  # of islands
    migrations: int

    # of a search
    point: dict[str, Any]
    index: int
    table: dict[str, list[Any]]  # of a function: a row per point

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the result has no {name!r}; it has {', '.join(self)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __dir__(self) -> list[str]:
        return [*self, "to_frame", "to_json"]

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{name:>{width}}: {show(name, value)}" for name, value in self.items())

    def to_frame(self) -> pandas.DataFrame:
        """A row for each run, with a column for each variable; of a search of a function, its table. Needs pandas."""
        import pandas

        return pandas.DataFrame(columns_of(self))

    def to_json(self, indent: int | None = None) -> str:
        """All of it; null stands for inf and NaN, names for the codes of stops."""
        return json.dumps(plain(in_words(self)), indent=indent, allow_nan=False)


def run_dtype(dimension: int) -> np.dtype:
    """One row of `Result.runs`. spread: by how much the method's values differ at the end; inf where it has none."""
    fields = [("run", "i8"), ("fun", "f8"), ("nfev", "i8"), ("nit", "i8"), ("n_failed", "i8"), ("stop", "i8")]
    return np.dtype([*fields, ("spread", "f8"), ("seconds", "f8"), ("x", "f8", (dimension,))])


def best_of(runs: np.ndarray) -> Any:
    """The row of the lowest value; of equals the one of the lowest number."""
    return runs[np.lexsort((runs["run"], runs["fun"]))[0]]


def as_item(history: np.ndarray) -> dict[str, np.ndarray]:
    """`Result.history` from the (entries, 2) array of a run."""
    return {"evaluations": history[:, 0].astype(np.int64), "best": history[:, 1].copy()}


CONVERGED = (StopReason.CONVERGED, StopReason.COLLAPSED, StopReason.GRADIENT_SMALL, StopReason.STEP_SMALL)
AGREE = 1e-8  # values within 1e-8 (1 + |best|) of each other: the run has converged
NO_MEASURE = "there is no measure of that yet, or with this method; `target` says what is good enough"


def summarise(
    runs: np.ndarray, limits, *, names=None, reached=False, stop: StopReason | None = None, remark="", unhurt=True,
    history=None, **more,
) -> Result:  # fmt: skip
    """The result of one run or of many: rows of `run_dtype`, at least one.

    Parameters
    ----------
    names : sequence of str, optional
        Of the variables; x0, x1, ... without.
    reached : bool
        Some run reached the target.
    stop : StopReason, optional
        What ended the whole, if that was not the end of the best run.
    remark : str
        Said behind the reason.
    unhurt : bool
        Whether what there is can be a success.
    history : (entries, 2) array, optional
        Of the best run.
    **more
        Further items.
    """
    best = best_of(runs)
    fun, spread = float(best["fun"]), float(best["spread"])
    code = StopReason.REACHED_TARGET if reached else int(best["stop"]) if stop is None else stop
    reason = StopReason(code) if code else None
    asked = limits.target > -np.inf  # for a target: then nothing else counts
    converged = spread <= AGREE * (1.0 + abs(fun)) or best["stop"] in CONVERGED
    success = np.isfinite(fun) and unhurt and (reason == StopReason.REACHED_TARGET if asked else converged)
    found = Result(
        x=best["x"].copy(),
        fun=fun,
        success=bool(success) and reason is not None,
        status=int(code),
        message=_message(fun, spread, reason, asked, converged, more.get("optimality", np.nan)) + remark,
        nfev=int(runs["nfev"].sum()),
        nit=int(runs["nit"].sum()),
        stop_reason=reason,
        n_failed=int(runs["n_failed"].sum()),
    )
    if history is not None:
        found["history"] = as_item(history)
    found.update(runs=runs, names=list(names or (f"x{k}" for k in range(len(best["x"])))), **more)
    return found


def _message(fun: float, spread: float, reason: StopReason | None, asked: bool, converged: bool, slope: float) -> str:
    """Why it ended, and how far it was from an end of its own."""
    if not fun < np.inf and reason in (StopReason.CONVERGED, StopReason.COLLAPSED, StopReason.ENDED):
        return "No evaluation gave a finite value."
    sentences = [] if fun < np.inf else ["No evaluation gave a finite value."]
    sentences.append("The run goes on." if reason is None else reason.sentence)
    if fun == -np.inf:
        sentences.append("A value of -inf is no minimum: the objective has none, or a fault.")
        return " ".join(sentences)
    spent = reason in (
        StopReason.OUT_OF_BUDGET, StopReason.OUT_OF_ITERATIONS, StopReason.STALLED, StopReason.OUT_OF_TIME,
    )  # fmt: skip
    if spent and converged and not asked and fun < np.inf:
        sentences.append("It has converged: the values agree to within 1e-8.")
    if asked and reason not in (None, StopReason.REACHED_TARGET):
        sentences.append("The target was not reached.")
    elif not asked and not converged and reason is not None and fun < np.inf:
        far = f"the values of its points still differ by {spread:.3g}" if np.isfinite(spread) else NO_MEASURE
        far = f"the largest entry of its gradient is {slope:.3g}" if np.isfinite(slope) else far
        sentences.append(f"It has not converged: {far}.")
    return " ".join(sentences)
