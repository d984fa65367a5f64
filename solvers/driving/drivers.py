"""The ways to run a solver, built once from its row functions, for all solvers.

    advance            one compiled loop, serial: propose, evaluate, conclude. The default.
    advance_parallel   the same with the rows of a generation on several threads.
    propose, conclude  the two halves, where the objective stays outside: ask/tell and objectives in Python.
    (CUDA)             kernels/cuda, from the same row functions

All of them stop at any row and go on from there, and all give the same bits: each candidate is made from the state at
the beginning of its generation, and the objective is one machine code, called by its address.
"""

from __future__ import annotations

from types import SimpleNamespace

from numba import prange
from numba.core import types

from ...kernels.calling.arguments import call_row
from ...kernels.compile.jit import compile_for, kernel, once
from ...kernels.rows import population
from ..contract import Solver, nothing, nothing_row, state_type


@once
def build(solver: Solver) -> SimpleNamespace:
    """The row functions of a solver joined into `propose` and `conclude`; nothing is compiled yet."""
    propose_row = solver.propose_row
    tally, settle = solver.tally or nothing, solver.settle or nothing
    select_row, ranked, has_population = solver.select_row or nothing_row, solver.ranked, solver.has_population
    seeks_best = solver.seeks_best

    @kernel
    def propose(state, start, stop):
        """Candidates for the rows [start, stop); those of generation 0 are the initial sample."""
        if state.counters[population.GENERATION] > 0:
            for i in range(start, stop):
                propose_row(i, state)

    @kernel
    def conclude(state):
        """All rows are evaluated: learn, select, rank, settle, decide whether to go on."""
        counters = state.counters
        population.collect(state)
        if counters[population.STOP] != population.RUNNING:
            return
        tally(state)
        for i in range(counters[population.ROWS]):
            select_row(i, state)
        if ranked:
            population.rank(state)
        settle(state)
        if seeks_best:
            population.find_best_row(state)
        width = population.spread(state) if has_population and state.params[population.FTOL] >= 0.0 else 1.0
        population.close_generation(state, width if has_population else 1e308)

    return SimpleNamespace(propose=propose, conclude=conclude, propose_row=propose_row)


@once
def proposer(solver: Solver):
    """propose(state, start, stop), compiled."""
    return compile_for(build(solver).propose, (state_type(solver.State), types.int64, types.int64))


@once
def concluder(solver: Solver):
    """conclude(state), compiled."""
    return compile_for(build(solver).conclude, (state_type(solver.State),))


@once
def serial(solver: Solver):
    """advance(objective, args, state, rows): go on for at most `rows` evaluations, GIL released."""
    propose_row, conclude = build(solver).propose_row, concluder(solver)

    @kernel
    def advance(objective, args, state, rows):
        counters, trial_f = state.counters, state.trial_f
        while rows > 0 and counters[population.STOP] == population.RUNNING:
            start = counters[population.CURSOR]
            stop = min(counters[population.ROWS], start + rows)
            proposes = counters[population.GENERATION] > 0
            for i in range(start, stop):
                if proposes:
                    propose_row(i, state)
                trial_f[i] = call_row(objective, args, state.trial, i)
            counters[population.CURSOR] = stop
            rows -= stop - start
            if stop == counters[population.ROWS]:
                conclude(state)

    return compile_for(advance, (types.intp, types.intp, state_type(solver.State), types.int64))


@once
def parallel(solver: Solver):
    """As `serial`, with the rows of a generation on Numba's threads (`numba.set_num_threads`)."""
    propose_row, conclude = build(solver).propose_row, concluder(solver)

    @kernel(parallel=True)
    def evaluate(objective, args, state, start, stop):
        trial, trial_f = state.trial, state.trial_f  # writes to a field inside the loop would be lost
        proposes = state.counters[population.GENERATION] > 0
        for i in prange(start, stop):
            if proposes:
                propose_row(i, state)
            trial_f[i] = call_row(objective, args, trial, i)

    state = state_type(solver.State)
    compile_for(evaluate, (types.intp, types.intp, state, types.int64, types.int64))

    @kernel
    def advance_parallel(objective, args, state, rows):
        counters = state.counters
        while rows > 0 and counters[population.STOP] == population.RUNNING:
            start = counters[population.CURSOR]
            stop = min(counters[population.ROWS], start + rows)
            evaluate(objective, args, state, start, stop)
            counters[population.CURSOR] = stop
            rows -= stop - start
            if stop == counters[population.ROWS]:
                conclude(state)

    return compile_for(advance_parallel, (types.intp, types.intp, state, types.int64))
