"""`thalweg run`: a file and settings as strings of the command line in, a result or a short refusal out."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Iterator

import click

from ...solvers import minimize
from ..runs import NothingDone
from .load import Loaded, Refusal, load, traceback_within

REFUSED = re.compile(r"[a-z_0-9]+(\[\d+\])*(, [a-z_0-9]+)*: ")  # how every message of ours on an argument begins
NOTE = "raised by the objective"
WORDS = {"none": None, "true": True, "false": False}


class Raised(click.ClickException):
    """The objective raised an exception, or nothing came to an end: why, exit code 1."""


def run_file(file: str, *, options=(), progress: bool = True, **settings):
    """Load the problem and minimise it: (Loaded, Result). `options`: texts key=value; `settings`: as in `minimize`.

    Raises
    ------
    click.ClickException
        With what the user is to read; anything else that comes out is an error of ours.
    """
    loaded = load(file)
    with explained(loaded, progress):
        return loaded, minimize(loaded.problem, options=parse_options(options), progress=progress, **settings)


@contextlib.contextmanager
def explained(loaded: Loaded, progress: bool) -> Iterator[None]:
    """Around a call of the library: what it raises becomes what the user is to read."""
    announce(loaded, progress)
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        announce(loaded, False)
        raise explain(error, loaded) from None
    if progress and sys.stderr.isatty():
        click.echo(err=True)


def announce(loaded: Loaded, begins: bool) -> None:
    """On a terminal, say that it compiles: a first run takes seconds before there is progress to see. The line of the
    progress begins at the same place and is longer."""
    if sys.stderr.isatty():
        text = f"{loaded.name}: compiling ..."
        click.echo("\r" + (text if begins else " " * len(text)) + "\r", err=True, nl=False)


def explain(error: Exception, loaded: Loaded) -> Exception:
    """What to raise in place of an exception out of `minimize`."""
    if any(note.startswith(NOTE) for note in getattr(error, "__notes__", ())):
        files = {str(loaded.path), _file_of(loaded.problem.fun)}
        return Raised(f"the objective of {loaded.name} raised an exception\n{traceback_within(error, files)}")
    if isinstance(error, NothingDone):
        return Raised(str(error))
    if isinstance(error, OSError):
        return Refusal(f"{error.strerror or error}: {error.filename}")
    if isinstance(error, ImportError) or REFUSED.match(str(error)):
        return Refusal(str(error))
    return error


def _file_of(function) -> str:
    function = inspect.unwrap(getattr(function, "function", function))  # an Objective holds the function
    code = getattr(getattr(function, "py_func", function), "__code__", None)
    return code.co_filename if code else ""


def parse_options(texts) -> dict | None:
    return dict(map(_parse_option, texts)) or None


def _parse_option(text: str):
    """`key=value` as (key, value): a number where it reads as one, else one of `WORDS`, else text."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise Refusal(f"--option: got {text!r}, expected KEY=VALUE, for example population=100")
    key, value = key.strip(), value.strip()
    for convert in (int, float):
        try:
            return key, convert(value)
        except ValueError:
            continue
    return key, WORDS.get(value.lower(), value)
