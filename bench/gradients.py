"""What automatic derivatives cost: beside the value, differences, gradients by hand, JAX and autograd.

    python bench/gradients.py [--repeats 15] [--no-compile] [NAME ...]

The 24 objectives of `objectives/basics.py` and the 50 further ones, and some of them with many variables. Value,
gradient and product with the Hessian are called by their addresses from a compiled loop, in interleaved repeats; the
ratio is the median of the repeats'. Each is validated first: the gradient against differences, the product against the
differences of gradients.

Required: gradient <= 4 values in the median, 8 at most; product <= 3 gradients in the median; 1,000-variable Rosenbrock
<= 1.2 gradients by hand; compilation <= 0.5 s in the median beyond that of the value, 0.02 s from the cache (CPU
seconds, in processes of their own).
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numba
import numpy as np
from common import machine, save, table, versions
from objectives import BASICS, OBJECTIVES, Objective
from objectives.kinds import entry

from thalweg.kernels import objective
from thalweg.kernels.calling.arguments import call_adapter, call_value
from thalweg.kernels.calling.derivatives import Wanted, derivatives_of

LEAST = 2e-3  # seconds of a repeat


# --- by address --------------------------------------------------------------------------------------------------


@numba.njit
def values(address, record, x, count):
    total = 0.0
    for _ in range(count):
        total += call_value(address, record, x)
    return total


@numba.njit
def gradients(address, record, x, g, work, count):
    total = 0.0
    for _ in range(count):
        total += call_adapter(address, (x, record, g, work))
    return total


@numba.njit
def products(address, record, x, v, hv, work, count):
    total = 0.0
    for _ in range(count):
        total += call_adapter(address, (x, record, v, hv, work))
    return total


class Machine:
    """An objective's adapters: each method makes `count` calls."""

    def __init__(self, item: Objective, jac=None):
        n = len(item.x0)
        self.x, self.g, self.v, self.hv = item.x0.copy(), np.empty(n), np.cos(np.arange(n) + 0.5), np.empty(n)
        self.bound = objective(item.fun).bind(item.args)
        ends = np.full(n, -math.inf), np.full(n, math.inf)
        found = derivatives_of(self.bound, {"gradient", "product"}, Wanted(jac=jac), *ends, self.x).of
        self.gradient, self.product = found["gradient"], found["product"]
        self.works = self.gradient.work(), self.product.work()

    def call_value(self, count):
        return values(self.bound.address, self.bound.args_address, self.x, count)

    def call_gradient(self, count):
        record = self.bound.args_address
        return gradients(self.gradient.address, record, self.x, self.g, self.works[0].address, count)

    def call_product(self, count):
        record = self.bound.args_address
        return products(self.product.address, record, self.x, self.v, self.hv, self.works[1].address, count)


def seconds(call, count):
    """CPU seconds of a call: other processes on the machine do not count."""
    begin = time.process_time()
    call(count)
    return (time.process_time() - begin) / count


def enough(call):
    """How many calls a repeat makes."""
    call(1)
    count = 1
    while (spent := min(seconds(call, count) for _ in range(3))) * count < LEAST / 4:
        count *= 4
    return max(1, math.ceil(LEAST / spent))


def interleaved(calls, repeats):
    """(repeats, len(calls)) seconds of a call."""
    counts = [enough(call) for call in calls]
    return np.array([[seconds(call, count) for call, count in zip(calls, counts)] for _ in range(repeats)])


# --- each objective ----------------------------------------------------------------------------------------------


class Row(NamedTuple):
    name: str
    n: int
    value: float  # µs
    gradient: float  # µs
    ratio: float  # gradient / value
    product: float  # product / gradient
    how: str  # of the product
    differences: float  # gradient by central differences / automatic one

    def cells(self):
        numbers = f"{self.value:.3g}", f"{self.gradient:.3g}", f"{self.ratio:.2f}", f"{self.product:.2f}"
        return [self.name, self.n, *numbers, f"{self.differences:.1f}"]


def validate(item, ours, by_differences):
    """The gradient and the product, each against differences."""
    value = ours.call_gradient(1)
    plain = ours.call_value(1)
    assert abs(value - plain) <= 1e-9 * (1 + abs(plain)), f"{item.name}: value {value} beside {plain}"
    by_differences.call_gradient(1)
    largest = np.abs(ours.g).max()
    off = np.abs(ours.g - by_differences.g).max()
    assert off <= 1e-4 * (1 + largest + abs(plain)), f"{item.name}: gradient off by {off:.1e}"
    ours.call_product(1)
    h = 1e-5 / np.abs(ours.v).max()
    sides = []
    for side in (h, -h):
        ours.x[:] = item.x0 + side * ours.v
        ours.call_gradient(1)
        sides.append(ours.g.copy())
    ours.x[:] = item.x0
    known = (sides[0] - sides[1]) / (2 * h)
    off = np.abs(ours.hv - known).max()
    assert off <= 1e-4 * (1 + np.abs(known).max() + largest), f"{item.name}: product off by {off:.1e}"


def measure(item, repeats):
    ours, by_differences = Machine(item), Machine(item, jac="3-point")
    validate(item, ours, by_differences)
    spent = interleaved([ours.call_value, ours.call_gradient, ours.call_product, by_differences.call_gradient], repeats)
    value, gradient, product, differences = spent.T
    return Row(
        item.name, len(item.x0), 1e6 * float(np.median(value)), 1e6 * float(np.median(gradient)),
        float(np.median(gradient / value)), float(np.median(product / gradient)), ours.product.how,
        float(np.median(differences / gradient)),
    )  # fmt: skip


def many_variables():
    """Some of the 24 with a thousand variables, and x @ A @ x with 200."""
    random = np.random.default_rng(2)
    named = {item.name: item for item in BASICS}
    x = random.normal(size=1000)
    nodes = np.linspace(-3.0, 3.0, 21)
    A = random.normal(size=(200, 200))
    args = {"array_expression": (random.normal(size=1000),), "interp": (nodes, np.sin(nodes))}
    names = ("rosenbrock", "slices", "rastrigin", "rastrigin_array", "ackley", "array_expression", "interp")
    points = dict.fromkeys(names, x) | {"interp": 0.3 * np.floor(x / 0.3) + 0.1}  # no node nearby: there is a kink
    items = [entry(named[name].fun, points[name], args.get(name, ()), name=f"{name} 1000") for name in names]
    quadratic = entry(named["quadratic"].fun, x[:200], (A @ A.T, x[:200].copy()), name="quadratic 200")
    return [*items, quadratic]


# --- by hand, and beside JAX and autograd --------------------------------------------------------------------------


@numba.njit
def rosenbrock_by_hand(x, g):
    """The value, and the gradient in g."""
    total = 0.0
    g[0] = 0.0
    for i in range(len(x) - 1):
        t = x[i + 1] - x[i] * x[i]
        u = 1.0 - x[i]
        total += 100.0 * t * t + u * u
        g[i] += -400.0 * t * x[i] - 2.0 * u
        g[i + 1] = 200.0 * t
    return total


@numba.njit
def by_hand(x, g, count):
    total = 0.0
    for _ in range(count):
        total += rosenbrock_by_hand(x, g)
        x[0] += 1e-9  # or the loop would be left out
    return total


def rosenbrock_beside_hand(repeats):
    """(µs of the automatic gradient, µs by hand, ratio) with 1,000 variables."""
    item = many_variables()[0]
    ours, x, g = Machine(item), item.x0.copy(), np.empty(1000)
    rosenbrock_by_hand(x, g)
    ours.call_gradient(1)
    assert np.abs(g - ours.g).max() <= 1e-12 * np.abs(g).max()
    spent = interleaved([ours.call_gradient, lambda count: by_hand(x, g, count)], repeats)
    return (*(1e6 * np.median(spent, axis=0)), float(np.median(spent[:, 0] / spent[:, 1])))


def peer_gradients(numpy):
    """Array forms that JAX and autograd differentiate; numpy: theirs."""
    return {
        "slices": lambda x: numpy.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
        "rastrigin_array": lambda x: 10.0 * x.size + numpy.sum(x * x - 10.0 * numpy.cos(2.0 * numpy.pi * x)),
    }


def beside_peers(repeats):
    """Rows of µs for value and gradient, called from Python: ours by address inside a compiled loop, too."""
    rows = []
    for n in (10, 1000):
        for name in ("slices", "rastrigin_array"):
            x = np.random.default_rng(3).normal(size=n)
            item = next(entry(item.fun, x, name=name) for item in BASICS if item.name == name)
            ours = Machine(item)
            ours.call_gradient(1)
            calls = {"thalweg": ours.call_gradient}
            if peer := _jax(name, x, ours.g):
                calls |= peer
            if peer := _autograd(name, x, ours.g):
                calls |= peer
            spent = dict(zip(calls, 1e6 * np.median(interleaved(list(calls.values()), repeats), axis=0)))
            rows.append([f"{name} {n}", *(f"{spent[k]:.3g}" if k in spent else "-" for k in PEERS)])
    return rows


PEERS = ("thalweg", "JAX in a loop", "JAX called", "autograd")


def _repeated(call):
    def several(count):
        for _ in range(count):
            call()

    return several


def _jax(name, x, known):
    try:
        import jax
    except ImportError:
        return {}
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    f = peer_gradients(jax.numpy)[name]
    both = jax.jit(jax.value_and_grad(f))
    given = jax.numpy.asarray(x)
    assert np.abs(np.asarray(both(given)[1]) - known).max() <= 1e-10 * np.abs(known).max()

    @jax.jit
    def loop(x, count):
        def step(_, carried):
            x, total = carried
            value, g = both(x)
            return x - 1e-12 * g, total + value  # or the loop would be left out

        return jax.lax.fori_loop(0, count, step, (x, 0.0))

    return {
        "JAX in a loop": lambda count: loop(given, count)[1].block_until_ready(),
        "JAX called": _repeated(lambda: both(given)[1].block_until_ready()),
    }


def _autograd(name, x, known):
    try:
        import autograd
    except ImportError:
        return {}
    both = autograd.value_and_grad(peer_gradients(autograd.numpy)[name])
    assert np.abs(both(x)[1] - known).max() <= 1e-10 * np.abs(known).max()
    return {"autograd": _repeated(lambda: both(x))}


# --- compilation ---------------------------------------------------------------------------------------------------


def compile_all(names):
    """CPU seconds for value, gradient, product, objective by objective, in this process; printed as JSON."""
    Machine(entry(lambda x: x[0] * x[1], [1.0, 2.0])).call_gradient(1)  # what all of them share
    for item in OBJECTIVES:
        if names and item.name not in names:
            continue
        begin = time.process_time()
        bound = objective(item.fun).bind(item.args)
        _ = bound.address
        value = time.process_time()
        ends = np.full(len(item.x0), -math.inf), np.full(len(item.x0), math.inf)
        derivatives_of(bound, {"gradient"}, Wanted(), *ends, item.x0)
        gradient = time.process_time()
        print(json.dumps({"name": item.name, "value": value - begin, "gradient": gradient - value}), flush=True)


def compilation(names):
    """{name: (value, gradient beyond, gradient from the cache)} in CPU seconds: an empty cache, then a full one."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for _ in range(2):
            command = [sys.executable, __file__, "--compile", *names]
            environment = os.environ | {"THALWEG_CACHE_DIR": folder}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            found.append([json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")])
    return {a["name"]: (a["value"], a["gradient"], b["gradient"]) for a, b in zip(*found)}


def verdict(found, allowed):
    return f"{found:.3g} ({allowed:g}: {'met' if found <= allowed else 'MISSED'})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the objectives only; nothing is written")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--no-compile", action="store_true", help="no times of compilation; nothing is written")
    parser.add_argument("--compile", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.compile:
        return compile_all(a.names)

    rows, refused = [], []
    for item in [*OBJECTIVES, *many_variables()]:
        if a.names and item.name not in a.names:
            continue
        try:
            rows.append(measure(item, a.repeats))
        except Exception as error:  # refused, or wrong: said below
            refused.append(f"- {item.name}: {type(error).__name__}: {error}")
            print(refused[-1], flush=True)
            continue
        print(*rows[-1].cells(), sep="  ", flush=True)
    compiled = {} if a.no_compile else compilation(a.names)

    head = [
        "objective",
        "n",
        "value µs",
        "gradient µs",
        "gradient / value",
        "product / gradient",
        "differences / gradient",
    ]
    head += ["compile value s", "gradient s", "from cache s"] if compiled else []
    cells = [[*r.cells(), *(f"{t:.3f}" for t in compiled.get(r.name, [math.nan] * 3) if compiled)] for r in rows]
    ratios = [row.ratio for row in rows]
    worst = max(rows, key=lambda row: row.ratio)
    lines = [
        f"Gradient / value: median {verdict(float(np.median(ratios)), 4)}, at most {verdict(worst.ratio, 8)} "
        f"({worst.name}). Product / gradient: median {verdict(float(np.median([row.product for row in rows])), 3)}.",
    ]
    if not a.names:
        ours, hand, ratio = rosenbrock_beside_hand(a.repeats)
        lines.append(f"Rosenbrock, 1,000 variables: {ours:.2f} µs, by hand {hand:.2f} µs, ratio {verdict(ratio, 1.2)}.")
    if compiled:
        _, gradient, cached = np.array(list(compiled.values())).T
        lines.append(
            f"Compilation beyond the value: median {verdict(float(np.median(gradient)), 0.5)} CPU s, from the cache "
            f"{verdict(float(np.median(cached)), 0.02)}."
        )
    peers = table(["value and gradient, µs", *PEERS], beside_peers(a.repeats)) if not a.names else ""
    newline = "\n\n"
    text = f"""# Automatic derivatives

{machine()}

{versions("jax", "autograd")}

Value, gradient and product by address from a compiled loop, median of {a.repeats} interleaved repeats. A dash: not
installed.

{newline.join(lines)}

{peers}

{table(head, cells)}

Not differentiated:

{newline.join(refused) or "none"}
"""
    print(text)
    if not (a.names or a.no_compile):
        save("gradients", {"machine": machine(), "rows": [r._asdict() for r in rows], "compiled": compiled}, text)


if __name__ == "__main__":
    main()
