"""Odd calls of every public name: whatever a caller gives, the answer is a result or an error that says what is wrong.

Call k is a function of k alone: a door, one or two of its arguments, and an odd value for each. `python tests/fuzz.py
FIRST COUNT` makes COUNT calls one after another in this process and prints a line of JSON for each, before it and after
it, so that whoever started the process knows which call crashed or hung. What is a fault:

    the kind     an exception that the docstring of the door does not name under "Raises"
    the words    a TypeError or ValueError that does not begin with the name of an argument, "x0: got ..."
    the time     more than SLOW seconds; every call has a small budget
"""

from __future__ import annotations

import builtins
import datetime
import decimal
import fractions
import json
import os
import re
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # Windows
    resource = None

SLOW = 20.0  # seconds
MEMORY = 8 * 2**30  # bytes of addresses
os.environ.setdefault("THALWEG_QUIET", "1")


# --- what is called ------------------------------------------------------------------------------------------------


def bowl(x):
    total = 0.0
    for v in x:
        total += v * v
    return total


def scaled(x, a):
    return a * (x[0] * x[0] + x[1] * x[1])


def train(a, b):
    return abs(a - 2) + b


def many(x):
    return (x * x).sum(axis=1)


class Door:
    """A public name: a call that works, and the arguments that may be replaced."""

    def __init__(self, call: Callable[..., Any], base: Callable[[], dict], also: str = "", raises: str = ""):
        self.call, self.base, self.also = call, base, also.split()
        document = call.__doc__ or ""
        section = document.partition("Raises\n")[2].partition("\n\n")[0]
        self.raises = set(re.findall(r"[A-Z]\w*(?:Error|Exception)", section + raises)) | {"TypeError", "ValueError"}


def doors(folder: Path) -> dict[str, Door]:
    """Every door by its name. Files go to `folder`."""
    import thalweg as tw

    box = [(-3.0, 3.0), (-2.0, 2.0)]
    limits = "max_iters target ftol patience"
    run = f"x0 args method integrality seed {limits} max_time options progress callback checkpoint device workers"

    def asked_and_told(values, **given):
        optimizer = tw.Optimizer(bounds=box, seed=1, max_evals=200, **given)
        optimizer.ask()
        optimizer.tell(values)
        return optimizer.result()

    def written_and_read(text):
        path = folder / "journal.jsonl"
        path.write_text(repr(text), errors="surrogatepass")
        return tw.read_journal(path)

    def problem_run(**given):
        return tw.minimize(tw.Problem(**given), seed=1, max_evals=100, max_time=1.0, threads=1)

    def searched(a):
        return tw.random_search(train, {"a": a, "b": [0, 1]}, points=4, seed=1)

    def gridded(a):
        return tw.grid_search(train, {"a": a, "b": [0, 1]}, levels=2)

    compiled = {"fun": bowl, "bounds": box, "seed": 1, "max_evals": 200, "max_time": 1.0, "threads": 1}
    found = {
        "minimize": Door(tw.minimize, lambda: compiled | {"restarts": 1}, f"{run} jac"),
        "minimize of Python": Door(
            tw.minimize, lambda: compiled | {"fun": tw.objective(bowl, compiled=False)}, f"{run} restarts"
        ),
        "minimize with args": Door(tw.minimize, lambda: compiled | {"fun": scaled, "args": (2.0,)}, run),
        "Optimizer": Door(
            tw.Optimizer, lambda: {"method": "de", "bounds": box, "seed": 1, "max_evals": 200},
            f"x0 integrality options run {limits}",
        ),
        "Optimizer.tell": Door(asked_and_told, lambda: {"values": np.zeros(18), "method": "de"}),
        "restarts": Door(
            tw.restarts, lambda: compiled | {"runs": 3},
            f"x0 args method integrality coordinated round_size client workers total_evals {limits} options journal "
            "progress retries task_timeout callback",
        ),
        "islands": Door(
            tw.islands, lambda: compiled | {"islands": 2, "every": 5, "method": "de"},
            f"x0 args integrality topology migrants {limits} options client checkpoint progress retries task_timeout",
        ),
        "grid_search": Door(
            tw.grid_search, lambda: {"fun": train, "space": {"a": [1, 2], "b": [0, 1]}, "max_time": 1.0},
            "levels args client threads device target journal progress retries task_timeout",
        ),
        "grid_search of an objective": Door(
            tw.grid_search, lambda: {"fun": tw.objective(bowl), "space": box, "levels": 3, "max_time": 1.0},
            "args client threads device target journal progress retries task_timeout",
        ),
        "random_search": Door(
            tw.random_search, lambda: {"fun": train, "space": {"a": tw.integer(1, 3), "b": [0, 1]}, "points": 4},
            "sampling seed args client threads device target max_time journal progress retries task_timeout",
        ),
        "random_search of an objective": Door(
            tw.random_search, lambda: {"fun": tw.objective(bowl), "space": box, "points": 50, "seed": 1},
            "sampling args client threads device target max_time journal progress retries task_timeout",
        ),
        "a space": Door(searched, lambda: {"a": [1, 2]}, raises="RuntimeError"),  # of `train`, which fails on strings
        "a grid": Door(gridded, lambda: {"a": [1, 2]}, raises="RuntimeError"),
        "objective": Door(
            tw.objective, lambda: {"function": bowl}, "precise check compiled vectorized"
        ),
        "Problem": Door(
            problem_run, lambda: {"fun": bowl, "bounds": box}, "args x0 names integrality jac minimum reference"
        ),
        "uniform": Door(tw.uniform, lambda: {"low": 0.0, "high": 1.0}),
        "log_uniform": Door(tw.log_uniform, lambda: {"low": 0.1, "high": 1.0}),
        "integer": Door(tw.integer, lambda: {"low": 0, "high": 5}),
        "log_integer": Door(tw.log_integer, lambda: {"low": 1, "high": 5}),
        "choice": Door(tw.choice, lambda: {"values": [1, 2]}),
        "when": Door(tw.when, lambda: {"name": "a", "value": 1, "variable": [1, 2]}),
        "read_journal": Door(tw.read_journal, lambda: {"path": folder / "missing.jsonl"}, raises="OSError"),
        "a journal": Door(written_and_read, lambda: {"text": ""}, raises="OSError"),
        "register": Door(tw.register, lambda: {"solver": None}),
        "vectorized": Door(
            tw.minimize, lambda: compiled | {"fun": tw.objective(many, vectorized=True)}, f"{run} restarts"
        ),
    }  # fmt: skip
    return found


# --- odd values ----------------------------------------------------------------------------------------------------


def _ragged():
    return [[1.0, 2.0], [3.0]]


class Strange:
    """Nothing works with it."""

    def __repr__(self):
        return "<strange>"


def values(folder: Path) -> list[Any]:
    """Odd values; those that are called `make` are made anew for each call."""
    nothing: list[Any] = []
    numbers = [
        None, True, False, 0, 1, -1, 2, 3, 7, 2**31, 2**62, 2**63, 2**64, -(2**63), 10**30, 0.0, -0.0, 0.5, 1.0, 2.0,
        1e-300, 1e308, float("nan"), float("inf"), -float("inf"), 1j, 1 + 0j, np.int64(3), np.int8(-1),
        np.uint64(2**63), np.float32(2.5), np.float64("nan"), np.bool_(True), np.complex128(1j),
        decimal.Decimal("1.5"), fractions.Fraction(1, 3),
    ]  # fmt: skip
    words = [
        "", "abc", "auto", "de", "cpu", "ring", "1", "nan", "a\0b", "x" * 5000, "é", b"", b"bytes", "lhs", "DE", "\n",
    ]  # fmt: skip
    times = [
        np.timedelta64(3, "s"), np.datetime64("2026-01-01"), datetime.timedelta(seconds=1),
        datetime.datetime(2026, 1, 1),
    ]  # fmt: skip
    arrays = [
        np.array(3.0), np.array([]), np.zeros((0, 2)), np.zeros(2), np.zeros((2, 2)), np.ones((3, 2)),
        np.zeros((50, 2)), np.zeros((2, 2, 2)), np.array([[np.nan, 1.0], [0.0, 1.0]]), np.array(["a", "b"]),
        np.array([1, "a"], dtype=object), np.array([None, None]), np.array([1j, 2.0]), np.arange(4, dtype=np.int8),
        np.array([True, False]), np.ma.masked_array([1.0, 2.0], mask=[0, 1]), np.zeros(2, dtype=[("a", "f8")]),
        np.array(["2026"], dtype="M8[Y]"), np.array([[-1.0, 1.0], [-1.0, 1.0]]), np.array([[1.0, -1.0], [-1.0, 1.0]]),
        np.full((2, 2), np.inf), np.broadcast_to(np.array([-1.0, 1.0]), (2, 2)), np.zeros((1, 2)), np.zeros(3),
        np.zeros(1), np.zeros((4, 3)), np.lib.stride_tricks.as_strided(np.zeros(4), (2, 2), (8, 8)), np.zeros(18)[::2],
        np.zeros(17), np.zeros(19),
    ]  # fmt: skip
    lists = [
        [], (), {}, set(), [[]], [()], [1], [1, 2], (1, 2), [(-1, 1)], [(-1, 1), (-1, 1)], ((-1, 1), (-1, 1)),
        ([-1, -1], [1, 1]), (np.zeros(2), np.ones(2)), [(1, -1), (0, 1)], [(0, 0), (0, 0)], [("0", "1"), ("0", "1")],
        [(None, 1), (-1, None)], [(0, np.nan), (0, 1)], _ragged(), ["a"], ["a", "b"], {"a": 1}, {"population": 10},
        {"population": 10**13}, {"population": -1}, {"population": "ten"}, {"nothing": 1}, {1: 2}, {"a": [1]},
        {"a": []}, {"a": {}}, {"a": (0, 1)}, {1, 2}, frozenset({1}), range(3), range(0), [True, False], [None],
        [np.nan, 0.0], [10.0, 0.0], [0.0, 0.0], [[0.0, 0.0], [1.0, 1.0]], [1e400, 0], [object()], ["de"], [0, 10**400],
    ]  # fmt: skip
    things = [
        object, object(), Strange(), Strange, int, print, len, max, bowl, scaled, train, lambda: 0, lambda x: x,
        lambda x: None, lambda x: "a", lambda x: [1.0], lambda *a, **k: 0.0, types, np, NotImplemented, Ellipsis,
        slice(3), memoryview(b"ab"), re.compile("a"), KeyError("a"), type, builtins, folder,
        folder / "deep" / "deeper" / "file", folder / "file", str(folder / "file.npz"), "/", "/dev/null", Path("a\0b"),
        "x" * 300, (x for x in range(3)), iter([]), types.SimpleNamespace(lb=[0, 0, 0], ub=[1, 1]),
        types.SimpleNamespace(lb=[0, 0], ub=[1, 1]), types.SimpleNamespace(lb="a", ub=None),
    ]  # fmt: skip
    return nothing + numbers + words + times + arrays + lists + things


# --- one call ------------------------------------------------------------------------------------------------------

LIMITING = {"max_evals", "max_time", "points", "runs", "restarts", "levels", "max_iters", "target", "every"}


def plan(k: int, table: dict[str, Door], pool: list[Any]) -> tuple[str, list[str], list[int]]:
    """Call number k: its door, the arguments that are replaced, and the numbers of the values that replace them."""
    rng = np.random.default_rng([2026, k])
    names = list(table)
    shares = np.array([len(table[name].also) + len(table[name].base()) for name in names], dtype=np.float64)
    name = names[rng.choice(len(names), p=shares / shares.sum())]
    door = table[name]
    arguments = [*door.base(), *door.also]
    count = min(len(arguments), 1 + (rng.random() < 0.3))
    chosen = [arguments[j] for j in rng.choice(len(arguments), count, replace=False)]
    if len(LIMITING.intersection(chosen)) > 1:
        chosen = chosen[:1]  # one limit remains
    return name, chosen, [int(j) for j in rng.integers(len(pool), size=len(chosen))]


def judge(door: Door, given: dict, error: BaseException) -> str:
    """What is wrong with an exception; "" if nothing is."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if hasattr(error, "x") or "raised by the objective" in "".join(getattr(error, "__notes__", [])):
        return ""  # the user's own
    if callable(given.get("callback")) and not str(error).startswith("callback: "):
        return ""  # of a callback
    if not kinds & door.raises:
        return "the kind"
    if not kinds & {"TypeError", "ValueError"}:
        return ""
    if re.match(r"\w+(\.\w+)?\(\) .*argument", str(error)):
        return ""  # Python's own, of names that are missing
    said = re.findall(r"\w+", str(error).partition(": ")[0])
    named = not OTHER_NAMES.union(door.base(), door.also).isdisjoint(said)
    return "" if named and len(said) < 8 else "the words"


# Errors may begin with these, too: members of options, kinds of variables, and what an argument leads to.
OTHER_NAMES = {
    "population", "fun", "space", "journal", "bounds", "tell", "path", "uniform", "log_uniform", "integer",
    "log_integer", "choice", "when", "restarts", "minimize", "islands", "Optimizer", "grid_search", "random_search",
}  # fmt: skip


def call(k: int, table: dict[str, Door], folder: Path) -> dict:
    """Make call k, and say what came of it."""
    pool = values(folder)
    name, chosen, numbers = plan(k, table, pool)
    door = table[name]
    given = door.base() | {argument: pool[j] for argument, j in zip(chosen, numbers, strict=True)}
    found = {"call": k, "door": name, "given": {argument: repr(given[argument])[:100] for argument in chosen}}
    print(json.dumps(found | {"state": "begun"}), flush=True)
    begin, fault, error = time.perf_counter(), "", ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            door.call(**given)
    except BaseException as raised:
        fault, error = judge(door, given, raised), f"{type(raised).__name__}: {raised}"[:300]
    seconds = time.perf_counter() - begin
    fault = fault or ("the time" if seconds > SLOW else "")
    return found | {"state": "done", "fault": fault, "error": error, "seconds": round(seconds, 2)}


def main(first: int, count: int) -> None:
    if resource is not None:  # what asks for more shall fail by itself, not the machine
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.chdir(folder)
        table = doors(folder)
        for k in range(first, first + count):
            print(json.dumps(call(k, table, folder)), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
