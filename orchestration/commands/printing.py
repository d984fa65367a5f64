"""Tables on a terminal, in a pipe or in a file."""

from __future__ import annotations

import os

import click
from rich.console import Console
from rich.table import Table

WIDE = 160  # of a pipe or a file: a row is one line, for grep


def print_table(table: Table) -> None:
    """As wide as the terminal, or as COLUMNS says, or `WIDE`; no line ends with blanks."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not (console.is_terminal or "COLUMNS" in os.environ):
        console = Console(highlight=False, markup=False, emoji=False, width=WIDE)
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def plain_table(*headings: str) -> Table:
    """Columns without lines; with headings if any is given."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(headings))
    for heading in headings:
        table.add_column(heading, no_wrap=heading == "name", overflow="fold", header_style="bold")
    return table
