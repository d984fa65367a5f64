"""The ways to run a solver, built once for all solvers from `iterate` or from the parts of a generation.

    advance            one compiled loop, serial, the GIL released: the default
    advance_parallel   the same with the rows of a generation on several threads
    advance_many       a loop over runs of one template state: short runs without Python in between
    advance_each       the same over problems that differ in their arguments and in where they begin
    propose, conclude  the two halves of a generation, where the objective stays outside: ask/tell, batches of Python
    (CUDA)             kernels/cuda, from the same parts

A method with rows stops at any row and goes on from there, others between iterations, and all ways give the same bits:
each candidate is made from the state at the beginning of its generation, and the objective is one machine code, called
by its address.
"""

from __future__ import annotations

from operator import attrgetter
from types import SimpleNamespace
from typing import Any, get_type_hints

import numpy as np
from numba import prange
from numba.core import types
from numba.np.numpy_support import from_dtype

from ...kernels import nesting
from ...kernels.calling import asking
from ...kernels.calling.arguments import load, packed, row
from ...kernels.calling.asking import FUNCTIONS, REPLAY
from ...kernels.calling.states import state_type
from ...kernels.compile.jit import compile_for, inlined, kernel, once
from ...kernels.compile.structures import Vector, leaf_names
from ...kernels.compile.waiting import explained
from ...kernels.nesting import restoring
from ...kernels.rows.population import note_values, open_generation
from ...kernels.run import (
    IDLE,
    RAISED,
    REACHED_TARGET,
    RUN,
    RUNNING,
    STUCK,
    UNLINKED,
    close_iteration,
    note_raised,
    open_iteration,
    raised,
)
from ..contract import Solver
from ..registry import SOLVERS

SECONDS = {False: 2, True: 6}  # that a driver takes to compile, about: of a sequential method, of one with rows
AHEAD = 8  # rows that are proposed before they are evaluated: a processor waits for numbers that were just written
OF_MANY, MANY = 10, 60  # of one that nests others: its state has so many arrays or more
ASK_TELL = " for ask and tell"


@once
def stages(solver: Solver) -> SimpleNamespace:
    """The parts of a generation joined into `propose` and `conclude`; nothing is compiled yet."""
    rows = solver.rows
    assert rows is not None, "a method without rows has no stages"
    propose_row, select, draw = rows.propose, rows.select or _nothing_row, rows.draw or _nothing_rows
    learn, settle = joined(rows.learn), joined(rows.settle)

    @inlined
    def propose(state, start, stop):
        """Candidates for the rows [start, stop)."""
        draw(start, stop, state)
        for i in range(start, stop):
            propose_row(i, state)

    @inlined
    def conclude(state):
        """All rows are evaluated: note the values, learn, select, settle, decide whether to go on."""
        run, count = state.run, state.rows[0].count
        note_values(state.trial, state.trial_f, count, run)
        if run.now[0].stop != RUNNING:
            return
        learn(state)
        for i in range(count):
            select(i, state)
        settle(state)
        close_iteration(run)
        open_generation(state)

    return SimpleNamespace(propose=propose, conclude=conclude, propose_row=propose_row, draw=draw)


@inlined
def _nothing(state):
    pass


@inlined
def _never(state):
    return False


@inlined
def _nothing_row(i, state):
    pass


@inlined
def _nothing_rows(start, stop, state):
    pass


def joined(kernels: tuple):
    """One kernel that carries out several, one after another."""
    if not kernels:
        return _nothing
    first, rest = kernels[0], kernels[1:]
    if not rest:
        return first
    others = joined(rest)

    @inlined
    def both(state):
        first(state)
        others(state)

    return both


class Entry:
    """A kernel that Python calls with a problem, a state, or a template and a state, and then with plain arguments.

    What is a tuple travels by its address; who calls often packs it once (`Packed`). `how` is said, behind the name of
    the solver, to who waits for it to be compiled.
    """

    def __init__(self, solver: Solver, how: str, function, tuples: int, *plain):
        self.tuples = tuples
        nests = len(leaf_names(solver.State)) >= MANY
        with explained(f"{solver.name}{how}", OF_MANY if nests else SECONDS[solver.rows is not None]):
            self.function = compile_for(kernel(function), (*[types.intp] * tuples, *plain))

    @property
    def address(self) -> int:
        """Of its machine code."""
        (compiled,) = self.function.overloads.values()
        return compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)

    def __call__(self, first, *others):
        if self.tuples == 1:
            given = packed(first)
            return self.function(given.address, *others)
        tuples = [packed(first), *map(packed, others[: self.tuples - 1])]  # alive as long as their addresses are in use
        return self.function(*[value.address for value in tuples], *others[self.tuples - 1 :])


@once
def proposer(solver: Solver):
    """propose(state, start, stop)"""
    propose, State = stages(solver).propose, state_type(solver.State)

    def propose_rows(state, start, stop):
        propose(load(state, State), start, stop)

    return Entry(solver, ASK_TELL, propose_rows, 1, types.int64, types.int64)


@once
def concluder(solver: Solver):
    """conclude(state)"""
    conclude, State = stages(solver).conclude, state_type(solver.State)

    def conclude_rows(state):
        conclude(load(state, State))

    return Entry(solver, ASK_TELL, conclude_rows, 1)


def ask_and_tell(solver: Solver):
    """(propose, conclude), whose compilation is announced as one."""
    with explained(f"{solver.name}{ASK_TELL}", SECONDS[True]):
        return proposer(solver), concluder(solver)


@once
def advancing(solver: Solver):
    """advance(problem, state, evaluations): go on for about so many evaluations. Nothing is compiled yet."""
    return _advance_by_iterations(solver) if solver.rows is None else _advance_by_rows(solver)


def _advance_by_iterations(solver: Solver):
    iterate: Any = solver.iterate
    calls_nested = solver.calls_nested or _never

    @inlined
    def advance(problem, state, evaluations):
        now = state.run.now[0]
        until, idle = now.evaluations + evaluations, 0
        while now.stop == RUNNING and now.evaluations < until:
            if calls_nested(state):
                now.stop = UNLINKED
                return
            before = now.evaluations
            iterate(problem, state)
            close_iteration(state.run)
            idle = idle + 1 if now.evaluations == before else 0
            if idle == IDLE:
                now.stop = STUCK

    return advance


def _advance_by_rows(solver: Solver):
    parts = stages(solver)
    draw, propose_row, conclude = parts.draw, parts.propose_row, parts.conclude

    @inlined
    def advance(problem, state, evaluations):
        rows, now, trial, trial_f = state.rows[0], state.run.now[0], state.trial, state.trial_f
        while evaluations > 0 and now.stop == RUNNING:
            start = rows.cursor
            stop = min(rows.count, start + evaluations)
            draw(start, stop, state)
            for first in range(start, stop, AHEAD):
                last = min(first + AHEAD, stop)
                for i in range(first, last):
                    propose_row(i, state)
                for i in range(first, last):
                    rows.cursor = i  # from outside one sees how far it is, and what an evaluation is at work on
                    trial_f[i] = asking.value(problem, row(trial, i))
                    if raised(trial_f[i]):  # this row waits: the run can go on from here
                        note_raised(state.run, row(trial, i))
                        return
            rows.cursor = stop
            evaluations -= stop - start
            if stop == rows.count:
                conclude(state)

    return advance


@once
def serial(solver: Solver, problem=FUNCTIONS):
    """advance(problem, state, evaluations), for a type of problem."""
    advance, State = advancing(solver), state_type(solver.State)

    def advance_serial(asked, state, evaluations):
        advance(load(asked, problem), load(state, State), evaluations)

    return Entry(solver, ASK_TELL if problem is REPLAY else "", advance_serial, 2, types.int64)


def link(solver: Solver, state, problem=FUNCTIONS) -> None:
    """Load, or compile, the drivers of the solvers that this state nests: its own calls them by their addresses."""
    kind = problem.instance_class.__name__
    for name in _nested(solver, state):
        if not nesting.is_linked(name, kind):
            nesting.link(name, kind, serial(SOLVERS[name], problem).address)
    if solver.calls_nested is not None:
        state.own["unlinked"] = 0


def link_spread(solver: Solver, state) -> None:
    """The same, of the drivers with the rows of a generation on several threads: for problems that say so."""
    kind = FUNCTIONS.instance_class.__name__
    for name in _nested(solver, state):
        if SOLVERS[name].rows is not None and not nesting.is_linked(name, kind, nesting.SPREAD):
            nesting.link(name, kind, parallel(SOLVERS[name]).address, nesting.SPREAD)


def link_late(solver: Solver, state) -> None:
    """Link when the drivers are due: a run goes on without them, and may end before. It is for `Run` alone."""
    kind = FUNCTIONS.instance_class.__name__
    if solver.calls_nested is None or all(nesting.is_linked(name, kind) for name in _nested(solver, state)):
        link(solver, state)
    else:
        state.own["unlinked"] = 1


def _nested(solver: Solver, state) -> dict[str, Any]:
    """The solvers that this state nests, by name, and their states, without those whose place is empty."""
    states = {path.rpartition(".")[2]: attrgetter(path)(state) for path in solver.nests}
    return {name: inner for name, inner in states.items() if inner.run.now.size > 0}


def rows_at_once(solver: Solver, state) -> int:
    """The rows of a generation, of its own or of what it nests, that may be on several threads; 0: there are none."""
    inner = [state] if solver.rows is not None else _nested(solver, state).values()
    return max((int(one.rows["live"][0]) for one in inner if hasattr(one, "rows")), default=0)


def _spread_rows(solver: Solver):
    """evaluate(value, record, state, trial_f, start, stop): candidates and values of these rows, on several threads.

    The loop itself must be seen to write somewhere: else Numba leaves it out.
    """
    draw, propose_row, State = stages(solver).draw, stages(solver).propose_row, state_type(solver.State)

    @inlined
    def value_of_row(i, value, record, packed_state):
        state = load(packed_state, State)
        draw(i, i + 1, state)
        propose_row(i, state)
        return asking.value(asking.value_alone(value, record), row(state.trial, i))

    def evaluate(value, record, packed_state, trial_f, start, stop):
        for i in prange(start, stop):
            trial_f[i] = value_of_row(i, value, record, packed_state)

    return kernel(evaluate, parallel=True, inner=True)


@once
def parallel(solver: Solver):
    """As `serial`, with the rows of a generation on Numba's threads (`numba.set_num_threads`)."""
    evaluate, conclude, State = _spread_rows(solver), stages(solver).conclude, state_type(solver.State)

    def advance_parallel(asked, packed_state, evaluations):
        problem, state = load(asked, FUNCTIONS), load(packed_state, State)
        rows, now = state.rows[0], state.run.now[0]
        while evaluations > 0 and now.stop == RUNNING:
            start = rows.cursor
            stop = min(rows.count, start + evaluations)
            evaluate(problem.value, problem.record, packed_state, state.trial_f, start, stop)
            rows.cursor = stop
            evaluations -= stop - start
            if stop == rows.count:
                conclude(state)

    return Entry(solver, " on several threads", advance_parallel, 2, types.int64)


@once
def many(solver: Solver):
    """advance_many(problem, template, state, first, count, ended, points, history) -> how many ended.

    Runs first, first + 1, ... one after another, each from a copy of `template` with its own number. ended (count,):
    their records; points (count, D): their best points; history (H, 2): of the best among them, whose place is the
    second number returned. The first run that reaches the target or fails is the last one.
    """
    advance, restore, Type = advancing(solver), restoring(solver.State), state_type(solver.State)

    def advance_many(asked, packed_template, packed_state, first, count, ended, points, history):
        problem, template, state = load(asked, FUNCTIONS), load(packed_template, Type), load(packed_state, Type)
        best, best_place = np.inf, -1
        for k in range(count):
            restore(state, template)
            now = state.run.now[0]
            now.index = first + k
            open_iteration(state.run)
            while now.stop == RUNNING:
                advance(problem, state, now.max_evals)
            ended[k] = now
            for j in range(points.shape[1]):
                points[k, j] = state.run.best_x[j]
            if now.best < best or best_place < 0:
                best, best_place = now.best, k
                for i in range(now.entries):
                    history[i, 0], history[i, 1] = state.run.history[i, 0], state.run.history[i, 1]
            if now.stop == REACHED_TARGET or now.stop == RAISED or now.stop == STUCK:
                return k + 1, best_place
        return count, best_place

    records, matrix = types.Array(from_dtype(RUN), 1, "C"), types.float64[:, ::1]
    return Entry(solver, " for many short runs", advance_many, 3, types.int64, types.int64, records, matrix, matrix)


@once
def each(solver: Solver):
    """advance_each(problem, template, state, record, stride, starts, first, stop, ended, points) -> how many ended.

    Problems first, first + 1, ... one after another: the k-th has its arguments `stride` bytes behind those of the one
    before it, and begins at starts[k] (m, D), where that is not empty. ended (m,): records of the runs; points (m, D):
    their best points. The first one that fails is the last one.
    """
    advance, restore, Type = advancing(solver), restoring(solver.State), state_type(solver.State)
    place = placing(solver) or place_nothing

    def advance_each(asked, packed_template, packed_state, record, stride, starts, first, stop, ended, points):
        problem, template, state = load(asked, FUNCTIONS), load(packed_template, Type), load(packed_state, Type)
        for k in range(first, stop):
            one = asking.with_record(problem, record + k * stride)
            restore(state, template)
            now = state.run.now[0]
            if starts.shape[0] > 0:
                place(row(starts, k), state)
            else:
                now.index = k
            open_iteration(state.run)
            while now.stop == RUNNING:
                advance(one, state, now.max_evals)
            ended[k] = now
            for j in range(points.shape[1]):
                points[k, j] = state.run.best_x[j]
            if now.stop == RAISED or now.stop == STUCK:
                return k
        return stop

    records, matrix = types.Array(from_dtype(RUN), 1, "C"), types.float64[:, ::1]
    plain = (types.int64, types.int64, matrix, types.int64, types.int64, records, matrix)
    return Entry(solver, " for many small problems", advance_each, 3, *plain)


def placing(solver: Solver):
    """place(x, state): begin at x. None: the method has no such point."""
    hints = get_type_hints(solver.State, include_extras=True)
    return solver.place or (_place_x if hints.get("x") == Vector else None)


@inlined
def place_nothing(x, state):
    pass


@inlined
def _place_x(x, state):
    for j in range(x.size):
        state.x[j] = x[j]
