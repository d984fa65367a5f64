"""`DataSum`: an objective that is a mean over rows of data; and how `minimize` takes it."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.compile.jit import available_threads, parallel_region
from ..kernels.data.given import read_rows, read_targets, read_weights
from ..kernels.data.losses import read_loss
from ..kernels.data.passes import Passes, Source
from ..kernels.data.rows import Sparse
from ..kernels.given import as_flag
from ..kernels.problem import Problem
from ..kernels.reals import NotReal, real_array, shortened
from .driving import settings
from .driving.call import Call, versions
from .driving.callbacks import read_callback
from .driving.hooks import hooks_of
from .driving.method_names import find_method, plain
from .driving.preparing import make_session
from .driving.result import Result
from .learning.epochs import BATCHED
from .learning.full_batch import SumObjective
from .learning.on_cuda import SumOnDevice
from .row_training import method_of_rows, train_by_rows
from .training import train


class DataSum:
    """The mean of a loss over rows of data, F(w) = 1/n sum_i s_i loss_i(w) + l2/2 |w|^2.

    It is an objective: `minimize(DataSum(loss, X, y), x0=...)` takes it with every method, evaluated by passes on all
    cores; called, it gives F. The loss is plain Python, compiled and differentiated automatically. A mean and not a
    sum, so that step lengths and `gtol` do not hang on the number of rows.

    Parameters
    ----------
    loss : callable
        Of one row, in one of two forms, which its number of arguments tells: `loss(w, x_i, y_i) -> float`, w (D,) and
        x_i (p,), or for linear models `loss(z, y_i) -> float` with z = w x_i, which is faster and takes sparse X.
        Without y they are `loss(w, x_i)` and `loss(z)`.
    X : (n, p) array, or sparse matrix of scipy.sparse
        float64 and float32 are taken as they are, without a copy; also from a file, `np.load(name, mmap_mode="r")`.
    y : (n,) or (n, k) array, optional
        y_i is a float, or an int where y holds whole numbers, or (k,) of either.
    sample_weight : (n,) array, optional
        s_i, not negative; they are scaled to a mean of 1.
    l2 : float, default 0.0
        The penalty l2/2 |w|^2, which leaves the intercept alone.
    fit_intercept : bool, default False
        Of the linear form: w has p + 1 entries, the last of which is added to z.
    linear : bool, optional
        Which form the loss has, where its signature does not tell.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected: NaN or inf in data, shapes that do not match,
        weights below 0, a sparse X with the general form.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> import thalweg as tw
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 3))
    >>> y = np.where(X @ [1.0, -2.0, 0.5] + rng.logistic(size=500) > 0, 1.0, -1.0)
    >>> def logistic(z, y):
    ...     return math.log1p(math.exp(-y * z))
    >>> result = tw.minimize(tw.DataSum(logistic, X, y), x0=np.zeros(3))
    >>> bool(result.success and result.fun < 0.6)
    True
    """

    def __init__(
        self, loss: Callable[..., float], X: Any, y: Any = None, *, sample_weight: Any = None, l2: float = 0.0,
        fit_intercept: bool = False, linear: bool | None = None,
    ):  # fmt: skip
        if linear is not None:
            linear = as_flag("linear", linear)
        read = read_loss(loss, linear, y is not None)
        fit_intercept = as_flag("fit_intercept", fit_intercept)
        l2 = settings.as_real("l2", l2)
        if not 0 <= l2 < np.inf:
            raise ValueError(f"l2: got {l2}, expected a finite number that is not negative")
        if fit_intercept and not read.linear:
            raise ValueError("fit_intercept: only the linear form, loss(z, y), has one; add it to your loss")
        rows = read_rows(X)
        if isinstance(rows, Sparse) and not read.linear:
            raise TypeError("X: got a sparse matrix with a loss of (w, x, y), expected an array, or a loss of (z, y)")
        n = X.shape[0] if isinstance(rows, Sparse) else len(rows.x)
        self.source: Source = Source(read, rows, read_targets(y, n), read_weights(sample_weight, n), l2, fit_intercept)
        self.mapped: bool = isinstance(X, np.memmap)  # rows are in a file
        self._passes: Passes | None = None

    @property
    def rows(self) -> int:
        return self.source.rows

    def __repr__(self) -> str:
        form = "linear" if self.source.loss.linear else "general"
        return f"DataSum of {self.source.rows:,} rows, {self.source.columns:,} columns ({form} form)"

    def __call__(self, w: Any) -> float:
        """F(w)."""
        w = self._point(w)
        return self._of(w).value(w)

    def value_and_gradient(self, w: Any) -> tuple[float, np.ndarray]:
        """F(w) and its gradient (D,)."""
        w = self._point(w)
        g = np.empty_like(w)
        return self._of(w).gradient(w, g), g

    def hessian_product(self, w: Any, v: Any) -> np.ndarray:
        """The Hessian at w times v (D,)."""
        w, v = self._point(w), self._point(v, "v")
        if v.shape != w.shape:
            raise ValueError(f"v: got shape {v.shape}, expected that of w, {w.shape}")
        hv = np.empty_like(w)
        self._of(w).product(w, v, hv)
        return hv

    def _of(self, w: np.ndarray) -> Passes:
        if self._passes is None or self._passes.dimension != w.size:
            self._passes = self.passes(w, available_threads())
        return self._passes

    def passes(
        self, w: np.ndarray, threads: int, order: np.ndarray | None = None, most: int | None = None
    ) -> Passes:  # fmt: skip
        """Passes of one's own over these rows; w (D,): where the loss is compared with Python, in row 0 and beyond."""
        self.source.loss_at(w, 0)  # its errors appear as themselves
        return Passes(self.source, self.source.bind(w), w.size, threads, order, most)

    def _point(self, given: Any, name: str = "x0") -> np.ndarray:
        """A point (D,), of the length that the linear form has."""
        own = self.source.columns + self.source.intercept if self.source.loss.linear else None
        if given is None:
            if own is None:
                raise ValueError(f"{name}: got None, expected a point (D,) to begin with")
            return np.zeros(own)
        try:
            point = np.atleast_1d(real_array(given))
        except NotReal as error:
            raise ValueError(f"{name}: got {shortened(given)}, {error}; expected numbers") from error
        if point.ndim != 1 or point.size == 0:
            raise ValueError(f"{name}: got shape {point.shape}, expected (D,)")
        if own is not None and point.size != own:
            and_intercept = " and the intercept" if self.source.intercept else ""
            raise ValueError(f"{name}: got {point.size} numbers, expected {own}: one for each column{and_intercept}")
        return point


def with_sums(door: Callable[..., Result]) -> Callable[..., Result]:
    """`minimize`, which hands a DataSum to `minimize_sum`."""

    @functools.wraps(door)
    def either(*positional: Any, **given: Any) -> Result:
        fun = positional[0] if positional else given.get("fun")
        if isinstance(fun, DataSum):
            if given.get("device") == "cuda":
                return _on_cuda(door, *positional, **given)
            return minimize_sum(*positional, **given)
        return door(*positional, **given)

    return either


def minimize_sum(
    fun: DataSum, x0=None, *, bounds=None, method=None, batch_size=None, epochs=None, schedule=None, average=False,
    validation=None, validation_fraction=None, patience=None, tol=None, seed=None, threads=None, max_evals=None,
    max_iters=None, max_time=None, target=None, ftol=None, callback=None, progress=False, options=None,
    device="cpu",
) -> Result:  # fmt: skip
    """`minimize` of a DataSum: by passes over all rows, or, with a `batch_size`, by steps of batches.

    Parameters
    ----------
    fun : DataSum
    x0 : (D,) array_like, optional
        Default: zeros, in the linear form.
    bounds, seed, threads, max_time, options
        As of `minimize`; the threads share out the rows of a pass.
    method : str, optional
        With a batch_size: "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw". Without: any method of
        `minimize`; default `l_bfgs_b`. "sgd" is `gradient_descent` then. Or one whose steps are single rows: "saga",
        "svrg" (options step, curvature, gtol); "hogwild", stochastic gradient descent by all threads on one point
        without locks (step, decay), which is not reproducible, and says so in the result.
    max_evals, max_iters, target, ftol
        As of `minimize`, without a batch_size.
    batch_size : int, optional
        Rows of a batch, at most: an epoch is cut into batches of equal size. Without: all rows.
    epochs : int, default 10, and 100 with steps of single rows
        How often all rows are gone through, in an order that is a function of (seed, epoch). Rows are read in short
        runs that stand together, of which at least 16 make a batch: where neighbours are alike (sorted labels), larger
        batches are better mixed.
    schedule : str, optional
        How the step falls: "constant", "1/t", "1/sqrt(t)", "exponential", "cosine" (option `rate`), t in batches.
    average : bool or int, default False
        The answer is the mean of the points after each batch; a number: from so many epochs on.
    validation : DataSum or (X, y), optional
        Rows of which the loss, without penalty, is computed after each epoch. The answer is the best point by it;
        without it, the last.
    validation_fraction : float in (0, 1), optional
        The same with a share of the rows, drawn by the seed, which is not trained on.
    patience : int, optional
        It ends after so many epochs in which the loss of the validation, or else that of the training, did not get
        better by tol (1 + |loss|). Default: 5 with a validation, else never. Without a batch_size as of `minimize`.
    tol : float, default 1e-4
    callback : callable, optional
        As of `minimize`, after each epoch: fun is the loss that is watched; epoch, training, validation, seconds.
    progress : bool, default False
        Print a line for each epoch.

    Returns
    -------
    Result
        With a batch_size: x, fun (the mean over all training rows, with the penalty), nit (batches), epochs, and
        history with epoch, training (the mean over the batches of the epoch), validation and seconds. success: the
        values stayed finite, and nobody interrupted it. Ctrl-C ends it with what there is.
    """
    x0 = fun._point(x0)
    batched = {
        "epochs": epochs, "average": average or None, "validation": validation, "tol": tol,
        "validation_fraction": validation_fraction,
    }  # fmt: skip
    if (by_rows := method_of_rows(method)) is not None:
        others = batched | {
            "epochs": None, "bounds": bounds, "schedule": schedule, "patience": patience, "max_evals": max_evals,
            "max_iters": max_iters, "ftol": ftol, "batch_size": batch_size,
        }  # fmt: skip
        _refuse(others, f"is nothing that {by_rows.name} knows; it has epochs, target, max_time and options")
        return train_by_rows(
            fun, x0, by_rows, epochs=epochs, options=options, seed=seed, threads=threads, max_time=max_time,
            target=target, callback=callback, progress=progress,
        )  # fmt: skip
    if schedule is not None:
        options = {**(options or {}), "schedule": schedule}
    if batch_size is not None:
        whole = {"max_evals": max_evals, "max_iters": max_iters, "target": target, "ftol": ftol}
        _refuse(whole, "is for passes over all rows; batch_size goes with epochs, patience and tol")
        return train(
            fun, x0, bounds=bounds, method=_of_batches(method), options=options, seed=seed, threads=threads,
            batch_size=batch_size, epochs=epochs, average=average, patience=patience, tol=tol, validation=validation,
            validation_fraction=validation_fraction, max_time=max_time, callback=callback, progress=progress,
        )  # fmt: skip
    _refuse(batched, "goes with a batch_size; leave it out, or give one")
    problem = Problem(fun=fun, bounds=bounds, x0=x0)
    limits = settings.make_limits(problem.dimension, max_evals, target, ftol, patience, max_iters)
    solver: Any = find_method("gradient_descent" if _is_sgd(method) else method)
    if solver == "auto":
        solver = find_method("l_bfgs_b")
    settings.check_fits(solver, problem, limits)
    call = Call(problem, solver, settings.make_options(solver, options), limits, settings.make_seed(seed))
    tell = None if callback is None else read_callback(callback)
    plan = settings.make_plan(1, threads, device, True, max_time, tell is not None and solver.local)
    progress = as_flag("progress", progress)

    called = time.perf_counter()
    bound = SumObjective(fun.passes(x0, plan.threads), call.asks | solver.wishes)
    session: Any = make_session(call, bound, dataclasses.replace(plan, threads=1))  # the passes have the threads
    compiling = time.perf_counter() - called
    with parallel_region(), hooks_of(session, call, bound, plan, tell, progress, None):
        session.carry_out()
    result = session.summarise()
    result["derivatives"] = bound.derivatives.how
    result.update(
        timing={"compile": compiling + session.compiling, "run": session.seconds()},
        method=call.solver.name, options=dataclasses.asdict(call.options), objective=bound.runs_as,
        threads=plan.threads, seed=call.seed, versions=versions(),
    )  # fmt: skip
    return result


def _is_sgd(method: Any) -> bool:
    return isinstance(method, str) and plain(method) == "sgd"


def _of_batches(method: Any) -> str:
    """The method that makes steps of batches."""
    found = "sgd" if _is_sgd(method) else find_method(method)
    name = found if isinstance(found, str) else found.name
    name = "sgd" if name == "gradient_descent" else name
    if name not in BATCHED:
        raise ValueError(f"batch_size: {name} goes over all rows; leave it out, or write one of {', '.join(BATCHED)}")
    return name


def _refuse(arguments: dict[str, Any], why: str) -> None:
    for name, value in arguments.items():
        if value is not None:
            raise ValueError(f"{name}: got {shortened(value)}; it {why}")


def _on_cuda(door: Callable[..., Result], fun: DataSum, x0=None, *, method=None, schedule=None, options=None, **given):
    """The same with passes on a GPU, to which the solver on the CPU hands a point at a time."""
    x0 = fun._point(x0)
    method = "gradient_descent" if _is_sgd(method) else method
    if schedule is not None:
        options = {**(options or {}), "schedule": schedule}
    passes = SumOnDevice(fun.source, x0)
    given["device"] = "cpu"
    result = door(passes.objective(), x0=x0, jac=True, method=method or "l_bfgs_b", options=options, **given)
    result.update(device="cuda", versions=versions("cuda"))
    return result
