"""CMA-ES beside fcmaes' and pygmo's in C++ (time per generation) and beside pycma (evaluations to a target).

    python bench/cma_es.py [--repeats 15] [--runs 51] [--quick]

Time: one run, one thread, the ellipsoid with condition 1e6, the same population, step and number of generations; whole
calls as a user would make them, divided by the generations made, in interleaved repeats. Peers call the objective
compiled by Numba, the fastest form that they take; pygmo also its own C++ Rosenbrock, as it has no ellipsoid. First
every answer is validated: f is recomputed at x in plain Python, the evaluations are counted.

Evaluations: both without bounds, from the same points with the same step and population, until f <= 1e-8, no restarts.
The means are over the runs that reach it (on Rosenbrock's function a few end at its local minimum); how many do, and
the expected running time (all evaluations over the successes), stand beside.

Restarts: how often BIPOP solves Rastrigin's function in 10-D, to 1e-8, in 300,000 evaluations.
"""

import argparse
import time
import warnings

import numba
import numpy as np
from common import machine, pairwise, save, table, versions

SIGMA, EDGE, TARGET = 0.3, 5.0, 1e-8
SHAPES = {(20, 12): (1000, 1.7, 2.1), (40, 100): (400, 1.7, None)}  # generations; required of fcmaes, of pygmo
MEAN, MOST = 1.05, 1.15  # required of the ratios of evaluations: geometric mean, greatest


def sphere(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return total


def ellipsoid(x):
    total, n = 0.0, len(x)
    for i in range(n):
        total += 10.0 ** (6.0 * i / (n - 1)) * x[i] * x[i]
    return total


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def different_powers(x):
    total, n = 0.0, len(x)
    for i in range(n):
        total += abs(x[i]) ** (2.0 + 10.0 * i / (n - 1))
    return total


def rastrigin(x):
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * np.cos(2.0 * np.pi * x[i])
    return total


def scaled_ellipsoid(n):
    """The ellipsoid without powers, whose time would hide that of the solvers."""
    scale = 10.0 ** (6.0 * np.arange(n) / (n - 1))

    def function(x):
        total = 0.0
        for i in range(len(x)):
            total += scale[i] * x[i] * x[i]
        return total

    return function


# --- time per generation: run(fun, n, population, generations, seed) -> (x, f, evaluations, generations) -----------


def thalweg(fun, n, population, generations, seed):
    from thalweg.solvers import minimize

    result = minimize(
        fun, [(-EDGE, EDGE)] * n, np.full(n, 3.0), method="cma_es", seed=seed, threads=1,
        max_evals=population * generations + 1, options={"population": population, "sigma": SIGMA, "restart": "none"},
    )  # fmt: skip
    return result.x, result.fun, result.nfev, result.nit - 1  # the first is the point that was given


def fcmaes(fun, n, population, generations, seed):
    from fcmaes import cmaescpp
    from scipy.optimize import Bounds

    result = cmaescpp.minimize(
        fun, Bounds([-EDGE] * n, [EDGE] * n), np.full(n, 3.0), SIGMA, popsize=population, workers=1,
        max_evaluations=population * generations, rg=np.random.Generator(np.random.PCG64(seed)),
    )  # fmt: skip
    return result.x, result.fun, result.nfev, result.nit


def pygmo(fun, n, population, generations, seed):
    import pygmo

    class Ellipsoid:
        def fitness(self, x):
            return (fun(x),)

        def get_bounds(self):
            return [-EDGE] * n, [EDGE] * n

    return run_pygmo(pygmo, pygmo.problem(Ellipsoid()), population, generations, seed)


def pygmo_builtin(fun, n, population, generations, seed):
    import pygmo

    return run_pygmo(pygmo, pygmo.problem(pygmo.rosenbrock(n)), population, generations, seed)


def run_pygmo(pygmo, problem, population, generations, seed):
    start = pygmo.population(problem, population, seed=seed)
    cmaes = pygmo.cmaes(gen=generations, sigma0=SIGMA, ftol=0.0, xtol=0.0, seed=seed)
    end = pygmo.algorithm(cmaes).evolve(start)
    return end.champion_x, end.champion_f[0], end.problem.get_fevals(), generations


CONTENDERS = {
    "thalweg": thalweg,
    "fcmaes, C++": fcmaes,
    "pygmo": pygmo,
    "pygmo, its C++ Rosenbrock": pygmo_builtin,
}


def validate(name, run, n, population):
    """Few generations with an objective that counts."""
    from thalweg.kernels import objective

    plain, seen = scaled_ellipsoid(n), [0]

    def counted(x):
        seen[0] += 1
        return plain(x)

    wrapped = objective(counted, compiled=False, check=False) if name == "thalweg" else counted
    x, value, evaluations, _ = run(wrapped, n, population, 20, 1)
    if name == "pygmo, its C++ Rosenbrock":
        assert abs(rosenbrock(x) - value) <= 1e-9 * (1.0 + abs(value)), f"{name} reports {value}"
        return
    assert abs(plain(x) - value) <= 1e-9 * (1.0 + abs(value)), f"{name} reports {value}, f(x) is {plain(x)}"
    assert evaluations == seen[0], f"{name} claims {evaluations} evaluations, made {seen[0]}"


def measure_time(repeats, quick):
    """{(n, population): {name: microseconds per generation, over the repeats}}"""
    taken = {}
    for (n, population), (generations, *_) in SHAPES.items():
        plain = scaled_ellipsoid(n)
        compiled = numba.njit(plain)
        for name, run in CONTENDERS.items():
            validate(name, run, n, population)
            run(plain if name == "thalweg" else compiled, n, population, 20, 0)  # compiles
        row = taken[n, population] = {name: [] for name in CONTENDERS}
        for repeat in range(repeats):
            for name, run in CONTENDERS.items():
                begin = time.perf_counter()
                count = generations // (10 if quick else 1)
                *_, made = run(plain if name == "thalweg" else compiled, n, population, count, repeat)
                row[name].append(1e6 * (time.perf_counter() - begin) / made)
    return taken


def time_table(taken):
    rows = []
    for (n, population), row in taken.items():
        ours = row["thalweg"]
        for name, spent in row.items():
            cells = [name, n, population, f"{np.median(spent):.1f}", f"{min(spent):.1f} to {max(spent):.1f}"]
            if name == "thalweg":
                rows.append([*cells, "", ""])
                continue
            ratio, low, high = pairwise(spent, ours)
            _, of_fcmaes, of_pygmo = SHAPES[n, population]
            required = of_fcmaes if name.startswith("fcmaes") else of_pygmo
            met = "" if required is None else f"{required}: {'met' if ratio >= required else 'MISSED'}"
            rows.append([*cells, f"{ratio:.2f} ({low:.2f} to {high:.2f})", met])
    head = ["", "D", "population", "µs per generation", "least to greatest", "thalweg is faster by", "required"]
    return table(head, rows)


# --- the parts of a generation ----------------------------------------------------------------------------------------


def measure_parts(n, population, generations=300):
    """{part: microseconds}, in loops of their own over the state in the midst of a run."""
    from thalweg.kernels.compile.jit import kernel
    from thalweg.kernels.numbers.linear_algebra import eigensystem
    from thalweg.kernels.numbers.ranking import sort_rows
    from thalweg.kernels.rows import covariance
    from thalweg.solvers import Optimizer

    optimizer = Optimizer(
        "cma_es", [(-EDGE, EDGE)] * n, seed=1, max_evals=10**6, options={"population": population, "restart": "none"}
    )
    plain = numba.njit(scaled_ellipsoid(n))
    for _ in range(50):
        optimizer.tell([plain(x) for x in optimizer.ask()])
    optimizer.ask()

    def draw(state):
        covariance.draw_numbers(state.run.now[0].key, 0, state.rows[0].live, state.trial)

    def propose(state):
        covariance.draw_numbers(state.run.now[0].key, 0, state.rows[0].live, state.trial)
        for i in range(state.rows[0].live):
            covariance.sample_row(i, state)

    def rank(state):
        sort_rows(state.trial_f, state.order, state.scratch, 0, state.rows[0].live)

    def move(state):
        covariance.move(state)

    def learn(state):
        covariance.learn_covariance(state, 1.0)

    def decompose(state):
        eigensystem(state.covariance, state.lengths, state.axes, state.work)

    taken = {}
    for name, part in {
        "random numbers": draw, "candidates": propose, "ranks": rank, "mean, paths, step": move,
        "covariance": learn, "eigensystem": decompose,
    }.items():  # fmt: skip
        inner = kernel(part, inner=True, cached=False)

        def repeat(state, times, inner=inner):
            for _ in range(times):
                inner(state)

        loop = kernel(repeat, cached=False)
        loop(optimizer.state, 1)
        spent = []
        for _ in range(7):
            begin = time.perf_counter()
            loop(optimizer.state, generations)
            spent.append(1e6 * (time.perf_counter() - begin) / generations)
        taken[name] = float(np.median(spent))
    taken["candidates"] -= taken["random numbers"]  # which they take: a loop without them would step from x to x
    return taken


# --- evaluations ----------------------------------------------------------------------------------------------------


def evaluations_of_thalweg(fun, x0, seed):
    from thalweg.solvers import minimize

    result = minimize(
        fun, x0=x0, method="cma_es", seed=seed, target=TARGET, threads=1, max_evals=100_000 * len(x0),
        options={"restart": "none", "sigma": 2.0},
    )  # fmt: skip
    assert abs(fun(result.x) - result.fun) <= 1e-9 * (1.0 + abs(result.fun))
    return result.nfev, result.fun <= TARGET


def evaluations_of_pycma(fun, compiled, x0, seed):
    import cma

    population = 4 + int(3 * np.log(len(x0)))
    settings = {"ftarget": TARGET, "popsize": population, "seed": seed + 1, "verbose": -9}
    found = cma.CMAEvolutionStrategy(x0, 2.0, settings).optimize(lambda x: compiled(x)).result
    assert abs(fun(found.xbest) - found.fbest) <= 1e-9 * (1.0 + abs(found.fbest))
    return found.evaluations, found.fbest <= TARGET


def measure_evaluations(runs):
    """[(function, n, [(evaluations, reached) of ours], [of pycma])]"""
    rows = []
    for n in (10, 20):
        for fun in (sphere, ellipsoid, rosenbrock, different_powers):
            compiled, ours, theirs = numba.njit(fun), [], []
            for seed in range(runs):
                x0 = np.random.default_rng(seed).uniform(-4.0, 4.0, n)
                ours.append(evaluations_of_thalweg(fun, x0, seed))
                theirs.append(evaluations_of_pycma(fun, compiled, x0, seed))
            rows.append((fun.__name__.replace("_", " "), n, ours, theirs))
            print(*rows[-1][:2], *(np.mean([e for e, reached in r if reached]) for r in (ours, theirs)), flush=True)
    return rows


def statistics(found):
    """(successes, mean of the successful, its standard error, expected running time)"""
    evaluations, reached = np.array(found, dtype=float).T
    good = evaluations[reached > 0]
    return int(reached.sum()), good.mean(), good.std(ddof=1) / np.sqrt(len(good)), evaluations.sum() / reached.sum()


def evaluation_table(rows):
    """The table, and the ratios of the means."""
    cells, ratios = [], []
    for name, n, ours, theirs in rows:
        mine, other = statistics(ours), statistics(theirs)
        ratios.append(mine[1] / other[1])
        error = ratios[-1] * np.hypot(mine[2] / mine[1], other[2] / other[1])
        cells.append([name, n])
        for successes, mean, _, expected in (mine, other):
            cells[-1] += [f"{successes} of {len(ours)}", f"{mean:,.0f}", f"{expected:,.0f}"]
        cells[-1].append(f"{ratios[-1]:.3f} ± {error:.3f}")
    head = ["", "D", "thalweg reaches it", "mean", "expected", "pycma reaches it", "mean", "expected", "ratio of means"]
    return table(head, cells), np.array(ratios)


def measure_restarts(runs):
    """Evaluations of each run on Rastrigin's function, and whether it was solved."""
    from thalweg.solvers import minimize

    rows = []
    for seed in range(runs):
        found = minimize(
            rastrigin, [(-5.12, 5.12)] * 10, method="cma_es", seed=seed, max_evals=300_000, target=TARGET, threads=1
        )
        assert abs(rastrigin(found.x) - found.fun) <= 1e-9 * (1.0 + abs(found.fun))
        rows.append((found.nfev, bool(found.success)))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--runs", type=int, default=51)
    parser.add_argument("--quick", action="store_true", help="a smoke run: short runs, few of them, nothing written")
    a = parser.parse_args()
    repeats, runs = (2, 3) if a.quick else (a.repeats, a.runs)
    warnings.filterwarnings("ignore", module="cma")
    taken = measure_time(repeats, a.quick)
    parts = {shape: measure_parts(*shape) for shape in SHAPES}
    rows, restarts = measure_evaluations(runs), measure_restarts(runs)
    listed, ratios = evaluation_table(rows)
    mean = float(np.exp(np.log(ratios).mean()))
    solved = [evaluations for evaluations, success in restarts if success]
    names = list(next(iter(parts.values())))
    text = f"""# CMA-ES

{machine()}

{versions("fcmaes", "pygmo", "cma")}

Time per generation on the ellipsoid, condition 1e6, one thread, median of {repeats} interleaved repeats.

{time_table(taken)}

The parts of a generation of ours, in µs, each in a loop of its own (the eigensystem is computed anew every second
generation in 20-D with 12 rows, in each in 40-D with 100).

{table(["D, population", *names], [[f"{s[0]}, {s[1]}", *(f"{p[k]:.2f}" for k in names)] for s, p in parts.items()])}

Evaluations to {TARGET:g}, without bounds, from the same points with the same step (2) and population, {runs} runs.
mean: of the runs that reach it; expected: all evaluations over the successes.

{listed}

Geometric mean of the ratios {mean:.3f} (at most {MEAN:g}: {"met" if mean <= MEAN else "MISSED"}), greatest
{ratios.max():.3f} (at most {MOST:g}: {"met" if ratios.max() <= MOST else "MISSED"}).

Rastrigin's function in 10-D, BIPOP, to {TARGET:g} in 300,000 evaluations: {len(solved)} of {runs} runs solve it, with
{np.median(solved):,.0f} evaluations in the median of these.
"""
    print(text)
    if not a.quick:
        data = {
            "machine": machine(),
            "versions": versions("fcmaes", "pygmo", "cma"),
            "microseconds": [{"n": n, "population": p, **row} for (n, p), row in taken.items()],
            "parts": [{"n": n, "population": p, **row} for (n, p), row in parts.items()],
            "evaluations": [{"name": f, "n": n, "thalweg": o, "pycma": t} for f, n, o, t in rows],
            "restarts": restarts,
        }
        save("cma_es", data, text)


if __name__ == "__main__":
    main()
