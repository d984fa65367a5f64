"""Nelder-Mead beside SciPy's adaptive one: which of 43 unconstrained problems are solved, and how fast.

    python bench/nelder_mead.py [--budget 2000] [--repeats 5] [--quick] [--scipy-only] [NAME ...]

Both begin at the published point, may make the same number of evaluations (the budget times n), have the same
tolerances on x and f (1e-8, absolute, both must hold), and call the same Python function compiled by Numba. A problem
is solved when f - f_ref <= 1e-6 max(1, |f_ref|).

First every answer is validated: f is recomputed at x in plain Python, the evaluations are counted. Then the solves are
timed whole, each call as a user would make it, in interleaved repeats; compilation happens before the clock starts.
"""

import argparse
import time
from typing import NamedTuple

import numba
import numpy as np
from common import machine, pairwise, save, table, versions
from scipy import optimize
from unconstrained import PROBLEMS

TOLERANCE = 1e-8  # of x and of f
SOLVED = 1e-6
REQUIRED = 20.0  # times SciPy's speed
CALLS = 10  # of ours within a repeat: a single one is too short for the clock


class Solve(NamedTuple):
    """What a solver hands back."""

    x: np.ndarray
    fun: float
    nfev: int


def run_scipy(fun, x0, budget):
    """SciPy's adaptive Nelder-Mead; `fun` is compiled."""
    options = {"adaptive": True, "maxfev": budget, "maxiter": 10**9, "xatol": TOLERANCE, "fatol": TOLERANCE}
    with np.errstate(invalid="ignore", over="ignore"):  # inf - inf in its test of convergence
        result = optimize.minimize(fun, x0, method="Nelder-Mead", options=options)
    return Solve(result.x, float(result.fun), result.nfev)


def run_thalweg(fun, x0, budget):
    """Ours; `fun` is plain Python, compiled at the first call."""
    from thalweg.solvers import minimize

    options = {"xtol": TOLERANCE}
    result = minimize(fun, x0=x0, method="nelder_mead", max_evals=budget, ftol=TOLERANCE, options=options)
    return Solve(result.x, float(result.fun), result.nfev)


def uncompiled(fun):
    """What thalweg takes in place of a function that Numba cannot compile."""
    from thalweg.kernels import objective

    return objective(fun, compiled=False)


def counting(fun):
    """A function that Python calls, and the list whose only entry is how often."""
    seen = [0]

    def counted(x):
        seen[0] += 1
        return fun(x)

    return counted, seen


def excess(problem, value):
    """How far above the minimum, in units of max(1, |f_ref|)."""
    return (value - problem.f_ref) / max(1.0, abs(problem.f_ref))


def validate(name, problem, run, fun, wrap, budget):
    """One solve, its value and its count checked."""
    found = run(fun, problem.x0, budget)
    again = float(problem.fun(found.x))
    assert abs(again - found.fun) <= 1e-9 * (1 + abs(found.fun)), f"{name} reports {found.fun}, f(x) is {again}"
    assert found.nfev <= budget, f"{name}: {found.nfev} evaluations, allowed are {budget}"
    counted, seen = counting(problem.fun)
    claimed = run(wrap(counted), problem.x0, few := 20 * len(problem.x0)).nfev
    assert claimed == seen[0] <= few, f"{name} claims {claimed} evaluations, made {seen[0]}, allowed are {few}"
    return found


def seconds(run, fun, x0, budget, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        run(fun, x0, budget)
    return (time.perf_counter() - begin) / calls


class Row(NamedTuple):
    """One problem; lists are over the repeats."""

    problem: object
    scipy: Solve
    ours: Solve | None
    scipy_seconds: list
    our_seconds: list
    scipy_floor: list  # of calls that only evaluate the first simplex
    our_floor: list

    def solved(self):
        """Of SciPy, of ours; None where ours did not run."""
        return [None if s is None else excess(self.problem, s.fun) <= SOLVED for s in (self.scipy, self.ours)]

    def whole(self):
        """By how much our solve is faster, repeat by repeat."""
        return pairwise(self.scipy_seconds, self.our_seconds)

    def rate(self):
        """By how much our evaluation is faster: the stops differ, and with them the counts."""
        equal = self.ours.nfev / self.scipy.nfev
        return tuple(equal * ratio for ratio in self.whole())

    def microseconds(self):
        spent = [(self.scipy_seconds, self.scipy)] + [(self.our_seconds, self.ours)] * bool(self.our_seconds)
        return [1e6 * float(np.median(s)) / found.nfev for s, found in spent]

    def cells(self):
        scipy, ours = self.solved()
        theirs = [f"{self.scipy.fun:.9g}", f"{self.scipy.nfev:,}", "yes" if scipy else "no"]
        cells = [self.problem.name, len(self.problem.x0), f"{self.problem.f_ref:.9g}", *theirs]
        if self.ours is None:
            return [*cells, *(f"{m:.2f}" for m in self.microseconds())]
        cells += [f"{self.ours.fun:.9g}", f"{self.ours.nfev:,}", "yes" if ours else "no"]
        cells += [f"{m:.3g}" for m in self.microseconds()]
        return [*cells, f"{self.rate()[0]:.1f}", f"{self.whole()[0]:.1f}"]

    def data(self):
        found = {"scipy": self.scipy, "thalweg": self.ours}
        return {
            "name": self.problem.name,
            "n": len(self.problem.x0),
            "f_ref": self.problem.f_ref,
            "fun": {k: v.fun for k, v in found.items() if v},
            "nfev": {k: v.nfev for k, v in found.items() if v},
            "seconds": {"scipy": self.scipy_seconds, "thalweg": self.our_seconds},
            "floor": {"scipy": self.scipy_floor, "thalweg": self.our_floor},
        }


def measure(problems, per_variable, repeats, ours):
    """Validate all, then time all."""
    compiled, found = {}, {}
    for problem in problems:
        budget = per_variable * len(problem.x0)
        compiled[problem.name] = numba.njit(problem.fun)
        theirs = validate("scipy", problem, run_scipy, compiled[problem.name], lambda f: f, budget)
        mine = None
        if ours:
            mine = validate("thalweg", problem, run_thalweg, problem.fun, uncompiled, budget)
        found[problem.name] = Row(problem, theirs, mine, [], [], [], [])
        print(*found[problem.name].solved(), problem.name, *(s.fun for s in (theirs, mine) if s), flush=True)
    rows = list(found.values())
    for _ in range(repeats):
        for row in rows:
            x0, fun = row.problem.x0, compiled[row.problem.name]
            whole, least = per_variable * len(x0), len(x0) + 1
            row.scipy_seconds.append(seconds(run_scipy, fun, x0, whole, 1))
            row.scipy_floor.append(seconds(run_scipy, fun, x0, least, CALLS))
            if ours:
                row.our_seconds.append(seconds(run_thalweg, row.problem.fun, x0, whole, CALLS))
                row.our_floor.append(seconds(run_thalweg, row.problem.fun, x0, least, CALLS))
    return rows


def side_by_side(rows, which):
    """One solver over all problems: what it solved, its counts, seconds, and seconds of the first simplex alone."""
    found = [(row.scipy, row.ours)[which] for row in rows]
    return (
        [row.problem.name for row in rows if not row.solved()[which]],
        np.array([solve.nfev for solve in found]),
        np.array([np.median((row.scipy_seconds, row.our_seconds)[which]) for row in rows]),
        np.array([np.median((row.scipy_floor, row.our_floor)[which]) for row in rows]),
    )


def summary(rows):
    """The requirements, met or missed."""
    failed, count, spent, floor = side_by_side(rows, 0)
    lines = [
        f"SciPy solves {len(rows) - len(failed)} of {len(rows)}, {spent.sum():.2f} s for {count.sum():,} evaluations; "
        f"not: {', '.join(failed) or 'none'}."
    ]
    if rows[0].ours is None:
        return lines[0]
    our_failed, our_count, our_spent, our_floor = side_by_side(rows, 1)
    first = np.array([len(row.problem.x0) + 1 for row in rows])
    rates, wholes = [row.rate()[0] for row in rows], [row.whole()[0] for row in rows]
    overall = (spent.sum() / count.sum()) / (our_spent.sum() / our_count.sum())
    beyond = (spent - floor).sum() / (count - first).sum()
    our_beyond = (our_spent - our_floor).sum() / (our_count - first).sum()
    lines += [
        f"thalweg solves {len(rows) - len(our_failed)}, {our_spent.sum():.3f} s for {our_count.sum():,}; "
        f"not: {', '.join(our_failed) or 'none'}. At least as many: {verdict(len(our_failed) <= len(failed))}.",
        f"Faster per evaluation, calls included, over all problems: {overall:.1f}; {REQUIRED:g} times: "
        f"{verdict(overall >= REQUIRED)}. Median of the problems {np.median(rates):.1f} ({min(rates):.1f} to "
        f"{max(rates):.1f}).",
        f"Faster per solve: median of the problems {np.median(wholes):.1f} ({min(wholes):.1f} to {max(wholes):.1f}), "
        f"all together {spent.sum() / our_spent.sum():.1f}.",
        f"A call that evaluates the first simplex only takes {1e3 * np.median(floor):.3f} ms with SciPy, "
        f"{1e3 * np.median(our_floor):.3f} ms with thalweg. Beyond that, an evaluation takes {1e6 * beyond:.2f} and "
        f"{1e6 * our_beyond:.3f} µs: faster by {beyond / our_beyond:.1f}.",
    ]
    return "\n\n".join(lines)


def verdict(holds):
    return "met" if holds else "MISSED"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the problems only; nothing is written")
    parser.add_argument("--budget", type=int, default=2000, help="evaluations per variable")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a smoke run: a tenth of the budget, nothing written")
    parser.add_argument("--scipy-only", action="store_true", help="nothing written")
    a = parser.parse_args()
    unknown = set(a.names) - {problem.name for problem in PROBLEMS}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(problem.name for problem in PROBLEMS)}")
    problems = [problem for problem in PROBLEMS if not a.names or problem.name in a.names]
    budget, repeats = (a.budget // 10, 2) if a.quick else (a.budget, a.repeats)
    rows = measure(problems, budget, repeats, not a.scipy_only)

    head = ["problem", "n", "f_ref", "SciPy f", "evaluations", "solved"]
    both = ["thalweg f", "evaluations", "solved", "SciPy µs", "thalweg µs", "rate", "solve"]
    head += ["µs"] if a.scipy_only else both
    text = f"""# Nelder-Mead

{machine()}

{versions("scipy")}

At most {budget:,} evaluations per variable; tolerances {TOLERANCE:g} on x and f; solved: f - f_ref <= {SOLVED:g} max(1,
|f_ref|). µs: per evaluation, of the whole solve, median of {repeats} interleaved repeats. rate, solve: by how much
ours is faster, per evaluation and per solve.

{table(head, [row.cells() for row in rows])}

{summary(rows)}
"""
    print(text)
    if not (a.names or a.quick or a.scipy_only):
        data = {"machine": machine(), "versions": versions("scipy"), "budget": budget, "tolerance": TOLERANCE}
        save("nelder_mead", data | {"problems": [row.data() for row in rows]}, text)


if __name__ == "__main__":
    main()
