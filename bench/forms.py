"""The same function in the forms in which people write it, for throughput.py: time of an evaluation beside that of the
loop over indices. Rastrigin, and Rosenbrock where neighbours are needed."""

import math
import time

import numpy as np
from common import pairwise, table

DIMENSIONS = (10, 30, 200)
LOOPS, ARRAYS = 1.25, 1.6  # times the loop over indices, at most


def rastrigin(x):
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def over_values(x):
    total = 10.0 * len(x)
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v)
    return total


def enumerated(x):
    total = 10.0 * len(x)
    for i, v in enumerate(x):
        total += v * v - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def waves(x):
    total = 0.0
    for v in x:
        total += v * v - 10.0 * math.cos(2.0 * math.pi * v)
    return total


def in_helper(x):
    return 10.0 * len(x) + waves(x)


def while_loop(x):
    total, i = 10.0 * len(x), 0
    while i < len(x):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
        i += 1
    return total


def array_expression(x):
    return 10.0 * len(x) + np.sum(x * x - 10.0 * np.cos(2.0 * np.pi * x))


def array_methods(x):
    return 10.0 * len(x) + (x**2).sum() - 10.0 * np.cos(2.0 * np.pi * x).sum()


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def zipped(x):
    total = 0.0
    for a, b in zip(x[:-1], x[1:]):  # noqa: RUF007
        total += 100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2
    return total


def slices(x):
    head, tail = x[:-1], x[1:]
    total = 0.0
    for i in range(len(head)):
        total += 100.0 * (tail[i] - head[i] * head[i]) ** 2 + (1.0 - head[i]) ** 2
    return total


def slice_expression(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def named_arrays(x):
    bend = x[1:] - x[:-1] ** 2
    away = 1.0 - x[:-1]
    return 100.0 * np.sum(bend**2) + np.dot(away, away)


FORMS = {  # what it is, the function: the loop over indices it is compared with, how many times its time it may take
    ("Rastrigin: over indices", rastrigin): (rastrigin, None),
    ("for v in x", over_values): (rastrigin, LOOPS),
    ("enumerate(x)", enumerated): (rastrigin, LOOPS),
    ("a helper that takes x", in_helper): (rastrigin, LOOPS),
    ("while", while_loop): (rastrigin, LOOPS),
    ("array expression", array_expression): (rastrigin, ARRAYS),
    ("array methods", array_methods): (rastrigin, ARRAYS),
    ("Rosenbrock: over indices", rosenbrock): (rosenbrock, None),
    ("zip(x[:-1], x[1:])", zipped): (rosenbrock, LOOPS),
    ("loop over slices", slices): (rosenbrock, LOOPS),
    ("array expression of slices", slice_expression): (rosenbrock, ARRAYS),
    ("arrays with names", named_arrays): (rosenbrock, ARRAYS),
}


def time_forms(repeats):
    """Nanoseconds per evaluation, interleaved: {function: {dimension: [ns]}}, after the values were compared."""
    from thalweg.kernels import objective

    rng = np.random.default_rng(0)
    data = {dimension: rng.uniform(-5.12, 5.12, (60_000 // dimension, dimension)) for dimension in DIMENSIONS}
    functions = {f for _, f in FORMS}
    bound = {f: {dimension: objective(f).bind((), x[0]) for dimension, x in data.items()} for f in functions}
    taken = {f: {dimension: [] for dimension in DIMENSIONS} for f in bound}
    for f, compiled in bound.items():
        for dimension, x in data.items():
            np.testing.assert_allclose(compiled[dimension].evaluate(x[:100]), [f(row) for row in x[:100]], rtol=1e-12)
    for _ in range(5 * repeats):
        for dimension, x in data.items():
            values = np.empty(len(x))
            for f, compiled in bound.items():
                start = time.perf_counter()
                compiled[dimension].evaluate_into(x, values)
                taken[f][dimension].append((time.perf_counter() - start) / len(x) * 1e9)
    return taken


def forms_table(taken):
    rows = []
    for (name, f), (indices, most) in FORMS.items():
        row, worst = [name], 0.0
        for dimension in DIMENSIONS:
            ratio, _, _ = pairwise(taken[f][dimension], taken[indices][dimension])
            worst = max(worst, ratio)
            row.append(f"{np.median(taken[f][dimension]):.1f}" + ("" if most is None else f" ({ratio:.2f})"))
        rows.append([*row, "" if most is None else f"{most}: {'met' if worst <= most else 'MISSED'}"])
    return table(["ns (times the loop over indices)", *(f"{d} variables" for d in DIMENSIONS), "required"], rows)
