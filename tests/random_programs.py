"""Random programs, whose automatic derivatives must be those of exact dual numbers.

Program k is a function of k alone: nested loops with break and continue, while, branches on data and on what is
computed, local arrays of one and two dimensions, writes into x, calls of helper functions, an early return. It is a
function r(x, a) of three residuals; f(x, a) is a sum of them. Checked are the gradient of f, the product of its Hessian
with a vector, and the Jacobian of r.

    python tests/random_programs.py COUNT [FIRST] [gradient,product,jacobian]

checks COUNT of them, one after another, and prints what is wrong. The suite checks a few
(tests/test_automatic_gradients.py).
"""

from __future__ import annotations

import itertools
import linecache
import math
import random
import sys
import time
from pathlib import Path

import numpy as np

N = 5  # variables, and numbers in args
CLOSE = 1e-10  # of 1 + the largest entry of the gradient
STEEP = 1e6  # a program whose derivatives are larger is left out: rounding is
KINDS = ("gradient", "product", "jacobian")
POINTS = 5  # at which a program is tried: other branches, other numbers of iterations
HELPERS = """
def chosen(p, q):
    if p > q:
        return p * q + 0.5
    return math.sin(p) - 0.25 * q


def summed(values, first):
    total = 0.0
    for i in range(first, len(values)):
        total += values[i] * (i + 1)
    return total
"""
SUM = """
def f(x, a):
    found = r(x, a)
    return found[0] + 0.5 * found[1] - 0.25 * found[2] * found[0]
"""
FORMULAS = (
    "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / (2.0 + {1} ** 2))", "math.sin({0})", "math.cos({0})",
    "math.tanh({0})", "math.sqrt(1.0 + {0} ** 2)", "math.log(1.5 + {0} ** 2)", "math.exp(-(({0}) ** 2))",
    "math.atan({0})", "abs({0})", "max({0}, {1})", "min({0}, {1})", "chosen({0}, {1})", "({0} if {0} > {1} else {1})",
)  # fmt: skip
SIZES = {"x": (5,), "a": (5,), "c": (6,), "m": (3, 4)}  # x: the variables; a: args; c, m: local arrays


class Program:
    """The text of one program as it grows."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.names = 0

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def index(self, size: int, loops: list[str]) -> str:
        """A number, or one that hangs on the variable of a loop."""
        r = self.random
        if loops and r.random() < 0.7:
            return f"({r.choice(loops)} + {r.randrange(size)}) % {size}"
        return str(r.randrange(size))

    def element(self, array: str, loops: list[str]) -> str:
        return f"{array}[{', '.join(self.index(size, loops) for size in SIZES[array])}]"

    def expression(self, depth: int, loops: list[str]) -> str:
        r = self.random
        if depth == 0 or r.random() < 0.3:
            leaf = r.choice(["u", "v", "w", *SIZES, "number"])
            if leaf == "number":
                return f"({r.uniform(-2, 2):.2f})"
            return self.element(leaf, loops) if leaf in SIZES else leaf
        return r.choice(FORMULAS).format(self.expression(depth - 1, loops), self.expression(depth - 1, loops))

    def condition(self, loops: list[str]) -> str:
        r = self.random
        if loops and r.random() < 0.3:
            return f"{r.choice(loops)} % 2 == {r.randrange(2)}"
        return f"{self.expression(1, loops)} > {self.expression(1, loops)}"

    def assignment(self, depth: int, loops: list[str]) -> None:
        """Of a size that loops cannot blow up."""
        r = self.random
        names = ["u", "v", "w", "c", "m", *(["x"] if r.random() < 0.3 else [])]
        target = r.choice(names)
        target = self.element(target, loops) if target in SIZES else target
        forms = ("= math.tanh({})", "+= 0.3 * math.sin({})", "*= math.cos({})", "-= 0.2 * math.atan({})")
        self.line(depth, f"{target} {r.choice(forms).format(self.expression(2, loops))}")

    def new(self) -> str:
        self.names += 1
        return f"i{self.names}"

    def block(self, depth: int, levels: int, loops: list[str]) -> None:
        for _ in range(self.random.choice([1, 2, 2, 3])):
            self.statement(depth, levels, loops)

    def statement(self, depth: int, levels: int, loops: list[str]) -> None:
        r = self.random
        kind = r.random()
        if levels == 0 or kind < 0.45:
            self.assignment(depth, loops)
        elif kind < 0.6:
            self.line(depth, f"if {self.condition(loops)}:")
            self.block(depth + 1, levels - 1, loops)
            if r.random() < 0.6:
                self.line(depth, "else:")
                self.block(depth + 1, levels - 1, loops)
        elif kind < 0.85:
            i = self.new()
            self.line(depth, f"for {i} in range({r.choice(['3', '4', 'len(x)', 'k % 4', '1, 6, 2'])}):")
            self.block(depth + 1, levels - 1, [*loops, i])
            if r.random() < 0.4:
                self.line(depth + 1, f"if {self.condition([*loops, i])}:")
                self.line(depth + 2, r.choice(["break", "continue"]))
                self.line(depth + 1, f"u += 0.1 * x[{i} % 5]")
        elif kind < 0.95:
            i = self.new()
            self.line(depth, f"{i} = 0")
            self.line(depth, f"while {i} < 5 and abs(u) < 3.0:")
            self.line(depth + 1, f"{i} += 1")
            self.block(depth + 1, levels - 1, [*loops, i])
            self.line(depth + 1, "k += 1")
        else:
            self.line(depth, "k += 1")

    def text(self) -> str:
        self.lines = ["def r(x, a):", "    u, v, w, k = 0.5, x[0], 1.0, 0"]
        self.line(1, "c, out, m = np.zeros(6), np.zeros(3), np.zeros((3, 4))")
        self.block(1, self.random.choice([2, 2, 3]), [])
        self.block(1, 2, [])
        if self.random.random() < 0.3:
            self.line(1, "if u > v:")
            self.line(2, "out[0], out[1] = u * w + c[1], v")
            self.line(2, "return out")
        self.line(1, "for i in range(3):")
        self.line(2, "for j in range(4):")
        self.line(3, "u += m[i, j] * x[j]")
        self.line(1, "out[0], out[1], out[2] = u + v * w, summed(c, k % 3), w")
        self.line(1, "return out")
        return "\n".join(self.lines)


def source(seed: int) -> str:
    """A program r(x, a), its helpers and f(x, a)."""
    return "\n\n".join([HELPERS, Program(seed).text(), SUM])


def functions(text: str):
    """f and r of a text; its lines are there for whoever reports one."""
    name = f"<random program {abs(hash(text))}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    scope = {"math": math, "np": np}
    exec(compile(text, name, "exec"), scope)
    return scope["f"], scope["r"]


def point(seed: int, k: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, a and the vector that Hessians are multiplied by, (N,) each: the k-th ones of a program."""
    x, a, v = np.random.default_rng([seed, k]).normal(size=(3, N))
    return x, a, v


def expected(seed: int, k: int = 0) -> dict[str, np.ndarray] | None:
    """Each kind at a point of a program by dual numbers; None where they are no measure."""
    from tests.duals import jacobian, product, value_and_gradient

    f, r = functions(source(seed))
    x, a, v = point(seed, k)
    try:
        value, g = value_and_gradient(f, x, (a,))
        found = {"gradient": np.append(g, value), "product": product(f, x, v, (a,))}
        found["jacobian"] = jacobian(r, x, (a,))[1]
    except (OverflowError, ZeroDivisionError, ValueError):
        return None
    return found if all(np.abs(d).max() < STEEP for d in found.values()) else None  # and none is NaN


def usable(first: int):
    """Seeds from `first` on whose programs have derivatives."""
    return (seed for seed in itertools.count(first) if expected(seed) is not None)


def fault(seed: int, kinds=KINDS) -> str:
    """What is wrong with the automatic derivatives of a program; "" if nothing."""
    from tests.automatic import Automatic

    f, r = functions(source(seed))
    _, a, _ = point(seed)
    of_f, of_r = Automatic(f, (a,)), Automatic(r, (a,), way="vector")
    calls = {
        "gradient": lambda x, v: np.append(*of_f.gradient(x)[::-1]),
        "product": lambda x, v: of_f.product(x, v),
        "jacobian": lambda x, v: of_r.jacobian(x, 3)[1],
    }
    for k in range(POINTS):
        known = expected(seed, k)
        x, others, v = point(seed, k)
        for automatic in (of_f, of_r):
            automatic.values[-1][:] = others
        for kind in kinds if known else ():
            try:
                off = np.abs(calls[kind](x, v) - known[kind]).max() / (1.0 + np.abs(known[kind]).max())
            except Exception as error:
                return f"{kind}: {type(error).__name__}: {error}"
            if not off <= CLOSE:
                return f"{kind} off by {off:.1e} at point {k}"
    return ""


def main() -> int:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seeds = usable(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    kinds = sys.argv[3].split(",") if len(sys.argv) > 3 else KINDS
    begin, faults = time.process_time(), 0
    for k in range(count):
        seed = next(seeds)
        found = fault(seed, kinds)
        if found:
            faults += 1
            print(f"program {seed}: {found}", flush=True)
        if (k + 1) % 100 == 0:
            print(f"{k + 1} programs, {faults} wrong, {time.process_time() - begin:.0f} CPU s", flush=True)
    print(f"{count} programs, {faults} wrong, {time.process_time() - begin:.0f} CPU s")
    return min(faults, 1)


if __name__ == "__main__":
    raise SystemExit(main())
