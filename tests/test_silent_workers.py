"""Units that stop their whole process: the thread that watches them there cannot act, so the client watches, too."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import thalweg as tw
from thalweg.orchestration.execution import Execution
from thalweg.orchestration.execution.silence import LONGEST_LOOK, MARGIN, Silence

CATASTROPHE = "a" * 40 + "b"  # for (a+)+$, in C code that holds Python's lock: about 2**40 steps


class Units:
    """Units that take 10 ms; `act` is done by one of them, or only the first time where `once` is a folder."""

    name = "unit"

    def __init__(self, act, culprit, once=None):
        self.act, self.culprit, self.once = act, culprit, once

    def prepare(self):
        pass

    def carry_out(self, unit, given, ends):
        if unit == self.culprit and self._first():
            getattr(self, self.act)()
        time.sleep(0.01)
        return {"fun": float(unit)}

    def _first(self):
        if self.once is None:
            return True
        with contextlib.suppress(FileExistsError):
            os.close(os.open(os.path.join(self.once, "done"), os.O_CREAT | os.O_EXCL))
            return True
        return False

    def hold(self):
        re.match(r"(a+)+$", CATASTROPHE)

    def stop(self):
        os.kill(os.getpid(), signal.SIGSTOP)


@pytest.fixture(scope="module")
def client():
    with tw.cluster(2) as client:
        yield client


def processes(client):
    """Of both workers, once the one that is being ended has been replaced."""
    until = time.perf_counter() + 30
    while time.perf_counter() < until:
        with contextlib.suppress(OSError):
            found = client.run(os.getpid)
            if len(found) == 2:
                return list(found.values())
        time.sleep(0.1)
    return []


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped")
@pytest.mark.parametrize("act", ["hold", "stop"])
def test_a_unit_that_stops_its_process(client, act):
    """A catastrophic regular expression ran 504 s with task_timeout=0.5."""
    begin = time.perf_counter()
    with Execution(Units(act, 7), client=client, task_timeout=0.5) as execution:
        outcome = execution.run(range(40))
    assert sorted(outcome.records) == [unit for unit in range(40) if unit != 7]
    assert list(outcome.failures) == [7] and outcome.failures[7]["kind"] == "timeout"
    assert "task_timeout" in outcome.failures[7]["error"] and time.perf_counter() - begin < 120
    assert len(processes(client)) == 2  # the one that was ended has come back


@pytest.mark.slow
def test_a_unit_that_does_so_once_is_done_in_the_end(client, tmp_path):
    with Execution(Units("hold", 3, once=tmp_path), client=client, retries=1, task_timeout=0.5) as execution:
        outcome = execution.run(range(20))
    assert list(outcome.records) == list(range(20)) and not outcome.failures


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped")
def test_a_process_that_somebody_stops_costs_no_unit(client):
    """None of its units is at fault."""
    first, _ = processes(client)
    with Execution(Units("none", None), client=client, task_timeout=1.0) as execution:
        threading.Timer(0.3, os.kill, (first, signal.SIGSTOP)).start()
        outcome = execution.run(range(200))
    assert list(outcome.records) == list(range(200)) and not outcome.failures


@pytest.mark.slow
def test_the_doors(client):
    """A search and restarts: the others are done, the one is in `failures`."""

    def train(k):
        if k == 4:
            re.match(r"(a+)+$", "a" * 40 + "b")
        return k

    found = tw.grid_search(train, {"k": list(range(10))}, client=client, task_timeout=0.5, retries=0)
    assert found.fun == 0 and len(found.table["k"]) == 9
    assert [(failure["unit"], failure["kind"]) for failure in found.failures] == [(4, "timeout")]


@pytest.mark.slow
def test_a_worker_without_a_nanny_is_taken_from_the_cluster(tmp_path):
    """Nobody can end it; its units are carried out by the others."""
    from distributed import Client

    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file)]
    quiet = {"env": os.environ | {"DASK_LOGGING__DISTRIBUTED": "critical"}, "cwd": tmp_path}
    options = ["--no-dashboard", "--host", "127.0.0.1", "--port", "0"]
    started = [subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *options, *common], **quiet)]
    try:
        while not file.exists() or not file.read_text():
            time.sleep(0.05)
        command = [sys.executable, "-m", "distributed.cli.dask_worker", "--no-nanny", "--no-dashboard"]
        started += [subprocess.Popen([*command, "--nthreads", "1", *common], **quiet) for _ in range(2)]
        with Client(scheduler_file=str(file)) as client:
            client.wait_for_workers(2, timeout=60)
            with Execution(Units("hold", 3, once=tmp_path), client=client, retries=1, task_timeout=0.5) as execution:
                outcome = execution.run(range(20))
            assert list(outcome.records) == list(range(20)) and len(client.nthreads()) == 1
    finally:
        for process in started:
            process.kill()
            process.wait()


# --- silence ------------------------------------------------------------------------------------------------------


def looks(silence, signs, begin, seconds, every=1.0):
    """Looks every second at the same signs of life; who is silent at the end."""
    found = []
    for now in np.arange(begin, begin + seconds, every):
        found = silence.look(signs, now)
    return found


def test_silence_is_counted_from_the_last_sign():
    silence = Silence(10.0)
    assert looks(silence, {"a": 1.0, "b": 1.0}, 100.0, 10 + MARGIN) == []
    assert silence.look({"a": 2.0, "b": 1.0}, 101.0 + 10 + MARGIN) == ["b"]
    assert looks(silence, {"a": 2.0}, 120.0, 10 + MARGIN - 3) == []  # b has gone


def test_a_late_look_is_no_silence():
    """A client that was busy for minutes, or a scheduler that did not answer, says nothing about the workers."""
    silence = Silence(1.0)
    silence.look({"a": 1.0}, 0.0)
    assert silence.look({"a": 1.0}, 1000.0) == [] and LONGEST_LOOK < 1.0 + MARGIN
    assert looks(silence, {"a": 1.0}, 1001.0, 6) == ["a"]


def test_many_workers_are_heard_less_often():
    """Dask spreads signs of life over 1 s and a two-hundredth for each worker."""
    silence, signs = Silence(0.1), {f"{k}": 0.0 for k in range(2000)}
    assert looks(silence, signs, 0.0, 12) == []
    assert len(looks(silence, signs, 12.0, 20)) == 2000
