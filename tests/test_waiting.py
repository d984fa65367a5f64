"""The first wait is explained: one line on stderr where something that takes seconds is compiled for the first time."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time

import pytest

from thalweg.kernels.compile import waiting
from thalweg.kernels.compile.jit import kernel

FIRST_CALL = """
from thalweg.solvers import minimize
minimize(lambda x: x[0] * x[0], [(-1.0, 1.0)] * 2, method="random_search", seed=1, max_evals=100)
minimize(lambda x: x[0] + x[1], [(-1.0, 1.0)] * 2, method="random_search", seed=1, max_evals=100)
"""


def first_call(folder, **environment):
    """Start a process that makes its first calls; a function that waits for its end and returns what it wrote."""
    known = {name: value for name, value in os.environ.items() if name != waiting.VARIABLE}
    child = subprocess.Popen(
        [sys.executable, "-c", FIRST_CALL], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=known | {"THALWEG_CACHE_DIR": str(folder)} | environment,
    )  # fmt: skip

    def written() -> str:
        out, error = child.communicate()
        assert child.returncode == 0 and out == "", error
        return error

    return written


@pytest.mark.slow
def test_the_line_is_there_once_and_not_from_the_cache(tmp_path):
    line = r"thalweg: compiling random_search for this CPU, once, about \d+ s\n"
    at_once = [first_call(tmp_path), first_call(tmp_path)]
    assert re.fullmatch(line, "".join(written() for written in at_once))
    assert first_call(tmp_path)() == ""
    assert not list(tmp_path.glob("*.wait"))


@pytest.mark.slow
def test_it_can_be_turned_off(tmp_path):
    assert first_call(tmp_path, THALWEG_QUIET="1")() == ""


def compile_something(constant: float) -> None:
    """Compile two kernels that no cache holds."""
    exec(f"def f(x):\n    return x + {constant}\n\ndef g(x):\n    return x - {constant}\n", scope := {})
    for name in ("f", "g"):
        kernel(scope[name])(1.0)


@pytest.fixture
def cold(monkeypatch, tmp_path):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv(waiting.VARIABLE, raising=False)
    return tmp_path


def test_only_what_is_expected_is_announced_and_once(cold, capsys):
    compile_something(1.5)
    assert capsys.readouterr().err == ""
    with waiting.explained("this", 7.2):
        compile_something(2.5)
    assert capsys.readouterr().err == "thalweg: compiling this for this CPU, once, about 7 s\n"


def test_parts_of_one_name_are_announced_once(cold, capsys):
    with waiting.explained("two parts", 7):
        for _ in range(2):
            with waiting.explained("two parts", 7):
                waiting.announce()
    assert capsys.readouterr().err == "thalweg: compiling two parts for this CPU, once, about 7 s\n"


def test_silence(cold, capsys):
    with waiting.silent(), waiting.explained("this", 7):
        compile_something(3.5)
    assert capsys.readouterr().err == ""
    assert waiting.VARIABLE not in os.environ


def test_another_process_that_compiles_the_same_has_said_it(cold, capsys):
    path = cold / "f-0.nbc"
    mark = path.with_suffix(".wait")

    def told() -> bool:
        with waiting.explained("this", 7):
            waiting.announce(path)
        return "compiling this" in capsys.readouterr().err

    mark.write_text(str(os.getppid()))
    assert not told()
    os.utime(mark, (0, 0))  # left long ago
    assert told() and not mark.exists()
    mark.write_text(str(os.getppid()))
    os.utime(mark, (2**33, 2**33))  # a clock that goes wrong
    assert told()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    mark.write_text(str(gone.pid))
    os.utime(mark, (time.time() - 5, time.time() - 5))  # left by a process that died
    assert told()


def test_a_folder_that_cannot_be_written_to_is_no_fault(capsys, tmp_path):
    (tmp_path / "file").touch()
    with waiting.explained("this", 7):
        waiting.announce(tmp_path / "file" / "f-0.nbc")
    assert "compiling this" in capsys.readouterr().err


@pytest.mark.parametrize("stream", [None, "closed"])
def test_nobody_who_reads_it_is_no_fault(cold, monkeypatch, capsys, stream):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", None if stream is None else closed)
    with waiting.explained("this", 7):
        compile_something(4.5 if stream is None else 5.5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("value", "quiet"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_what_turns_it_off(cold, monkeypatch, capsys, value, quiet):
    monkeypatch.setenv(waiting.VARIABLE, value)
    with waiting.explained("this", 7):
        waiting.announce()
    assert (capsys.readouterr().err == "") == quiet
