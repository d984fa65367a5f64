"""SciPy's own tests, from its installed wheel, with our functions under its names.

    python bench/scipy_suite.py [GROUP ...] [--verbose]

Each group is tests of a module or two, in a process of its own, with the functions of `OURS`
put in the place of SciPy's before the tests are imported. Ours are called as they are, but for one thing: a function of
the tests that Numba cannot compile is evaluated in Python (`objective(f, compiled="auto")`).

What is left out stands in scipy_suite_left_out.txt, one test a line, with a reason: SciPy's own counts of calls, its
traces, private helpers, the words of its messages; and calls that SciPy refuses and ours answers, with which the last
column counts. All else is run and counted. The results of a group take the place of its last ones in the table.

To add a group: a line in GROUPS, and what stands in for SciPy's names in OURS. Tests of `fmin_bfgs` and its kin, older
names of what `minimize` does, are not among them, nor those of methods that are not ours (Powell, TNC, SLSQP, ...).
"""

from __future__ import annotations

import argparse
import fnmatch
import functools
import importlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

from common import RESULTS, machine, save, table, versions

HERE = Path(__file__).parent
LEFT_OUT = HERE / "scipy_suite_left_out.txt"
OUTCOMES = "THALWEG_SCIPY_SUITE"  # the environment variable that names where a run writes its outcomes


class Group(NamedTuple):
    """Tests of modules: those of which a pattern matches the id behind the file's name, and those that are parametrised
    by the method."""

    modules: str  # a blank between them
    tests: tuple[str, ...]
    method: str = ""


SIMPLE, WRAPPER = "TestOptimizeSimple::test_", "TestOptimizeWrapper*::test_"
GROUPS = {
    "least_squares": Group("test_least_squares", ("*",)),
    "curve_fit": Group("test_minpack", ("TestCurveFit::*",)),
    "minimize_scalar": Group(
        "test_optimize", ("TestOptimizeScalar::*", "TestBracket::*", "test_brent_negative_tolerance")
    ),
    "bfgs": Group(
        "test_optimize",
        (
            f"{WRAPPER}bfgs*", f"{SIMPLE}bfgs_nan_return", f"{SIMPLE}bfgs_double_evaluations",
            f"{SIMPLE}minimize_coerce_args_param", "test_obj_func_returns_scalar", f"{SIMPLE}ndim_error",
        ),
        "bfgs",
    ),
    "l_bfgs_b": Group(
        "test_optimize test_lbfgsb_hessinv",
        (f"{SIMPLE}minimize_l_bfgs*", f"{SIMPLE}l_bfgs_b_maxiter", "TestLBFGSBBounds::test_minimize*", "test_[123]"),
        "l-bfgs-b",
    ),
    "cg": Group("test_optimize", (f"{WRAPPER}cg*", f"{WRAPPER}invalid_c1_c2*"), "cg"),
    "newton_cg": Group("test_optimize", (f"{WRAPPER}ncg*", "TestNewtonCg::*"), "newton-cg"),
    "nelder_mead": Group(
        "test_optimize test_minimize_constrained",
        (
            f"{WRAPPER}neldermead*", "test_neldermead*", "TestIterationLimits::test_neldermead*", "test_maxfev_test",
            "TestBoundedNelderMead::*",
        ),
        "nelder-mead",
    ),
    "several": Group(  # each a loop over several methods
        "test_optimize",
        (
            f"{SIMPLE}finite_differences*", f"{SIMPLE}minimize_tol_parameter", f"{SIMPLE}initial_step_scaling",
            f"{SIMPLE}minimize_automethod", "TestOptimizeResultAttributes::*",
            "test_result_x_shape_when_len_x_is_one", "test_x_overwritten_user_function",
        ),
    ),
}  # fmt: skip
NOT_OURS = ("powell", "tnc", "cobyla", "cobyqa", "slsqp", "trust-constr")
# where SciPy's tests find a function -> ours; three are in older_names.py
OURS = {
    "scipy.optimize.least_squares": "least_squares",
    "scipy.optimize.curve_fit": "curve_fit",
    "scipy.optimize._minpack_py.curve_fit": "curve_fit",
    "scipy.optimize.OptimizeWarning": "OptimizeWarning",
    "scipy.optimize._optimize.OptimizeResult": "Result",
    "scipy.optimize.minimize": "minimize",
    "scipy.optimize.minimize_scalar": "minimize_scalar",
    "scipy.optimize.bracket": "bracket",
    "scipy.optimize.brent": "brent",
    "scipy.optimize.golden": "golden",
    "scipy.optimize.fminbound": "fminbound",
}


# --- in the process of the tests: a plugin of pytest ----------------------------------------------------------------


def pytest_configure(config) -> None:
    import older_names

    import thalweg

    for place, name in OURS.items():
        module, _, attribute = place.rpartition(".")
        ours = getattr(older_names if hasattr(older_names, name) else thalweg, name)
        module = importlib.import_module(module)
        if name == "minimize":
            ours = scipys_methods_too(ours, getattr(module, attribute))
        setattr(module, attribute, ours if isinstance(ours, type) else in_python_if_need(ours))


def scipys_methods_too(minimize, of_scipy):
    """Our `minimize`; SciPy's own where a test with several calls comes to a method that is not ours, as all are that
    take constraints."""

    @functools.wraps(minimize)
    def called(fun, *args, **named):
        if str(named.get("method")).lower() in NOT_OURS or named.get("constraints"):
            return of_scipy(getattr(fun, "function", fun), *args, **named)
        return minimize(fun, *args, **named)

    return called


def in_python_if_need(function):
    """Our function, for what Numba cannot compile of the tests' functions."""
    from thalweg import objective

    first = next(iter(inspect.signature(function).parameters))

    def taken(given):
        return objective(given, compiled="auto", check=False) if callable(given) else given

    @functools.wraps(function)
    def called(*args, **named):
        # Arguments stay as they are given, by place or by name: `minimize` reads a point in the place of bounds.
        if args:
            args = (taken(args[0]), *args[1:])
        elif first in named:
            named[first] = taken(named[first])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"(.|\n)*It is (evaluated in Python|found by differences)")
            return function(*args, **named)

    return called


_outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report) -> None:
    if report.when == "call" or report.outcome != "passed":
        name = report.nodeid.partition("::")[2]
        _outcomes[name] = "left out" if hasattr(report, "wasxfail") or report.skipped else report.outcome


def pytest_sessionfinish(session) -> None:
    if OUTCOMES in os.environ:
        Path(os.environ[OUTCOMES]).write_text(json.dumps(_outcomes))


def pytest_collection_modifyitems(config, items) -> None:
    """Keep the tests of the group."""
    patterns, method = json.loads(os.environ[OUTCOMES + "_TESTS"])

    def belongs(item) -> bool:
        name, given = item.nodeid.partition("::")[2], getattr(item, "callspec", None)
        if given is not None and method and "method" in given.params:
            return given.params["method"].lower() == method
        return any(fnmatch.fnmatchcase(name, p) for p in patterns)

    items[:] = [item for item in items if belongs(item)]


# --- outside --------------------------------------------------------------------------------------------------------


def left_out() -> dict[str, dict[str, str]]:
    """group -> test -> reason"""
    found: dict[str, dict[str, str]] = {}
    for line in LEFT_OUT.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            test, reason = line.split("  ", 1)
            group, _, name = test.partition("::")
            found.setdefault(group, {})[name] = reason.strip()
    return found


def run_group(group: str, verbose: bool = False) -> dict[str, str]:
    """test -> passed, failed or skipped"""
    modules, patterns, method = GROUPS[group]
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "outcomes.json"
        environment = os.environ | {OUTCOMES: str(results), OUTCOMES + "_TESTS": json.dumps((patterns, method))}
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [
            sys.executable, "-m", "pytest", "--pyargs", *(f"scipy.optimize.tests.{name}" for name in modules.split()),
            "-p", "scipy_suite", "-q", "-p", "no:cacheprovider",
            "-W", "ignore::pytest.PytestUnknownMarkWarning", "--tb=short", "--no-header",
        ]  # fmt: skip
        told = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
        if verbose or not results.exists():
            print(told.stdout[-200_000:], told.stderr[-5_000:])
        return json.loads(results.read_text()) if results.exists() else {}


HEAD = """# SciPy's own tests

`python bench/scipy_suite.py`: the tests that SciPy's wheel ships, run with our functions under its names. Left out are
those that assert SciPy's counts of calls, traces, private helpers, words or codes, and calls that it refuses and ours
answers: each with its reason in `bench/scipy_suite_left_out.txt`. The share is of all others; in the last column, a
call that is answered where SciPy refuses it has failed.
"""
COLUMNS = ("group", "tests", "skipped by SciPy", "left out", "refusals", "passed", "failed", "share", "with refusals")


def counted(outcomes: dict[str, str], reasons: dict[str, str]) -> dict:
    """How many tests of each kind, and the names of those that failed."""
    refusals = {test for test, reason in reasons.items() if reason.startswith("refusal:")}
    others = {test: outcome for test, outcome in outcomes.items() if test not in reasons}
    return {
        "tests": len(outcomes),
        "skipped": sum(outcome == "left out" for outcome in others.values()),
        "left out": len(reasons) - len(refusals),
        "refusals": len(refusals),
        "passed": sum(outcome == "passed" for outcome in others.values()),
        "failed": sorted(test for test, outcome in others.items() if outcome not in ("passed", "left out")),
    }


def share(row: dict, refusals: bool = False) -> float:
    return row["passed"] / max(row["passed"] + len(row["failed"]) + refusals * row["refusals"], 1)


def as_table(rows: dict[str, dict]) -> str:
    """A row for each group, one for all, and the list of what failed."""
    numbers = ("tests", "skipped", "left out", "refusals", "passed")
    every: dict = {name: sum(row[name] for row in rows.values()) for name in numbers}
    every["failed"] = [f"{group}::{test}" for group, row in rows.items() for test in row["failed"]]
    lines = [
        (name, *(row[n] for n in numbers), len(row["failed"]), f"{share(row):.1%}", f"{share(row, True):.1%}")
        for name, row in [*rows.items(), ("all", every)]
    ]
    told = table(COLUMNS, lines)
    return told + "\n\nFailed:\n\n" + "\n".join(f"- `{name}`" for name in every["failed"]) if every["failed"] else told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default all")
    parser.add_argument("--verbose", action="store_true", help="print what pytest says")
    options = parser.parse_args()
    reasons, results = left_out(), RESULTS / "scipy_suite.json"
    rows = json.loads(results.read_text())["rows"] if results.exists() else {}
    worst = 1.0
    for group in options.groups or GROUPS:
        outcomes, without = run_group(group, options.verbose), reasons.get(group, {})
        for test in without.keys() - outcomes.keys():
            print(f"there is no such test any more: {group}::{test}")
        if outcomes:
            rows[group] = counted(outcomes, without)
            print(as_table({group: rows[group]}))
        worst = min(worst, share(rows[group]) if outcomes else 0.0)
    rows = {group: rows[group] for group in GROUPS if group in rows}
    made_by = versions("scipy")
    about = f"{HEAD}\n{machine()}\n\n{made_by}\n\n{as_table(rows)}"
    save("scipy_suite", {"machine": machine(), "versions": made_by, "rows": rows}, about)
    return 0 if worst >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
