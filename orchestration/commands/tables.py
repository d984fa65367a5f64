"""What there is: the tables of solvers and of test functions."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re

import click
from rich.console import Console
from rich.table import Table

from ...kernels.functions import FUNCTIONS
from ...solvers import SOLVERS

WIDE = 160  # of a pipe or a file: a row is one line, for grep


def print_solvers() -> None:
    """Name and summary of each solver, and below them its options with defaults and meaning."""
    for solver in SOLVERS.values():
        click.echo(f"{solver.name}   {solver.summary}")
        table = _plain_table()
        meanings = option_meanings(solver.Options)
        for field in dataclasses.fields(solver.Options):
            table.add_row("  ", field.name, str(field.default), meanings.get(field.name, ""))
        _print(table)
        click.echo()
    click.echo("auto chooses among them by dimension and budget.")
    click.echo("Options are set by: thalweg run FILE --option population=100")


def option_meanings(options: type) -> dict[str, str]:
    """What the comments beside the fields say: symbol, range, default."""
    try:
        source = inspect.getsource(options)
    except OSError:  # an installation without sources
        return {}
    return dict(re.findall(r"^ {4}(\w+): .*?  # (.*)$", source, re.MULTILINE))


def print_functions() -> None:
    """A row for each test function."""
    rows = [entry.summary() for entry in FUNCTIONS.values()]
    table = _plain_table(*rows[0])
    for row in sorted(rows, key=lambda row: row["name"]):
        table.add_row(*row.values())
    _print(table)
    click.echo(f"\n{len(rows)} functions; from Python: thalweg.kernels.functions.problem(name, dimension)")


def _print(table: Table) -> None:
    """As wide as the terminal, or as COLUMNS says, or `WIDE`; no line ends with blanks."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not (console.is_terminal or "COLUMNS" in os.environ):
        console = Console(highlight=False, markup=False, emoji=False, width=WIDE)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _plain_table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=bool(headings))
    for heading in headings:
        table.add_column(heading, no_wrap=heading == "name", overflow="fold", header_style="bold")
    return table
