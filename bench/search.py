"""Points per second of grid and random search over a compiled objective, 4-D quadratic, on one core (or a GPU).

    python bench/search.py [--quick] [--points 100000000] [--repeats 5] [--device cpu|cuda]

First every way is validated on a small grid against NumPy's brute force; then all are timed in interleaved repeats.
Beside ours: NumPy on chunks of 2^16 points, and the four loops that one would write by hand with numba.njit, without
any calling convention between the loop and the objective. Compilation happens before the clock starts.
"""

import argparse
import itertools
import time

import numba
import numpy as np
from common import machine, pairwise, save, table, versions

D = 4
CHUNK = 2**16
REQUIRED = 20e6  # points per second and core
MODES = ("grid", "random", "sobol")


def quadratic(x):
    total = 0.0
    for j in range(x.size):
        total += (x[j] - 0.1 * j) * (x[j] - 0.1 * j)
    return total


def levels_for(points):
    """Levels of each variable, so that the grid has at least `points` points."""
    count = 1
    while count**D < points:
        count += 1
    return np.linspace(-1.0, 1.0, count)


def space_of(mode, points):
    from thalweg.orchestration.spaces import parse_space

    if mode == "grid":
        return parse_space({f"x{j}": levels_for(points).tolist() for j in range(D)}).flat(grid=True)
    return parse_space([(-1.0, 1.0)] * D).flat()


def ours(mode, points, device="cpu"):
    """A search of so many points: `run() -> (value, number)` by all its units, one after another."""
    from thalweg.kernels import objective
    from thalweg.orchestration.compiled_search import CompiledSearch

    work = CompiledSearch(objective(quadratic), (), space_of(mode, points), mode, points, seed=1, device=device)
    work.prepare()

    def run():
        records = (work.carry_out(unit, None, lambda: False) for unit in range(work.units))
        return min((record["fun"], record["index"]) for record in records)

    return run


def with_numpy(points):
    """The grid in chunks of whole arrays."""
    levels = levels_for(points)

    def run():
        best = (np.inf, 0)
        for first in range(0, points, CHUNK):
            digits = np.unravel_index(np.arange(first, min(first + CHUNK, points)), (levels.size,) * D)
            values = sum((levels[digit] - 0.1 * j) ** 2 for j, digit in enumerate(digits))
            k = int(np.argmin(values))
            best = min(best, (values[k], first + k))
        return best

    return run


@numba.njit(error_model="numpy", nogil=True)
def four_loops(levels, points):
    best, index, k = np.inf, 0, 0
    x = np.empty(4)
    for x[0] in levels:
        for x[1] in levels:
            for x[2] in levels:
                for x[3] in levels:
                    if k == points:
                        return best, index
                    total = 0.0
                    for j in range(4):
                        total += (x[j] - 0.1 * j) * (x[j] - 0.1 * j)
                    if total < best:
                        best, index = total, k
                    k += 1
    return best, index


def by_hand(points):
    levels = levels_for(points)
    return lambda: four_loops(levels, points)


def contenders(points, device):
    ways = {f"{mode} search": ours(mode, points) for mode in MODES}
    if device == "cuda":
        ways |= {f"{mode} search, GPU": ours(mode, points, "cuda") for mode in MODES}
    return ways | {"grid with NumPy": with_numpy(points), "grid, four loops by hand": by_hand(points)}


def validate(device):
    """The grid of 9^4 points: every way finds what brute force finds; random points are those of the solver."""
    from thalweg.solvers import minimize

    points = 9**D
    values = [quadratic(np.array(x)) for x in itertools.product(levels_for(points), repeat=D)]
    expected = {"grid": (min(values), int(np.argmin(values)))}
    solved = minimize(quadratic, [(-1.0, 1.0)] * D, method="random_search", seed=1, max_evals=points)
    for name, run in contenders(points, device).items():
        value, index = run()
        if name.startswith("grid"):
            best, k = expected["grid"]
            assert abs(value - best) <= 1e-14 and index == k, f"{name}: got {(value, index)}, expected {(best, k)}"
        elif name.startswith("random"):
            assert abs(value - solved.fun) <= 1e-14, f"{name}: got {value}, the solver {solved.fun}"
        else:
            assert value < 0.05, f"{name}: got {value}"
        print(f"{name}: valid", flush=True)


def measure(points, repeats, device="cpu"):
    """Points per second, by name and repeat."""
    ways = contenders(points, device)
    for run in ways.values():
        run()
    rates = {name: [] for name in ways}
    for _ in range(repeats):
        for name, run in ways.items():
            begin = time.perf_counter()
            run()
            rates[name].append(points / (time.perf_counter() - begin))
    return rates


def report(rates, quick=False):
    """The table; a smoke run, whose blocks of 1,000 points cost as much as the points in them, is not judged."""
    rows = []
    for name, own in rates.items():
        median, low, high = pairwise(own, rates["grid with NumPy"])
        judged = not quick and name in ("grid search", "random search")
        met = ("met" if np.median(own) >= REQUIRED else "MISSED") if judged else ""
        rows.append([name, f"{np.median(own) / 1e6:.1f}", f"{median:.1f} ({low:.1f} to {high:.1f})", met])
    return table(["", "million points/s", "times NumPy", f"required: {REQUIRED / 1e6:.0f}"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: two repeats of 10^6 points, nothing written")
    parser.add_argument("--points", type=int, default=10**8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    a = parser.parse_args()
    points, repeats = (10**6, 2) if a.quick else (a.points, a.repeats)
    validate(a.device)
    rates = measure(points, repeats, a.device)
    about = f"4-D quadratic, {points:,} points, one thread, blocks one after another; median of {repeats} repeats"
    text = "\n\n".join(
        ["# Search", f"{machine()}", f"{versions()}", about + " (least to greatest).", report(rates, a.quick)]
    )
    print(text)
    if not a.quick:
        save("search", {"machine": machine(), "versions": versions(), "points": points, "rates": rates}, text)


if __name__ == "__main__":
    main()
