"""The command `thalweg`: what it prints, what it refuses, how it exits."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from thalweg.kernels import Minimum, Problem
from thalweg.kernels.functions import FUNCTIONS
from thalweg.orchestration.cli import main
from thalweg.orchestration.commands import load, report
from thalweg.solvers import SOLVERS, minimize

ROOT = Path(__file__).parents[1]
ECKERLE4 = str(ROOT / "examples" / "eckerle4.py")
HEAD = """
from thalweg.kernels import Minimum, Problem

def bowl(x):
    return (x[0] - 1.0) ** 2 + (x[1] + 2.0) ** 2
"""
ONE = HEAD + "only = Problem(fun=bowl, bounds=[(-5, 5)] * 2, minimum=Minimum([1.0, -2.0], 0.0))\n"
TWO = ONE + "second = Problem(fun=bowl, bounds=[(2, 5)] * 2)\n"


@pytest.fixture(autouse=True)
def _own_modules(monkeypatch):
    """What a file brings into the process leaves it with the test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("thalweg_problem_"):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write(source, name="problem_file.py"):
        path = tmp_path / name
        path.write_text(source, "utf-8")
        return str(path)

    return write


def thalweg(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(*arguments):
    """A quick run: one restart, two hundred evaluations."""
    return thalweg("run", *arguments, "--max-evals", 200, "--restarts", 1, "--seed", 1)


def process(*arguments, **options):
    """The command in a process of its own, as a user starts it."""
    command = [sys.executable, "-m", "thalweg.orchestration.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


def refused(done, *words):
    """Exit code 2, nothing on stdout, a short message with the words."""
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4
    for word in words:
        assert word in done.stderr


# --- a run -------------------------------------------------------------------------------------------------------


def test_the_main_job_prints_the_certified_parameters(tmp_path):
    done = process("run", ECKERLE4, "--seed", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name, certified in (
        ("b1", "1.5543827178"),
        ("b2", "4.0888321754"),
        ("b3", "451.54121844"),
        ("value", "0.00146"),
    ):
        cells = next(line.split() for line in lines if line.startswith(name))
        assert cells[2].startswith(certified)
        assert int(cells[3]) >= 6
    for word in (
        "The budget of evaluations",
        "300,000 in 10 runs",
        "to compile",
        "seed 1",
        "thread",
        "compiled",
        "NIST",
    ):
        assert word in done.stdout
    assert not any(line.endswith(" ") for line in lines)


def test_json_is_all_there_is_on_stdout_and_repeats(write):
    file = write("print('loading')\n" + ONE)
    answers = []
    for threads in (1, 2):
        done = process("run", file, "--seed", 7, "--restarts", 2, "--max-evals", 300, "--threads", threads, "--json")
        assert done.returncode == 0, done.stderr
        assert "loading" in done.stderr
        answers.append(json.loads(done.stdout))
    first, second = answers
    for key in ("x", "fun", "nfev", "history", "options", "seed", "problem", "minimum"):
        assert first[key] == second[key]
    assert first["stop_reason"] == "out_of_budget"
    assert [r["run"] for r in first["runs"]] == [0, 1]
    assert first["runs"][0]["stop"] == "out_of_budget"
    assert {"timing", "threads", "versions", "method", "objective", "success"} <= set(first)


def test_json_has_null_where_there_is_no_number(write):
    done = run(write(HEAD + "p = Problem(fun=lambda x: x[0] * float('inf'), bounds=[(1, 2)])"), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["fun"] is None


def test_no_finite_value(write):
    done = thalweg("run", write(HEAD + "p = Problem(fun=lambda x: float('nan'), bounds=[(1, 2)])"), "--max-evals", 100)
    assert done.exit_code == 1
    assert "No evaluation gave a finite value." in done.stdout
    assert "1,000 of them gave NaN" in done.stdout


def test_the_settings_reach_minimize(write):
    done = run(write(ONE), "--method", "de", "--option", "population=20", "--option", "strategy=best1bin", "--json")
    answer = json.loads(done.stdout)
    assert (answer["method"], answer["seed"], answer["nfev"]) == ("de", 1, 200)
    assert answer["options"] == {"strategy": "best1bin", "population": 20, "weight": 0.5, "crossover": 0.9}


def test_whole_numbers_may_be_written_short(write):
    assert json.loads(thalweg("run", write(ONE), "--max-evals", "1e3", "--json").stdout)["nfev"] == 10_000


def test_restarts_by_default_and_as_many_as_fit_in_a_time(write):
    done = thalweg("run", write(ONE), "--max-time", "0.3", "--json")
    assert json.loads(done.stdout)["stop_reason"] == "out_of_time"
    assert len(json.loads(thalweg("run", write(ONE), "--max-evals", 100, "--json").stdout)["runs"]) == 10


def test_a_target(write):
    reached = thalweg("run", write(ONE), "--target", "1e-3", "--seed", 1)
    assert reached.exit_code == 0
    assert "The target value was reached." in reached.stdout
    missed = run(write(ONE), "--target", "-1")
    assert missed.exit_code == 1
    assert "The target was not reached." in " ".join(missed.stdout.split())


def test_a_checkpoint_is_written_and_resumed(write, tmp_path):
    file, saved = write(ONE), tmp_path / "saved.npz"
    first = run(file, "--checkpoint", saved, "--json")
    assert saved.exists()
    assert json.loads(run(file, "--checkpoint", saved, "--json").stdout)["x"] == json.loads(first.stdout)["x"]
    refused(thalweg("run", file, "--seed", 2, "--checkpoint", saved), "checkpoint")
    refused(run(file, "--checkpoint", tmp_path / "no" / "folder.npz"), "folder")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT cannot be sent to one process")
def test_ctrl_c_prints_the_best_so_far(write, tmp_path):
    saved = tmp_path / "saved.npz"
    command = [sys.executable, "-m", "thalweg.orchestration.cli", "run", write(ONE), "--max-evals", "1e12"]
    started = subprocess.Popen([*command, "--checkpoint", saved], stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 1
    assert "Interrupted" in out
    assert re.search(r"^x\[0\] +1\.0", out, re.MULTILINE)


# --- which problem -----------------------------------------------------------------------------------------------


def test_a_name_chooses(write):
    done = thalweg("run", write(TWO) + ":second", "--seed", 1, "--restarts", 1)
    assert done.exit_code == 0
    assert "certified" not in done.stdout  # nothing is known of this one
    assert re.search(r"^x\[0\] +2\.0 +at its lower bound$", done.stdout, re.MULTILINE)


def test_what_lies_at_a_bound_is_said_of_open_boxes_too(write):
    problem = "slope = Problem(fun=lambda x: x[0] + (x[1] - 3) ** 2, bounds=[(2, None), (0, None)], x0=[2.5, 1.0])\n"
    done = thalweg("run", write(HEAD + problem), "--seed", 1, "--restarts", 1, "--method", "nelder_mead")
    assert done.exit_code == 0
    assert re.search(r"^x\[0\] +2\.0 +at its lower bound$", done.stdout, re.MULTILINE)
    assert re.search(r"^x\[1\] +[23]\.\d+$", done.stdout, re.MULTILINE)


def test_two_names_of_one_problem_are_one_problem(write):
    assert run(write(ONE + "again = only\n")).exit_code == 0


def test_a_script_block_rests_and_the_folder_is_importable(write):
    write("shift = 1.0\n", "helper_of_problem.py")
    source = ONE + "import helper_of_problem\nif __name__ == '__main__':\n    raise SystemExit('ran')\n"
    assert run(write(source)).exit_code == 0
    del sys.modules["helper_of_problem"]


@pytest.mark.parametrize(
    ("source", "suffix", "words"),
    [
        (TWO, "", ["2 problems", "problem_file.py:NAME", "only, second"]),
        (TWO, ":secnod", ["'secnod'", "did you mean second"]),
        (ONE, ":bowl", ["'bowl' is a function, no Problem"]),
        (HEAD, "", ["no Problem", "bounds="]),
        ("x = (1,\n", "", ["problem_file.py, line 1", "never closed"]),
        ("import no_such_module\n", "", ["problem_file.py", "line 1", "no_such_module"]),
        ("raise SystemExit(3)\n", "", ["SystemExit: 3"]),
        (ONE.replace("(-5, 5)", "(5, -5)"), "", ["bounds: variable 0", "line 6"]),
    ],
)
def test_a_file_without_the_problem(write, source, suffix, words):
    done = run(write(source) + suffix)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_missing_file(tmp_path, write):
    refused(run(tmp_path / "nothing.py"), "nothing.py does not exist")
    refused(run(write(ONE).replace("problem_file", "problm_file")), "did you mean problem_file.py?")
    refused(run(tmp_path / "nothing.py:name"), "nothing.py does not exist")
    refused(run(tmp_path), "is a folder")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("file.py", ("file.py", None)),
        ("folder/file.py:name", ("folder/file.py", "name")),
        ("C:\\folder\\file.py", ("C:\\folder\\file.py", None)),
        ("C:\\folder\\file.py:name", ("C:\\folder\\file.py", "name")),
        ("C:file", ("C:file", None)),
    ],
)
def test_the_colon_of_a_drive_separates_no_name(text, expected):
    path, name = load.split(text)
    assert (str(path), name) == (str(Path(expected[0])), expected[1])


# --- bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "lshad"], ["method", "'lshad'", "did you mean 'lshade'"]),
        (["--method", "de", "--option", "population=2"], ["population", "at least 4"]),
        (["--option", "populaton=20"], ["populaton", "did you mean 'population'"]),
        (["--option", "population"], ["--option", "KEY=VALUE"]),
        (["--max-evals", "0"], ["max_evals", "at least 1"]),
        (["--max-iters", "0"], ["max_iters", "at least 1"]),
        (["--restarts", "-1"], ["restarts", "at least 1"]),
        (["--threads", "0"], ["threads", "at least 1"]),
        (["--seed", "-1"], ["seed", "0 <= seed"]),
        (["--max-time", "-3"], ["max_time", "above 0"]),
        (["--device", "abacus"], ["device", "'abacus'"]),
    ],
)
def test_bad_settings(write, arguments, words):
    refused(thalweg("run", write(ONE), *arguments), *words)


@pytest.mark.parametrize(
    "arguments", [["--seed", "1.5"], ["--max-evals", "many"], ["--max-evals", "inf"], ["--nonsense"]]
)
def test_what_click_refuses(write, arguments):
    done = thalweg("run", write(ONE), *arguments)
    assert done.exit_code == 2
    assert arguments[0] in done.stderr


def test_what_numba_cannot_compile(write):
    done = run(write(HEAD + "p = Problem(fun=lambda x: 1.0 if x[0] > 9 else float(str(1)), bounds=[(0, 1)])"))
    refused(done, "Numba cannot compile", "compiled=False")


@pytest.mark.parametrize("compiled", [True, False])
def test_an_exception_of_the_objective_comes_with_its_line_and_its_x(write, compiled):
    source = HEAD + (
        "from thalweg.kernels import objective\n"
        "def bad(x):\n    if x[0] > 0.6:\n        raise ArithmeticError('too far')\n    return x[0]\n"
        f"p = Problem(fun=objective(bad, compiled={compiled}), bounds=[(0, 1)])\n"
    )
    done = run(write(source))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "problem_file.py" in done.stderr and "line 9" in done.stderr
    assert "ArithmeticError: too far" in done.stderr
    assert re.search(r"at x = \[0\.[6-9]", done.stderr)
    assert "minimize.py" not in done.stderr and "adapters.py" not in done.stderr


# --- the report --------------------------------------------------------------------------------------------------


def test_agreeing_digits():
    assert report.agreeing_digits(1.0000011, 1.0) == 5
    assert report.agreeing_digits(2.0, 2.0) == 15
    assert report.agreeing_digits(1e-9, 0.0) == 9
    assert [report.agreeing_digits(value, 2.0) for value in (np.nan, np.inf, 50.0)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (451.54121843, "451.54121843"),
        (1.0, "1.0"),
        (0.0, "0.0"),
        (1e-30, "1.0e-30"),
        (-2.5e20, "-2.5e+20"),
        (1e11, "100000000000.0"),
    ],
)
def test_numbers(value, text):
    assert report._number(value) == text


def test_long_problems_and_whole_numbers(write):
    def count(x):
        return np.sum(x)

    problem = Problem(fun=count, bounds=[(0.5, 9)] * 60, integrality=[True] * 60, minimum=Minimum(None, 60.0))
    text = report.answer(problem, "count", minimize(problem, seed=1, max_evals=200, method="random_search"))
    assert "20 more variables" in text
    assert re.search(r"^x\[39\] +\d$", text, re.MULTILINE)
    assert "x[40]" not in text


# --- the other commands ------------------------------------------------------------------------------------------


def test_help_imports_neither_numba_nor_rich():
    code = "import sys\nfrom thalweg.orchestration.cli import main\nmain(['--help'], standalone_mode=False)\n"
    code += "assert not {'numba', 'numpy', 'rich', 'dask'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_version():
    assert re.fullmatch(r"thalweg, version \d+\.\d+\.\d+\n", thalweg("--version").stdout)


def test_solvers_lists_each_with_its_options():
    done = thalweg("solvers")
    assert done.exit_code == 0
    for solver in SOLVERS.values():
        assert f"{solver.name}   {solver.summary}" in done.stdout
    assert re.search(r"population +None +N_init, at least 4; None: 18 D", done.stdout)


@pytest.mark.parametrize("columns", ["80", "200"])
def test_functions_lists_each(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    lines = thalweg("functions").stdout.splitlines()
    assert {line.split()[0] for line in lines[1:-2] if line[:1].strip()} == set(FUNCTIONS)
    assert max(map(len, lines)) <= int(columns)


def test_info_tells_the_machine_and_the_installation():
    done = thalweg("info")
    assert done.exit_code == 0
    for word in ("thalweg ", str(ROOT), "numba ", "threading layer", "CPU", "GPU", "cache"):
        assert word in done.stdout


WARM_AGAIN = """
from thalweg.kernels.compile.cache import ContentCache
from thalweg.orchestration.cli import main
main(["warm", "random_search"], standalone_mode=False)
print(ContentCache.hits, ContentCache.misses)
"""


@pytest.mark.slow
def test_warm_fills_an_empty_cache(tmp_path):
    folder = tmp_path / "cache"
    here = {"env": {**os.environ, "THALWEG_CACHE_DIR": str(folder)}}
    done = process("warm", "random_search", **here)
    assert done.returncode == 0, done.stderr
    assert str(folder) in done.stdout
    files = sorted(folder.iterdir())
    drivers = {"advance_serial", "advance_parallel", "advance_many", "propose_rows", "conclude_rows"}
    assert drivers <= {file.name.rsplit("-", 1)[0] for file in files}
    again = subprocess.run([sys.executable, "-c", WARM_AGAIN], capture_output=True, text=True, timeout=300, **here)
    assert again.returncode == 0, again.stderr
    hits, misses = map(int, again.stdout.splitlines()[-1].split())
    assert hits >= len(drivers) and misses == 0 and sorted(folder.iterdir()) == files


def test_warm_takes_methods_without_rows():
    assert re.search(r"2/2  nelder_mead +\d", thalweg("warm", "simulated_annealing", "nelder_mead").stdout)


def test_warm_refuses_what_does_not_exist():
    refused(thalweg("warm", "nonsense"), "METHOD", "random_search")
