"""What is told of a call: counts in words, names of variables in journals, lines of progress that fit."""

import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from thalweg import Problem, minimize
from thalweg.kernels.calling.objective import objective
from thalweg.orchestration import grid_search, random_search, restarts
from thalweg.orchestration.cli import main
from thalweg.solvers.driving import progress
from thalweg.solvers.driving.telling import counted


def bowl(x):
    return (x[0] - 1.0) ** 2 + x[1] ** 2


def test_counts_in_words():
    assert [counted(n, "run") for n in (0, 1, 2, 1000)] == ["0 runs", "1 run", "2 runs", "1,000 runs"]
    text = repr(minimize(bowl, [(-1, 2)] * 2, method="random_search", max_evals=20, seed=1))
    assert "1 run: 1 out_of_budget" in text and "history: 1 entry\n" in text
    assert "table: 1 row of" in repr(grid_search(lambda a: a, {"a": [1]}))


def test_names_of_variables_survive_into_journals(tmp_path):
    problem = Problem(fun=bowl, bounds=[(-1, 2)] * 2, names=["slope", "offset"])
    many, points = tmp_path / "many.jsonl", tmp_path / "points.jsonl"
    for _ in range(2):  # and are taken up
        found = restarts(problem, runs=3, method="de", max_evals=100, seed=1, journal=many)
        random_search(objective(bowl), {"slope": [0.0, 1.0], "offset": [0.0]}, points=2, seed=1, journal=points)
    assert found.resumed == 3 and {"slope", "offset"} <= set(found.to_frame().columns)
    for path in (many, points):
        assert json.loads(path.read_text().splitlines()[0])["header"]["names"] == ["slope", "offset"]
        shown = CliRunner().invoke(main, ["journal", str(path)]).output
        assert "slope" in shown and "x[0]" not in shown


def test_runs_are_a_frame_in_one_call_and_stops_have_names():
    pytest.importorskip("pandas")
    frame = minimize(bowl, [(-1, 2)] * 2, method="de", max_evals=100, restarts=3, seed=1).to_frame()
    assert len(frame) == 3 and set(frame["stop"]) == {"out_of_budget"} and {"x0", "x1"} <= set(frame.columns)


@pytest.mark.parametrize("method", ["de", "simulated_annealing"])
@pytest.mark.parametrize("runs, max_time", [(1, None), (100, None), (None, 3.0)])
def test_the_line_of_a_run_fits_and_tells_the_time_left(method, runs, max_time, monkeypatch):
    """A quarter of the budget after 1,000 s: 3,000 s are left; of max_time 3 s, none."""
    monkeypatch.setattr(progress, "Display", lambda *_: None)
    shown = progress.Progress(method, 4_000_000_000, runs)
    shown.begin = progress.time.perf_counter() - 1000.0
    best = (-1.23456789012e-100, None, 1_000_000_000, 5)
    shown.session = SimpleNamespace(
        best_so_far=lambda: best, records=np.zeros(17), max_time=max_time, seconds=lambda: 1000.0
    )
    line = shown._line()
    assert len(line) <= 79 and line.startswith(f"{method}  best -1.2345679e-100  1G evaluations (25 %)")
    if method == "de":
        assert ("0:50:00 left" in line) == (not max_time)


def test_three_digits():
    told = [progress.short(n) for n in (0, 7, 999, 1000, 12_345, 999_499, 999_600, 6_214_000, 1.5e10)]
    assert told == ["0", "7", "999", "1k", "12.3k", "999k", "1M", "6.21M", "15G"]


def test_a_notebook_without_widgets_gets_few_lines(monkeypatch):
    """In an hour 10 lines in place of 720; a log file gets its line every five seconds."""
    counts = {}
    for notebook in (False, True):
        clock = SimpleNamespace(now=0.0)
        monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda clock=clock: clock.now))
        monkeypatch.setattr(progress, "can_redraw", lambda console: False)
        console = Console(file=io.StringIO(), force_terminal=False)
        console.is_jupyter = notebook
        lines = []
        display = progress.Display(lambda: None, lambda: "line", console)
        monkeypatch.setattr(display, "_print", lambda lines=lines: lines.append(1))
        for second in range(3600):
            clock.now = float(second)
            display()
        counts[notebook] = len(lines)
    assert counts[False] == 719 and counts[True] == 9
