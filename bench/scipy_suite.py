"""SciPy's own tests, from its installed wheel, with our functions under its names.

    python bench/scipy_suite.py [GROUP ...] [--verbose]

Each group is a module of tests of which the ones named are run, in a process of its own, with the functions of `OURS`
put in the place of SciPy's before the tests are imported. Ours are called as they are, but for one thing: a function of
the tests that Numba cannot compile is evaluated in Python (`objective(f, compiled="auto")`).

What is left out stands in scipy_suite_left_out.txt, one test a line, with a reason: SciPy's own counts of calls, its
traces, private helpers, the words of its messages. All else is run and counted.

To add a group: a line in GROUPS, and what stands in for SciPy's names in OURS.
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

HERE = Path(__file__).parent
LEFT_OUT = HERE / "scipy_suite_left_out.txt"
RESULTS = "THALWEG_SCIPY_SUITE"  # the environment variable that names where a run writes its outcomes

# group -> (module of tests, the tests in it: patterns of their ids behind the file's name)
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "least_squares": ("test_least_squares", ("*",)),
    "curve_fit": ("test_minpack", ("TestCurveFit::*",)),
    "quasi_newton": (
        "test_optimize",
        (
            "TestOptimizeWrapper*::test_bfgs*",
            "TestOptimizeSimple::test_bfgs*",
            "TestOptimizeSimple::test_minimize_l_bfgs*",
            "TestLBFGSBBounds::test_minimize*",
            "test_memoize_jac_with_bfgs*",
        ),
    ),
    "minimize_scalar": (
        "test_optimize",
        ("TestOptimizeScalar::*", "TestBracket::*", "test_brent_negative_tolerance"),
    ),
}
# where SciPy's tests find a function -> ours; three are in older_names.py
OURS = {
    "scipy.optimize.least_squares": "least_squares",
    "scipy.optimize.curve_fit": "curve_fit",
    "scipy.optimize._minpack_py.curve_fit": "curve_fit",
    "scipy.optimize.OptimizeWarning": "OptimizeWarning",
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
        setattr(importlib.import_module(module), attribute, ours if isinstance(ours, type) else in_python_if_need(ours))


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
    if RESULTS in os.environ:
        Path(os.environ[RESULTS]).write_text(json.dumps(_outcomes))


def pytest_collection_modifyitems(config, items) -> None:
    """Keep the tests of the group."""
    patterns = json.loads(os.environ[RESULTS + "_TESTS"])
    names = {item: item.nodeid.partition("::")[2] for item in items}
    items[:] = [item for item, name in names.items() if any(fnmatch.fnmatchcase(name, p) for p in patterns)]


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
    module, patterns = GROUPS[group]
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "outcomes.json"
        environment = os.environ | {RESULTS: str(results), RESULTS + "_TESTS": json.dumps(patterns)}
        environment["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
        command = [
            sys.executable, "-m", "pytest", "--pyargs", f"scipy.optimize.tests.{module}", "-p", "scipy_suite", "-q",
            "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestUnknownMarkWarning", "--tb=short", "--no-header",
        ]  # fmt: skip
        told = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
        if verbose or not results.exists():
            print(told.stdout[-200_000:], told.stderr[-5_000:])
        return json.loads(results.read_text()) if results.exists() else {}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default all")
    parser.add_argument("--verbose", action="store_true", help="print what pytest says")
    options = parser.parse_args()
    reasons, worst = left_out(), 1.0
    print(f"{'group':24} {'passed':>7} {'failed':>7} {'left out':>9} {'share':>7}")
    for group in options.groups or GROUPS:
        outcomes = run_group(group, options.verbose)
        without = reasons.get(group, {})
        counted = {test: outcome for test, outcome in outcomes.items() if test not in without and outcome != "left out"}
        passed = sum(outcome == "passed" for outcome in counted.values())
        share = passed / max(len(counted), 1)
        worst = min(worst, share)
        print(f"{group:24} {passed:7} {len(counted) - passed:7} {len(outcomes) - len(counted):9} {share:7.1%}")
        for test, outcome in counted.items():
            if outcome != "passed":
                print(f"    {outcome}: {test}")
        for test in without.keys() - outcomes.keys():
            print(f"    there is no such test any more: {group}::{test}")
    return 0 if worst >= 0.9 else 1


if __name__ == "__main__":
    sys.exit(main())
