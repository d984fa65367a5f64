"""Ask and tell: the caller evaluates, the solver proposes."""

from __future__ import annotations

import numpy as np

from ..kernels.problem import Problem
from ..kernels.rows import population
from .contract import Key
from .driving import drivers, settings
from .result import Result, StopReason


class Optimizer:
    """A run whose evaluations are made by the caller.

    Parameters
    ----------
    method : str, default "auto"
        One of `thalweg.solvers.SOLVERS`, or "auto".
    bounds : (D, 2) array_like
        The box.
    seed : int, optional
        Whole number below 2**64; None draws one.
    options : dict, optional
        Options of the method.
    x0, integrality, max_evals, target, ftol, patience :
        As in `minimize`.
    run : int, default 0
        Number of the run: with one seed, each run draws other numbers.

    Notes
    -----
    The same seed, values and options give the same bits as `minimize`. An optimizer can be pickled at any time, also
    between `ask` and `tell`.

    Examples
    --------
    >>> from thalweg.solvers import Optimizer
    >>> optimizer = Optimizer("jso", [(-5, 5)] * 3, seed=1, max_evals=2000)
    >>> while not optimizer.done:
    ...     x = optimizer.ask()
    ...     optimizer.tell((x**2).sum(axis=1))
    >>> bool(optimizer.result().fun < 1e-3)
    True
    """

    def __init__(
        self, method="auto", bounds=None, seed=None, options=None, *, x0=None, integrality=None,
        max_evals=None, target=None, ftol=None, patience=None, run=0,
    ):  # fmt: skip
        problem = Problem(fun=_outside, bounds=bounds, x0=x0, integrality=integrality)
        limits = settings.make_limits(problem.dimension, max_evals, target, ftol, patience)
        self._solver = settings.find_solver(method, problem, limits.max_evals)
        settings.check_fits(self._solver, limits)
        self.seed = settings.make_seed(seed)
        self.options = settings.make_options(self._solver, options)
        self.state = self._solver.init(problem, self.options, limits, Key(self.seed, settings.as_integer("run", run)))
        self._asked = False

    @property
    def method(self) -> str:
        return self._solver.name

    @property
    def done(self) -> bool:
        """Whether a stop was met."""
        return self.state.counters[population.STOP] != population.RUNNING

    def ask(self) -> np.ndarray:
        """The candidates of this generation, (n, D); the same ones until they are told."""
        if self.done:
            raise RuntimeError(f"ask: the run is over. {StopReason(self._stop()).sentence}")
        rows = int(self.state.counters[population.ROWS])
        if not self._asked:
            drivers.proposer(self._solver)(self.state, 0, rows)
            self._asked = True
        return self.state.trial[:rows].copy()

    def tell(self, values) -> None:
        """The values (n,) of what `ask` returned, in its order; NaN counts as worst."""
        if not self._asked:
            raise RuntimeError("tell: nothing was asked; call ask() first")
        values = np.asarray(values, dtype=np.float64)
        rows = int(self.state.counters[population.ROWS])
        if values.shape != (rows,):
            raise ValueError(f"tell: got values of shape {values.shape}, expected ({rows},): one for each row of ask()")
        self.state.trial_f[:rows] = np.where(np.isnan(values), np.nan, values)
        drivers.concluder(self._solver)(self.state)
        self._asked = False

    def result(self) -> Result:
        """The best so far."""
        counters, stop = self.state.counters, self._stop()
        fun = float(self.state.params[population.BEST])
        entries = counters[population.HISTORY]
        return Result(
            x=self.state.best_x.copy(),
            fun=fun,
            success=bool(np.isfinite(fun) and self.done and not self._missed()),
            status=stop,
            message=StopReason(stop).sentence if stop else "The run goes on.",
            nfev=int(counters[population.EVALUATIONS]),
            nit=int(counters[population.GENERATION]),
            stop_reason=StopReason(stop) if stop else None,
            n_failed=int(counters[population.FAILED]),
            history={
                "evaluations": self.state.history[:entries, 0].copy(),
                "best": self.state.history[:entries, 1].copy(),
            },
            method=self.method,
            seed=self.seed,
        )

    def _missed(self) -> bool:
        """Whether there was a target and it was not reached."""
        return self.state.params[population.TARGET] > -np.inf and self._stop() != StopReason.REACHED_TARGET

    def _stop(self) -> int:
        return int(self.state.counters[population.STOP])

    def __getstate__(self):
        return {**self.__dict__, "_solver": self._solver.name}

    def __setstate__(self, state):
        from . import SOLVERS

        self.__dict__.update(state, _solver=SOLVERS[state["_solver"]])


def _outside(x):
    raise RuntimeError("the objective of an Optimizer is evaluated by the caller")
