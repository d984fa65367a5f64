"""Solvers inside the user's own compiled code: `compiled.solver(...)` in Python, `compiled.solve(...)` in an @njit.

    solver = tw.compiled.solver("l_bfgs_b", misfit, [1.0, 1.0], args=(t, y))

    @njit
    def best_of(solver, starts):
        best = np.inf
        for k in range(len(starts)):
            x, fun, status = tw.compiled.solve(solver, starts[k])
            best = min(best, fun)
        return best

The driver is the one of `minimize`, from the disk, and is called by its address: nothing of it is compiled again. A run
begins with a copy of one block of memory that holds all arrays of the state.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from ..kernels.calling.arguments import intrinsic, pack
from ..kernels.compile.structures import leaves, mapped
from .contract import Solver
from .driving import drivers
from .driving.call import begin, bind, parse_call

__all__ = ["CompiledSolver", "solve", "solver"]
ENTRY = (types.intp, types.intp, types.int64)  # problem, state, evaluations


class CompiledSolver(NamedTuple):
    """A method and what it minimises, as numbers and arrays: what `solve` takes. Made by `solver`."""

    entry: int  # address of the driver
    problem: int  # address of what it asks
    memory: np.ndarray  # all arrays of the state, in bytes
    record: np.ndarray  # the state as words; an address is one of an array in `memory`
    places: np.ndarray  # (A, 2) word in `record`, offset in `memory`
    start: int  # offsets in `memory`: x, or -1; the record of the run; the best x
    now: int
    best_x: int
    dimension: int


class _Kept(CompiledSolver):
    """With what it borrows from."""

    owner: Any


_fields: Any = drivers.RUN.fields
NOW = {name: int(_fields[name][1]) for name in ("stop", "best", "max_evals")}  # offsets in the record of a run


def solver(
    method: str | Solver, fun: Any, x0: Any = None, bounds: Any = None, *, args: tuple[Any, ...] = (), jac: Any = None,
    options: Any = None, seed: Any = 0, max_evals: int | None = None, max_iters: int | None = None,
    target: float | None = None, ftol: float | None = None,
) -> CompiledSolver:  # fmt: skip
    """A solver for compiled code.

    Parameters
    ----------
    method : str or Solver
        A method of `minimize`, but "auto".
    fun, x0, bounds, args, jac, options, seed, max_evals, max_iters, target, ftol :
        As in `minimize`. `fun` must be compiled. Arrays in `args` are read where they are: what your code writes into
        them, the next run sees.

    Returns
    -------
    CompiledSolver
        To be handed to compiled code as an argument. It has one workspace: each thread needs a solver of its own.

    Raises
    ------
    TypeError, ValueError
        As `minimize`.

    Examples
    --------
    >>> import numpy as np
    >>> from numba import njit
    >>> from thalweg.solvers import compiled
    >>> bowl = compiled.solver("l_bfgs_b", lambda x: (x[0] - 1) ** 2 + x[1] ** 2, [0.0, 3.0])
    >>> @njit
    ... def distance(bowl, x0):
    ...     x, fun, status = compiled.solve(bowl, x0)
    ...     return abs(x[0] - 1) + abs(x[1])
    >>> bool(distance(bowl, np.array([5.0, 5.0])) < 1e-5)
    True
    """
    if method == "auto":
        raise ValueError("method: got 'auto', expected the name of a method: what it compiles to is chosen beforehand")
    named: Any = method
    call = parse_call(
        fun, bounds, x0, args, method=named, jac=jac, seed=seed, max_evals=max_evals, max_iters=max_iters,
        target=target, ftol=ftol, options=options,
    )  # fmt: skip
    bound = bind(call)
    if bound.runs_as != "compiled":
        raise TypeError("fun: got an objective in Python, expected one that is compiled")
    driver = drivers.serial(call.solver).function
    (compiled,) = driver.overloads.values()
    state, problem = begin(call, 0), bound.problem()
    memory, state, offsets = _in_one_block(state)
    record = pack(state)
    places = np.array([(k, word - memory.ctypes.data) for k, word in enumerate(record.tolist())
                       if word in offsets], dtype=np.int64)  # fmt: skip
    known = {name: array.ctypes.data - memory.ctypes.data for name, array in leaves(state)}
    begins = known["x"] if drivers.placing(call.solver) is not None and "x" in known else -1
    made = _Kept(
        compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name), problem.address, memory, record,
        places, begins, known["run.now"], known["run.best_x"], call.problem.dimension,
    )  # fmt: skip
    made.owner = problem, bound, compiled
    return made


def _in_one_block(state: Any) -> tuple[np.ndarray, Any, set[int]]:
    """(memory, the state with its arrays there, their addresses)"""
    size = sum(-(-array.nbytes // 64) * 64 for _, array in leaves(state))
    memory, place, addresses = np.zeros(size + 64, dtype=np.uint8), 0, set()

    def moved(array: np.ndarray) -> np.ndarray:
        nonlocal place
        there = memory[place : place + array.nbytes].view(array.dtype).reshape(array.shape)
        there[...] = array
        addresses.add(there.ctypes.data)
        place += max(-(-array.nbytes // 64) * 64, 64) if array.nbytes else 0
        return there

    return memory, mapped(moved, state), addresses


def solve(solver: CompiledSolver, x0: Any) -> tuple[Any, float, int]:
    """A run, in compiled code.

    Parameters
    ----------
    solver : CompiledSolver
    x0 : (D,) array of floats
        Where it begins; not looked at by methods that begin at no point. It must lie inside the bounds.

    Returns
    -------
    x : (D,) array
        The best point.
    fun : float
        Its value.
    status : int
        A code of StopReason; RAISED where the objective raised, what only Python could tell.
    """
    raise NotImplementedError("solve is for compiled code: call it in a function of @njit, or use minimize")


@overload(solve)
def _solve(solver, x0):
    now_stop, now_best, now_most = NOW["stop"], NOW["best"], NOW["max_evals"]

    def run(solver, x0):
        memory, record = solver.memory.copy(), solver.record.copy()
        base = memory.ctypes.data
        for k in range(solver.places.shape[0]):
            record[solver.places[k, 0]] = base + solver.places[k, 1]
        if solver.start >= 0:
            x = memory[solver.start : solver.start + 8 * solver.dimension].view(np.float64)
            for j in range(solver.dimension):
                x[j] = x0[j]
        now = memory[solver.now :]
        stop, most = now[now_stop : now_stop + 8].view(np.int64), now[now_most : now_most + 8].view(np.int64)
        while stop[0] == 0:
            _call(solver.entry, solver.problem, record.ctypes.data, most[0])
        best_x = memory[solver.best_x : solver.best_x + 8 * solver.dimension].view(np.float64).copy()
        return best_x, now[now_best : now_best + 8].view(np.float64)[0], stop[0]

    return run


@intrinsic
def _call(typingctx, entry, problem, state, evaluations):
    """Call the driver at an address."""

    def codegen(context, builder, signature, values):
        form = context.call_conv.get_function_type(types.none, ENTRY)
        callee = builder.inttoptr(values[0], form.as_pointer())
        context.call_conv.call_function(builder, callee, types.none, ENTRY, values[1:])
        return context.get_dummy_value()

    return types.none(types.intp, types.intp, types.intp, types.int64), codegen
