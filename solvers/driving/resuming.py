"""What a checkpoint holds, checked against the call that takes it up; and runs that go on where their limits are wider.

A run under wider limits is the same run, longer: so it may go on from where narrower ones ended it. Not where the
method plans by the number of evaluations or iterations: there a longer run is another one from the beginning.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from ...kernels import run as kernel
from ...kernels.compile.structures import check_arrays, leaves, rebuilt, stored
from ..contract import Limits
from .call import Call, begin
from .checkpoint_file import Damaged
from .result import StopReason, run_dtype

BY_LIMITS = (
    kernel.REACHED_TARGET, kernel.OUT_OF_BUDGET, kernel.OUT_OF_ITERATIONS, kernel.CONVERGED, kernel.STALLED,
)  # fmt: skip
CODES = {kernel.RUNNING, kernel.PAUSED, kernel.STUCK, *map(int, StopReason)}


class Content(NamedTuple):
    records: np.ndarray  # of finished runs, rows of `result.run_dtype`
    states: dict[int, tuple[Any, float]]  # by run: the state, and the seconds that it took
    histories: dict[int, np.ndarray]  # by run

    @classmethod
    def empty(cls, call: Call) -> Content:
        return cls(np.zeros(0, run_dtype(call.problem.dimension)), {}, {})


def take_up(call: Call, limits: Any, arrays: dict[str, np.ndarray], runs: int | None) -> Content:
    """The runs in a file that was written with these limits, as JSON gave them back, under the limits of the call.

    Raises
    ------
    Damaged
        What is wrong with the file, or why it cannot go on.
    """
    saved = _limits_of(call, limits)
    content = _runs_of(dataclasses.replace(call, limits=saved), arrays, runs)
    if saved != call.limits:
        if np.isin(content.records["stop"], BY_LIMITS).any():
            raise Damaged(
                "cannot go on under wider limits: of several runs only the values are kept once they have ended. "
                "Give another path"
            )
        for index, (state, _) in content.states.items():
            _widen(state, begin(call, index))
    return content


def _runs_of(call: Call, arrays: dict[str, np.ndarray], runs: int | None) -> Content:
    """Each array as the solver declares it and as the same call makes it."""
    records = _taken(arrays, "records", np.zeros(0, run_dtype(call.problem.dimension)), any_length=True)
    active = _taken(arrays, "active", np.zeros(0, np.int64), any_length=True).tolist()
    seconds = _taken(arrays, "seconds", np.zeros(len(active))).tolist()
    names = [*records["run"].tolist(), *active]
    if len(set(names)) < len(names) or min(names, default=0) < 0:
        raise Damaged("is damaged: a run stands in it twice, or has a number below 0")
    if runs is not None and max(names, default=0) >= runs:
        raise Damaged(f"belongs to another call: it holds run {max(names)}, and there are {runs} here")
    if not CODES.issuperset(records["stop"].tolist()) or np.isnan(records["fun"]).any():
        raise Damaged("is damaged: a finished run has an unknown stop, or no value")
    states = {}
    for index, its_seconds in zip(active, seconds):
        states[index] = _state_of(call, index, arrays), its_seconds
    histories = {}
    for name in [name for name in arrays if name.startswith("history.") and name[8:].isdigit()]:
        histories[int(name[8:])] = _taken(arrays, name, np.zeros((0, 2)), any_length=True)
    if arrays:
        raise Damaged(f"is damaged: it holds {next(iter(arrays))!r}, which nobody asked for")
    return Content(records, states, histories)


def _state_of(call: Call, index: int, arrays: dict[str, np.ndarray]):
    State, template = call.solver.State, begin(call, index)
    wanted = dict(leaves(template))
    state = rebuilt(State, lambda name, kind: stored(_taken(arrays, f"{index}.{name}", wanted[name]), kind))
    return _checked(check_arrays(State, state, "it"), template, index)


def _taken(arrays: dict[str, np.ndarray], name: str, like: np.ndarray, any_length: bool = False) -> np.ndarray:
    """An array out of the file, if it is like that one."""
    array = arrays.pop(name, None)
    if array is None:
        raise Damaged(f"is damaged: it lacks {name!r}")
    shape, same = like.shape, array.dtype.descr == like.dtype.descr and array.ndim == like.ndim
    if any_length:
        shape = (len(array) if array.ndim else 0, *shape[1:])
    if not same or array.shape != shape:
        expected = _told(np.broadcast_to(np.zeros((), like.dtype), shape))
        raise Damaged(f"is damaged: its {name!r} is {_told(array)}, expected {expected}")
    return np.require(array, requirements=["C", "W"])


def _told(array: np.ndarray) -> str:
    return f"{'records' if array.dtype.names else array.dtype} of shape {array.shape}"


def _checked(state, template, index: int):
    """The state, if the counts that all methods have can be. The digest answers for what only the method knows."""
    now, first = state.run.now[0], template.run.now[0]
    right = now.seed == first.seed and now.index == index and now.stop in CODES
    right = right and min(now.iteration, now.evaluations, now.failed) >= 0 and not np.isnan(now.best)
    right = right and 0 <= now.entries <= len(state.run.history) and now.stride >= 1
    if hasattr(state, "rows"):
        rows, most = state.rows[0], len(state.trial)
        right = (right and 0 <= rows.cursor <= rows.count <= rows.live <= most) or now.iteration == 0
        right = right and max(rows.cursor, rows.count, rows.live) <= most and 0 <= rows.given <= most
    if not right:
        raise Damaged(f"is damaged: the counts of run {index} cannot be")
    return state


# --- wider limits -------------------------------------------------------------------------------------------------


def _limits_of(call: Call, saved: Any) -> Limits:
    """The limits that the file was written with, if those of the call are as wide or wider.

    Raises
    ------
    Damaged
        Why it cannot go on.
    """
    now = dataclasses.asdict(call.limits)
    if not isinstance(saved, dict) or {k: type(v) for k, v in saved.items()} != {k: type(v) for k, v in now.items()}:
        raise Damaged("is damaged: its header has other limits than a call has")
    if changed := [name for name in now if saved[name] != now[name]]:
        if why := _why_another_run(call, Limits(**saved), changed):
            what = ", ".join(f"{_name(name)} was {saved[name]}, now {now[name]}" for name in changed)
            raise Damaged(f"belongs to another run: its limits are other ones ({what}), and {why}. Give another path")
    return Limits(**saved)


def _name(limit: str) -> str:
    return "max_iters" if limit == "max_iterations" else limit


def _why_another_run(call: Call, saved: Limits, changed: list[str]) -> str:
    """Why a run under the limits of the call is not the saved one, longer; empty where it is."""
    if narrower := [name for name in changed if _looseness(call.limits, name) < _looseness(saved, name)]:
        return f"{_name(narrower[0])} may only be wider: a narrower one might have ended the run before"
    planned = [_name(name) for name in changed if name in ("max_evals", "max_iterations")]
    if planned and call.solver.planned:
        return f"{call.solver.name} plans its run by {planned[0]}: a longer one is another run from the beginning"
    old, new = begin(dataclasses.replace(call, limits=saved), 0), begin(call, 0)
    for (name, one), (_, other) in zip(leaves(old), leaves(new)):
        if name not in ("run.now", "rows") and not (one.shape == other.shape and one.tobytes() == other.tobytes()):
            return f"{call.solver.name} is laid out by them: a longer run is another one from the beginning"
    return ""


def _looseness(limits: Limits, name: str) -> float:
    """Larger where the limit ends a run later."""
    value = getattr(limits, name)
    if name in ("target", "ftol"):
        return -value
    return np.inf if name != "max_evals" and value == 0 else value


def _widen(state, template) -> None:
    """Give a state the limits of another; it goes on if it was ended by narrower ones."""
    now, wider = state.run.now[0], template.run.now[0]
    by_ftol = now.spread <= now.ftol * (1.0 + abs(now.best))
    for name in ("max_evals", "max_iterations", "patience", "target", "ftol"):
        setattr(now, name, getattr(wider, name))
    if now.stop in BY_LIMITS and (now.stop != kernel.CONVERGED or by_ftol):
        now.stop = _stop(now)
    if hasattr(state, "rows") and now.iteration > 0:
        rows = state.rows[0]
        rows.count = min(rows.live, now.max_evals - now.evaluations)


def _stop(now) -> int:
    """As `close_iteration` decides it."""
    if -np.inf < now.target and now.best <= now.target:
        return kernel.REACHED_TARGET
    if now.evaluations >= now.max_evals:
        return kernel.OUT_OF_BUDGET
    if 0 < now.max_iterations <= now.iteration:
        return kernel.OUT_OF_ITERATIONS
    if now.spread <= now.ftol * (1.0 + abs(now.best)):
        return kernel.CONVERGED
    return kernel.STALLED if 0 < now.patience <= now.stall else kernel.RUNNING
