"""On how many threads an estimator works."""

from __future__ import annotations

from contextlib import contextmanager

import numba

from ...kernels.compile.jit import available_threads, parallel_region


def thread_count(n_jobs) -> int:
    """None: all cores; -1: all, -2: all but one, as scikit-learn counts; never more than there are."""
    if n_jobs == 0:
        raise ValueError("n_jobs: got 0, expected a number of threads, or -1 for all cores")
    cores = available_threads()
    return min(cores if n_jobs is None else n_jobs if n_jobs > 0 else max(1, cores + 1 + n_jobs), cores)


@contextmanager
def threads(n_jobs):
    """Within it kernels run on `n_jobs` threads."""
    before = numba.get_num_threads()
    numba.set_num_threads(thread_count(n_jobs))
    try:
        with parallel_region():
            yield
    finally:
        numba.set_num_threads(before)
