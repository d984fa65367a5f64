"""Evaluations per second on a GPU against our own threads on the CPU: one large population, and thousands of restarts.

    python bench/cuda.py [--quick] [--repeats 3]

30-D Rastrigin written with math.cos, in double precision. First the device's values are compared with the CPU's and
each result's value with its x; then both are timed in interleaved repeats, and ratios are taken repeat by repeat.
Compilation happens before the clock starts; putting the runs onto the device and reading them back is in the time, a
large part of it with --quick. Without a GPU it says so and ends.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a twentieth of the evaluations, one repeat")
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    gpu = find_gpu()
    if gpu is None:
        return
    tools, share, repeats = common(), 20 if chosen.quick else 1, 1 if chosen.quick else chosen.repeats
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
