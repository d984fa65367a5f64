"""`minimize_many`: the door to many small problems of one kind, solved side by side in compiled code."""

from __future__ import annotations

import dataclasses
import threading
from typing import Any, Literal

import numpy as np

from ..kernels.calling.arguments import Packed, normalise, pack_each
from ..kernels.calling.aside import Call as Aside
from ..kernels.calling.derivatives import Wanted, derivatives_of
from ..kernels.calling.objective import CompiledObjective, objective
from ..kernels.compile.structures import copied
from ..kernels.given import as_word
from ..kernels.problem import Problem, check_points, read_points
from ..kernels.reals import shortened
from ..kernels.run import RUN
from .driving import drivers, settings
from .driving.call import Call, begin, versions
from .driving.method_names import find_method
from .driving.result import AGREE, CONVERGED, Result, run_dtype
from .driving.running import check_end
from .driving.signatures import AnyMethod, Seed
from .driving.stop_reason import StopReason
from .registry import SOLVERS

BLOCKS = 16  # for each thread: problems differ in how long they take


def minimize_many(
    fun: Any, x0s: Any = None, args_each: Any = (), *, bounds: Any = None, args: Any = (), method: AnyMethod = "auto",
    jac: Any = None, seed: Seed = None, threads: int | None = None, max_evals: int | None = None,
    max_iters: int | None = None, target: float | None = None, ftol: float | None = None, options: Any = None,
    device: Literal["cpu", "cuda"] = "cpu",
) -> Result:  # fmt: skip
    """Solve many small problems of one kind, that differ in their arguments and in where they begin.

    All of it is one compiled loop for each thread, so that Python adds no milliseconds to a fit of microseconds.
    The same bits on any number of threads.

    Parameters
    ----------
    fun : callable or Objective
        `fun(x, *args) -> float`, compiled by Numba, as in `minimize`.
    x0s : (m, D) or (D,) array_like, optional
        Where each problem begins, or all of them. May be left out for methods that need a box only.
    args_each : tuple of (m, ...) array_like, default ()
        Arguments that each problem has of its own: problem k is `fun(x, *(a[k] for a in args_each), *args)`.
    bounds : (D, 2) array_like, sequence of pairs, or scipy.optimize.Bounds, optional
        The box of all problems.
    args : tuple, default ()
        Further arguments, the same for all.
    method : str or Solver, default "auto"
        As in `minimize`; "auto" is `l_bfgs_b` from points, `lshade` in a box.
    jac : callable, True, "2-point", "3-point" or "cs", optional
        The gradient, as in `minimize`. Default: automatic. A function must carry no values of its own.
    seed : int or generator of NumPy, optional
        For methods that draw; problem k draws as run k.
    threads : int, optional
        Default: all cores.
    max_evals, max_iters, target, ftol, options : optional
        As in `minimize`, for each problem.
    device : {"cpu", "cuda"}, default "cpu"
        "cuda": on an NVIDIA GPU, a thread for each problem; answers agree with the CPU's to rounding, which a search
        may magnify. Objective and `jac` may call what a GPU has, too: no `@`, nothing of np.linalg.

    Returns
    -------
    Result
        x (m, D), fun (m,), success (m,), status (m,) codes of StopReason, nfev (m,), nit (m,), njev (m,); message;
        runs, a row for each problem; method, threads, seed, derivatives, versions. Ctrl-C: problems that were not
        solved have success False and fun inf.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    Exception
        What the objective raised, with the x and the number of the problem as notes.

    Examples
    --------
    >>> import numpy as np
    >>> from thalweg import minimize_many
    >>> def misfit(x, y, t):
    ...     total = 0.0
    ...     for i in range(t.size):
    ...         total += (x[0] * np.exp(-x[1] * t[i]) - y[i]) ** 2
    ...     return total
    >>> t = np.linspace(0, 4, 20)
    >>> rates = np.linspace(0.5, 2.0, 1000)
    >>> found = minimize_many(misfit, [1.0, 1.0], (3.0 * np.exp(-rates[:, None] * t),), args=(t,))
    >>> bool(found.success.all()), bool(np.allclose(found.x[:, 1], rates, atol=1e-4))
    (True, True)
    """
    place = as_word("device", device, settings.DEVICES)
    if place == "cuda" and threads is not None:
        raise ValueError("threads: device='cuda' has threads of its own, as many as suit it; leave this out")
    each = _read_each(args_each)
    starts, count = _read_starts(x0s, each)
    call, bound = _make_call(
        fun, starts, each, bounds, args, method, jac, seed,
        {"max_evals": max_evals, "target": target, "ftol": ftol, "patience": None, "max_iters": max_iters}, options,
        place,
    )  # fmt: skip
    problems = _Problems(call, bound, starts, each, count)
    if place == "cuda":
        threads = problems.carry_out_on_gpu()
    else:
        threads = min(settings.count_of("threads", threads), count)
        problems.carry_out(threads)
    result = problems.result()
    result.update(
        method=call.solver.name, options=dataclasses.asdict(call.options), threads=threads, seed=call.seed,
        versions=versions(),
    )  # fmt: skip
    if bound.derivatives is not None:
        result["derivatives"] = bound.derivatives.how
    return result


def _read_each(args_each) -> tuple[np.ndarray, ...]:
    given = args_each if isinstance(args_each, tuple) else (args_each,)
    arrays = []
    for k, value in enumerate(given):
        (array,) = normalise((np.asarray(value) if isinstance(value, list | tuple) else value,))
        if not isinstance(array, np.ndarray) or array.ndim == 0:
            raise TypeError(f"args_each[{k}]: got {shortened(value)}, expected an array with an entry for each problem")
        arrays.append(array)
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ValueError(f"args_each: got arrays of {', '.join(map(str, sorted(lengths)))} entries, expected as many")
    return tuple(arrays)


def _read_starts(x0s, each: tuple) -> tuple[np.ndarray | None, int]:
    points = read_points(x0s)
    if points is not None and (points.ndim not in (1, 2) or points.size == 0):
        raise ValueError(f"x0s: got shape {points.shape}, expected (m, D): a point for each problem, or (D,) for all")
    if points is None and not each:
        raise ValueError("x0s, args_each: got none, expected points (m, D), or arguments for each problem, or both")
    count = len(each[0]) if each else len(points) if points is not None and points.ndim == 2 else 1
    if points is not None and points.ndim == 2 and len(points) != count:
        raise ValueError(f"x0s: got {len(points)} points, expected {count}: one for each entry of args_each")
    if count == 0:
        raise ValueError("args_each: got no entries, expected one for each problem")
    starts = None if points is None else np.array(np.broadcast_to(points, (count, points.shape[-1])), order="C")
    return starts, count


def _make_call(
    fun, starts, each, bounds, args, method, jac, seed, limits, options, device
) -> tuple[Call, CompiledObjective]:
    """The call of the first problem, and its objective."""
    args = args if isinstance(args, tuple) else (args,)
    first = tuple(array[0] for array in each) + normalise(args)
    source: Any = objective(fun)
    x0, jac = None if starts is None else starts[0], None if jac is False else jac
    problem = Problem(fun=source, bounds=bounds, args=first, x0=x0, jac=jac)
    if starts is not None:
        check_points(starts.copy(), problem.lower, problem.upper)
    limits = settings.make_limits(problem.dimension, **limits)
    found = find_method(method)
    solver: Any = found
    if isinstance(found, str):
        solver = SOLVERS["l_bfgs_b" if starts is not None else "lshade"]
    settings.check_fits(solver, problem, limits, jac=problem.jac)
    if starts is not None and drivers.placing(solver) is None:
        raise ValueError(f"x0s: {solver.name} does not begin at one point; leave it out, or write another method")
    call = Call(problem, solver, settings.make_options(solver, options), limits, settings.make_seed(seed))
    probe = problem.x0 if starts is not None else 0.5 * (problem.lower + problem.upper)[None]
    bound = source.bind(first, probe)
    if device == "cuda":
        from .driving.many_on_cuda import check_fits

        check_fits(solver, bound)
    if not isinstance(bound, CompiledObjective):
        raise TypeError("fun: got an objective in Python, expected one that is compiled; loop over minimize instead")
    if "gradient" in call.asks:
        wanted = Wanted(jac)
        bound.derivatives = derivatives_of(bound, call.asks, wanted, problem.lower, problem.upper, probe[0])
        _refuse_carried(bound)
    return call, bound


def _refuse_carried(bound: CompiledObjective) -> None:
    function = bound.derivatives.of["gradient"].function
    if function is not None and (function.name != "jac" or function.place_beside(bound)[0]):
        raise ValueError("jac: it carries values, or its value, with it; expected a function of (x, *args) alone")


class _Problems:
    """Problems that are solved in blocks, by threads; where each stands does not hang on who solved it."""

    def __init__(self, call: Call, bound: CompiledObjective, starts: np.ndarray | None, each: tuple, count: int):
        self.call, self.bound, self.each, self.count = call, bound, each, count
        dimension = call.problem.dimension
        self.starts = np.zeros((0, dimension)) if starts is None else starts
        self.template = begin(call, 0)
        self.ended = np.zeros(count, RUN)
        self.ended["best"], self.ended["spread"] = np.inf, np.inf
        self.points = np.full((count, dimension), np.nan)
        self.next, self.size = 0, count
        self.errors: dict[int, Exception] = {}
        self.lock = threading.Lock()
        self.interrupted = False

    def carry_out(self, threads: int) -> None:
        bound, each = self.bound, self.each
        carried, args = bound.args[: bound.held], bound.args[bound.held + len(each) :]
        self.records = pack_each(carried, each, args, self.count)
        self.advance = drivers.each(self.call.solver)
        self.size = max(self.count // (BLOCKS * threads), 1)
        others = [threading.Thread(target=self._work, daemon=True) for _ in range(threads - 1)]
        for other in others:
            other.start()
        try:
            self._work()
            for other in others:
                while other.is_alive():
                    other.join(0.05)
        except KeyboardInterrupt:
            self.interrupted = True
            for other in others:
                other.join(1.0)
        self._raise_error()

    def carry_out_on_gpu(self) -> int:
        """Returns the threads of the GPU."""
        from .driving.many_on_cuda import carry_out

        threads, fault, self.interrupted = carry_out(
            self.call, self.bound, self.template, self.starts, self.each, self.ended, self.points
        )
        if fault is not None:
            state = copied(self.template)
            state.run.now[:], state.run.raised_x[:] = self.ended[fault], self.points[fault]
            self._note_error(fault, state)
            self._raise_error()
        return threads

    def _raise_error(self) -> None:
        if self.errors:
            raise self.errors[min(self.errors)]

    def _work(self) -> None:
        state = copied(self.template)
        packed = self.bound.problem(), Packed(self.template), Packed(state)
        while True:
            with self.lock:
                first, stop = self.next, min(self.next + self.size, self.count)
                self.next = stop
            if first >= stop or self.errors or self.interrupted:
                return
            arguments = int(self.records.ctypes.data), 8 * self.records.shape[1], self.starts, first, stop
            done = Aside(self.advance, *packed, *arguments, self.ended, self.points).result()
            if done < stop:
                self._note_error(done, state)

    def _note_error(self, k: int, state) -> None:
        one = dataclasses.replace(self.bound.source, check=False).bind(
            tuple(array[k] for array in self.each) + self.bound.args[self.bound.held + len(self.each) :],
            self.points[:1] * 0.0 if self.starts.size == 0 else self.starts[k : k + 1],
        )
        one.derivatives = self.bound.derivatives
        try:
            check_end(self.call.solver, state, one)
        except Exception as error:
            error.add_note(f"in problem {k} of {self.count}")
            with self.lock:
                self.errors[k] = error

    def result(self) -> Result:
        now, call = self.ended, self.call
        stop = np.where(now["stop"] == 0, int(StopReason.INTERRUPTED), now["stop"])
        if call.limits.target > -np.inf:
            success = stop == StopReason.REACHED_TARGET
        else:
            success = (now["spread"] <= AGREE * (1.0 + np.abs(now["best"]))) | np.isin(stop, CONVERGED)
        success &= np.isfinite(now["best"])
        rows = np.zeros(self.count, run_dtype(call.problem.dimension))
        for name, values in (
            ("run", np.arange(self.count)), ("fun", now["best"]), ("nfev", now["evaluations"]), ("x", self.points),
            ("nit", now["iteration"]), ("n_failed", now["failed"]), ("stop", stop), ("spread", now["spread"]),
        ):  # fmt: skip
            rows[name] = values
        message = f"{int(success.sum()):,} of {self.count:,} problems are solved."
        if self.interrupted:
            message += " Interrupted from the keyboard."
        kinds, counts = np.unique(stop[~success], return_counts=True)
        message += "".join(f" {n:,}: {StopReason(kind).sentence}" for kind, n in zip(kinds, counts))
        return Result(
            x=self.points, fun=now["best"].copy(), success=success, status=stop.astype(np.int64), message=message,
            nfev=now["evaluations"].copy(), nit=now["iteration"].copy(), njev=now["gradients"].copy(), runs=rows,
            names=[f"x{j}" for j in range(call.problem.dimension)],
        )  # fmt: skip
