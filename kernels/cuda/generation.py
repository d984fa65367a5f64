"""One generation of any solver on the device, from the row functions that the CPU runs.

Two shapes, from the same stages:
    runs    a block for each run, many generations per launch; barriers stand between the stages
    rows    a thread for each individual of one large population; launches stand between the stages, because a grid
            has no barrier that works everywhere
Every array of a state has a leading axis, the run. A stage shares its rows out: first, first + step, ...
What a solver learns from a generation (`tally`, `settle`) is done by one thread, in the CPU's order.
"""

from types import SimpleNamespace

import numpy as np

from ..rows import population
from ..rows.population import FTOL, GENERATION, ROWS, RUNNING, STOP
from .objective import of_engine
from .reductions import UNFILLED, collect, find_best_row, rank, spread
from .shim import cuda, device_function, device_kernel

close_generation = of_engine(population.close_generation)


def viewer(State):
    """`view(states, run)`: the state of one run; a function with one item for each field, which Numba needs."""
    fields = ", ".join(f"states.{name}[run]" for name in State._fields)
    scope = {"State": State}
    exec(f"def view(states, run):\n    return State({fields})\n", scope)
    return device_function(scope["view"])


def make_stages(solver, call) -> SimpleNamespace:
    """The stages of a generation that need the solver and the objective, as device functions.

    solver: propose_row, tally, select_row, settle (kernels or None), ranked, seeks_best, has_population.
    call: `call(x, args) -> float` on the device.
    """
    propose_row = of_engine(solver.propose_row)
    select_row = of_engine(solver.select_row) if solver.select_row else _nothing_row
    settle = of_engine(solver.settle) if solver.settle else _nothing
    seeks_best, has_population = solver.seeks_best, solver.has_population

    @device_function
    def evaluate(state, args, first, step):
        trial, trial_f = state.trial, state.trial_f
        proposes = state.counters[GENERATION] > 0
        for i in range(first, state.counters[ROWS], step):
            if proposes:
                propose_row(i, state)
            trial_f[i] = UNFILLED.view(np.float64)  # stays if the objective raises, which ends the thread
            trial_f[i] = call(trial[i], args)

    @device_function
    def select(state, first, step):
        for i in range(first, state.counters[ROWS], step):
            select_row(i, state)

    @device_function
    def close(state, values, rows, thread, width):
        if thread == 0:
            settle(state)
        cuda.syncthreads()
        if seeks_best:
            find_best_row(state, values, rows, thread, width)
        extent = 1.0
        if has_population and state.params[FTOL] >= 0.0:
            extent = spread(state, values, rows, thread, width)
        if thread == 0:
            close_generation(state, extent if has_population else 1e308)
        cuda.syncthreads()

    tally = of_engine(solver.tally) if solver.tally else _nothing
    return SimpleNamespace(evaluate=evaluate, tally=tally, select=select, close=close, ranked=solver.ranked)


@device_function
def _nothing(state):
    pass


@device_function
def _nothing_row(i, state):
    pass


def kernel_of_runs(State, stages: SimpleNamespace, block: int):
    """`advance(states, args, generations, last)`: block b carries run b on, if b <= last. `block`: a power of two."""
    view, ranked = viewer(State), stages.ranked
    evaluate, tally, select, close = stages.evaluate, stages.tally, stages.select, stages.close

    def advance(states, args, generations, last):
        run, thread = cuda.blockIdx.x, cuda.threadIdx.x
        values = cuda.shared.array(block, np.float64)
        rows = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        state = view(states, run)
        for _ in range(generations):
            if run > last or state.counters[STOP] != RUNNING:
                return  # the whole block: a barrier has passed since STOP was written
            evaluate(state, args, thread, block)
            cuda.syncthreads()
            collect(state, values, rows, thread, block)
            cuda.syncthreads()
            if state.counters[STOP] != RUNNING:
                return
            if thread == 0:
                tally(state)
            cuda.syncthreads()
            select(state, thread, block)
            cuda.syncthreads()
            if ranked:
                rank(state, thread, block)
                cuda.syncthreads()
            close(state, values, rows, thread, block)

    return device_kernel(advance)


def kernels_of_rows(State, stages: SimpleNamespace, block: int) -> list:
    """The launches of one generation of run 0, in order: (kernel, whether it takes args, whether by one block)."""
    view, ranked = viewer(State), stages.ranked
    evaluate, tally, select, close = stages.evaluate, stages.tally, stages.select, stages.close

    def evaluate_rows(states, args):
        state = view(states, 0)
        if state.counters[STOP] == RUNNING:
            evaluate(state, args, cuda.grid(1), cuda.gridsize(1))

    def learn(states):
        values = cuda.shared.array(block, np.float64)
        rows = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        state, thread = view(states, 0), cuda.threadIdx.x
        if state.counters[STOP] == RUNNING:
            cuda.syncthreads()  # all have read STOP before it is written
            collect(state, values, rows, thread, block)
            cuda.syncthreads()
            if thread == 0 and state.counters[STOP] == RUNNING:
                tally(state)

    def select_rows(states):
        state = view(states, 0)
        if state.counters[STOP] == RUNNING:
            select(state, cuda.grid(1), cuda.gridsize(1))

    def rank_rows(states):
        state = view(states, 0)
        if state.counters[STOP] == RUNNING:
            rank(state, cuda.grid(1), cuda.gridsize(1))

    def conclude(states):
        values = cuda.shared.array(block, np.float64)
        rows = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        state = view(states, 0)
        if state.counters[STOP] == RUNNING:
            cuda.syncthreads()
            close(state, values, rows, cuda.threadIdx.x, block)

    launches = [(evaluate_rows, True, False), (learn, False, True), (select_rows, False, False)]
    launches += [(rank_rows, False, False)] if ranked else []
    launches += [(conclude, False, True)]
    return [(device_kernel(function), takes_args, single) for function, takes_args, single in launches]


def kernel_of_values(call):
    """`evaluate(points, values, args)`: values[i] = objective(points[i]), a thread each."""

    def evaluate(points, values, args):
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            values[i] = call(points[i], args)

    return device_kernel(evaluate)
