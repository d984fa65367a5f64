"""The door to training by mini-batches: `minimize(DataSum(...), method="adam", batch_size=256, epochs=20)`."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.compile.jit import parallel_region
from ..kernels.compile.waiting import explained
from ..kernels.data.given import read_rows, read_targets
from ..kernels.data.passes import Passes, Source
from ..kernels.data.shuffling import hold_out
from ..kernels.given import as_flag
from ..kernels.problem import Problem
from ..kernels.reals import shortened
from ..kernels.run import RUNNING
from .driving import settings
from .driving.call import versions
from .driving.callbacks import read_callback
from .driving.result import Result, StopReason
from .learning.epochs import BATCHED, Schooling, Trained, Training

if TYPE_CHECKING:
    from .data_sum import DataSum

EPOCHS = 10  # by default
PATIENCE = 5  # epochs, where there is a validation: that of scikit-learn's SGDClassifier (n_iter_no_change)
SECONDS = 4  # that the first compilation takes, about
SENTENCES = {
    StopReason.OUT_OF_ITERATIONS: "The epochs are done.",
    StopReason.STALLED: "The loss that is watched did not get better for as many epochs as `patience` allows.",
    StopReason.DIVERGED: "The loss is no longer finite: the steps are too long.",
}


def train(
    fun: DataSum, x0: np.ndarray, *, bounds, method: str, options, seed, threads, batch_size, epochs, average, patience,
    tol, validation, validation_fraction, max_time, callback, progress,
) -> Result:  # fmt: skip
    """The arguments of `minimize_sum`, as they were given."""
    solver, _ = BATCHED[method]
    problem = Problem(fun=fun, bounds=bounds, x0=x0)
    made = settings.make_options(solver, options)
    seed = settings.make_seed(seed)
    source, rows, held = _split(fun, validation, validation_fraction, seed)
    count = rows.size or source.rows
    plan = Schooling(
        method=method, batch_size=_batch_size(batch_size, count), seed=seed, mapped=fun.mapped,
        epochs=EPOCHS if epochs is None else settings.make_positive("epochs", epochs),
        average=_average(average), tol=_tol(tol), max_time=settings.as_max_time(max_time),
        patience=_patience(patience, held is not None),
    )  # fmt: skip
    tell = None if callback is None else read_callback(callback)
    threads = settings.count_of("threads", threads)
    shown = _print_epoch if as_flag("progress", progress) else None

    called = time.perf_counter()
    fun.source.loss_at(x0, 0)
    with explained(f"{method} of batches", SECONDS):
        bound = source.bind(x0)
        passes = Passes(source, bound, x0.size, threads, np.empty(count, np.int64), min(plan.batch_size, count))
        over_held = None
        if held is not None:
            over_held = Passes(dataclasses.replace(held[0], l2=0.0), bound, x0.size, threads, held[1])
        training = Training(plan, problem, made, passes, rows, over_held)
        whole = Passes(source, bound, x0.size, threads, rows)
        whole.address("value")
    compiling = time.perf_counter() - called

    def each_epoch(at: Trained) -> None:
        if shown is not None:
            shown(at, plan.epochs)
        if tell is not None:
            try:
                tell(_intermediate(at, training), 0.0)
            except StopIteration:
                at.stop = StopReason.CALLBACK

    def over() -> int:
        spent = plan.max_time is not None and time.perf_counter() - training.begin >= plan.max_time
        return StopReason.OUT_OF_TIME if spent else RUNNING

    try:
        with parallel_region():
            at = training.carry_out(each_epoch, over)
    except KeyboardInterrupt:
        at = training.interrupted()
    reason = StopReason(at.stop)
    with parallel_region():
        value = whole.value(at.x)
    good = reason in (StopReason.OUT_OF_ITERATIONS, StopReason.STALLED, StopReason.CALLBACK, StopReason.OUT_OF_TIME)
    return Result(
        x=at.x, fun=value, success=bool(good and np.isfinite(value)), status=int(reason),
        message=SENTENCES.get(reason, reason.sentence), nfev=at.steps, njev=at.steps, nit=at.steps, stop_reason=reason,
        epochs=len(at.history), history=at.record(), method=method, options=dataclasses.asdict(made),
        batch_size=plan.batch_size, batches=training.batches, objective="compiled", threads=threads,
        timing={"compile": compiling, "run": at.seconds}, seed=seed, versions=versions(),
    )  # fmt: skip


def _split(fun: DataSum, validation, fraction, seed: int) -> tuple[Source, np.ndarray, tuple[Source, Any] | None]:
    """(what is trained on, which of its rows, what is held out and which of its rows); empty rows: all."""
    everything = np.zeros(0, np.int64)
    if fraction is not None:
        if validation is not None:
            raise ValueError("validation_fraction: got it beside validation, expected one of the two")
        share = settings.as_real("validation_fraction", fraction)
        count = round(share * fun.rows)
        if not (0 < share < 1 and 0 < count < fun.rows):
            raise ValueError(
                f"validation_fraction: got {fraction}, expected a share in (0, 1) that leaves rows to both"
            )
        rows, held = hold_out(seed, fun.rows, count)
        return fun.source, rows, (fun.source, held)
    if validation is None:
        return fun.source, everything, None
    return fun.source, everything, (_validation_source(fun, validation), None)


def _validation_source(fun: DataSum, given) -> Source:
    own = getattr(given, "source", None)
    if isinstance(own, Source):
        same = own.loss.source.function is fun.source.loss.source.function and own.intercept == fun.source.intercept
        if not same:
            raise ValueError("validation: got a DataSum of another loss or intercept, expected those of the training")
    elif isinstance(given, tuple) and len(given) == 2:
        X = read_rows(given[0])
        n = given[0].shape[0] if hasattr(given[0], "shape") else len(given[0])
        own = dataclasses.replace(fun.source, X=X, y=read_targets(given[1], n), weights=None)
    else:
        raise TypeError(f"validation: got {shortened(given)}, expected a DataSum, or (X, y)")
    y: Any = fun.source.y
    other: Any = own.y
    alike = (y is None) == (other is None) and (y is None or (y.dtype, y.shape[1:]) == (other.dtype, other.shape[1:]))
    if own.columns != fun.source.columns or not alike:
        raise ValueError("validation: its rows have not the columns, or its y is not of the kind, of the training data")
    return own


def _batch_size(value, rows: int) -> int:
    size = settings.make_positive("batch_size", value)
    if size > rows:
        raise ValueError(f"batch_size: got {size}, expected at most {rows}, the rows that are trained on")
    return size


def _average(value) -> int | None:
    """The epoch from which on points are averaged."""
    if isinstance(value, bool | np.bool_):
        return 0 if value else None
    first = settings.as_integer("average", value)
    if first < 0:
        raise ValueError(f"average: got {value}, expected True, or a number of epochs after which it begins")
    return first


def _patience(value, watched: bool) -> int | None:
    if value is None:
        return PATIENCE if watched else None
    return settings.make_positive("patience", value)


def _tol(value) -> float:
    tol = 1e-4 if value is None else settings.as_real("tol", value)
    if tol < 0:
        raise ValueError(f"tol: got {value}, expected a number that is not negative")
    return tol


def _intermediate(at: Trained, training: Training) -> Result:
    epoch, loss, validation, seconds = at.history[-1]
    watched = loss if np.isnan(validation) else validation
    return Result(
        x=training.point.copy(), fun=watched, nfev=at.steps, nit=at.steps, epoch=epoch, training=loss,
        validation=validation, seconds=seconds,
    )  # fmt: skip


def _print_epoch(at: Trained, epochs: int) -> None:
    epoch, training, validation, seconds = at.history[-1]
    held = "" if np.isnan(validation) else f"   validation {validation:.6g}"
    print(f"epoch {epoch:4} of {epochs}   training {training:.6g}{held}   {seconds:.1f} s", flush=True)
