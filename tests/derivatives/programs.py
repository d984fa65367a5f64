"""Random programs (nested loops, while, branches, break and continue, local arrays, calls, writes into x), and exact
dual numbers in plain Python to compare their gradients with."""

import math

import numpy as np


class Dual:
    __slots__ = ("d", "v")

    def __init__(s, v, d):
        s.v, s.d = v, d

    def _b(o):
        return (o.v, o.d) if isinstance(o, Dual) else (float(o), 0.0)

    def __add__(a, b):
        v, d = Dual._b(b)
        return Dual(a.v + v, a.d + d)

    __radd__ = __add__

    def __sub__(a, b):
        v, d = Dual._b(b)
        return Dual(a.v - v, a.d - d)

    def __rsub__(a, b):
        v, d = Dual._b(b)
        return Dual(v - a.v, d - a.d)

    def __mul__(a, b):
        v, d = Dual._b(b)
        return Dual(a.v * v, a.d * v + a.v * d)

    __rmul__ = __mul__

    def __truediv__(a, b):
        v, d = Dual._b(b)
        return Dual(a.v / v, (a.d - a.v / v * d) / v)

    def __rtruediv__(a, b):
        v, d = Dual._b(b)
        return Dual(v / a.v, (d - v / a.v * a.d) / a.v)

    def __pow__(a, n):
        return Dual(a.v**n, n * a.v ** (n - 1) * a.d)

    def __neg__(a):
        return Dual(-a.v, -a.d)

    def __abs__(a):
        return a if a.v >= 0 else -a

    def __lt__(a, b):
        return a.v < Dual._b(b)[0]

    def __gt__(a, b):
        return a.v > Dual._b(b)[0]

    def __le__(a, b):
        return a.v <= Dual._b(b)[0]

    def __ge__(a, b):
        return a.v >= Dual._b(b)[0]


class M:
    pi = math.pi
    sin = staticmethod(lambda a: Dual(math.sin(a.v), math.cos(a.v) * a.d) if isinstance(a, Dual) else math.sin(a))
    cos = staticmethod(lambda a: Dual(math.cos(a.v), -math.sin(a.v) * a.d) if isinstance(a, Dual) else math.cos(a))
    exp = staticmethod(lambda a: Dual(math.exp(a.v), math.exp(a.v) * a.d) if isinstance(a, Dual) else math.exp(a))
    log = staticmethod(lambda a: Dual(math.log(a.v), a.d / a.v) if isinstance(a, Dual) else math.log(a))
    tanh = staticmethod(
        lambda a: Dual(math.tanh(a.v), (1 - math.tanh(a.v) ** 2) * a.d) if isinstance(a, Dual) else math.tanh(a)
    )
    sqrt = staticmethod(
        lambda a: Dual(math.sqrt(a.v), 0.5 / math.sqrt(a.v) * a.d) if isinstance(a, Dual) else math.sqrt(a)
    )


class NP:
    @staticmethod
    def zeros(n):
        return [0.0] * n if not isinstance(n, tuple) else Two(n)


class Two(dict):
    def __init__(s, n):
        s.n = n
        [s.__setitem__((i, j), 0.0) for i in range(n[0]) for j in range(n[1])]


N = 5


def program(rng):
    L = [
        "def f(x, a):",
        "    u = 0.5",
        "    v = x[0]",
        "    w = 1.0",
        "    c = np.zeros(6)",
        "    m = np.zeros((3, 4))",
        "    k = 0",
    ]
    fl = ["u", "v", "w"]

    def fexpr(d, ints):
        r = rng.random()
        if d <= 0 or r < 0.3:
            return rng.choice(
                fl
                + [
                    f"x[{idx(5, ints)}]",
                    f"a[{idx(5, ints)}]",
                    f"c[{idx(6, ints)}]",
                    f"m[{idx(3, ints)}, {idx(4, ints)}]",
                    f"({rng.uniform(-2, 2):.2f})",
                ]
            )
        e = lambda: fexpr(d - 1, ints)
        return rng.choice(
            [
                lambda: f"({e()} + {e()})",
                lambda: f"({e()} - {e()})",
                lambda: f"({e()} * {e()})",
                lambda: f"({e()} / (2.0 + {e()} ** 2))",
                lambda: f"math.sin({e()})",
                lambda: f"math.cos({e()})",
                lambda: f"math.tanh({e()})",
                lambda: f"math.sqrt(1.0 + {e()} ** 2)",
                lambda: f"math.log(1.5 + {e()} ** 2)",
                lambda: f"abs({e()})",
                lambda: f"max({e()}, 0.0 + {e()})",
                lambda: f"min({e()}, 0.0 + {e()})",
                lambda: f"h({e()}, {e()})",
                lambda: f"math.exp(-({e()}) ** 2)",
            ]
        )()

    def idx(n, ints):
        if ints and rng.random() < 0.7:
            return f"({rng.choice(ints)} + {rng.randrange(n)}) % {n}"
        return str(rng.randrange(n))

    def cond(ints):
        if ints and rng.random() < 0.3:
            return f"{rng.choice(ints)} % 2 == {rng.randrange(2)}"
        return f"{fexpr(1, ints)} > {fexpr(1, ints)}"

    def block(depth, ind, ints, loop):
        out = []
        for _ in range(rng.randint(1, 4)):
            p = "    " * ind
            r = rng.random()
            if r < 0.45 or depth <= 0:
                t = rng.choice(
                    fl
                    + [f"c[{idx(6, ints)}]", f"m[{idx(3, ints)}, {idx(4, ints)}]"]
                    + ([f"x[{idx(5, ints)}]"] if rng.random() < 0.3 else [])
                )
                e = fexpr(2, ints)
                out.append(
                    f"{p}{t} = math.tanh({e})"
                    if rng.random() < 0.5
                    else f"{p}{t} += 0.3 * math.sin({e})"
                    if rng.random() < 0.6
                    else f"{p}{t} = {e}"
                    if not loop
                    else f"{p}{t} *= math.cos({e})"
                )
            elif r < 0.6:
                out.append(f"{p}if {cond(ints)}:")
                out += block(depth - 1, ind + 1, ints, loop)
                if rng.random() < 0.6:
                    out.append(f"{p}else:")
                    out += block(depth - 1, ind + 1, ints, loop)
            elif r < 0.85:
                v = f"i{len(ints)}"
                out.append(f"{p}for {v} in range({rng.choice(['3', '4', 'len(x)', 'k % 4', '7'])}):")
                out += block(depth - 1, ind + 1, ints + [v], True)
                if rng.random() < 0.4:
                    out.append("    " * (ind + 1) + f"if {cond(ints + [v])}:")
                    out.append("    " * (ind + 2) + rng.choice(["break", "continue"]))
                    out.append("    " * (ind + 1) + f"u += x[{v} % 5] * 0.1")
            elif r < 0.95:
                q = f"q{ind}{rng.randrange(1000)}"
                out.append(f"{p}{q} = 0")
                out.append(f"{p}while {q} < 5 and abs(u) < 3.0:")
                out += block(depth - 1, ind + 1, ints + [q], True)
                out.append("    " * (ind + 1) + f"{q} += 1")
                out.append("    " * (ind + 1) + "k += 1")
            else:
                out.append(f"{p}k += 1")
        return out

    L += block(3, 1, [], False) + block(3, 1, [], False)
    if rng.random() < 0.3:
        L += ["    if u > v:", "        return u * w + c[1]"]
    L += [
        "    s = u + v * w",
        "    for i in range(6):",
        "        s += c[i] * (i + 1)",
        "    for i in range(3):",
        "        for j in range(4):",
        "            s += m[i, j] * x[j]",
        "    return s",
    ]
    return "\n".join(L)


HELP = "def h(p, q):\n    if p > q:\n        return p * q + 0.5\n    return math.sin(p) - 0.25 * q\n"


def functions(rng):
    """(a random objective f(x, a) in NumPy, the same for dual numbers)."""
    source = HELP + program(rng)
    plain = {"math": math, "np": np}
    dual = {
        "math": M, "np": NP, "max": lambda a, b: a if not (b > a) else b, "min": lambda a, b: a if not (b < a) else b,
    }  # fmt: skip
    exec(source, plain)
    exec(source, dual)
    return plain["f"], dual["f"]


def exact(f, x, a):
    """(value, gradient) by dual numbers; None where Python raises or the gradient is useless."""
    gradient, value = np.zeros(N), 0.0
    try:
        for j in range(N):
            result = f([Dual(v, float(i == j)) for i, v in enumerate(x)], list(a))
            gradient[j] = result.d if isinstance(result, Dual) else 0.0
            value = result.v if isinstance(result, Dual) else result
    except (OverflowError, ZeroDivisionError, ValueError):
        return None
    return (value, gradient) if np.isfinite(gradient).all() and np.abs(gradient).max() < 1e8 else None
