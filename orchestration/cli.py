"""The command `thalweg`. What a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import contextlib
import math
import os
import sys

import click

RESTARTS = 10  # of `thalweg run`: one run of a global method may end in a valley beside the deepest


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="thalweg", prog_name="thalweg")
def main():
    """An optimisation engine: objectives in plain Python, solvers at the speed of compiled code."""
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        raise click.ClickException("NUMBA_DISABLE_JIT is set, and solvers only run compiled: unset it")


class WholeNumber(click.ParamType):
    """A whole number that may be written 1e6."""

    name = "integer"

    def convert(self, value, param, ctx):
        try:
            return int(value)
        except (TypeError, ValueError):
            pass
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = 0.5
        if not number.is_integer():
            self.fail(f"got {value!r}, expected a whole number", param, ctx)
        return int(number)


@main.command()
@click.argument("file", metavar="FILE[:NAME]")
@click.option("--method", default="auto", show_default=True, help="One of `thalweg solvers`, or auto.")
@click.option("--seed", type=WholeNumber(), help="The same seed gives the same bits. Default: drawn, and printed.")
@click.option("--restarts", type=WholeNumber(), help=f"Runs. Default: {RESTARTS}; with --max-time alone, what fits.")
@click.option("--threads", type=WholeNumber(), help="Default: all cores.")
@click.option("--max-evals", type=WholeNumber(), help="Evaluations per run. Default: 10,000 per variable.")
@click.option("--max-iters", type=WholeNumber(), help="Iterations per run: generations, or steps.")
@click.option("--max-time", type=float, help="Seconds.")
@click.option("--target", type=float, help="Stop when a value <= this is found; exit code 1 if none is.")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the method; may be repeated.")
@click.option("--checkpoint", type=click.Path(dir_okay=False), help="Written as it runs; resumed if it exists.")
@click.option("--json", is_flag=True, help="Print the whole result as JSON, and nothing else.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.pass_context
def run(context, file, json, quiet, restarts, **settings):
    """Minimise the Problem in a Python file.

    Prints the answer beside what is known of it. The file holds module-level
    `thalweg.Problem`s; where it holds several, NAME chooses one.

    Exit code: 0 done, 1 not what was asked for (target missed, interrupted, exception in the objective), 2 bad input.
    """
    from .commands.report import answer
    from .commands.run import run_file

    if restarts is None:  # with max_time alone, one is repeated until the time is up
        endless = settings["max_time"] not in (None, float("inf")) and not (
            settings["max_evals"] or settings["max_iters"]
        )
        restarts = 1 if endless else RESTARTS
    # What the user's file prints must not come between the lines of the JSON.
    with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
        loaded, result = run_file(file, progress=not quiet, restarts=restarts, **settings)
    _print(context, json, loaded, result, answer(loaded.problem, loaded.name, result), settings["target"])


def _many(command):
    """The options of `restarts` and `search` on where and how to work."""
    for option in reversed((
        click.option("--seed", type=WholeNumber(), help="The same seed, the same bits. Default: drawn, and printed."),
        click.option("--scheduler", metavar="ADDRESS", help="Of a Dask cluster: its workers do the work."),
        click.option("--workers", type=WholeNumber(), help="Start so many worker processes here."),
        click.option("--threads", type=WholeNumber(), help="Of this process, without workers. Default: all cores."),
        click.option("--max-time", type=float, help="Seconds."),
        click.option("--journal", type=click.Path(dir_okay=False), help="Appended as it runs; resumed if it exists."),
        click.option("--retries", type=WholeNumber(), default=2, show_default=True, help="Of what failed."),
        click.option("--task-timeout", type=float, help="Seconds that one run or point may take."),
        click.option("--json", is_flag=True, help="Print the whole result as JSON, and nothing else."),
        click.option("--quiet", is_flag=True, help="Show no progress."),
    )):  # fmt: skip
        command = option(command)
    return command


@main.command()
@click.argument("file", metavar="FILE[:NAME]")
@click.option("--runs", type=WholeNumber(), default=100, show_default=True)
@click.option("--coordinated", is_flag=True, help="Later runs search where earlier ones were good.")
@click.option("--method", default="auto", show_default=True, help="One of `thalweg solvers`, or auto.")
@click.option("--max-evals", type=WholeNumber(), help="Evaluations per run. Default: 10,000 per variable.")
@click.option("--max-iters", type=WholeNumber(), help="Iterations per run: generations, or steps.")
@click.option("--total-evals", type=WholeNumber(), help="Evaluations of all runs together, at most.")
@click.option("--target", type=float, help="Stop when a value <= this is found; exit code 1 if none is.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the method; may be repeated.")
@_many
@click.pass_context
def restarts(context, file, json, quiet, **settings):
    """Minimise the Problem in a Python file by many runs, here or on a Dask cluster.

    Exit code: 0 done, 1 not what was asked for (target missed, interrupted, no run came to an end), 2 bad input.
    """
    from .commands.many import restarts_file
    from .commands.report import answer

    with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
        loaded, result = restarts_file(file, progress=not quiet, **settings)
    _print(context, json, loaded, result, answer(loaded.problem, loaded.name, result), settings["target"])


@main.command()
@click.argument("file", metavar="FILE[:NAME]")
@click.option("--levels", type=WholeNumber(), help="A grid of so many points along each real variable.")
@click.option("--points", type=WholeNumber(), help="So many random points instead of a grid.")
@click.option("--sampling", default="random", show_default=True, help="Of --points: random, sobol or lhs.")
@click.option("--target", type=float, help="Stop at the first point with a value <= this.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or cuda for a Problem.")
@_many
@click.pass_context
def search(context, file, json, quiet, **settings):
    """Try the points of a grid, or random points, of what a Python file holds.

    That is a Problem, or a function (NAME, by default `train`) that is called as train(**point), beside a module-level
    `space`: a dict of names and what they may be.

    Exit code: 0 done, 1 not what was asked for (target missed, interrupted, no point came to an end), 2 bad input.
    """
    from .commands.many import search_file
    from .commands.report import points

    with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
        loaded, result = search_file(file, progress=not quiet, **settings)
    _print(context, json, loaded, result, points(loaded.name, result), settings["target"])


def fulfilled(result, target: float | None) -> bool:
    """Whether a command did what it was asked for: a spent budget is no failure of the command, a missed target is."""
    from ..solvers import StopReason

    ended = (
        StopReason.OUT_OF_BUDGET, StopReason.OUT_OF_ITERATIONS, StopReason.STALLED, StopReason.ENDED,
        StopReason.OUT_OF_TIME,
    )  # fmt: skip
    return result.success or (target is None and result.stop_reason in ended and math.isfinite(result.fun))


def _print(context, json: bool, loaded, result, report: str, target: float | None) -> None:
    from .commands.as_json import as_json

    click.echo(as_json(loaded.problem, loaded.name, result) if json else report)
    context.exit(0 if fulfilled(result, target) else 1)


@main.command()
@click.argument("file")
@click.option("--json", is_flag=True, help="Print all of it but the records as JSON, and nothing else.")
def journal(file, json):
    """What a journal tells: what ran, the best, how long it took and where, and what failed.

    It may be read while it is being written. Exit code: 0, or 2 if FILE is no journal.
    """
    from .commands.journal import as_json, print_report, summary

    told = summary(file)
    if json:
        click.echo(as_json(told))
    else:
        print_report(told)


@main.command()
def solvers():
    """The methods, their options and the defaults."""
    from .commands.tables import print_solvers

    print_solvers()


@main.command()
def functions():
    """The test functions: dimension, box, minimum, traits."""
    from .commands.tables import print_functions

    print_functions()


@main.command()
@click.argument("methods", nargs=-1, metavar="[METHOD]...")
@click.option("--all", "everything", is_flag=True, help="Every method there is.")
def warm(methods, everything):
    """Fill the disk cache with compiled methods.

    Those named; without a name those that `auto` may choose. Later only objectives are compiled.
    """
    from ..solvers import SOLVERS
    from ..solvers.driving.method_names import find_method
    from ..solvers.driving.settings import CHOSEN_BY_AUTO
    from .commands.load import Refusal
    from .commands.warm import fill_cache

    try:
        found = [find_method(name) for name in methods]
    except ValueError as error:
        raise Refusal(f"METHOD: {str(error).removeprefix('method: ')}") from None
    named = [name for solver in found for name in (CHOSEN_BY_AUTO if isinstance(solver, str) else [solver.name])]
    fill_cache(tuple(SOLVERS) if everything else named or CHOSEN_BY_AUTO)


@main.command()
def info():
    """Versions, threading layer, CPU, GPU, cache."""
    from .commands.info import describe

    for name, text in describe():
        click.echo(f"{name:<17}{text}")


if __name__ == "__main__":
    main()
