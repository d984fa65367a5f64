"""The numbers in [0, 1) that random points are made from: rows of any range of a search, in any process.

Pseudo-random row k is a function of (seed, k), and the same as that of the solver random_search. Row k of SciPy's
scrambled Sobol points is one of (seed, slots, k); a Latin hypercube hangs on the number of its points, too.
"""

from __future__ import annotations

import inspect
import threading
from functools import lru_cache

import numpy as np

from ...kernels.compile import forking
from ...kernels.compile.jit import kernel
from ...kernels.numbers.random import generation_key, row_key, run_key, uniform

BELOW_ONE = 1.0 - 2.0**-53
SOBOL_POINTS = 2**30  # SciPy's Sobol points have 30 bits
SOBOL_SLOTS = 21_201  # as many direction numbers as Joe and Kuo give (SIAM J. Sci. Comput. 30 (2008) 2635)
LATIN_NUMBERS = 10**7  # of a Latin hypercube, which is made as a whole: 80 MB
CHUNK = 2**16  # numbers of a Sobol sequence made at a time


def draws(seed: int, k: int, slots: int) -> np.ndarray:
    """The pseudo-random numbers of point k, (slots,)."""
    return draw_block(seed, k, 1, slots)[0]


def draw_block(seed: int, first: int, count: int, slots: int) -> np.ndarray:
    """Those of the points first, first + 1, ..., (count, slots)."""
    out = np.empty((count, slots))
    fill(np.uint64(seed), np.int64(first), out)
    return out


@kernel
def fill(seed, first, out):
    generation = generation_key(run_key(seed, 0), 0)
    for i in range(out.shape[0]):
        key = row_key(generation, first + i)
        for j in range(out.shape[1]):
            out[i, j] = uniform(key, j)


def qmc_block(kind: str, seed: int, first: int, count: int, slots: int, points: int) -> np.ndarray:
    """Rows first, first + 1, ... of a set of evenly spread points, (count, slots).

    Parameters
    ----------
    kind : str
        "sobol" or "lhs".
    points : int
        Of the whole search.

    Raises
    ------
    ValueError
        Where there is no such set of points.
    """
    check_qmc(kind, slots, points)
    if kind == "lhs":
        return _latin_hypercube(seed, slots, points)[first : first + count].copy()
    block, rows, done = np.empty((count, slots)), _rows(slots), 0
    while done < count:
        chunk, begin = divmod(first + done, rows)
        part = _sobol(seed, slots, chunk)[begin : begin + count - done]
        block[done : done + len(part)] = part
        done += len(part)
    return block


def check_qmc(kind: str, slots: int, points: int) -> None:
    """Refuse what cannot be had before anything runs."""
    if kind not in ("sobol", "lhs"):
        raise ValueError(f"kind: got {kind!r}, expected 'sobol' or 'lhs'")
    if kind == "sobol" and slots > SOBOL_SLOTS:
        raise ValueError(f"space: has {slots} variables, expected at most {SOBOL_SLOTS} for Sobol points")
    if kind == "sobol" and points > SOBOL_POINTS:
        raise ValueError(f"points: got {points}, expected at most 2**30 Sobol points; random points have no limit")
    if kind == "lhs" and points * slots > LATIN_NUMBERS:
        raise ValueError(
            f"points: got {points} of {slots} variables, expected at most {LATIN_NUMBERS // slots}: a Latin hypercube "
            "is made as a whole, in each process; Sobol and random points are not"
        )


_latin_lock = forking.lock()


def _latin_hypercube(seed: int, slots: int, points: int) -> np.ndarray:
    with _latin_lock:  # threads that begin together wait for one, in place of making one each
        return _make_latin_hypercube(seed, slots, points)


@lru_cache(maxsize=1)
def _make_latin_hypercube(seed: int, slots: int, points: int) -> np.ndarray:
    from scipy.stats import qmc

    numbers = np.minimum(_seeded(qmc.LatinHypercube, slots, seed).random(points), BELOW_ONE)  # SciPy's may be 1
    numbers.flags.writeable = False
    return numbers


@lru_cache(maxsize=16)
def _sobol(seed: int, slots: int, chunk: int) -> np.ndarray:
    """A chunk of the sequence. The engine goes forward in linear time, so each thread keeps its own where it is."""
    engine = _engines.find(seed, slots)
    rows = _rows(slots)
    if engine.num_generated > chunk * rows:
        engine.reset()
    if engine.num_generated < chunk * rows:  # SciPy's fast_forward(0) goes wrong at the start
        engine.fast_forward(chunk * rows - engine.num_generated)
    numbers = engine.random(rows)
    numbers.flags.writeable = False
    return numbers


class _Engines(threading.local):
    key, engine = None, None

    def find(self, seed: int, slots: int):
        from scipy.stats import qmc

        if self.engine is None or self.key != (seed, slots):
            self.key, self.engine = (seed, slots), _seeded(qmc.Sobol, slots, seed)
        return self.engine


_engines = _Engines()


def _rows(slots: int) -> int:
    """Points in a chunk: a power of two, so that SciPy does not warn, and so that 2**30 points are whole chunks."""
    return 1 << max((CHUNK // slots).bit_length() - 1, 0)


def _seeded(engine, slots: int, seed: int):
    name = "rng" if "rng" in inspect.signature(engine).parameters else "seed"  # before SciPy 1.15
    return engine(slots, **{name: np.random.default_rng(seed)})
