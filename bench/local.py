"""Local methods beside SciPy's: which of 74 problems they solve, and with how many evaluations.

    python bench/local.py [--scipy-only] [--methods NAME ...] [--budget 20000] [NAME ...]

First-order methods against SciPy's BFGS, L-BFGS-B, CG and TNC, second-order ones against its Newton-CG, trust-exact,
trust-krylov, trust-ncg and dogleg: the problems of `bench/local_problems.py`, from the published starts (moved into the
bounds), with the same derivatives, each with its own default tolerances and at most so many evaluations.

A value with its gradient counts one evaluation, a value alone one, a product with the Hessian one, a Hessian n. A
problem is solved where f - f_ref <= 1e-6 (1 + |f_ref|) at a point within the bounds. A method that knows no bounds is
run without them. "To the value" counts the evaluations until a value that good was first found, "whole" all until the
method stopped by itself; both as geometric means over the problems that both methods of a pair solve.
"""

import argparse
import math
import warnings
from typing import NamedTuple

import numba
import numpy as np
from common import machine, save, table, versions
from local_problems import PROBLEMS
from scipy import optimize

import thalweg as tw
from thalweg.kernels import objective
from thalweg.kernels.calling.arguments import call_adapter
from thalweg.kernels.calling.derivatives import Wanted, derivatives_of

SOLVED = 1e-6
FIRST = ("BFGS", "L-BFGS-B", "CG", "TNC")
SECOND = ("Newton-CG", "trust-exact", "trust-krylov", "trust-ncg", "dogleg")
BOUNDED = {"L-BFGS-B", "TNC"}  # of SciPy's
LIMITS = {"L-BFGS-B": ("maxfun", "maxiter"), "TNC": ("maxfun",)}  # of the others "maxiter"; their defaults are small
PRODUCTS = {"Newton-CG", "trust-krylov", "trust-ncg"}  # those of the second-order methods that need no whole Hessian


class Solve(NamedTuple):
    """What a method made of a problem."""

    fun: float
    solved: bool
    evaluations: float  # whole
    first: float  # to the value; inf where it was not reached
    why: str  # how the method says that it ended


class Spent(Exception):
    """The budget is used up."""


# --- derivatives -------------------------------------------------------------------------------------------------


@numba.njit
def _gradient(address, record, x, g, work):
    return call_adapter(address, (x, record, g, work))


@numba.njit
def _product(address, record, x, v, hv, work):
    return call_adapter(address, (x, record, v, hv, work))


class Exact:
    """Value, gradient, Hessian and products of one problem, for SciPy: thalweg's automatic ones."""

    def __init__(self, problem):
        n = len(problem.x0)
        self.bound = objective(problem.fun).bind(problem.args)
        ends = np.full(n, -math.inf), np.full(n, math.inf)
        self.of = derivatives_of(self.bound, {"gradient", "product"}, Wanted(), *ends, start(problem)).of
        self.works = {name: derivative.work() for name, derivative in self.of.items()}

    def both(self, x):
        """(value, gradient (n,)); NaN where the function raises."""
        g, gradient = np.empty(len(x)), self.of["gradient"]
        return _gradient(gradient.address, self.bound.args_address, x, g, self.works["gradient"].address), g

    def product(self, x, v):
        hv, product = np.empty(len(x)), self.of["product"]
        _product(product.address, self.bound.args_address, x, v, hv, self.works["product"].address)
        return hv

    def whole(self, x):
        H = np.array([self.product(x, unit) for unit in np.eye(len(x))])
        return 0.5 * (H + H.T)


# --- the runs ----------------------------------------------------------------------------------------------------


def start(problem):
    """(n,) the published point, moved into the bounds."""
    return np.clip(problem.x0, *problem.bounds.T)


def level(problem):
    """The value that counts as solved."""
    return problem.f_ref + SOLVED * (1.0 + abs(problem.f_ref))


def inside(problem, x):
    lower, upper = problem.bounds.T
    return bool(np.all((x >= lower) & (x <= upper)))


def run_scipy(problem, derivatives, method, budget):
    """One of SciPy's methods, counted from outside."""
    count, first, best = [0.0], [math.inf], [math.inf, start(problem)]

    def spend(evaluations):
        count[0] += evaluations
        if count[0] > budget:
            raise Spent

    def both(x):
        spend(1)
        value, g = derivatives.both(np.array(x))
        if value < best[0]:
            best[:] = value, np.array(x)
        if value <= level(problem) and inside(problem, x):
            first[0] = min(first[0], count[0])
        return (value, g) if math.isfinite(value) else (math.inf, g)

    def product(x, v):
        spend(1)
        return derivatives.product(np.array(x), np.array(v))

    def whole(x):
        spend(len(x))
        return derivatives.whole(np.array(x))

    given = dict.fromkeys(LIMITS.get(method, ("maxiter",)), budget)
    more = {}
    if method in BOUNDED:
        more["bounds"] = [tuple(b if math.isfinite(b) else None for b in pair) for pair in problem.bounds]
    if method in SECOND:
        more |= {"hessp": product} if method in PRODUCTS else {"hess": whole}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = optimize.minimize(both, start(problem), method=method, jac=True, options=given, **more)
        x, value, why = result.x, float(result.fun), str(result.message)
    except Spent:
        (value, x), why = best, "evaluations"
    except (ArithmeticError, ValueError, TypeError, np.linalg.LinAlgError) as error:
        (value, x), why = best, f"{type(error).__name__}: {error}"
    solved = value <= level(problem) and inside(problem, x)
    return Solve(value, solved, count[0], first[0], why)


def run_ours(problem, method, budget):
    """One of thalweg's, as it counts itself; "to the value" by a second run that has it as its target."""
    solver = tw.SOLVERS[method]

    def run(**stops):
        given = {"x0": start(problem), "args": problem.args, "method": method, "max_evals": budget, "seed": 1}
        if np.any(np.isfinite(problem.bounds)):
            given["bounds"] = problem.bounds
        return tw.minimize(problem.fun, **given, **stops)

    def evaluations(result):
        hessians = getattr(result, "nhev", 0)
        return result.nfev + hessians * (len(problem.x0) if "hessian" in solver.asks else 1)

    try:
        whole = run()
        if not inside(problem, whole.x) or whole.fun > level(problem):
            return Solve(whole.fun, False, evaluations(whole), math.inf, str(whole.message))
        return Solve(whole.fun, True, evaluations(whole), evaluations(run(target=level(problem))), str(whole.message))
    except ValueError as error:  # no bounds, say
        return Solve(math.nan, False, math.inf, math.inf, str(error))


# --- the table ---------------------------------------------------------------------------------------------------


def mean(values):
    """Geometric."""
    return math.exp(np.mean(np.log(values))) if len(values) else math.nan


def against(ours, theirs):
    """(problems that both solve, evaluations to the value over theirs, of whole runs over theirs)."""
    both = [(a, b) for a, b in zip(ours, theirs) if a.solved and b.solved]
    return len(both), mean([a.first / b.first for a, b in both]), mean([a.evaluations / b.evaluations for a, b in both])


def names_of(kind):
    """Ours that ask for gradients ("first") or for Hessians and products ("second")."""
    second = {"hessian", "product"}
    return [
        name
        for name, solver in tw.SOLVERS.items()
        if ("gradient" in solver.asks and not solver.asks & second if kind == "first" else solver.asks & second)
    ]


def compare(kind, theirs, ours, problems, budget):
    found = {}
    for name in theirs:
        found[name] = [run_scipy(problem, Exact(problem), name, budget) for problem in problems]
        print(kind, name, sum(s.solved for s in found[name]), flush=True)
    for name in ours:
        found[name] = [run_ours(problem, name, budget) for problem in problems]
        print(kind, name, sum(s.solved for s in found[name]), flush=True)
    return found


def best_of(found, names):
    """Who solves most; of equals, who needs least evaluations on what all of them solve."""
    most = max(sum(s.solved for s in found[name]) for name in names)
    leaders = [name for name in names if sum(s.solved for s in found[name]) == most]
    common = [k for k in range(len(found[names[0]])) if all(found[name][k].solved for name in leaders)]
    return min(leaders, key=lambda name: mean([found[name][k].first for k in common]))


def report(found, theirs, ours, problems):
    """The table of one kind, and the requirement, met or missed."""
    best = best_of(found, theirs)
    rows, missed = [], []
    for name in [*theirs, *ours]:
        solves = found[name]
        common, first, whole = against(solves, found[best])
        count = sum(s.solved for s in solves)
        free = sum(s.solved for s, p in zip(solves, problems) if not np.any(np.isfinite(p.bounds)))
        rows.append([name, count, free, count - free, common, f"{first:.2f}", f"{whole:.2f}"])
        if 2 * count >= len(problems):
            missed.append(f"- {name}: {', '.join(p.name for s, p in zip(solves, problems) if not s.solved) or 'none'}")
    head = ["method", "solved", "free", "bounded", "both", "to the value", "whole"]
    text = f"Evaluations are divided by those of {best}, on the problems that both solve.\n\n{table(head, rows)}\n\n"
    text += "Not solved:\n\n" + "\n".join(missed)
    if ours:
        mine = ours_to_compare(found, best, ours)
        count, most = (sum(s.solved for s in found[name]) for name in (mine, best))
        _, first, whole = against(found[mine], found[best])
        text += f"\n\n{mine} against {best}: {count} and {most} solved, {verdict(count >= most)}; evaluations "
        text += f"to the value {first:.3f} times, {verdict(first < 1.0005)}, of whole runs {whole:.3f} times, "
        text += f"{verdict(whole < 1.0005)}."
    return text


def ours_to_compare(found, best, ours):
    """Of those that solve as many as SciPy's best the one with least evaluations; else the one that solves most."""
    most = sum(s.solved for s in found[best])
    enough = [name for name in ours if sum(s.solved for s in found[name]) >= most]
    if not enough:
        return best_of(found, ours)
    return min(enough, key=lambda name: against(found[name], found[best])[1])


def verdict(holds):
    return "met" if holds else "MISSED"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the problems only; nothing is written")
    parser.add_argument("--methods", nargs="*", help="some of ours only; nothing is written")
    parser.add_argument("--budget", type=int, default=20_000)
    parser.add_argument("--scipy-only", action="store_true", help="nothing is written")
    parser.add_argument("--each", action="store_true", help="print each solve")
    a = parser.parse_args()
    problems = [p for p in PROBLEMS if not a.names or p.name in a.names]
    sections, data = [], {}
    for kind, theirs in (("first", FIRST), ("second", SECOND)):
        ours = [] if a.scipy_only else [n for n in names_of(kind) if a.methods is None or n in a.methods]
        if a.methods is not None and not ours:
            continue
        found = compare(kind, theirs, ours, problems, a.budget)
        if a.each:
            for k, problem in enumerate(problems):
                for name in found:
                    s = found[name][k]
                    print(
                        f"{problem.name:12} {name:14} {s.solved!s:5} {s.fun:.9g} {s.evaluations:g} {s.first:g} {s.why}"
                    )
        data[kind] = {name: dict(zip([p.name for p in problems], solves)) for name, solves in found.items()}
        sections.append(f"## {kind.capitalize()} order\n\n{report(found, theirs, ours, problems)}")
    body = "\n\n".join(sections)
    text = f"""# Local methods

{machine()}

{versions("scipy")}

{len(problems)} problems, at most {a.budget:,} evaluations; solved: f - f_ref <= {SOLVED:g} (1 + |f_ref|) within the
bounds. Default tolerances. A value with gradient counts one evaluation, a product with the Hessian one, a Hessian n.

{body}
"""
    print(text)
    if not (a.names or a.methods is not None or a.scipy_only):
        save("local", {"machine": machine(), "versions": versions("scipy"), "found": data}, text)


if __name__ == "__main__":
    main()
