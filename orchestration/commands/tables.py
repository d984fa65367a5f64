"""What there is: the tables of solvers and of test functions."""

from __future__ import annotations

import dataclasses
import inspect
import re

import click

from ...kernels.functions import FUNCTIONS
from ...solvers import SOLVERS
from .printing import plain_table, print_table


def print_solvers() -> None:
    """Name and summary of each solver, and below them its options with defaults and meaning."""
    for solver in SOLVERS.values():
        click.echo(f"{solver.name}   {solver.summary}")
        table = plain_table()
        meanings = option_meanings(solver.Options)
        for field in dataclasses.fields(solver.Options):
            table.add_row("  ", field.name, str(field.default), meanings.get(field.name, ""))
        print_table(table)
        click.echo()
    click.echo("auto chooses among them by dimension and budget.")
    click.echo("Options are set by: thalweg run FILE --option population=100")


def option_meanings(options: type) -> dict[str, str]:
    """What the comments beside the fields say, inherited ones, too: symbol, range, default."""
    meanings = {}
    for owner in reversed(options.__mro__[:-1]):
        try:
            source = inspect.getsource(owner)
        except OSError:  # an installation without sources
            return {}
        meanings |= dict(re.findall(r"^ {4}(\w+): .*?  # (?!type:)(.*)$", source, re.MULTILINE))
    return meanings


def print_functions() -> None:
    """A row for each test function."""
    rows = [entry.summary() for entry in FUNCTIONS.values()]
    table = plain_table(*rows[0])
    for row in sorted(rows, key=lambda row: row["name"]):
        table.add_row(*row.values())
    print_table(table)
    click.echo(f"\n{len(rows)} functions; from Python: thalweg.kernels.functions.problem(name, dimension)")
