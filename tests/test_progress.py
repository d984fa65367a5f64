"""What a progress display shows: on a terminal, in a notebook, in a log file."""

import contextlib
import dataclasses
import io
import math
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from rich.console import Console

from thalweg.orchestration.progress import Progress, Rate, Status, facts, hooks_for
from thalweg.solvers import minimize
from thalweg.solvers.driving import progress as of_solvers
from thalweg.solvers.driving.times import duration, per_time

START = Status("run", 0, 2000, math.inf, "", 0, 2, 2, None, 0.0)
LINK = "http://127.0.0.1:8787/status"
MIDDLE = dataclasses.replace(
    START, done=500, best=1.25e-9, best_label="run 17", failures=3, dashboard=LINK, elapsed=100.0
)


class Campaign:
    """Stands where its test says."""

    def __init__(self, *stations):
        self.stations = list(stations)

    def status(self, finished=False):
        station = self.stations.pop(0) if len(self.stations) > 1 else self.stations[0]
        return dataclasses.replace(station, finished=finished)


@pytest.fixture
def clock(monkeypatch):
    """The time that decides when a line is due."""
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(of_solvers, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    return clock


def terminal(**options):
    # An environment of its own: TERM=dumb or FORCE_COLOR of whoever runs the tests must not decide.
    options = {"force_terminal": True, "width": 100, "_environ": {"TERM": "xterm-256color"}} | options
    return Console(file=io.StringIO(), **options)


def log_file(**options):
    return Console(file=io.StringIO(), force_terminal=False, force_jupyter=False, **options)


def text_of(console):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", console.file.getvalue())


def test_a_terminal_gets_a_table_that_is_redrawn():
    console = terminal()
    campaign = Campaign(START, MIDDLE, dataclasses.replace(MIDDLE, done=2000, elapsed=400.0))
    progress = Progress(console)
    progress(campaign)
    progress(campaign)
    progress.close(campaign)
    assert "\x1b[" in console.file.getvalue()
    end = text_of(console).splitlines()[-7:]
    assert [line.split()[0] for line in end] == [
        "run", "best", "rate", "time", "workers", "failures", "dashboard",
    ]  # fmt: skip
    for words in ("2,000 of 2,000 (100 %)", "1.25e-09 (run 17)", "5.0/s", "0:06:40", LINK):
        assert words in "\n".join(end)
    assert "left" not in "\n".join(end)


def test_a_log_file_gets_a_line_every_five_seconds_and_one_at_the_end(clock):
    console = log_file(width=40)
    campaign = Campaign(START, MIDDLE)
    progress = Progress(console)
    for clock.now in (0.0, 1.0, 4.9, 5.0, 6.0, 9.9, 10.1):
        progress(campaign)
    progress.close(campaign)
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 4
    assert "\x1b" not in console.file.getvalue()
    assert lines[0] == "run 500 of 2,000 (25 %)  best 1.25e-09  time 0:01:40, 0:05:00 left  failures 3"
    assert lines[1] == f"dashboard {LINK}"  # the link is told once
    assert lines[2] == lines[0] and len(lines[0]) <= 79
    assert lines[3] == "run 500 of 2,000 (25 %)  best 1.25e-09  time 0:01:40  failures 3  rate 5.0/s"


def test_names_are_no_markup(clock):
    console = log_file()
    odd = dataclasses.replace(MIDDLE, name="[bold]:smile:", best_label="[red]3")
    Progress(console).close(Campaign(odd))
    assert "[bold]:smile: 500" in console.file.getvalue()
    console = terminal()
    Progress(console).close(Campaign(odd))
    assert "[bold]:smile:" in text_of(console) and "([red]3)" in text_of(console)


def test_a_dumb_terminal_is_a_log_file(clock):
    console = terminal(_environ={"TERM": "dumb"})
    Progress(console).close(Campaign(MIDDLE))
    assert console.file.getvalue().count("\n") == 2  # the line, and the link
    assert "\x1b" not in console.file.getvalue()


def test_a_notebook_redraws_where_it_can_and_gets_lines_elsewhere(monkeypatch, clock):
    """Without ipywidgets rich shows nothing in a notebook, and warns at each turn."""
    shown = []
    monkeypatch.setattr("rich.jupyter.display", lambda segments, text: shown.append(text))
    notebook = Console(force_jupyter=True)
    monkeypatch.setattr(of_solvers.importlib.util, "find_spec", lambda name: None)
    assert not of_solvers.can_redraw(notebook)
    progress = Progress(notebook)
    progress(Campaign(START))
    progress.close(Campaign(MIDDLE))
    assert len(shown) == 1 and shown[0].startswith("run 500 of 2,000")
    widgets = SimpleNamespace(Output=type("Output", (contextlib.ExitStack,), {"clear_output": lambda self, wait: None}))
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=lambda output: None))
    monkeypatch.setattr(of_solvers.importlib.util, "find_spec", lambda name: name == "ipywidgets")
    progress = Progress(notebook)
    progress(Campaign(START))
    progress.close(Campaign(dataclasses.replace(MIDDLE, done=1234)))
    assert any("1,234 of 2,000" in text for text in shown[1:])  # also what changed just before the end


def test_nothing_is_shown_of_nothing(capsys):
    with hooks_for(True) as hooks:
        assert len(hooks) == 1
    with hooks_for(False) as hooks:
        assert hooks == []
    assert capsys.readouterr() == ("", "")


def test_the_end_is_shown_when_the_call_raises(capsys, clock):
    with pytest.raises(RuntimeError), hooks_for(True) as hooks:
        hooks[0](Campaign(MIDDLE))
        raise RuntimeError
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("run 500 of 2,000")


@pytest.mark.parametrize(
    ("changes", "expected", "absent"),
    [
        ({"total": None}, {"run": "500", "time": "0:01:40"}, {"dashboard", "failures"}),
        ({"total": 0, "done": 0}, {"run": "0 of 0 (100 %)"}, set()),
        ({"best": math.nan}, {"best": "none"}, set()),
        ({"best": -math.inf, "best_label": ""}, {"best": "-inf"}, set()),
        ({"done": 1999}, {"run": "1,999 of 2,000 (99 %)"}, set()),
        ({"finished": True}, {"workers": "2", "time": "0:01:40"}, set()),
        ({"total": 10**12}, {"time": "0:01:40, 6,338 years left"}, set()),
    ],
)
def test_facts(changes, expected, absent):
    status = dataclasses.replace(MIDDLE, failures=0, dashboard=None)
    found = dict(facts(dataclasses.replace(status, **changes), 5.0))
    assert expected.items() <= found.items()
    assert not absent & set(found)


def test_without_a_rate_none_is_shown():
    found = dict(facts(START, 0.0))
    assert "rate" not in found
    assert found["time"] == "0.0 s"


def rates(*stations, workers=1):
    rate = Rate()
    found = []
    for elapsed, done in stations:
        rate.note(dataclasses.replace(START, elapsed=elapsed, done=done, workers=workers))
        found.append(rate.value)
    return found


def test_the_rate_is_that_of_the_last_seconds():
    slow, fast = [(t, t) for t in range(31)], [(t, 30 + 100 * (t - 30)) for t in range(31, 61)]
    found = rates(*slow, *fast)
    assert found[30] == 1.0
    assert found[-1] == 100.0


def test_units_from_a_journal_are_not_counted():
    assert rates((0.0, 900), (10.0, 910)) == [0.0, 1.0]


def test_rare_units_have_a_rate_too():
    """Two workers, a unit of each per minute: looked at between them, it neither jumps nor becomes nothing."""
    found = rates(*((float(t), 2 * (t // 60)) for t in range(601)), workers=2)
    assert all(1 / 60 <= value <= 1 / 30 for value in found[120:])


def test_at_the_end_the_rate_is_that_of_all():
    rate = Rate()
    for t in range(100):
        rate.note(dataclasses.replace(START, elapsed=float(t), done=max(0, t - 50)))
    rate.note(dataclasses.replace(START, elapsed=100.0, done=50, finished=True))
    assert rate.value == 0.5


def test_each_campaign_has_its_own_rate(clock):
    progress = Progress(log_file())
    first = Campaign(dataclasses.replace(START, elapsed=0.0), dataclasses.replace(START, done=90, elapsed=9.0))
    progress(first)
    progress(first)
    assert progress.rate.value == 10.0
    progress(Campaign(START))
    assert progress.rate.value == 0.0


def test_words():
    assert [duration(s) for s in (0.0, 59.94, 60.0, 3723.4, 200_000.0)] == [
        "0.0 s", "59.9 s", "0:01:00", "1:02:03", "2 days, 7:33:20",
    ]  # fmt: skip
    assert [per_time(r) for r in (12_345.6, 99.94, 1.0, 0.5, 1 / 60, 1 / 120)] == [
        "12,346/s", "99.9/s", "1.0/s", "30.0/min", "1.0/min", "30.0/h",
    ]  # fmt: skip


def test_minimize_writes_plain_lines_where_there_is_no_terminal(capsys):
    minimize(lambda x: x[0] ** 2, [(-1, 1)], seed=1, max_evals=100, method="random_search", progress=True)
    out, error = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"random_search  best \S+  100 evaluations \(100 %\)  [\d.]+ s  [\d.]+[kMG]?/s\n", error)


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_what_is_printed_into_a_pipe_stays_out_of_the_terminal():
    """A live display takes hold of stdout, also of one that is no terminal."""
    import pty

    code = (
        "import math\n"
        "from thalweg.orchestration.progress import Progress, Status\n"
        "class Campaign:\n"
        "    def status(self, finished=False):\n"
        "        return Status('run', 1, 2, 0.5, 'run 0', 0, 1, 1, None, 1.0, finished)\n"
        "progress = Progress()\n"
        "progress(Campaign())\n"
        "print('answer', flush=True)\n"
        "progress.close()\n"
    )
    leader, follower = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=follower,
        env=environment | {"TERM": "xterm"},
        timeout=100,
    )
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert done.stdout == b"answer\n"
    assert "answer" not in shown
    assert "\x1b[" in shown and "1 of 2 (50 %)" in shown
