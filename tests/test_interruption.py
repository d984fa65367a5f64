"""Ctrl-C during compilation ends the call, wherever it comes, and leaves nothing half done: the next call is right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler_lock import global_compiler_lock
from numba.core.event import Listener, install_listener

from thalweg.kernels.compile.jit import kernel
from thalweg.solvers import minimize

pytestmark = pytest.mark.skipif(os.name != "posix", reason="raise_signal ends a process elsewhere")


@pytest.fixture(autouse=True)
def cold(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))


class CtrlC(Listener):
    """Ctrl-C at the n-th step of Numba's."""

    def __init__(self, at: int, end: bool):
        self.left, self.end = at, end

    def on_start(self, event):
        self.left -= 1
        if self.left == 0 and not self.end:
            signal.raise_signal(signal.SIGINT)

    def on_end(self, event):
        if self.left == 0 and self.end:
            self.left = -1
            signal.raise_signal(signal.SIGINT)


def lock_is_free() -> bool:
    """Whether another thread can compile."""
    found = []

    def take():
        if global_compiler_lock._lock.acquire(timeout=5):
            global_compiler_lock._lock.release()
            found.append(True)

    thread = threading.Thread(target=take)
    thread.start()
    thread.join()
    return bool(found)


def pair(constant: float):
    """A kernel that calls another one."""
    inner = kernel(lambda x: x * constant)
    return kernel(lambda x: inner(x) + 1.0)


@pytest.mark.parametrize("end", [False, True])
def test_at_every_step(end):
    for at in range(1, 40, 3):
        made = pair(1.0 + at + 100 * end)
        with pytest.raises(KeyboardInterrupt), install_listener("numba:run_pass", CtrlC(at, end)):
            made(2.0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert made(2.0) == 2.0 * (1.0 + at + 100 * end) + 1.0
        assert lock_is_free()


def test_in_a_callback_of_llvm(monkeypatch):
    """An exception there is printed and forgotten; an object that is not noted is missing for good."""
    hook, called = CPUCodeLibrary._object_compiled_hook.__func__, []

    def interrupted(cls, module, buffer):
        if not called:
            called.append(1)
            signal.raise_signal(signal.SIGINT)
        return hook(cls, module, buffer)

    from numba.core.registry import cpu_target

    codegen = cpu_target.target_context.codegen()
    library = codegen._library_class
    codegen._engine.set_object_cache(classmethod(interrupted).__get__(None, library), library._object_getbuffer_hook)
    try:
        made = pair(7.0)
        with pytest.raises(KeyboardInterrupt):
            made(2.0)
        assert called and made(2.0) == 15.0
    finally:
        codegen._engine.set_object_cache(library._object_compiled_hook, library._object_getbuffer_hook)


def test_what_another_thread_compiles_goes_on():
    """Ctrl-C is the main thread's."""
    found = []
    thread = threading.Thread(target=lambda: found.append(pair(9.0)(1.0)))
    thread.start()
    with pytest.raises(KeyboardInterrupt), install_listener("numba:run_pass", CtrlC(1, False)):
        pair(10.0)(1.0)
    thread.join()
    assert found == [10.0]


def test_a_programs_own_handler_stays():
    heard = []
    before = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        with install_listener("numba:run_pass", CtrlC(3, False)):
            assert pair(11.0)(1.0) == 12.0
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]


def test_an_objective_that_is_compiled_again():
    """No half-made entry stays: neither of the objective, nor of what was looked at before."""

    def f(x):
        return (x[0] - 0.25) ** 2 + (x[1] + 0.5) ** 2

    for at in (1, 20, 40):
        with pytest.raises(KeyboardInterrupt), install_listener("numba:run_pass", CtrlC(at, False)):
            minimize(f, [(-1.0, 1.0)] * 2, method="nelder_mead", seed=at, max_evals=500)
    found = minimize(f, [(-1.0, 1.0)] * 2, method="nelder_mead", seed=1, max_evals=500)
    assert found.fun < 1e-10 and abs(found.x[0] - 0.25) < 1e-4


CALLS = """
import sys, time
from thalweg.solvers import minimize
print("begin", flush=True)
ended = 0
for attempt in range(100):
    try:
        found = minimize(lambda x: (x[0] - 1.0) ** 2, [(-5.0, 5.0)] * 2, method="nelder_mead", seed=1, max_evals=500)
        break
    except KeyboardInterrupt:
        ended += 1
        print("interrupted", flush=True)
assert found.fun < 1e-10, found
print("found", ended, flush=True)
"""


@pytest.mark.slow
def test_signals_at_any_time():
    """Each Ctrl-C ends one call; the last call is right."""
    process = subprocess.Popen([sys.executable, "-c", CALLS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begin\n"
    sent = 0
    for wait in (0.3, 0.05, 0.7, 0.2, 1.1):
        time.sleep(wait)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            sent += 1
            assert process.stdout.readline() == "interrupted\n"
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-2000:]
    assert out.split() == ["found", str(sent)]
