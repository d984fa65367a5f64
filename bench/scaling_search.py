"""`grid` and `search` of scaling.py: points of a compiled objective, and of Python callables that cost nothing."""

import multiprocessing
import time
from pathlib import Path

import numpy as np
from common import pairwise, table
from scaling_runs import say, verdict

CENTRE = (0.3, -0.2, 0.7, -0.55)
BOX = [(-1.0, 1.0)] * 4
LEVELS = {"x0": 100, "x1": 100, "x2": 100, "x3": 1000}  # 10^9 points
FEWER = LEVELS | {"x3": 100}  # 10^8


def quadratic(x):
    return (x[0] - 0.3) ** 2 + (x[1] + 0.2) ** 2 + (x[2] - 0.7) ** 2 + (x[3] + 0.55) ** 2


def compiled_search(kind, levels, **where):
    """(seconds, result); a random search has as many points as the grid."""
    from thalweg.kernels import objective
    from thalweg.orchestration import grid_search, random_search

    start = time.perf_counter()
    if kind == "grid":
        result = grid_search(objective(quadratic), BOX, levels=levels, **where)
    else:
        points = int(np.prod(list(levels.values())))
        result = random_search(objective(quadratic), BOX, points=points, seed=1, **where)
    return time.perf_counter() - start, result


def check(kind, levels, result):
    """A grid has a known answer. The best of n random points is below v with the probability 1 - (1 - p(v))^n."""
    points = int(np.prod(list(levels.values())))
    assert result.nfev == points, f"{result.nfev} of {points} points"
    if kind == "grid":
        axes = [np.linspace(-1.0, 1.0, n) for n in levels.values()]
        nearest = [int(np.argmin((axis - c) ** 2)) for axis, c in zip(axes, CENTRE, strict=True)]
        assert result.index == np.ravel_multi_index(nearest, list(levels.values())), "not the lowest point of the grid"
        assert np.allclose(result.x, [axis[k] for axis, k in zip(axes, nearest, strict=True)], atol=1e-12)
    ball = np.pi**2 / 2 * result.fun**2 / 16  # share of the box with a lower value
    assert kind == "grid" or 1e-6 < points * ball < 14, f"improbable for the best of {points} points: {result.fun}"
    assert abs(quadratic(result.x) - result.fun) <= 1e-12


def resident():
    """Peak resident memory of this process in MiB; that of getrusage would hold its parent's, too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def huge_grid(levels):
    """In a process of its own: when the first block of points is done, what the whole grid takes, and its memory."""
    import thalweg.orchestration.search  # noqa: F401

    first = [compiled_search("grid", levels, threads=2, target=1e9) for _ in range(2)]  # every point of block 0 will do
    before = resident()
    seconds, result = compiled_search("grid", levels, threads=2)
    check("grid", levels, result)
    return {
        "points": result.nfev,
        "first block, s": [s for s, _ in first],
        "points of the first block": first[0][1].nfev,
        "s": seconds,
        "before, MiB": before,
        "after, MiB": resident(),
    }


def measure_grid(quick):
    from thalweg.orchestration import cluster

    repeats, levels = (2, FEWER | {"x3": 30}) if quick else (3, FEWER | {"x3": 200})
    for kind in ("grid", "random"):  # into the disk cache
        compiled_search(kind, FEWER | {"x0": 2}, threads=1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        huge = pool.apply(huge_grid, [LEVELS])
    say(f"{huge}")
    rates, points = {}, int(np.prod(list(levels.values())))
    with cluster(2) as client:
        ways = {
            "1 thread": ({"threads": 1}, 1),
            "2 threads": ({"threads": 2}, 2),
            "Dask, 2 workers": ({"client": client}, 2),
        }
        for repeat in range(repeats):
            for kind in ("grid", "random"):
                answers = set()
                for name, (where, cores) in ways.items():
                    if repeat == 0:
                        compiled_search(kind, FEWER | {"x0": 2}, **where)
                    seconds, result = compiled_search(kind, levels, **where)
                    check(kind, levels, result)
                    answers.add((result.index, result.fun))
                    rates.setdefault(f"{kind}, {name}", []).append(result.nfev / seconds / cores)
                    say(f"{kind}, {name}: {rates[f'{kind}, {name}'][-1] / 1e6:.1f} million points per second and core")
                assert len(answers) == 1, f"{kind}: {answers}"
    return {"huge": huge, "points": points, "rates": rates}


def report_grid(data):
    rows = []
    for name, rates in data["rates"].items():
        cells = [name, f"{np.median(rates) / 1e6:.1f}", f"{min(rates) / 1e6:.1f} to {max(rates) / 1e6:.1f}"]
        rows.append([*cells, verdict(np.median(rates) >= 20e6, ">= 20")])
    huge = data["huge"]
    fresh, again = huge["first block, s"]
    return (
        f"4-D quadratic, compiled; a grid of {huge['points']:.1e} points on two threads: first block "
        f"({huge['points of the first block']} points) done after {fresh:.2f} s in a fresh process, {again:.2f} s in "
        f"one that has loaded it before; all points in {huge['s']:.1f} s "
        f"({huge['points'] / huge['s'] / 2e6:.1f} million per second and core); peak memory "
        f"{huge['before, MiB']:.1f} MiB before and {huge['after, MiB']:.1f} MiB after; the answer is the known one.\n\n"
        f"Searches of {data['points']:.1e} points:\n\n"
        + table(["", "million points per second and core", "least to greatest", "required"], rows)
    )


# --- Python callables that cost nothing ---

AXES = {name: [0.1 * k - c for k in range(10)] for name, c in zip("abcde", (0.1, 0.2, 0.3, 0.4, 0.5), strict=True)}
POINTS = 10 ** len(AXES)
RANGES = dict.fromkeys(AXES, (-1.0, 1.0))


def cheap(a, b, c, d, e):
    return a * a + b * b + c * c + d * d + e * e


def lowest(points, values):
    k = min(range(len(values)), key=values.__getitem__)
    return values[k], points[k]


def thalweg_grid(points, seed, client):
    from thalweg.orchestration import grid_search

    result = grid_search(cheap, AXES, client=client)
    return result.nfev, result.fun, result.point


def thalweg_random(points, seed, client):
    from thalweg.orchestration import random_search, uniform

    space = {name: uniform(*ends) for name, ends in RANGES.items()}
    result = random_search(cheap, space, points=points, seed=seed, client=client)
    return result.nfev, result.fun, result.point


def loop_grid(points, seed, client):
    from sklearn.model_selection import ParameterGrid

    points = list(ParameterGrid(AXES))
    return len(points), *lowest(points, [cheap(**point) for point in points])


def joblib_grid(points, seed, client):
    from joblib import Parallel, delayed
    from sklearn.model_selection import ParameterGrid

    points = list(ParameterGrid(AXES))
    return len(points), *lowest(points, Parallel(n_jobs=2)(delayed(cheap)(**point) for point in points))


def joblib_random(points, seed, client):
    from joblib import Parallel, delayed
    from scipy.stats import uniform
    from sklearn.model_selection import ParameterSampler

    space = {name: uniform(low, high - low) for name, (low, high) in RANGES.items()}
    points = list(ParameterSampler(space, points, random_state=seed))
    return len(points), *lowest(points, Parallel(n_jobs=2)(delayed(cheap)(**point) for point in points))


def scipy_brute(points, seed, client):
    from scipy.optimize import brute

    ends = [slice(axis[0], axis[-1], 1j * len(axis)) for axis in AXES.values()]
    x, value, _, values = brute(lambda x: cheap(*x), ends, full_output=True, finish=None)
    return values.size, value, dict(zip(AXES, x.tolist(), strict=True))


def optuna_random(points, seed, client):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    ends = RANGES.items()
    study.optimize(lambda t: cheap(**{k: t.suggest_float(k, *v) for k, v in ends}), n_trials=points, n_jobs=2)
    return len(study.trials), study.best_value, study.best_params


SEARCHES = {  # name: (how, on the client, share of POINTS that a random search gets, compared with)
    "grid: thalweg, here": (thalweg_grid, False, 1, None),
    "grid: thalweg, Dask, 2 workers": (thalweg_grid, True, 1, None),
    "grid: loop over scikit-learn's ParameterGrid": (loop_grid, False, 1, "grid: thalweg, here"),
    "grid: ParameterGrid, joblib, n_jobs=2": (joblib_grid, False, 1, "grid: thalweg, Dask, 2 workers"),
    "grid: scipy.optimize.brute": (scipy_brute, False, 1, "grid: thalweg, here"),
    "random: thalweg, here": (thalweg_random, False, 1, None),
    "random: thalweg, Dask, 2 workers": (thalweg_random, True, 1, None),
    "random: ParameterSampler, joblib, n_jobs=2": (joblib_random, False, 0.1, "random: thalweg, Dask, 2 workers"),
    "random: Optuna, n_jobs=2 (threads)": (optuna_random, False, 0.01, "random: thalweg, Dask, 2 workers"),
}


def attempt(name, share, seed, client):
    """Microseconds per point, of a valid answer."""
    how, on_client, _, _ = SEARCHES[name]
    points = int(POINTS * share)
    start = time.perf_counter()
    done, value, point = how(points, seed, client if on_client else None)
    seconds = time.perf_counter() - start
    assert done == (points if name.startswith("random") else POINTS), f"{done} points"
    assert abs(cheap(**point) - value) <= 1e-12, f"reports {value}, not {cheap(**point)}"
    assert name.startswith("random") or value < 1e-12, f"{value} is not the least of the grid"
    return 1e6 * seconds / done


def measure_search(quick):
    from thalweg.orchestration import cluster

    taken, missing = {}, {}
    divide, repeats = (10, 2) if quick else (1, 3)
    with cluster(2) as client:
        for repeat in range(repeats + 1):  # the first one warms up
            for name, (_, _, share, _) in SEARCHES.items():
                if name in missing:
                    continue
                try:
                    each = attempt(name, share / divide, repeat, client)
                except Exception as error:
                    if "thalweg" in name:
                        raise
                    # A peer that is not installed or fails is reported, and the others go on.
                    missing[name] = f"{type(error).__name__}: {error}"[:120]
                    say(f"{name}: {missing[name]}")
                    continue
                if repeat > 0:
                    taken.setdefault(name, []).append(each)
                    say(f"{name}: {each:.1f} us per point")
    return {"us": taken, "missing": missing, "divide": divide}


def report_search(data):
    rows, us = [], data["us"]
    for name, taken in us.items():
        _, _, share, ours = SEARCHES[name]
        points = POINTS if name.startswith("grid") else int(POINTS * share / data["divide"])
        cells = [name, points, f"{np.median(taken):.1f}", f"{min(taken):.1f} to {max(taken):.1f}"]
        if ours in us:
            median, low, high = pairwise(taken, us[ours])
            cells.append(f"{median:.2f} ({low:.2f} to {high:.2f})")
        rows.append((cells + [""])[:5])
    lines = [f"- {name}: not measured ({why})" for name, why in data["missing"].items()]
    return (
        "A sum of five squares in Python, called with five keywords: what a point costs beside the function, in "
        "microseconds of wall time. thalweg keeps a record and a row of the table for each point, as Optuna does. "
        "Optuna's threads share the GIL; joblib's and Dask's workers are processes. A peer is compared with thalweg "
        "here (one thread) if it runs in one process, else with thalweg on two workers.\n\n"
        + "\n".join([table(["", "points", "us per point", "least to greatest", "times ours"], rows), "", *lines])
    )
