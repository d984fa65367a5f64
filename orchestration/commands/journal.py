"""`thalweg journal`: what ran, the best, how long it took and where, and what failed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

import click

from ..journal import read_journal
from .printing import plain_table, print_table
from .reason import reason

ROWS = 40  # variables, workers or failures that are printed; --json has all
NUMBER = ".12g"
RAN = ("method", "sampling", "seed")  # of the header, beside what kind of work it was


def summary(file: str) -> dict:
    """Everything but the records.

    Raises
    ------
    Refusal
        If the file is no journal.
    """
    try:
        header, records, failures = read_journal(file)
    except (OSError, ValueError) as error:
        from .load import Refusal  # brings the compiler with it

        raise Refusal(f"FILE: {error.strerror}: {file}" if isinstance(error, OSError) else str(error)) from None
    entries = [*records.values(), *failures.values()]
    return {
        "journal": file,
        "header": header,
        "done": len(records),
        "total": header.get("units"),
        "best": min(records.values(), key=lambda record: (_value(record), record["unit"]), default=None),
        "seconds": sum(record.get("seconds", 0.0) for record in records.values()),
        "wall": _wall(header, [entry["time"] for entry in entries if "time" in entry]),
        "workers": _workers(records, failures),
        "failures": [failures[unit] for unit in sorted(failures)],
    }


def _value(record: dict) -> float:
    value = record.get("fun", math.inf)
    return math.inf if math.isnan(value) else value


def _wall(header: dict, times: list[str]) -> float:
    """Seconds from each start to the last that was written before the next. All are ISO texts of one time zone."""
    starts = [header["started"], *header["resumed"]]
    seconds = 0.0
    for start, following in zip(starts, [*starts[1:], "~"]):
        last = max((time for time in times if start <= time < following), default=start)
        seconds += (datetime.fromisoformat(last) - datetime.fromisoformat(start)).total_seconds()
    return seconds


def _workers(records: dict[int, dict], failures: dict[int, dict]) -> list[dict]:
    units = Counter(record.get("worker", "unknown") for record in records.values())
    failed = Counter(worker for failure in failures.values() for worker in failure.get("workers", ()))
    seconds = Counter()
    for record in records.values():
        seconds[record.get("worker", "unknown")] += record.get("seconds", 0.0)
    return [
        {"worker": worker, "units": units[worker], "seconds": seconds[worker], "failures": failed[worker]}
        for worker in sorted(units | failed)
    ]


def as_json(told: dict) -> str:
    """null stands for inf and nan."""
    return json.dumps(json.loads(json.dumps(told), parse_constant=lambda name: None), indent=2)


def print_report(told: dict) -> None:
    facts = plain_table("", "")
    for row in _facts(told):
        facts.add_row(*row)
    print_table(facts)
    _print_rows(
        ("worker", "units", "seconds", "failed attempts"),
        [(w["worker"], f"{w['units']:,}", f"{w['seconds']:.1f}", f"{w['failures']:,}") for w in told["workers"]],
    )
    _print_rows(
        ("unit", "failed", "attempts", "workers", "error"),
        [
            (str(f["unit"]), f["failed"], str(f.get("attempts", 1)), _list(f.get("workers", ())), _last_line(f))
            for f in told["failures"]
        ],
    )


def _facts(told: dict) -> Iterator[tuple[str, str]]:
    header, best, total = told["header"], told["best"], told["total"]
    yield "journal", told["journal"]
    yield "ran", ", ".join([header.get("work", "unknown"), *(f"{key} {header[key]}" for key in RAN if key in header)])
    if header.get("options"):
        yield "options", _pairs(header["options"])
    yield "started", header["started"]
    if header["resumed"]:
        times = len(header["resumed"])
        yield "resumed", f"{times} time{'s' * (times != 1)}, last {header['resumed'][-1]}"
    yield "versions", _pairs(header.get("versions", {}))
    yield "done", f"{told['done']:,}" + (f" of {total:,}" if total is not None else "")
    yield "time", f"{_time(told['wall'])}, in which {_time(told['seconds'])} of work were done"
    if best is not None:
        yield "best", f"{_number(best.get('fun', math.nan))} in unit {best['unit']}"
        variables = list(_variables(best, header))
        yield from variables[:ROWS]
        if len(variables) > ROWS:
            yield "...", f"{len(variables) - ROWS} more variables: --json has all"


def _variables(best: dict, header: dict) -> Iterator[tuple[str, str]]:
    """Those of the point, or of x."""
    x = best.get("x") or []
    names = header.get("names") or [f"x[{k}]" for k in range(len(x))]
    point = best.get("point") or dict(zip(names, x))
    for name, value in point.items():
        yield name, _number(value)


def _print_rows(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    if not rows:
        return
    click.echo()
    table = plain_table(*headings)
    for row in rows[:ROWS]:
        table.add_row(*row)
    print_table(table)
    if len(rows) > ROWS:
        click.echo(f"... {len(rows) - ROWS} more: --json has all")


def _last_line(failure: dict) -> str:
    return reason(click.unstyle(failure.get("error", "")))


def _list(workers) -> str:
    return ", ".join(dict.fromkeys(workers))


def _pairs(named: dict) -> str:
    return ", ".join(f"{name} {value}" for name, value in named.items())


def _number(value) -> str:
    return f"{value:{NUMBER}}" if isinstance(value, float) else str(value)


def _time(seconds: float) -> str:
    """12.3 s, 0:12:34. As `times` has it, which would bring the compiler with it."""
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
