"""Ask and tell: the caller evaluates, the solver proposes."""

from __future__ import annotations

from typing import Any, Unpack, overload

import numpy as np

from ..kernels.calling.asking import QUESTIONS, REPLAY
from ..kernels.problem import told
from ..kernels.reals import NotReal, real_array, shortened
from ..kernels.run import RAISED, RUNNING
from .driving import settings
from .driving.call import begin, parse_call
from .driving.reading import reads_calls
from .driving.replay import Generations, Replayed
from .driving.result import Result, StopReason, run_dtype, summarise
from .driving.running import Run, details_of, history_of
from .driving.signatures import AnyMethod, Box, OptimizerSettings, Point, Points, Seed

TELLABLE = frozenset({"value", "gradient"})  # what a method may ask for


class Optimizer:
    """A run whose evaluations are made by the caller.

    Parameters
    ----------
    method : str, default "auto"
        One of `thalweg.solvers.SOLVERS`, or "auto".
    bounds : (D, 2) array_like
        The box; or a point x0, as in `minimize`.
    seed : int, optional
        Whole number below 2**64; None draws one.
    options : dict, optional
        Options of the method.
    x0, integrality, max_evals, max_iters, target, ftol, patience :
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

    @overload
    def __init__(
        self, method: AnyMethod = "auto", bounds: Box | None = None, seed: Seed = None, options: Any = None, *,
        x0: Points | None = None, **settings: Unpack[OptimizerSettings],
    ) -> None: ...  # fmt: skip
    @overload
    def __init__(
        self, method: AnyMethod, x0: Point, seed: Seed = None, options: Any = None, *, bounds: Box | None = None,
        **settings: Unpack[OptimizerSettings],
    ) -> None: ...  # fmt: skip
    @reads_calls("self", "method", "x0", "seed", "options")
    def __init__(
        self, method="auto", bounds=None, seed=None, options=None, *, x0=None, integrality=None,
        max_evals=None, max_iters=None, target=None, ftol=None, patience=None, run=0,
    ):  # fmt: skip
        call = parse_call(
            told, bounds, x0, method=method, integrality=integrality, seed=seed,
            max_evals=max_evals, max_iters=max_iters, target=target, ftol=ftol, patience=patience, options=options,
            rows=True,
        )  # fmt: skip
        for question in sorted(call.asks - TELLABLE):
            raise ValueError(f"method: {call.solver.name} asks for {QUESTIONS[question]}, which nobody can tell it")
        self._solver, self._limits, self._index = call.solver, call.limits, settings.make_run_number(run)
        self.seed: int = call.seed
        self.options: Any = call.options
        self._gradients = self._solver.rows is None and "gradient" in call.asks  # whether they are told
        state = begin(call, self._index, REPLAY)
        if self._solver.rows is None:
            self._run = Replayed(self._solver, state, self._gradients)
        else:
            self._run = Generations(self._solver, state)
        self._asked = 0  # points that wait for their values

    @property
    def method(self) -> str:
        return self._solver.name

    @property
    def state(self) -> Any:
        """The state of the method, with all that was told."""
        return self._run.state

    @property
    def done(self) -> bool:
        """Whether a stop was met."""
        return self._stop() != RUNNING

    def ask(self) -> np.ndarray:
        """The points (n, D) whose values are wanted: a generation, or one point of other methods.

        The same ones until they are told.
        """
        if self.done:
            raise RuntimeError(f"ask: the run is over. {StopReason(self._stop()).sentence}")
        points = self._run.ask()
        self._asked = len(points)
        return points

    def tell(self, values: Any, gradients: Any = None) -> None:
        """The values (n,) of what `ask` returned, in its order; NaN counts as worst. Of one point also a number.

        gradients (n, D): of a method that uses them, beside every value; of one point also (D,).
        """
        rows = self._asked
        if not rows:
            raise RuntimeError("tell: nothing was asked; call ask() first")
        try:
            values = real_array(values)
        except NotReal as error:
            raise ValueError(
                f"tell: got {shortened(values)}, {error}; expected {rows} numbers, NaN for what failed"
            ) from error
        if rows == 1 and values.ndim == 0:
            values = values[None]
        if values.shape != (rows,):
            raise ValueError(f"tell: got values of shape {values.shape}, expected ({rows},): one for each row of ask()")
        values = np.where(np.isnan(values), np.nan, values)
        if self._gradients and isinstance(self._run, Replayed):
            self._run.tell(values, self._checked(gradients, rows))
        elif gradients is not None:
            raise ValueError(f"gradients: {self.method} uses none; leave them out")
        else:
            self._run.tell(values)
        self._asked = 0  # points that wait for their values

    def _checked(self, gradients, rows: int) -> np.ndarray:
        shape = rows, len(self.state.run.best_x)
        expected = f"expected {shape}: {self.method} uses the gradient at each point of ask()"
        if gradients is None:
            raise ValueError(f"gradients: got None, {expected}")
        try:
            gradients = real_array(gradients)
        except NotReal as error:
            raise ValueError(f"gradients: got {shortened(gradients)}, {error}; {expected}") from error
        if gradients.shape == shape[1:] and rows == 1:
            gradients = gradients[None]
        if gradients.shape != shape:
            raise ValueError(f"gradients: got shape {gradients.shape}, {expected}")
        return gradients

    def result(self) -> Result:
        """The best so far."""
        run = Run(self._solver, self.state, self._index, None)
        record = run.record(run_dtype(len(self.state.run.best_x)))
        record["stop"] = self._stop()
        history = history_of(self.state)
        details = details_of(self._solver, self.state)
        return summarise(record, self._limits, history=history, method=self.method, seed=self.seed, **details)

    def _stop(self) -> int:
        stop = int(self.state.run.now["stop"][0])
        return RUNNING if stop == RAISED else stop  # it waits for a value
