"""Migration between populations: the best of some replace the worst of another, where they are better.

Izzo, Rucinski and Biscani, The generalized island model, Parallel Architectures and Bioinspired Algorithms (2012)
151-169; the policies are those that pygmo calls select_best and fair_replace. A few rows between generations: NumPy.
"""

import numpy as np

from ..compile.jit import kernel
from ..numbers.random import generation_key, integer_except, row_key, run_key

MIGRATION = -1  # a run that no island has: its random numbers are the migration's


@kernel
def draw_sources(seed, epoch, sources):
    """sources[i]: an island other than i, for each island i."""
    key = generation_key(run_key(seed, MIGRATION), epoch)
    for i in range(sources.size):
        sources[i] = integer_except(row_key(key, i), 0, sources.size, i)


def populations(state) -> list[slice]:
    """The rows of the population, and of the second one where there is one: `Solver.points` of the DE family."""
    rows = state.rows[0]
    first, second = slice(0, rows.live), slice(rows.second, rows.second_end)
    return [first, second] if second.stop > second.start else [first]


def emigrate(state, slices: list[slice], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the best `count` points and their values, from best to worst.

    Of two populations, the second has them (L-SRTDE: the first forgets, the second keeps the best).
    """
    rows = slices[-1]
    best = np.argsort(state.f[rows], kind="stable")[:count]
    return state.x[rows][best], state.f[rows][best]


def immigrate(state, slices: list[slice], x: np.ndarray, f: np.ndarray) -> int:
    """Take in points x (m, D) with values f (m,), sorted from best to worst.

    A point replaces the worst row if it is better than that, and if the population does not hold it already. Where
    there are two populations, each takes it, as each takes a success. One row at least stays. Ranks and the best so far
    follow. Returns how many points were taken in.
    """
    rows, now, taken = state.rows[0], state.run.now[0], 0
    for point, value in zip(x, f):
        if taken < rows.live - 1:
            admitted = [_admit(state.x[held], state.f[held], point, value) for held in slices]
            taken += any(admitted)
    rows.immigrants += taken
    rows.best = np.argmin(state.f[slices[0]])
    if hasattr(state, "order"):
        for held in slices:
            state.order[held] = held.start + np.argsort(state.f[held], kind="stable")
    if taken > 0 and f[0] < now.best:
        now.best, state.run.best_x[:] = f[0], x[0]
        now.stall = 0
    return taken


def _admit(x: np.ndarray, f: np.ndarray, point: np.ndarray, value: float) -> bool:
    """Whether a point replaces the worst of the rows x, f; the last of equals."""
    worst = f.size - 1 - np.argmax(f[::-1])
    held = (x[f == value] == point).all(axis=1).any()
    if held or not value < f[worst]:
        return False
    x[worst], f[worst] = point, value
    return True
