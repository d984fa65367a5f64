"""What `thalweg run`, `restarts` and `search` print: the answer beside what is known."""

from __future__ import annotations

import math
import re
import shutil
import textwrap

import numpy as np

from ...kernels.problem import Problem
from ...solvers.driving.result import Result
from .reason import reason

FAILURES = 5  # that are printed
ROWS = 40  # variables that are printed; --json has all
MOST_DIGITS = 15  # a double has no more
NUMBER = "#.12g"


def agreeing_digits(value: float, known: float) -> int:
    """How many significant digits agree; where the known value is 0, how many zeros follow the point."""
    if not math.isfinite(value):
        return 0
    error = abs(value - known) / (abs(known) or 1.0)
    return MOST_DIGITS if error == 0 else max(0, min(MOST_DIGITS, math.floor(-math.log10(error))))


def answer(problem: Problem, name: str, result: Result) -> str:
    """The report on a finished run."""
    facts = [("problem", name), *([("source", problem.reference)] if problem.reference else [])]
    return "\n".join([*_facts(facts), "", *_values(problem, result), "", *_facts(_circumstances(result))])


def _values(problem: Problem, result: Result) -> list[str]:
    """The table of variables and the value: found, certified, digits that agree."""
    names = [str(name) for name in problem.names or [f"x[{k}]" for k in range(problem.dimension)]]
    whole = [bool(integer) for integer in problem.integrality]
    shown = min(problem.dimension, ROWS)
    found = [*map(_number, result.x[:shown], whole), _number(result.fun)]
    columns = [[*names[:shown], "value"], _aligned(found)]
    headings = ["", "found"]
    if problem.minimum is not None:
        known_x = np.full(problem.dimension, np.nan) if problem.minimum.x is None else np.asarray(problem.minimum.x)
        known = [*known_x[:shown], problem.minimum.fun]
        reached = [*result.x[:shown], result.fun]
        headings += ["certified", "digits"]
        columns.append(
            _aligned(
                ["" if math.isnan(k) else _number(k, w) for k, w in zip(known, [*whole[:shown], False], strict=True)]
            )
        )
        columns.append([_digits(v, k) for v, k in zip(reached, known, strict=True)])
    at_bounds = _at_bounds(problem, result.x)[:shown]
    if any(at_bounds):
        headings.append("")
        columns.append([*at_bounds, ""])
    lines = _table(headings, columns)
    if problem.dimension > shown:
        lines.insert(-1, f"... {problem.dimension - shown} more variables: --json prints all")
    return [*lines[:-1], "", lines[-1]]


def _circumstances(result: Result) -> list[tuple[str, str]]:
    """Why it stopped, what it took, and how it was run."""
    runs, timing = len(result.runs), result.timing
    finite = math.isfinite(result.fun)
    rows = [("stopped", result.message)]
    agreement = f"; {_agreement(result)}" if finite else ""
    rows.append(("evaluations", f"{result.nfev:,}" + (f" in {runs} runs{agreement}" if runs > 1 else "")))
    if result.n_failed:
        rows.append(("failed", f"{result.n_failed:,} of them gave NaN"))
    rate = result.nfev / max(timing["run"], 1e-9)
    speed = f"{float(f'{rate:.3g}'):,.0f} evaluations per second" if rate >= 1 else f"{1 / rate:.3g} s per evaluation"
    speed = _from_journal(result, "runs") or speed
    rows.append(("time", f"{_seconds(timing['compile'])} to compile, {_seconds(timing['run'])} to run: {speed}"))
    rows.append(("method", f"{result.method}, seed {result.seed}, {_where(result)}"))
    rows.append(("objective", result.objective))
    return rows + _troubles(result)


def points(name: str, result: Result) -> str:
    """The report on a finished search."""
    width = max(map(len, [*result.point, "value"]))
    found = [f"{key:<{width}}   {value}" for key, value in result.point.items()]
    rate = result.nfev / max(result.timing["run"], 1e-9)
    rows = [("stopped", result.message), ("points", f"{result.nfev:,}, the best is number {result.index}")]
    if result.n_failed:
        rows.append(("failed", f"{result.n_failed:,} of them gave NaN"))
    speed = _from_journal(result, "units") or f"{float(f'{rate:.3g}'):,.6g} points per second"
    rows.append(("time", f"{_seconds(result.timing['run'])}: {speed}"))
    seed = "" if result.seed is None else f"seed {result.seed}, "
    rows.append(("method", f"{result.method}, {seed}{_where(result)}"))
    head, tail = _facts([("search", name)]), _facts(rows + _troubles(result))
    return "\n".join([*head, "", *found, "", f"{'value':<{width}}   {_number(result.fun)}", "", *tail])


def _from_journal(result: Result, units: str) -> str:
    """In place of a speed, where some of the work had been done before."""
    count = result.get("resumed", 0)
    return f"{count:,} {units} had been done before and are from the journal" if count else ""


def _where(result: Result) -> str:
    if result.get("scheduler"):
        return f"{result.workers} worker{'s' * (result.workers != 1)} of {result.scheduler}"
    return f"{result.threads} thread{'s' * (result.threads != 1)} on {result.get('device', 'cpu')}"


def _troubles(result: Result) -> list[tuple[str, str]]:
    """A line for each of the first things that came to nothing."""
    troubles = result.get("failures", [])
    rows = [
        ("failure", f"{t['unit']}: {t['kind']} {t['attempts']} times: {reason(t['error']):.200}")
        for t in troubles[:FAILURES]
    ]
    more = len(troubles) - len(rows)
    return rows + [("", f"and {more} more: --json has all")] * (more > 0)


def _facts(rows: list[tuple[str, str]]) -> list[str]:
    """Names and texts, wrapped to the terminal."""
    width = min(max(shutil.get_terminal_size((120, 24)).columns, 50), 120)
    return [textwrap.fill(f"{name:<13}{text}", width, subsequent_indent=" " * 13) for name, text in rows]


def _agreement(result: Result) -> str:
    """How many runs end where the best does: what tells whether to trust it."""
    values = result.runs["fun"]
    close = int(np.sum(np.abs(values - result.fun) <= 1e-6 * abs(result.fun) + 1e-12))
    return f"{'all' if close == len(values) else f'{close} of them'} end within 1e-6 of the best"


def _at_bounds(problem: Problem, x: np.ndarray) -> list[str]:
    width = problem.upper - problem.lower
    near = 1e-9 * np.where(np.isfinite(width), width, 1 + np.abs(x))  # some methods only ever halve the way
    lower, upper = x - problem.lower < near, problem.upper - x < near
    return ["at its lower bound" if low else "at its upper bound" if high else "" for low, high in zip(lower, upper)]


def _number(value, whole: bool = False) -> str:
    """Twelve significant digits, at least one after the point; a whole number as it is."""
    if not math.isfinite(value):
        return str(float(value))
    if whole and value == int(value):
        return str(int(value))
    mantissa, e, exponent = f"{value:{NUMBER}}".partition("e")
    mantissa = re.sub(r"0+$", "", mantissa) if "." in mantissa else mantissa
    return mantissa + ("0" if mantissa.endswith(".") else "") + e + exponent


def _digits(value: float, known: float) -> str:
    return "" if math.isnan(known) else f"{agreeing_digits(value, known):>6}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value < 100 else f"{value:,.0f} s"


def _aligned(numbers: list[str]) -> list[str]:
    """The numbers with their points below each other."""
    before = [len(re.split(r"[.e]", number)[0]) for number in numbers]
    return [" " * (max(before) - width) + number for number, width in zip(numbers, before, strict=True)]


def _table(headings: list[str], columns: list[list[str]]) -> list[str]:
    widths = [max(map(len, [heading, *column])) for heading, column in zip(headings, columns, strict=True)]
    rows = [headings, *zip(*columns, strict=True)]
    return ["   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
