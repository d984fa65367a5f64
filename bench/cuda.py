"""A GPU against our own threads on the CPU: one large population, thousands of restarts, 100,000 small fits.

    python bench/cuda.py [--quick] [--repeats 3] [--part all|runs|fits]

The fits: `minimize_many` with `l_bfgs_b` and exact derivatives, 3 exp(-rate t) at 20 times from noisy data, in seconds
of a call. They are timed where the two devices find the same least squares.

The runs: 30-D Rastrigin written with math.cos, in double precision. First the device's values are compared with the
CPU's and each result's value with its x; then both are timed in interleaved repeats, and ratios are taken repeat by
repeat. Compilation happens before the clock starts; putting the runs onto the device and reading them back is in the
time, a large part of it with --quick. Without a GPU it says so and ends.
"""

import sys
from pathlib import Path

# This file is named like NVIDIA's package `cuda`, which numba-cuda imports: keep its folder out of the way.
HERE = str(Path(__file__).resolve().parent)
sys.path = [folder for folder in sys.path if str(Path(folder).resolve()) != HERE]

import argparse  # noqa: E402
import importlib.util  # noqa: E402
import math  # noqa: E402
import time  # noqa: E402

import numpy as np  # noqa: E402

D = 30
BOUNDS = [(-5.12, 5.12)] * D
LARGE, RESTARTS, POPULATION = 2**17, 4096, 128
FITS, TIMES = 100_000, np.linspace(0.0, 4.0, 20)
# name, options of `minimize`, evaluations of a run on the GPU, and on the CPU, whose speed needs fewer to be known
CASES = [
    (f"one population of {LARGE}", "de", {"options": {"population": LARGE}}, 500 * LARGE, 20 * LARGE),
    (f"{RESTARTS} restarts of DE", "de", {"options": {"population": POPULATION}, "restarts": RESTARTS}, 50_000, 2_000),
    (
        f"{RESTARTS} restarts of jSO",
        "jso",
        {"options": {"population": POPULATION}, "restarts": RESTARTS},
        50_000,
        2_000,
    ),
]


def rastrigin(x):
    total = 0.0
    for j in range(x.size):
        total += x[j] * x[j] - 10.0 * math.cos(2.0 * math.pi * x[j]) + 10.0
    return total


def common():
    """bench/common.py, whose folder is not on the path."""
    spec = importlib.util.spec_from_file_location("common", Path(HERE) / "common.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find_gpu():
    """Its name, or None and the reason printed."""
    try:
        from thalweg.kernels.cuda import shim

        shim.require_gpu()
    except (ImportError, RuntimeError) as error:
        print(f"no measurement: {error}")
        return None
    if shim.SIMULATED:
        print("no measurement: this is the simulator (NUMBA_ENABLE_CUDASIM)")
        return None
    return shim.device_name()


def validate():
    """The device's values of 10,000 points against the CPU's; the largest relative difference."""
    from thalweg.kernels import objective
    from thalweg.kernels.cuda.launches import evaluate

    points = np.random.default_rng(1).uniform(-5.12, 5.12, (10_000, D))
    bound = objective(rastrigin).bind((), points[0])
    expected = bound.evaluate(points)
    worst = float(np.max(np.abs(evaluate(bound, points) - expected) / expected))
    if not worst < 1e-12:
        raise SystemExit(f"the values differ by {worst:.1e}: nothing is timed")
    return worst


def measure(method, device, max_evals, seed, **more):
    """(evaluations per second while running, result)."""
    from thalweg.solvers import minimize

    result = minimize(rastrigin, BOUNDS, method=method, seed=seed, max_evals=max_evals, device=device, **more)
    if not math.isclose(rastrigin(result.x), result.fun, rel_tol=1e-9, abs_tol=1e-9):
        raise SystemExit(f"{device}: fun is {result.fun}, but the function at x is {rastrigin(result.x)}")
    return result.nfev / result.timing["run"], result


def misfit(b, y, t):
    return np.sum((b[0] * np.exp(-b[1] * t) - y) ** 2)


def fit(curves, device):
    """(seconds of the call, result)."""
    from thalweg import minimize_many

    begin = time.perf_counter()
    found = minimize_many(misfit, [1.0, 1.0], (curves,), args=(TIMES,), method="l_bfgs_b", device=device)
    return time.perf_counter() - begin, found


def measure_fits(gpu, tools, count, repeats):
    """Rows and data of the fits."""
    rng = np.random.default_rng(1)
    curves = 3.0 * np.exp(-rng.uniform(0.5, 2.0, (count, 1)) * TIMES) + 0.01 * rng.normal(size=(count, TIMES.size))
    compiling, worst = {device: fit(curves[:100], device)[0] for device in ("cuda", "cpu")}, 0.0
    seconds: dict = {"cuda": [], "cpu": []}
    for _ in range(repeats):
        found = {}
        for device, times in seconds.items():
            elapsed, found[device] = fit(curves, device)
            times.append(elapsed)
            solved = int(found[device].success.sum())
            print(f"{count:,} fits {device:5} {elapsed:8.3f} s  {solved:,} solved, {found[device].nfev.sum():,} values")
        both = found["cuda"].success & found["cpu"].success
        worst = float(np.max(np.abs(found["cuda"].fun / found["cpu"].fun - 1.0)[both]))
        if both.mean() < 0.999 or worst > 1e-3:
            raise SystemExit(f"fits differ by {worst:.1e}, {both.mean():.2%} are solved by both: nothing is timed")
    ratio, low, high = tools.pairwise(seconds["cpu"], seconds["cuda"])
    million = [f"{1e6 * np.median(seconds[device]) / count:.2f}" for device in ("cuda", "cpu")]
    row = [
        f"{count:,} fits",
        *million,
        f"{ratio:.1f} ({low:.1f}-{high:.1f})",
        f"{compiling['cuda']:.1f}",
        f"{worst:.1e}",
    ]
    head = ["case", "GPU, µs a fit", "CPU, µs a fit", "ratio", "compilation, s", "sums of squares differ by"]
    data = {"gpu": gpu, **tools.machine(), "versions": tools.versions("numba-cuda"), "seconds": seconds, "ratio": ratio}
    return data, f"# {gpu} against {data['cpu']}, {data['cores']} threads\n\n" + tools.table(head, [row])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the evaluations, one repeat")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--part", choices=["all", "runs", "fits"], default="all")
    chosen = parser.parse_args()
    gpu = find_gpu()
    if gpu is None:
        return
    tools, share, repeats = common(), 20 if chosen.quick else 1, 1 if chosen.quick else chosen.repeats
    if chosen.part != "runs":
        data, text = measure_fits(gpu, tools, FITS // share, repeats)
        print(text)
        tools.save("cuda_fits", data, text)
    if chosen.part != "fits":
        measure_runs(gpu, tools, share, repeats)


def measure_runs(gpu, tools, share, repeats):
    print(f"{gpu}: values agree to {validate():.1e}")
    rows, data = [], {"gpu": gpu, **tools.machine(), "versions": tools.versions("numba-cuda"), "cases": []}
    for name, method, more, on_gpu, on_cpu in CASES:
        least = max(more["options"]["population"], 1)
        budgets = {"cuda": max(on_gpu // share, 2 * least), "cpu": max(on_cpu // share, 2 * least)}
        speeds: dict = {"cuda": [], "cpu": []}
        first = {device: measure(method, device, 2 * least, 0, **more)[1] for device in speeds}  # compiles
        for repeat in range(repeats):
            for device, budget in budgets.items():
                begin = time.perf_counter()
                speed, result = measure(method, device, budget, repeat + 1, **more)
                speeds[device].append(speed)
                seconds = time.perf_counter() - begin
                print(f"{name:32} {device:5} {speed:14,.0f}/s  {seconds:6.1f} s  best {result.fun:.6g}")
        ratio, low, high = tools.pairwise(speeds["cuda"], speeds["cpu"])
        compiling = first["cuda"].timing["compile"]
        data["cases"].append({"case": name, "evaluations_per_second": speeds, "compile": compiling, "ratio": ratio})
        million = [f"{np.median(speeds[device]) / 1e6:.1f}" for device in ("cuda", "cpu")]
        rows.append([name, *million, f"{ratio:.1f} ({low:.1f}-{high:.1f})", f"{compiling:.1f}"])
    head = ["case", "GPU, M/s", f"CPU, {data['cores']} threads, M/s", "ratio", "compilation, s"]
    title = (
        f"# {gpu} against {data['cpu']}\n\nMillions of evaluations per second, 30-D Rastrigin, double precision.\n\n"
    )
    print(text := title + tools.table(head, rows))
    tools.save("cuda", data, text)


if __name__ == "__main__":
    main()
