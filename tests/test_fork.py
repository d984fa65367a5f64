"""Forked processes end, with the right answers: after a parallel run, and while another thread compiles.

Each test is a script in a process of its own, which is ended, with all that it forked, when it takes too long.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

START = """
import math, multiprocessing, os, sys, threading, time, warnings
warnings.simplefilter("ignore")  # newer versions of Python warn of every fork beside threads
from thalweg.kernels.compile.jit import kernel
from thalweg.solvers import minimize
from thalweg.solvers.driving import running

fork = multiprocessing.get_context("fork")

def slow(x):
    total = 0.0
    for k in range(1000):
        for v in x:
            total += math.cos(v * k)
    return (x[0] - 1.0) ** 2 + 0.0 * total

def solve(seed, threads=2):
    found = minimize(slow, [(-5.0, 5.0)] * 2, method="random_search", seed=seed, max_evals=3000, threads=threads)
    return found.fun, found.x.tolist()

def waited(pid, seconds=60.0):
    # The status of a child that ends in this time; None, and the child is ended, if not.
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)

def child(work):
    # Fork a process that does the work and tells by its status whether it came out.
    pid = os.fork()
    if pid == 0:
        try:
            right = work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            right = False
        os._exit(0 if right else 3)
    return pid
"""
PARALLEL = """
# Threads are tried at once.
running.EARLY_PROBE, running.LONG_GENERATION, running.SHORT_GENERATION = 0.0, 0.0, 0.0
wanted = [solve(seed, threads=1) for seed in range(4)]
assert solve(0) == wanted[0]
from numba.np.ufunc import parallel
assert parallel._is_initialized
"""


def script(code: str, timeout: float = 240.0, **environment) -> str:
    """What a fresh process printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", START + textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert process.returncode == 0, err[-3000:]
    return out


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_multiprocessing_after_a_parallel_run(layer):
    """GNU OpenMP ends a child that asks for its threads; the pool then waits for ever."""
    if layer == "omp" and sys.platform != "linux":
        pytest.skip("Numba's wheels for other systems may have no OpenMP")
    code = PARALLEL + textwrap.dedent("""
        with fork.Pool(2) as pool:
            assert pool.map_async(solve, range(4)).get(100) == wanted
        assert solve(3) == wanted[3]  # and this process goes on with its threads
    """)
    script(code, NUMBA_THREADING_LAYER=layer)


def test_children_of_children():
    code = PARALLEL + textwrap.dedent("""
        from thalweg.kernels.compile import forking
        assert not forking.threads_are_gone()

        def inner():
            return forking.threads_are_gone() and solve(2) == wanted[2]

        def outer():
            return waited(child(inner)) == 0 and solve(1) == wanted[1]

        assert waited(child(outer)) == 0
    """)
    script(code)


def test_restarts_and_a_python_objective_in_a_child():
    """Threads of Python's are made anew there."""
    code = PARALLEL + textwrap.dedent("""
        from thalweg.orchestration import restarts
        from thalweg.kernels import objective

        def runs():
            found = restarts(slow, [(-5.0, 5.0)] * 2, method="random_search", restarts=4, threads=2, seed=1,
                             max_evals=500)
            plain = minimize(objective(lambda x: x[0] ** 2, compiled=False), [(-1.0, 1.0)], method="random_search",
                             seed=1, max_evals=100, threads=2)
            return found.fun, plain.fun

        wanted = runs()
        assert waited(child(lambda: runs() == wanted)) == 0
    """)
    script(code)


def test_forks_while_a_thread_compiles():
    """The lock of Numba's compiler was held for ever in the child, and what it compiled was half done."""
    script("""
        over = threading.Event()

        def shifted(constant):
            return kernel(lambda x: x + constant)

        def compile_on():
            number = 1000.0
            while not over.is_set():
                assert shifted(number)(1.0) == number + 1.0
                number += 1.0

        kernel(lambda x: x)(1.0)
        thread = threading.Thread(target=compile_on)
        thread.start()
        statuses = []
        for number in range(8):
            time.sleep(0.05 + 0.013 * number)
            statuses.append(waited(child(lambda: shifted(0.5 + number)(1.0) == 1.5 + number)))
        over.set()
        thread.join()
        assert statuses == [0] * 8, statuses
    """, THALWEG_CACHE_DIR=os.devnull)  # fmt: skip


@pytest.mark.slow
def test_a_fork_while_a_thread_makes_a_driver():
    """Locks of ours: what is made once per process, and per content."""
    script("""
        thread = threading.Thread(target=minimize, args=(slow, [(-5.0, 5.0)] * 2),
                                  kwargs=dict(method="nelder_mead", seed=1, max_evals=500))
        thread.start()
        time.sleep(0.7)
        pids = []
        for _ in range(3):
            pids.append(child(lambda: abs(minimize(slow, [(-5.0, 5.0)] * 2, method="nelder_mead", seed=1,
                                                   max_evals=500).x[0] - 1.0) < 1e-3))
            time.sleep(0.3)
        assert [waited(pid) for pid in pids] == [0] * 3
        thread.join()
    """, THALWEG_CACHE_DIR=os.devnull)  # fmt: skip


def test_a_lock_that_a_thread_never_gives_back():
    """The fork goes on after a time, and in the child the lock is free."""
    script("""
        from thalweg.kernels.compile import forking, jit

        forking.PATIENCE = 0.2
        held, over = threading.Event(), threading.Event()

        def hold():
            with jit._once_lock, forking.global_compiler_lock:
                held.set()
                over.wait(60)

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait()

        def take():
            return all(lock.acquire(timeout=5) for lock in (*forking._ours, *forking._others)) and not forking._taken

        assert waited(child(take)) == 0
        over.set()
        thread.join()
        assert kernel(lambda x: x + 1.0)(1.0) == 2.0
    """)


def test_a_fork_by_the_thread_that_holds_a_lock():
    """It goes on in the child as in the parent, and gives its lock back there."""
    script("""
        from thalweg.kernels.compile import jit

        with jit._once_lock:
            pid = child(lambda: jit._once_lock.release() is None and not jit._once_lock._is_owned())
        assert waited(pid) == 0
        assert not jit._once_lock._is_owned()
    """)
