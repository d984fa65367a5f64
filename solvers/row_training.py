"""The door to methods whose steps are single rows: `minimize(DataSum(...), method="saga")`, "svrg", "hogwild"."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..kernels.compile.jit import parallel_region
from ..kernels.compile.waiting import explained
from ..kernels.given import as_flag
from .driving import settings
from .driving.call import versions
from .driving.callbacks import read_callback
from .driving.method_names import plain
from .driving.result import Result, StopReason
from .learning import hogwild, saga, svrg

if TYPE_CHECKING:
    from .data_sum import DataSum

EPOCHS = 100  # by default; most runs end before, by gtol
FAR = 1e10  # values above FAR (1 + |F(x0)|): the steps are too long
SECONDS = 6  # that the first compilation takes, about
SENTENCES = {StopReason.OUT_OF_ITERATIONS: "The epochs are done."}
NOT_REPRODUCIBLE = " Threads wrote to one point without locks: it is not reproducible."


class ByRows(NamedTuple):
    """A method: its options, and how a run begins: (passes, w, options, seed)."""

    name: str
    Options: Any
    begin: Any
    reproducible: bool = True


METHODS = {
    "saga": ByRows("saga", saga.Options, saga.begin),
    "svrg": ByRows("svrg", svrg.Options, svrg.begin),
    "hogwild": ByRows("hogwild", hogwild.Options, hogwild.begin, reproducible=False),
}


def method_of_rows(method: Any) -> ByRows | None:
    """The method of this name, if it is one of these."""
    return METHODS.get(plain(method).rstrip("!")) if isinstance(method, str) else None


def train_by_rows(
    fun: DataSum, x0: np.ndarray, method: ByRows, *, epochs, options, seed, threads, max_time, target, callback,
    progress,
) -> Result:  # fmt: skip
    """The arguments of `minimize_sum`, as they were given."""
    made = settings.make_options(method, options)  # pyright: ignore[reportArgumentType]
    seed, threads = settings.make_seed(seed), settings.count_of("threads", threads)
    ends = Ends(
        EPOCHS if epochs is None else settings.make_positive("epochs", epochs), made.gtol,
        -np.inf if target is None else settings.as_real("target", target), settings.as_max_time(max_time) or np.inf,
    )  # fmt: skip
    tell = None if callback is None else read_callback(callback)
    progress = as_flag("progress", progress)

    called = time.perf_counter()
    with explained(method.name, SECONDS), parallel_region():
        run = method.begin(fun.passes(x0, threads), x0, made, seed)
    begun = time.perf_counter()
    best, history = Best(x0.copy(), run.value, _largest(run.g)), []
    try:
        reason = _carry_out(run, ends, best, history, begun, tell, progress)
    except KeyboardInterrupt:
        reason = StopReason.INTERRUPTED
    steps = run.steps * len(history)
    passes = round(steps / fun.rows) + len(history) + 1
    return Result(
        x=best.x, fun=best.value, success=reason == ends.good or _has_run(method, reason, ends), status=int(reason),
        message=_message(method, reason, ends, best), nfev=passes, njev=passes, nit=steps, stop_reason=reason,
        optimality=best.slope, epochs=len(history), history=_record(history), method=method.name,
        options=dataclasses.asdict(made), reproducible=method.reproducible, objective="compiled", threads=threads,
        timing={"compile": begun - called, "run": time.perf_counter() - begun}, seed=seed, versions=versions(),
    )  # fmt: skip


@dataclass
class Best:
    """The epoch's end of the lowest value."""

    x: np.ndarray
    value: float
    slope: float  # the largest entry of the gradient there


class Ends(NamedTuple):
    epochs: int
    gtol: float
    target: float
    max_time: float

    @property
    def good(self) -> StopReason:
        return StopReason.REACHED_TARGET if self.target > -np.inf else StopReason.GRADIENT_SMALL


def _carry_out(run, ends: Ends, best: Best, history: list, begun: float, tell, progress: bool) -> StopReason:
    """Epochs until one of the ends; (value, seconds) of each go to the history."""
    far = FAR * (1.0 + abs(run.value))
    while (reason := _end(run, ends, far)) is None and len(history) < ends.epochs:
        with parallel_region():
            run.epoch()
        seconds = time.perf_counter() - begun
        history.append((run.value, seconds))
        if run.value < best.value:
            best.x, best.value, best.slope = run.w.copy(), run.value, _largest(run.g)
        if progress:
            print(f"epoch {len(history):4} of {ends.epochs}   training {run.value:.6g}   {seconds:.1f} s", flush=True)
        if tell is not None:
            seen = Result(x=best.x.copy(), fun=best.value, epoch=len(history), training=run.value, seconds=seconds)
            try:
                tell(seen, 0.0)
            except StopIteration:
                return StopReason.CALLBACK
        if seconds >= ends.max_time:
            return _end(run, ends, far) or StopReason.OUT_OF_TIME
    return reason or StopReason.OUT_OF_ITERATIONS


def _end(run, ends: Ends, far: float) -> StopReason | None:
    if run.value <= ends.target:
        return StopReason.REACHED_TARGET
    if _largest(run.g) <= ends.gtol:
        return StopReason.GRADIENT_SMALL
    return None if run.value < far else StopReason.DIVERGED


def _has_run(method: ByRows, reason: StopReason, ends: Ends) -> bool:
    """Hogwild!'s steps do not come to rest: to have made its epochs is all that it can."""
    return not method.reproducible and reason == StopReason.OUT_OF_ITERATIONS and ends.target == -np.inf


def _largest(g: np.ndarray) -> float:
    return float(np.abs(g).max())


def _message(method: ByRows, reason: StopReason, ends: Ends, best: Best) -> str:
    said = SENTENCES.get(reason, reason.sentence)
    if reason != ends.good:
        said += f" The largest entry of the gradient is {best.slope:.3g}."
    return said if method.reproducible else said + NOT_REPRODUCIBLE


def _record(history: list[tuple[float, float]]) -> dict[str, np.ndarray]:
    """For each epoch: F at its end, and the seconds until then."""
    training, seconds = np.array(history or np.zeros((0, 2))).T
    return {"epoch": np.arange(1, len(history) + 1), "training": training.copy(), "seconds": seconds.copy()}
