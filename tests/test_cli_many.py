"""`thalweg restarts` and `thalweg search`: what they print, what they refuse, how they exit; with workers, too."""

import json
import sys

import pytest
from click.testing import CliRunner

from thalweg.orchestration import cluster, read_journal
from thalweg.orchestration.cli import main

PROBLEM = """
from thalweg.kernels import Minimum, Problem

def bowl(x):
    return (x[0] - 1.0) ** 2 + (x[1] + 2.0) ** 2

only = Problem(fun=bowl, bounds=[(-5, 5)] * 2, minimum=Minimum([1.0, -2.0], 0.0), names=["left", "right"])
"""
TRAINING = """
import helper_beside_it

space = {"C": [0.1, 1.0, 10.0], "penalty": ["l1", "l2"]}

def train(C, penalty):
    return helper_beside_it.loss(C) + (penalty == "l1")

def other(C, penalty):
    return -C

def picky(C, penalty):
    if C < 1:
        raise ValueError("too small")
    return C

def broken(C, penalty):
    raise ValueError("no data")
"""
HELPER = """
def loss(C):
    return abs(C - 1.0)
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name, text in {"problem": PROBLEM, "training": TRAINING, "helper_beside_it": HELPER}.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("thalweg_problem_") or name == "helper_beside_it":
            del sys.modules[name]


@pytest.fixture(scope="module")
def scheduler():
    with cluster(workers=1) as client:
        yield client.scheduler.address


def thalweg(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def content(*arguments):
    done = thalweg(*arguments, "--json", "--quiet")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_restarts_prints_the_answer(files):
    done = thalweg("restarts", files / "problem.py", "--runs", 6, "--max-evals", 500, "--seed", 1)
    assert done.exit_code == 0, done.output
    assert "left" in done.stdout and "certified" in done.stdout and "3,000 in 6 runs" in done.stdout


def test_restarts_on_workers_give_the_same_bits(files, scheduler):
    settings = "restarts", files / "problem.py", "--runs", 6, "--max-evals", 500, "--seed", 1
    here, there = content(*settings), content(*settings, "--scheduler", scheduler)
    assert there["scheduler"] == scheduler and there["workers"] == 1
    assert [run["x"] for run in here["runs"]] == [run["x"] for run in there["runs"]] and here["x"] == there["x"]


def test_restarts_with_a_journal(files):
    settings = "restarts", files / "problem.py", "--max-evals", 500, "--journal", files / "fit.jsonl"
    first = content(*settings, "--runs", 3)
    second = content(*settings, "--runs", 5)
    assert second["seed"] == first["seed"] and len(read_journal(files / "fit.jsonl")[1]) == 5
    done = thalweg("journal", files / "fit.jsonl")
    assert done.exit_code == 0 and "5 of 5" in done.stdout


def test_restarts_that_miss_the_target_exit_with_1(files):
    done = thalweg("restarts", files / "problem.py", "--runs", 2, "--max-evals", 100, "--target", -1)
    assert done.exit_code == 1 and "target was not reached" in " ".join(done.stdout.split())


def test_search_over_a_problem(files):
    grid = content("search", files / "problem.py", "--levels", 11)
    assert grid["point"] == {"left": 1.0, "right": -2.0} and grid["fun"] == 0.0 and grid["nfev"] == 121
    drawn = content("search", files / "problem.py", "--points", 2048, "--sampling", "sobol", "--seed", 3)
    assert drawn["fun"] < 0.05 and drawn["nfev"] == 2048 and drawn["seed"] == 3


def test_search_over_a_function_and_its_space(files, scheduler):
    done = thalweg("search", files / "training.py")
    assert done.exit_code == 0, done.output
    assert "1.0" in done.stdout and "l2" in done.stdout and "6, the best is number 3" in done.stdout
    there = content("search", files / "training.py", "--scheduler", scheduler)  # a helper travels along
    assert there["point"] == {"C": 1.0, "penalty": "l2"} and there["scheduler"] == scheduler
    assert content("search", f"{files / 'training.py'}:other")["point"]["C"] == 10.0


def test_what_raises_is_told_in_one_line(files):
    journal = files / "search.jsonl"
    told = "ValueError: too small; raised by the function at {'C': 0.1, 'penalty': 'l1'}"
    for _ in range(2):
        done = thalweg("search", f"{files / 'training.py'}:picky", "--journal", journal)
        assert done.exit_code == 0 and told in done.stdout.replace("\n" + " " * 13, " ")
    assert told in " ".join(thalweg("journal", journal).stdout.split())
    done = thalweg("search", f"{files / 'training.py'}:broken")
    assert done.exit_code == 1 and "Error: all 6 came to nothing: 6 raised" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("restarts", "problem.py", "--runs", 0), "runs: got 0"),
        (("restarts", "missing.py"), "missing.py does not exist"),
        (("restarts", "problem.py", "--scheduler", "tcp://127.0.0.1:9", "--workers", 1), "--scheduler, --workers"),
        (("restarts", "problem.py", "--workers", 0), "workers: got 0"),
        (("restarts", "training.py"), "holds no Problem"),
        (("search", "problem.py"), "levels"),
        (("search", "problem.py", "--levels", 3, "--points", 4), "--levels, --points"),
        (("search", "training.py", "--seed", 4), "--seed"),
        (("search", "training.py", "--points", 4, "--sampling", "halton"), "sampling: got 'halton'"),
        (("search", "training.py:missing"), "missing"),
        (("search", "helper_beside_it.py:loss"), "holds no space"),
    ],
)
def test_refused(files, monkeypatch, arguments, words):
    monkeypatch.chdir(files)
    done = thalweg(*arguments)
    assert done.exit_code == 2, done.output
    assert words in done.stderr and "Traceback" not in done.stderr and done.stdout == ""


def test_a_scheduler_that_does_not_answer(files, monkeypatch):
    monkeypatch.setattr("distributed.Client.__init__", lambda *_, **__: (_ for _ in ()).throw(OSError("timed out")))
    done = thalweg("restarts", files / "problem.py", "--scheduler", "tcp://127.0.0.1:9")
    assert done.exit_code == 2 and "--scheduler: timed out" in done.stderr
