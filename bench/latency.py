"""What a user waits for, with a warm cache, in fresh processes.

    python bench/latency.py [--repeats 7]

(a) the whole process: start, `from thalweg.solvers import minimize`, a first result on a 10-D problem   <= 1.5 s
(b) in a process that has compiled before, a further objective of ten lines, never seen before           <= 0.4 s
(c) imports alone, beside SciPy's
(d) CPU seconds to compile each method with an empty cache, by driver: the first run (serial), many short runs, rows on
    threads, ask and tell                              a sequential method <= 4, a population <= 8, `warm --all` <= 45
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from common import machine, save, table, versions

FIRST = """
from thalweg.solvers import minimize
def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total
result = minimize(rosenbrock, [(-5.0, 5.0)] * 10, seed=1, max_evals=10_000)
assert result.fun < 1e6 and len(result.x) == 10
"""
SCIPY = (
    FIRST.replace("thalweg.solvers", "scipy.optimize")
    .replace("import minimize", "import differential_evolution as minimize")
    .replace("seed=1, max_evals=10_000", "rng=1, maxiter=65, tol=0, polish=False")
)

NEW = {  # {c} makes each one new to the disk cache
    "loop and cos": """
import math
def objective(x):
    total = 10.0 * len(x)
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v)
    return total + {c}
""",
    "branches": """
import math
def objective(x):
    total, product = {c}, 1.0
    for i in range(len(x)):
        v = x[i]
        if v > 1.0:
            total += (v - 1.0) ** 2
        elif v < -1.0:
            total += math.fabs(v)
        product *= math.sin(v / (i + 1.0))
    return total - product
""",
    "NumPy calls": """
import numpy as np
def objective(x):
    s = np.sum(x ** 2)
    c = np.sum(np.cos(2.0 * np.pi * x))
    return 20.0 + np.e - 20.0 * np.exp(-0.2 * np.sqrt(s / len(x))) - np.exp(c / len(x)) + {c}
""",
    "two functions": """
import math
def shape(t, a, b):
    return a * math.exp(-b * t) + {c}
def objective(x):
    total = 0.0
    for k in range(20):
        t = 0.1 * k
        y = shape(t, 2.0, 0.5)
        total += (shape(t, x[0], x[1]) - y) ** 2
    for v in x[2:]:
        total += v * v
    return total
""",
    "nested loops": """
import math
def objective(x):
    total, n = {c}, len(x)
    for i in range(n):
        inner = 0.0
        for j in range(n):
            inner += (j + 1.0 + 0.5) * (x[j] ** (i + 1.0) if x[j] > 0.0 else -math.fabs(x[j]))
        total += inner * inner
        if total > 1e12:
            return 1e12
    return total
""",
    "data in args": """
import math
def objective(x, t, y, scale):
    total = {c}
    for k in range(len(t)):
        model = x[0] * math.exp(-x[1] * t[k]) + x[2] * math.sin(x[3] * t[k])
        r = (y[k] - model) / scale
        total += r * r
    for v in x[4:]:
        total += math.fabs(v)
    return total
""",
}
FURTHER = """
import importlib.util, json, sys, time
import numpy as np
from thalweg.solvers import minimize
bounds, rows = [(-5.0, 5.0)] * 10, []
minimize(lambda x: (x * x).sum(), bounds, seed=1, max_evals=1000)
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("new", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    t = np.linspace(0.0, 3.0, 50)
    args = (t, np.cos(t), 2.0) if "data" in path else ()
    start = time.perf_counter()
    result = minimize(module.objective, bounds, args=args, seed=1, max_evals=1000)
    seconds = time.perf_counter() - start
    point = [float(v) for v in result.x]
    assert abs(module.objective(np.array(point), *args) - result.fun) <= 1e-9 * (1 + abs(result.fun))
    timing = result.timing
    rows.append((seconds, timing["compile"] if isinstance(timing, dict) else timing.compile))
print(json.dumps(rows))
"""

COLD = """
import json, sys, time
from numba import njit
from thalweg.kernels.calling.asking import REPLAY
from thalweg.solvers import SOLVERS, minimize
from thalweg.solvers.driving import drivers
minimize(lambda x: x[0], [(0.0, 1.0)], method="random_search", max_evals=10)  # what every first call compiles
taken = {}
for name in json.loads(sys.argv[1]):
    solver, row = SOLVERS[name], {}
    parts = {"serial": drivers.serial, "many": drivers.many}
    if solver.rows is None:
        parts["ask and tell"] = lambda solver: drivers.serial(solver, REPLAY)
    else:
        parts |= {"threads": drivers.parallel, "ask and tell": lambda s: (drivers.proposer(s), drivers.concluder(s))}
    for part, compile_part in parts.items():
        begin = time.process_time()
        compile_part(solver)
        row[part] = time.process_time() - begin
    taken[name] = row
print(json.dumps(taken))
"""


def cold():
    """CPU seconds to compile: {method: {driver: seconds}}, each with a cache of its own; and `warm --all`."""
    from thalweg.solvers import SOLVERS

    taken = {}
    for name in SOLVERS:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-c", COLD, json.dumps([name])],
                check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "THALWEG_CACHE_DIR": folder},
            )  # fmt: skip
        taken |= json.loads(done.stdout)
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", "from thalweg.orchestration.cli import main; main()", "warm", "--all"]
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "THALWEG_CACHE_DIR": folder})
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cold_table(taken, warm):
    from thalweg.solvers import SOLVERS

    rows = []
    for name, row in taken.items():
        most = 4 if SOLVERS[name].rows is None else 8
        met = f"{most}: {'met' if row['serial'] <= most else 'MISSED'}"
        rows.append([name, *(f"{row[part]:.1f}" if part in row else "" for part in PARTS), met])
    rows.append(["warm --all", f"{warm:.1f}", "", "", "", f"45: {'met' if warm <= 45 else 'MISSED'}"])
    return table(["CPU s to compile, empty cache", *PARTS, "required"], rows)


PARTS = ("serial", "many", "threads", "ask and tell")


def seconds(*command):
    """Wall time of a whole process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return time.perf_counter() - start


def processes(repeats, folder):
    """Whole processes, interleaved: {name: seconds}."""
    commands = {"python alone": ["-c", "pass"]}
    for name in ("numpy", "numba", "scipy.optimize", "thalweg.kernels", "thalweg.solvers"):
        commands[f"import {name}"] = ["-c", f"import {name}"]
    for name, source in (("first result", FIRST), ("first result of scipy's DE", SCIPY)):
        path = folder / f"first_{len(commands)}.py"
        path.write_text(source)
        commands[name] = [str(path)]
    for command in commands.values():  # fills the cache, and shows any failure
        subprocess.run([sys.executable, *command], check=True)
    taken = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            taken[name].append(seconds(*command))
    return taken


def further(repeats, folder):
    """New objectives in a process that has compiled before: {kind: [(seconds, of which compilation)]}."""
    rows = {name: [] for name in NEW}
    for repeat in range(repeats):
        paths = []
        for k, (name, source) in enumerate(NEW.items()):
            paths.append(folder / f"{name.replace(' ', '_')}_{repeat}.py")
            paths[-1].write_text(source.replace("{c}", f"1e-9 * {time.time_ns() % 10**12 + k}.0"))
        command = [sys.executable, "-c", FURTHER, *map(str, paths)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        for name, row in zip(NEW, json.loads(done.stdout.splitlines()[-1]), strict=True):
            rows[name].append(row)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        whole, new = processes(a.repeats, Path(name)), further(a.repeats, Path(name))
    compiling, warm = cold()
    rows = []
    for name, taken in whole.items():
        met = ("1.5 s: met" if np.median(taken) <= 1.5 else "1.5 s: MISSED") if name == "first result" else ""
        rows.append([name, f"{np.median(taken):.3f}", f"{min(taken):.3f} to {max(taken):.3f}", "", met])
    for name, pairs in new.items():
        taken, of_which = np.array(pairs).T
        met = "0.4 s: met" if np.median(taken) <= 0.4 else "0.4 s: MISSED"
        rows.append(
            [
                f"new objective: {name}",
                f"{np.median(taken):.3f}",
                f"{taken.min():.3f} to {taken.max():.3f}",
                f"{np.median(of_which):.3f}",
                met,
            ]
        )
    what = f"Seconds, median of {a.repeats}; warm cache; whole processes, except `new objective` (one call)."
    body = table(["", "s", "least to greatest", "of which compilation", "required"], rows)
    text = "\n\n".join(["# Latency", f"{machine()}", f"{versions('scipy')}", what, body, cold_table(compiling, warm)])
    print(text)
    data = {"processes": whole, "new": new, "compile": compiling, "warm": warm}
    save("latency", {"machine": machine(), "versions": versions("scipy"), **data}, text)


if __name__ == "__main__":
    main()
