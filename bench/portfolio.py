"""Textbook functions that are not made for who begins in the middle: does `auto` find their minima, and who does?

    python bench/portfolio.py [--dimensions 2 10 20 30 50 100] [--seeds 3] [--peers 30] [--save] [NAME ...]

Eight functions, each moved by a random vector of the inner 60 % of its box, plain and rotated by a random matrix, with
the default budget of 10,000 evaluations for each variable. A problem is solved where the error is below 1e-8 in at
least two thirds of the seeds. Where `auto` does not solve one, the other methods are tried on it with the same budget.
"""

import argparse
import math
import time
from types import SimpleNamespace

import numpy as np
from bbob_record import Spent
from bbob_solvers import PEERS
from common import machine, save, table, versions

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.functions.bowls import sphere, zakharov
from thalweg.kernels.functions.multimodal import ackley, griewank
from thalweg.kernels.functions.separable import levy, rastrigin
from thalweg.kernels.functions.valleys import rosenbrock
from thalweg.solvers import minimize

ERROR = 1e-8
# not minionpy's, of which ARRDE and LSRTDE ended the process on Schwefel in 20-D (1.9.1)
OTHERS = ("pycma BIPOP", "pygmo cmaes", "fcmaes de_cma", "scipy dual_annealing")
OFFSET = 418.9828872724337  # of Schwefel's function, for each variable


def schwefel(x):
    """As in CEC 2014 (F10, F11): beyond the textbook's box, where it falls without end, mirrored, with a penalty."""
    total = 0.0
    for i in range(x.size):
        z = x[i]
        inside = z
        if z > 500.0:
            inside = 500.0 - z % 500.0
        elif z < -500.0:
            inside = abs(z) % 500.0 - 500.0
        over = max(abs(z) - 500.0, 0.0)
        total += OFFSET - inside * math.sin(math.sqrt(abs(inside))) + over * over / (10_000.0 * x.size)
    return total


FUNCTIONS = {  # the function, the arguments behind x, its box, where its minimum is
    "sphere": (sphere, (), (-5.12, 5.12), 0.0),
    "rosenbrock": (rosenbrock, (1.0, 100.0), (-5.0, 10.0), 1.0),
    "zakharov": (zakharov, (), (-5.0, 10.0), 0.0),
    "ackley": (ackley, (20.0, 0.2, 2 * math.pi), (-32.768, 32.768), 0.0),
    "rastrigin": (rastrigin, (), (-5.12, 5.12), 0.0),
    "griewank": (griewank, (), (-600.0, 600.0), 0.0),
    "levy": (levy, (), (-10.0, 10.0), 1.0),
    "schwefel": (schwefel, (), (-500.0, 500.0), 420.9687462275036),
}


def moved(function, constants):
    """The function of x - shift + its own minimum."""

    def plain(x, shift, best):
        return function(x - shift + best, *constants)

    return plain


def turned(function, constants):
    """The same, rotated about the minimum."""

    def rotated(x, shift, best, rotation):
        return function(np.dot(rotation, x - shift) + best, *constants)

    return rotated


def make(name, dimension, seed, rotated, wrap=lambda function: function):
    """(objective, box, args): the place of the minimum and the rotation hang on the seed."""
    function, constants, (low, high), best = FUNCTIONS[name]
    function = wrap(function)
    random = np.random.default_rng([seed, dimension, list(FUNCTIONS).index(name)])
    shift = low + (high - low) * (0.5 + 0.6 * (random.random(dimension) - 0.5))
    if not rotated:
        return moved(function, constants), [(low, high)] * dimension, (shift, best)
    q, r = np.linalg.qr(random.normal(size=(dimension, dimension)))
    return turned(function, constants), [(low, high)] * dimension, (shift, best, q * np.sign(np.diag(r)))


class Moved:
    """A problem as the peers of bbob_solvers.py have it: in [-5, 5], with its evaluations counted."""

    def __init__(self, name, dimension, seed, rotated):
        self.fun, box, self.args = make(name, dimension, seed, rotated, kernel)
        self.low, high = box[0]
        self.scale = (high - self.low) / 10.0
        self.dimension, self.bounds = dimension, [(-5.0, 5.0)] * dimension
        self.budget, self.goal = 10_000 * dimension, 0.99 * ERROR
        self.calls, self.best, self.over = 0, np.inf, False

    def point(self, x):
        if self.over:
            raise Spent
        value = self.fun(self.low + self.scale * (np.asarray(x, float) + 5.0), *self.args)
        self.calls, self.best = self.calls + 1, min(self.best, value)
        self.over = self.best <= self.goal or self.calls >= self.budget
        return value

    def points(self, rows):
        return [1e300 if self.over else self.point(x) for x in rows]


def attempt(method, name, dimension, seed, rotated):
    """The result of a run, which ends where the minimum is found; of a peer its best value."""
    if method in PEERS:
        problem = Moved(name, dimension, seed, rotated)
        try:
            PEERS[method](problem, seed)
        except Exception as error:
            if not (problem.over or isinstance(error, Spent)):  # some peers' compiled code makes another of it
                raise
        return SimpleNamespace(fun=problem.best, nfev=problem.calls)
    fun, box, args = make(name, dimension, seed, rotated)
    return minimize(fun, box, args=args, method=method, seed=seed, target=0.99 * ERROR)


def solves(method, name, dimension, seeds, rotated):
    """(whether it does, the results): in two thirds of the seeds; no more of them than decide it."""
    needed, results = math.ceil(2 * seeds / 3), []
    for seed in range(1, seeds + 1):
        results.append(attempt(method, name, dimension, seed, rotated))
        good = sum(result.fun < ERROR for result in results)
        if good >= needed or len(results) - good > seeds - needed:
            break
    return good >= needed, results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FUNCTIONS)}; default all")
    parser.add_argument("--dimensions", type=int, nargs="*", default=[2, 10, 20, 30, 50, 100])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", nargs="*", default=["cma_es", "jso", "lsrtde", "lshade", "arrde"])
    parser.add_argument("--peers", type=int, default=0, help="try other libraries, too, up to so many variables")
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    rows, missed = [], 0
    for dimension in options.dimensions:
        tried = [*options.methods, *(OTHERS if dimension <= options.peers else ())]
        for name in options.names or FUNCTIONS:
            for rotated in (False, True):
                begin = time.perf_counter()
                solved, results = solves("auto", name, dimension, options.seeds, rotated)
                seconds = time.perf_counter() - begin
                others = [m for m in tried if not solved and solves(m, name, dimension, options.seeds, rotated)[0]]
                missed += bool(others)
                worst, arms = max(result.fun for result in results), sorted({r.get("arm", "") for r in results})
                row = [
                    name, dimension, "rotated" if rotated else "plain", "yes" if solved else "no", f"{worst:.1e}",
                    f"{max(result.nfev for result in results):,}", "/".join(arms),
                    f"{seconds:.1f}", ", ".join(others) or ("" if solved else "nobody"),
                ]  # fmt: skip
                rows.append(row)
                print(*row, sep="  ", flush=True)
    peers = f"; up to {options.peers} variables {', '.join(OTHERS)}" if options.peers else ""
    head = ["function", "D", "form", "solved", "worst", "evaluations", "arm", "s", "who else does"]
    text = f"""# Moved and rotated textbook functions

`auto`, at most 10,000 evaluations for each variable, {options.seeds} seeds; solved: below {ERROR} in two thirds.
Where it does not, these are tried: {", ".join(options.methods)}{peers}.

{machine()}

{versions()}

{table(head, rows)}

{sum(row[3] == "yes" for row in rows)} of {len(rows)} are solved; another method solves {missed} of the others.
"""
    print(text)
    if options.save:
        save("portfolio", rows, text)


if __name__ == "__main__":
    main()
