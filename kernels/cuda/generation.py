"""One generation of any solver on the device, from the row functions that the CPU runs.

Two shapes, from the same stages:
    runs    a block for each run, many generations per launch; barriers stand between the stages
    rows    a thread for each individual of one large population; launches stand between the stages, because a grid
            has no barrier that works everywhere
Every array of a state has a leading axis, the run. A stage shares its rows out: first, first + step, ...
What a solver learns from a generation (`learn`, `settle`) is done by one thread, in the CPU's order, but for the
kernels that have a twin for many threads (TWINS).
"""

from collections.abc import Callable, Sequence
from itertools import groupby, takewhile
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from .. import run
from ..compile.structures import classes, constructor
from ..rows import population, survival
from ..run import RUNNING
from .objective import of_engine
from .reductions import UNFILLED, collect, find_best, measure, measure_spread, rank, rank_children, watch
from .shim import cuda, device_function, device_kernel

close_iteration, open_generation = of_engine(run.close_iteration), of_engine(population.open_generation)


class Stage(NamedTuple):
    """A part of a generation.

    By one block: `function(state, values, numbers, thread, width)`, values and numbers (width,) in shared memory.
    By any number of threads, none of which waits for another: `function(state, first, step)`.
    """

    function: Callable[..., Any]
    by_block: bool


TWINS = {
    population.rank: Stage(rank, False),
    survival.rank: Stage(rank_children, False),
    population.find_best: Stage(find_best, True),
    population.measure: Stage(measure, True),
}


def viewer(State):
    """`view(states, run)`: the state of one run."""
    scope: dict[str, Any] = {**classes(State)}
    exec(f"def view(states, run):\n    return {constructor(State, 'states', '[run]')}\n", scope)
    return device_function(scope["view"])


def make_stages(solver, call) -> SimpleNamespace:
    """`evaluate(state, args, first, step)`; `following`: the stages once the values are collected; `finish`.

    `finish`, a function as of a stage by one block, follows the last generation of a launch. Where generations end with
    population.measure, it brings the spread up to date: the host reads that once per launch, the run only for a stop.

    call: `call(x, args) -> float` on the device.
    """
    propose_row = of_engine(solver.rows.propose)
    draw = of_engine(solver.rows.draw) if solver.rows.draw else _nothing_rows

    @device_function
    def evaluate(state, args, first, step):
        trial, trial_f = state.trial, state.trial_f
        for i in range(first, state.rows[0].count, step):
            draw(i, i + 1, state)
            propose_row(i, state)
            trial_f[i] = UNFILLED.view(np.float64)  # stays if the objective raises, which ends the thread
            trial_f[i] = call(trial[i], args)

    learn, settle = ([_stage(kernel) for kernel in kernels] for kernels in (solver.rows.learn, solver.rows.settle))
    select, finish = [_each_row(solver.rows.select)] if solver.rows.select else [], _nothing
    if solver.rows.settle[-1:] == (population.measure,):
        settle[-1], finish = Stage(watch, True), measure_spread
    following = (*learn, *select, *settle, _by_one_thread(_close))
    return SimpleNamespace(evaluate=evaluate, following=following, finish=finish)


@device_function
def _close(state):
    close_iteration(state.run)
    open_generation(state)


def _stage(kernel) -> Stage:
    return TWINS[kernel] if kernel in TWINS else _by_one_thread(of_engine(kernel))


def _by_one_thread(kernel) -> Stage:
    @device_function
    def alone(state, values, numbers, thread, width):
        if thread == 0:
            kernel(state)

    return Stage(alone, True)


def _each_row(kernel) -> Stage:
    row_function = of_engine(kernel)

    @device_function
    def shared_out(state, first, step):
        for i in range(first, state.rows[0].count, step):
            row_function(i, state)

    return Stage(shared_out, False)


def in_turn(stages: Sequence[Stage]):
    """One function of a block that carries out several stages; a barrier stands behind each."""
    if not stages:
        return _nothing
    (stage, by_block), others = stages[0], in_turn(stages[1:])

    def block_wide(state, values, numbers, thread, width):
        stage(state, values, numbers, thread, width)
        cuda.syncthreads()
        others(state, values, numbers, thread, width)

    def row_by_row(state, values, numbers, thread, width):
        stage(state, thread, width)
        cuda.syncthreads()
        others(state, values, numbers, thread, width)

    return device_function(block_wide if by_block else row_by_row)


@device_function
def _nothing_rows(start, stop, state):
    pass


@device_function
def _nothing(state, values, numbers, thread, width):
    pass


def kernel_of_runs(State, stages: SimpleNamespace, block: int):
    """`advance(states, args, generations, last)`: block b carries run b on, if b <= last. `block`: a power of two."""
    view, evaluate, conclude, finish = viewer(State), stages.evaluate, in_turn(stages.following), stages.finish

    def advance(states, args, generations, last):
        run, thread = cuda.blockIdx.x, cuda.threadIdx.x
        values = cuda.shared.array(block, np.float64)
        numbers = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        state = view(states, run)
        if run > last or state.run.now[0].stop != RUNNING:
            return
        for _ in range(generations):
            evaluate(state, args, thread, block)
            cuda.syncthreads()
            if not collect(state, values, numbers, thread, block):
                return
            conclude(state, values, numbers, thread, block)
            if state.run.now[0].stop != RUNNING:
                break  # the whole block: a barrier has passed since `stop` was written
        finish(state, values, numbers, thread, block)

    return device_kernel(advance)


def kernels_of_rows(State, stages: SimpleNamespace, block: int) -> list:
    """Launches of run 0: those of one generation, in order, and the one that follows the last generation.

    Each is (kernel, whether it takes args, whether by one block). Until the generation is closed its rows are behind
    `cursor`: by that a launch knows that it has something to do.
    """
    view, evaluate, finish = viewer(State), stages.evaluate, stages.finish

    def evaluate_rows(states, args):
        state = view(states, 0)
        if state.run.now[0].stop == RUNNING:
            evaluate(state, args, cuda.grid(1), cuda.gridsize(1))

    def collecting(carry_out):
        def collect_rows(states):
            values = cuda.shared.array(block, np.float64)
            numbers = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
            state, thread = view(states, 0), cuda.threadIdx.x
            if state.run.now[0].stop == RUNNING:
                cuda.syncthreads()  # all have read `stop` before it is written
                if collect(state, values, numbers, thread, block):
                    carry_out(state, values, numbers, thread, block)

        return collect_rows

    def by_block(carry_out):
        def conclude(states):
            values = cuda.shared.array(block, np.float64)
            numbers = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
            state = view(states, 0)
            if state.rows[0].cursor > 0:
                cuda.syncthreads()  # all have read `cursor` before it is written
                carry_out(state, values, numbers, cuda.threadIdx.x, block)

        return conclude

    def by_grid(stage):
        def share_out(states):
            state = view(states, 0)
            if state.rows[0].cursor > 0:
                stage(state, cuda.grid(1), cuda.gridsize(1))

        return share_out

    def finish_run(states):
        values = cuda.shared.array(block, np.float64)
        numbers = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        state = view(states, 0)
        if state.run.now[0].iteration > 0:
            finish(state, values, numbers, cuda.threadIdx.x, block)

    first = list(takewhile(lambda stage: stage.by_block, stages.following))
    launches = [(evaluate_rows, True, False), (collecting(in_turn(first)), False, True)]
    for together, group in groupby(stages.following[len(first) :], lambda stage: stage.by_block):
        if together:
            launches.append((by_block(in_turn(list(group))), False, True))
        else:
            launches += [(by_grid(stage.function), False, False) for stage in group]
    launches.append((finish_run, False, True))
    return [(device_kernel(function), takes_args, single) for function, takes_args, single in launches]


def kernel_of_values(call):
    """`evaluate(points, values, args)`: values[i] = objective(points[i]), a thread each."""

    def evaluate(points, values, args):
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            values[i] = call(points[i], args)

    return device_kernel(evaluate)
