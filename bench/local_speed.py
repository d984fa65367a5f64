"""How fast l_bfgs_b is beside SciPy's L-BFGS-B, and many small fits beside a loop over it.

    python bench/local_speed.py [--repeats 7] [--fits 10000]

Rosenbrock's function with 2, 10, 100 and 10,000 variables, the same compiled by Numba for both, with the same default
tolerances and at most 1,000 evaluations: SciPy is given value and gradient by one compiled function that is written by
hand, ours differentiates the objective itself. Validated first: both end at the same value, or at the limit. A call is
timed whole, as a user makes it, and in compiled code alone, as one of many of `minimize_many` on one thread. Times are
the least of the repeats: whatever else the machine does makes one longer, never shorter.

The fits: y = a exp(-b t) + c of 20 points each, with different data. SciPy's loop calls `minimize` for each, with a
compiled value and gradient and its data in args; ours is one call of `minimize_many`.

Required: in compiled code 20 times SciPy's speed up to 100 variables, its speed at 10,000; 50 times for the fits.
"""

import argparse
import math
import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded: SciPy is fastest so

import numba
import numpy as np
from common import machine, save, table, versions
from scipy import optimize

from thalweg.solvers import minimize
from thalweg.solvers.many import minimize_many

REQUIRED = {2: 20.0, 10: 20.0, 100: 20.0, 10_000: 1.0}
MANY = 50.0
BUDGET = 1000


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


@numba.njit
def rosenbrock_and_gradient(x):
    """(value, gradient (n,)), by hand."""
    g = np.empty(len(x))
    g[0] = 0.0
    total = 0.0
    for i in range(len(x) - 1):
        t = x[i + 1] - x[i] * x[i]
        u = 1.0 - x[i]
        total += 100.0 * t * t + u * u
        g[i] += -400.0 * t * x[i] - 2.0 * u
        g[i + 1] = 200.0 * t
    return total, g


def misfit(x, y, t):
    total = 0.0
    for i in range(len(t)):
        total += (x[0] * math.exp(-x[1] * t[i]) + x[2] - y[i]) ** 2
    return total


@numba.njit
def misfit_and_gradient(x, y, t):
    """(value, gradient (3,)), by hand."""
    g = np.zeros(3)
    total = 0.0
    for i in range(len(t)):
        e = math.exp(-x[1] * t[i])
        r = x[0] * e + x[2] - y[i]
        total += r * r
        g[0] += 2.0 * r * e
        g[1] -= 2.0 * r * x[0] * t[i] * e
        g[2] += 2.0 * r
    return total, g


def start(n):
    """(n,) the usual point, twice as far from the minimum in every other variable."""
    x = np.ones(n)
    x[::2] = -1.2
    return x


def seconds(call, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def one_problem(n, repeats):
    """A row: evaluations, ms of a call, and by how much ours is faster (median, least, greatest)."""
    x0 = start(n)
    limits = {"maxiter": BUDGET, "maxfun": BUDGET}

    def scipy():
        return optimize.minimize(rosenbrock_and_gradient, x0, jac=True, method="L-BFGS-B", options=limits)

    def ours():
        return minimize(rosenbrock, x0=x0, method="l_bfgs_b", max_evals=BUDGET)

    theirs, mine = scipy(), ours()
    for result in (theirs, mine):
        assert abs(rosenbrock(result.x) - result.fun) <= 1e-9 * (1 + abs(result.fun))
    assert mine.fun <= max(1.01 * theirs.fun, 1e-6), f"n={n}: ours ends at {mine.fun}, SciPy at {theirs.fun}"
    many = min(2000, max(2, 2_000_000 // (n * mine.nfev)))  # so many that the call around them counts for nothing
    starts = np.tile(x0, (many, 1))

    def compiled():
        return minimize_many(rosenbrock, starts, method="l_bfgs_b", max_evals=BUDGET, threads=1)

    assert np.all(compiled().fun == mine.fun)
    calls = [max(1, int(0.05 / seconds(call, 1))) for call in (scipy, ours, compiled)]
    spent = np.array(
        [
            [seconds(call, k) for call, k in zip((scipy, ours, compiled), calls)]
            for _ in range(repeats if n > 1000 else 5 * repeats)
        ]
    )
    spent[:, 2] /= many
    least = spent.min(axis=0)  # whatever else the machine does makes a repeat longer, never shorter
    ms, whole, alone = 1e3 * least, least[0] / least[1], least[0] / least[2]
    row = [n, theirs.nfev, mine.nfev, f"{theirs.fun:.1e}", f"{mine.fun:.1e}", *(f"{m:.3g}" for m in ms)]
    return [*row, f"{whole:.1f}", f"{alone:.1f}"], whole, alone


def many_fits(count, repeats):
    """(µs of a fit with SciPy, with ours, ratio); SciPy's loop over a hundredth of them, ours over all."""
    random = np.random.default_rng(1)
    t = np.linspace(0.0, 4.0, 20)
    true = np.column_stack([random.uniform(1, 4, count), random.uniform(0.3, 2, count), random.uniform(-1, 1, count)])
    y = true[:, :1] * np.exp(-true[:, 1:2] * t) + true[:, 2:] + 0.02 * random.normal(size=(count, len(t)))
    x0, few = np.ones(3), max(1, count // 100)

    def scipy():
        return [
            optimize.minimize(misfit_and_gradient, x0, args=(y[k], t), jac=True, method="L-BFGS-B") for k in range(few)
        ]

    def ours():
        return minimize_many(misfit, x0, (y,), args=(t,), method="l_bfgs_b")

    theirs, mine = scipy(), ours()
    found = np.array([result.fun for result in theirs])
    assert np.all(mine.fun[:few] <= found * (1 + 1e-3) + 1e-9), "ours ends higher than SciPy's"
    assert np.abs(np.array([misfit(x, *pair) for x, pair in zip(mine.x, ((v, t) for v in y))]) - mine.fun).max() < 1e-12
    spent = np.array([(seconds(scipy, 1) / few, seconds(ours, 1) / count) for _ in range(repeats)])
    evaluations = sum(result.nfev for result in theirs) / few, float(np.mean(mine.nfev))
    least = spent.min(axis=0)
    return 1e6 * least, evaluations, least[0] / least[1], mine.threads


def verdict(found, required):
    return f"{found:.1f} times ({required:g}: {'met' if found >= required else 'MISSED'})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--fits", type=int, default=10_000)
    a = parser.parse_args()
    rows, lines = [], []
    for n, required in REQUIRED.items():
        row, whole, alone = one_problem(n, a.repeats)
        rows.append(row)
        lines.append(f"- {n:,} variables: {verdict(alone, required)}; the whole call {whole:.1f} times")
        print(*row, flush=True)
    spent, evaluations, ratio, threads = many_fits(a.fits, a.repeats)
    lines.append(f"- {a.fits:,} fits on {threads} threads: {verdict(ratio, MANY)}")
    head = ["n", "SciPy evaluations", "ours", "SciPy f", "ours", "SciPy ms", "ours", "compiled"]
    head += ["faster", "compiled faster"]
    newline = "\n"
    text = f"""# The speed of l_bfgs_b

{machine()}; load average {os.getloadavg()[0]:.0f}

{versions("scipy")}

{newline.join(lines)}

{table(head, rows)}

A fit takes SciPy {spent[0]:.0f} µs ({evaluations[0]:.1f} evaluations), `minimize_many` {spent[1]:.2f} µs
({evaluations[1]:.1f} evaluations): faster by {ratio:.0f}. Times are the least of the repeats.
"""
    print(text)
    save("local_speed", {"machine": machine(), "rows": rows, "fits": {"us": spent.tolist(), "ratio": ratio}}, text)


if __name__ == "__main__":
    main()
