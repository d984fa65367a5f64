"""How many threads, processes and islands a call may have, and what is left where the system has no more of them."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels.calling.aside import start_all
from thalweg.orchestration.execution import Execution
from thalweg.solvers.driving import settings

BOX = [(-5.0, 5.0)] * 2


def sphere(x):
    return np.sum(x * x)


@pytest.mark.parametrize("door", [tw.minimize, tw.restarts, tw.islands])
def test_threads_are_bounded(door):
    """50,000 threads were begun until the system gave no more, and stayed."""
    with pytest.raises(ValueError, match=r"^threads: got 50000, expected at most 1024 on the \d+ cores"):
        door(sphere, BOX, threads=50_000)


def test_threads_of_searches_are_bounded():
    for search in (tw.grid_search, tw.random_search):
        with pytest.raises(ValueError, match=r"^threads: got 1025, expected at most 1024"):
            search(lambda a: a, {"a": [1, 2]}, threads=1025)


@pytest.mark.parametrize("door", [tw.minimize, tw.restarts])
def test_worker_processes_are_bounded(door):
    with pytest.raises(ValueError, match=r"^workers: got 257, expected at most 256"):
        door(sphere, BOX, workers=257)


def test_the_workers_of_a_cluster_are_bounded():
    with pytest.raises(ValueError, match=r"^workers: got 100000, expected at most 256"):
        tw.cluster(100_000)


def test_the_command_line_says_it(tmp_path):
    from click.testing import CliRunner

    from thalweg.orchestration.cli import main

    file = tmp_path / "problem.py"
    file.write_text("import thalweg as tw\np = tw.Problem(fun=lambda x: x[0] ** 2, bounds=[(-1, 1)])\n")
    for command, option in (("run", "--threads"), ("restarts", "--threads"), ("restarts", "--workers")):
        done = CliRunner().invoke(main, [command, str(file), option, "50000", "--quiet"])
        assert done.exit_code == 2 and f"{option[2:]}: got 50000, expected at most" in done.output, done.output


def test_a_large_machine_has_its_cores(monkeypatch):
    """Four for each core are never too many."""
    monkeypatch.setattr(settings, "available_threads", lambda: 1000)
    assert settings.count_of("threads", 4000) == settings.count_of("workers", 4000) == 4000
    with pytest.raises(ValueError, match=r"^threads: got 4001, expected at most 4000 on the 1000 cores"):
        settings.count_of("threads", 4001)


def test_islands_fit_into_memory():
    with pytest.raises(ValueError, match=r"^islands: got 1000000000, expected fewer: each takes .* MiB"):
        tw.islands(sphere, BOX, islands=10**9)


# --- the system has no more ---------------------------------------------------------------------------------------


@pytest.fixture
def few_threads(monkeypatch):
    """The system gives so many threads and refuses further ones."""

    def give(count):
        start, given = threading.Thread.start, []

        def refuse(thread):
            if len(given) >= count:
                raise RuntimeError("can't start new thread")
            given.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", refuse)
        return given

    return give


def test_all_or_none_are_started(few_threads):
    given, end = few_threads(3), threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(5)]
    with pytest.raises(RuntimeError, match=r"^threads: got 5, expected fewer: the system gave 3$"):
        start_all(threads, end.set)
    assert len(given) == 3 and not any(thread.is_alive() for thread in given)


def test_minimize_leaves_no_thread(few_threads):
    tw.minimize(sphere, BOX, method="de", max_evals=100)  # what is compiled is compiled
    given = few_threads(3)
    with pytest.raises(RuntimeError, match=r"^threads: got 8, expected fewer: the system gave 3$"):
        tw.minimize(sphere, BOX, method="de", max_evals=10**7, restarts=100, threads=8)
    assert given and not any(thread.is_alive() for thread in given)


@pytest.mark.parametrize("count", [3, 5])
def test_many_runs_leave_no_thread(few_threads, count):
    """Refused among the threads of the call (3 of 4), and among those of the units (1 of many)."""

    class Idle:
        name = "unit"

        def prepare(self):
            pass

        def carry_out(self, unit, given, ends):
            return {"fun": float(unit)}

    with Execution(Idle(), threads=4) as execution:
        given = few_threads(count)
        with pytest.raises(RuntimeError, match=r"^threads: got 4, expected fewer: the system g"):
            execution.run(range(1000))
    assert len(given) == count
    for thread in given:
        thread.join(5.0)
    assert not any(thread.is_alive() for thread in given)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit of memory is Linux's")
def test_the_systems_own_refusal():
    """No memory for the stacks of 200 threads: the process says so in one sentence, and goes on."""
    script = """
        import resource, threading
        import numpy as np
        import thalweg as tw
        def sphere(x):
            return np.sum(x * x)
        call = dict(method="de", max_evals=10**6, seed=1)
        tw.minimize(sphere, [(-5.0, 5.0)] * 2, method="de", max_evals=100)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        threading.stack_size(64 * 2**20)
        resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
        try:
            tw.minimize(sphere, [(-5.0, 5.0)] * 2, restarts=10**6, threads=200, **call)
        except RuntimeError as error:
            print(error)
        print(threading.active_count() <= 2)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | {"THALWEG_QUIET": "1"})
    said, left = done.stdout.splitlines()
    assert said.startswith("threads: got 200, expected fewer: the system gave ") and left == "True", done.stderr


# --- processes that evaluate --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_what_is_meant_for_the_program_leaves_processes(kind):
    """sys.exit() in an objective reaches the caller; the other rows are not waited for."""

    def leave(x):
        if x[0] < 0:
            raise kind(5)
        return x[0]

    with pytest.raises(kind):
        tw.minimize(leave, BOX, method="de", workers=2, max_evals=200, seed=1)
