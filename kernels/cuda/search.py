"""Ranges of a search on the device: a thread for each run of consecutive points, decoded or drawn where it stands.

A thread decodes its first point and goes on as the odometer does, so no point costs a division. It keeps its own best;
a block finds the best of its threads by (value, number), the host that of the blocks: the answer is that of
kernels/search.py, and does not depend on the number of threads. The draws are the CPU's, bit for bit.
"""

from __future__ import annotations

import threading

import numpy as np

from .. import search
from ..calling.objective import CompiledObjective, PythonObjective
from ..numbers import random
from ..search import GRID, RANDOM
from .launches import ROW_BLOCK, compiled_once
from .objective import arguments_on_device, check_fits_device, function_of, of_engine
from .reductions import lowest
from .shim import SIMULATED, configure, cuda, device_kernel, require_gpu, to_device, to_host

BLOCKS = 2 if SIMULATED else 2048  # enough threads for a GPU of 130 multiprocessors
INDEX, FAILED, ENDED = 0, 1, 2  # rows of `counts`: number of the best point, values of NaN, threads that came to an end

decode, step, place = of_engine(search.decode), of_engine(search.step), of_engine(search.place)
run_key, generation_key = of_engine(random.run_key), of_engine(random.generation_key)
row_key, uniform = of_engine(random.row_key), of_engine(random.uniform)


def kernel_of_ranges(call, mode: int, dimension: int, block: int):
    """`run(...)`: the points first..last-1, `share` to a thread; block b leaves values[b] and counts[:, b]."""

    def run(space, seed, draws, args, first, last, share, values, counts):
        thread, own = cuda.threadIdx.x, cuda.blockIdx.x
        lows = cuda.shared.array(block, np.float64)
        numbers = cuda.shared.array(block, np.int64)  # a line of its own, by which the simulator knows it
        x = cuda.local.array(dimension, np.float64)
        digits = cuda.local.array(dimension, np.int64)
        if thread == 0:
            counts[FAILED, own] = counts[ENDED, own] = 0
        cuda.syncthreads()
        begin = first + cuda.grid(1) * share
        key = generation_key(run_key(seed, 0), 0)
        best, index, failed = np.inf, begin, 0
        for k in range(begin, min(begin + share, last)):
            if mode == GRID:
                if k == begin:
                    decode(k, space, x, digits)
                else:
                    step(space, x, digits)
            else:
                for j in range(dimension):
                    x[j] = uniform(row_key(key, k), j) if mode == RANDOM else draws[k - first, j]
                    place(x, j, j + 1, j, space)
            value = call(x, args)  # if it raises, the thread ends
            if value < best:
                best, index = value, k
            elif value != value:
                failed += 1
        cuda.atomic.add(counts, (FAILED, own), failed)
        cuda.atomic.add(counts, (ENDED, own), 1)
        best, index = lowest(best, index, lows, numbers, thread, block)
        if thread == 0:
            values[own], counts[INDEX, own] = best, index

    return device_kernel(run)


class RangeSearch:
    """A search over one space with one objective; threads of the host take turns."""

    def __init__(self, bound: CompiledObjective | PythonObjective, space: search.Space, mode: int):
        require_gpu()
        check_fits_device(bound)
        assert isinstance(bound, CompiledObjective)
        self.args, dimension = arguments_on_device(bound.given), len(space.kinds)
        padded = space._replace(values=np.append(space.values, 0.0))  # an array of no entries has no address
        self.space = search.Space(*(to_device(array) for array in padded))
        self.no_draws = to_device(np.zeros((1, dimension)))
        self.values, self.counts = np.zeros(BLOCKS), np.zeros((3, BLOCKS), dtype=np.int64)
        self.on_device = to_device(self.values), to_device(self.counts)
        self.lock = threading.Lock()
        self.kernel = compiled_once(("search", mode, dimension), bound, dimension, lambda: self._build(bound, mode))

    def _build(self, bound: CompiledObjective, mode: int):
        dimension = len(self.space.kinds)
        kernel = kernel_of_ranges(function_of(bound, dimension), mode, dimension, ROW_BLOCK)
        return kernel.specialize(*self._arguments(0, self.no_draws, 0, 0, 0))

    def _arguments(self, seed, draws, first: int, last: int, share: int) -> tuple:
        whole = np.int64(first), np.int64(last), np.int64(share)
        return self.space, np.uint64(seed), draws, self.args, *whole, *self.on_device

    def search(self, seed, draws: np.ndarray, first: int, last: int):
        """(value, number of its point, how many gave NaN, stuck) of the points first..last-1.

        stuck: a range of points in which the objective raised, which only the host can say more about; else None.
        """
        share = -(-(last - first) // (BLOCKS * ROW_BLOCK))
        blocks = -(-(last - first) // (share * ROW_BLOCK))
        with self.lock:
            given = to_device(draws) if draws.size else self.no_draws
            configure(self.kernel, blocks, ROW_BLOCK)(*self._arguments(seed, given, first, last, share))
            for array, host in zip(self.on_device, (self.values, self.counts)):
                to_host(array, host)
            values, counts = self.values[:blocks].copy(), self.counts[:, :blocks].copy()
        short = np.flatnonzero(counts[ENDED] < ROW_BLOCK)
        stuck = None
        if short.size:
            start = first + int(short[0]) * share * ROW_BLOCK
            stuck = start, min(start + share * ROW_BLOCK, last)
        b = np.lexsort((counts[INDEX], values))[0]
        return float(values[b]), int(counts[INDEX, b]), int(counts[FAILED].sum()), stuck
