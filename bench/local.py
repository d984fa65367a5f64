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
import importlib.util
import math
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from common import machine, save, table, versions
from local_problems import PROBLEMS
from scipy import optimize

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


class Exact:
    """Value, gradient, Hessian and products of one problem, for SciPy: thalweg's automatic ones."""

    def __init__(self, problem):
        import thalweg as tw

        self.both = tw.value_and_grad(problem.fun, args=problem.args)
        self.product = tw.hvp(problem.fun, args=problem.args)
        self.whole = tw.hessian(problem.fun, args=problem.args)


class Dual:
    """The same by dual numbers in plain Python: slow, and of use while there are no automatic ones."""

    def __init__(self, problem):
        path = Path(__file__).parents[1] / "tests" / "duals.py"
        spec = importlib.util.spec_from_file_location("duals", path)
        duals = sys.modules["duals"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(duals)
        self.fun, self.args, self.duals = problem.fun, problem.args, duals

    def both(self, x):
        try:
            return self.duals.value_and_gradient(self.fun, x, self.args)
        except (ArithmeticError, ValueError, TypeError):
            return math.nan, np.full(len(x), math.nan)

    def product(self, x, v):
        h = 1e-5 * max(1.0, np.abs(x).max()) / max(np.abs(v).max(), 1e-300)
        return (self.both(x + h * v)[1] - self.both(x - h * v)[1]) / (2 * h)

    def whole(self, x):
        H = np.empty((len(x), len(x)))
        for j in range(len(x)):
            h = np.zeros(len(x))
            h[j] = 1e-5 * max(1.0, abs(x[j]))
            H[j] = (self.both(x + h)[1] - self.both(x - h)[1]) / (2 * h[j])
        return 0.5 * (H + H.T)


def derivatives_of(problem):
    import thalweg as tw

    return Exact(problem) if hasattr(tw, "value_and_grad") else Dual(problem)


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
    import thalweg as tw

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
    import thalweg as tw

    second = {"hessian", "product"}
    return [
        name
        for name, solver in tw.SOLVERS.items()
        if ("gradient" in solver.asks and not solver.asks & second if kind == "first" else solver.asks & second)
    ]


def compare(kind, theirs, ours, problems, budget):
    found = {}
    for name in theirs:
        found[name] = [run_scipy(problem, derivatives_of(problem), name, budget) for problem in problems]
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
        missed.append(f"- {name}: {', '.join(p.name for s, p in zip(solves, problems) if not s.solved) or 'none'}")
    head = ["method", "solved", "free", "bounded", "both", "to the value", "whole"]
    text = f"Evaluations are divided by those of {best}, on the problems that both solve.\n\n{table(head, rows)}\n\n"
    text += "Not solved:\n\n" + "\n".join(missed)
    if ours:
        mine = best_of(found, ours)
        count, most = (sum(s.solved for s in found[name]) for name in (mine, best))
        _, first, whole = against(found[mine], found[best])
        text += f"\n\n{mine} against {best}: {count} and {most} solved ({verdict(count >= most)}); evaluations to the "
        text += (
            f"value {first:.2f} times ({verdict(first <= 1)}), of whole runs {whole:.2f} times ({verdict(whole <= 1)})."
        )
    return text


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
