"""An arm of the portfolio: one variable after another, which solves what is separable, and begins what nearly is.

A function is separable where the values at two points add up to the values at the two points that swap a part of their
coordinates. Then each variable is solved by itself, with the whole line looked over, in passes that look closer."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np

from ...kernels.calling.arguments import copy_array
from ...kernels.compile.jit import compact, inlined
from ...kernels.compile.structures import Integers, Vector, filled, record
from ...kernels.descent import coordinate_line
from ...kernels.descent.parabolic import INTERVAL
from ...kernels.numbers.random import integer, row_key, uniform
from ...kernels.rows.population import Box, make_box
from ...kernels.run import CONVERGED, ENDED, Run, evaluated, make_run, spent

SCALARS = record(
    f="f8",  # the value at x
    swept="f8",  # the value before this pass
    next="i8",  # the variable that is next, by `order`
    sweep="i8",  # the pass, of those of a separable function; -1: the test for it
    cells="i8",  # of a line, where the function is not taken for separable; 0: it is
)  # fmt: skip
CELLS, KEPT = (24, 48, 96), (3, 5, 8)  # of each pass over a separable function
TESTS, EQUAL = 2, 1e-10  # relative to the sum of the four values
GAIN = 1e-12  # relative: a pass that brings less is the last
STEPS, ROUGH = 6, 1e-3  # of the refinement on a grid, and its tolerance


class PortfolioCoordinates(NamedTuple):
    x: Vector  # (D,) the best point
    trial: Vector  # (D,)
    other: Vector  # (D,) the second point of the test
    place: Vector  # (N,) along a line
    value: Vector  # (N,)
    order: Integers  # (D,) of the variables
    line: Annotated[np.ndarray, INTERVAL]
    own: Annotated[np.ndarray, SCALARS]
    box: Box
    run: Run


def make(domain, limits, key) -> PortfolioCoordinates:
    n, most = domain.dimension, CELLS[-1] + 1
    vectors = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(most), np.zeros(most), np.arange(n)
    return PortfolioCoordinates(*vectors, filled(INTERVAL), filled(SCALARS), make_box(domain), make_run(n, limits, key))


@compact
def begin(state, x, value, cells, key):
    """Begin at x, whose value is known: by cells in an order that is drawn, or, cells 0, with the test."""
    own, order = state.own[0], state.order
    copy_array(state.x, x)
    own.f, own.next, own.cells, own.sweep = value, 0, cells, -1
    for j in range(order.size):
        order[j] = j
    for j in range(order.size - 1, 0, -1):  # Fisher and Yates
        k = integer(key, j, j + 1) if cells > 0 else j
        order[j], order[k] = order[k], order[j]


@compact
def is_separable(problem, state, key):
    """Whether values add up: at x, at a drawn point, and at those that swap a part of their coordinates."""
    x, other, trial, box, run, n = state.x, state.other, state.trial, state.box, state.run, state.x.size
    for j in range(n):
        other[j] = box.lower[j] + uniform(key, j) * (box.upper[j] - box.lower[j])
    here, there, varies = state.own[0].f, evaluated(problem, other, run), n == 1
    for test in range(TESTS if n > 1 else 0):
        sums = 0.0, 0.0
        split = row_key(key, test)
        one = integer(split, n, n)  # this one is swapped, the next one is not: neither part is empty
        for side in range(2):
            for j in range(n):
                swapped = uniform(split, j) < 0.5
                swapped = (swapped or j == one) and j != (one + 1) % n
                trial[j] = other[j] if swapped == (side == 0) else x[j]
            value = np.nan if spent(run) else evaluated(problem, trial, run)
            sums = sums[0] + value, sums[1] + abs(value)
            varies = varies or value != here
        if not abs(sums[0] - here - there) <= EQUAL * (sums[1] + abs(here) + abs(there)):
            return False
    return varies


@compact
def iterate(problem, state, best, best_value, key):
    """The test, or the next variable. best, best_value: where the passes over a separable function begin."""
    now, own, box, x = state.run.now[0], state.own[0], state.box, state.x
    if own.cells == 0 and own.sweep < 0:
        if not is_separable(problem, state, key):
            now.stop = ENDED
            return
        copy_array(x, best)
        own.f = own.swept = best_value
        own.sweep = 0
        return
    copy_array(state.trial, x)
    j = state.order[own.next]
    place, value, low, high = x[j], own.f, box.lower[j], box.upper[j]
    if low < high and own.cells > 0:
        place, value = coordinate_line.best_of_cells(
            problem, x, own.f, state.trial, j, low, high, own.cells, STEPS, ROUGH, key, state.line[0], state.run
        )
    elif low < high:
        cells, keep = scale_of(own.sweep)
        place, value = coordinate_line.best_of_line(
            problem, x, own.f, state.trial, j, low, high, cells, keep, state.place, state.value, state.line[0],
            state.run,
        )  # fmt: skip
    if value < own.f:
        own.f, x[j] = value, place
    own.next += 1
    if own.next == x.size:
        end_pass(state)


@inlined
def scale_of(sweep):
    """(cells, how many minima are refined) of a pass."""
    return (CELLS[0], KEPT[0]) if sweep == 0 else (CELLS[1], KEPT[1]) if sweep == 1 else (CELLS[2], KEPT[2])


@inlined
def end_pass(state):
    """The next pass, or the end."""
    own, now = state.own[0], state.run.now[0]
    gain = own.swept - own.f
    own.next, own.sweep, own.swept = 0, own.sweep + 1, own.f
    if own.cells > 0:
        now.stop = ENDED
    elif own.sweep == len(CELLS) or (own.sweep > 1 and gain <= GAIN * abs(own.f)):
        now.stop = CONVERGED
