"""Compiled code is never that of another content: whatever a function reads is changed, and Python's value is right.

Each case is a source with a place `<...>` in it that has two forms. Both are run in one process, and each in a process
of its own, one after the other, with one cache folder.
"""

from __future__ import annotations

import builtins
import importlib
import json
import math
import subprocess
import sys

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.compile.fingerprint import fingerprint

POINT = [1.25, 2.5]
HEAD = "import enum, math\nimport numpy as np\nfrom collections import namedtuple\nfrom typing import NamedTuple\n"
CASES = {
    "fields of a named tuple": ("T = namedtuple('T', '<a b|b a>')\ng = T(1.0, 2.0)\ndef f(x): return x[0] + g.a"),
    "fields of its class": ("T = namedtuple('T', '<a b|b a>')\ndef f(x): return x[0] + T(1.0, 2.0).a"),
    "a named tuple in a tuple": (
        "T = namedtuple('T', '<a b|b a>')\ng = (0, (T(1.0, 2.0), 3))\ndef f(x): return x[0] + g[1][0].a"
    ),
    "a named tuple in a closure": (
        "T = namedtuple('T', '<a b|b a>')\n"
        "def make(g):\n    def f(x): return x[0] + g.a\n    return f\n"
        "f = make(T(1.0, 2.0))"
    ),
    "a named tuple as a default": "T = namedtuple('T', '<a b|b a>')\ndef f(x, g=T(1.0, 2.0)): return x[0] + g.a",
    "a class of named tuples": (
        "class T(NamedTuple):\n    <a|b>: float\n    <b|a>: float\ng = T(1.0, 2.0)\ndef f(x): return x[0] + g.a"
    ),
    "a member of an enumeration": "class E(enum.Enum):\n    A = <1|2>\n    B = 9\ndef f(x): return x[0] + E.A.value",
    "a member that prints as another": (
        "class E(enum.IntEnum):\n    A = <1|2>\n    B = 9\n    def __repr__(self): return 'E'\n"
        "g = E.A\ndef f(x): return x[0] + 10 * g"
    ),
    "the order of members": (
        "class E(enum.IntEnum):\n    <A|B> = 1\n    <B|A> = 2\n    def __repr__(self): return 'E'\n"
        "def f(x): return x[0] + 10 * E.A"
    ),
    "a number that prints as another": (
        "class Number(float):\n    def hex(self): return ''\n    def __repr__(self): return ''\n"
        "g = Number(<1.0|2.0>)\ndef f(x): return x[0] + g"
    ),
    "text that prints as another": (
        "class Text(str):\n    def __repr__(self): return ''\ng = Text('<a|ab>')\ndef f(x): return x[0] + len(g)"
    ),
    "the sign of a zero": "g = <0.0|-0.0>\ndef f(x): return math.copysign(x[0], g)",
    "the sign of NaN": "g = <math.nan|-math.nan>\ndef f(x): return math.copysign(x[0], g)",
    "the sign of a part": "g = <complex(1.0, 0.0)|complex(1.0, -0.0)>\ndef f(x): return math.copysign(x[0], g.imag)",
    "fields of records": (
        "g = np.array([(1.0, 2.0)], [('<a|b>', float), ('<b|a>', float)])\ndef f(x): return x[0] + g[0]['a']"
    ),
    "fields of one record": (
        "g = np.array([(1.0, 2.0)], [('<a|b>', float), ('<b|a>', float)])[0]\ndef f(x): return x[0] + g['a']"
    ),
    "where fields stand": (
        "d = np.dtype({'names': ['a'], 'formats': [float], 'offsets': [<0|8>], 'itemsize': 16})\n"
        "g = np.frombuffer(np.array([1.0, 2.0]).tobytes(), d)\ndef f(x): return x[0] + g[0]['a']"
    ),
    "one number in an array": "g = np.<int64|array>(3)\ndef f(x): return x[0] + <g|g[()]>",
    "elements of an array": "g = np.array([1.0, <2.0|3.0>])\ndef f(x): return x[0] + g[1]",
    "the order of an array": (
        "g = np.array([[1.0, 2.0], [3.0, 4.0]], order='<C|F>')\ndef f(x): return x[0] + g.ravel()[1]"
    ),
    "a constant of a user's in np": "np.my_constant = <1.0|2.0>\ndef f(x): return x[0] + np.my_constant",
    "a constant of a user's in np.linalg": (
        "np.linalg.my_constant = <1.0|2.0>\ndef f(x): return x[0] + np.linalg.my_constant"
    ),
    "a constant of math": "math.pi = <3.0|4.0>\ndef f(x): return x[0] + math.pi",
    "a function in the place of math's": "math.sin = math.<cos|tan>\ndef f(x): return math.sin(x[0])",
    "a function in the place of one without twin": "math.floor = math.<ceil|trunc>\ndef f(x): return math.floor(x[0])",
    "a user's function in math": "def g(t): return t * <1.0|2.0>\nmath.sin = g\ndef f(x): return math.sin(x[0])",
    "a helper": "def g(t): return t * <1.0|2.0>\ndef f(x): return g(x[0])",
    "a helper's default": "def g(t, scale=<1.0|2.0>): return t * scale\ndef f(x): return g(x[0])",
    "a closure over a module": (
        "import types\nm = types.ModuleType('m')\nm.K = <1.0|2.0>\n"
        "def make(m):\n    def f(x): return x[0] + m.K\n    return f\n"
        "f = make(m)"
    ),
    "two modules of one name": (
        "import types\nm, n = types.ModuleType('m'), types.ModuleType('m')\nm.K, n.K = 1.0, 2.0\n"
        "def g(x): return m.K\ndef h(x): return n.K\ndef k(x): return <m|n>.K\n"
        "def f(x): return g(x) + 10 * h(x) + 100 * k(x)"
    ),
    "a compiled class": (
        "from numba import float64\nfrom numba.experimental import jitclass\n"
        "@jitclass([('a', float64)])\nclass J:\n    def __init__(self): self.a = <1.0|2.0>\n"
        "def f(x): return x[0] + J().a"
    ),
    "a method of a compiled class": (
        "from numba import float64\nfrom numba.experimental import jitclass\n"
        "@jitclass([('a', float64)])\nclass J:\n    def __init__(self): self.a = 1.0\n"
        "    def twice(self): return <2.0|3.0> * self.a\n"
        "def f(x): return x[0] + J().twice()"
    ),
    "a universal function": (
        "from numba import vectorize\n@vectorize(['float64(float64)'])\ndef g(t): return t * <1.0|2.0>\n"
        "def f(x): return g(x[0])"
    ),
}


def form(source: str, which: int) -> str:
    """The source in one of its two forms."""
    parts = source.replace("<", "\0").replace(">", "\0").split("\0")
    return HEAD + "".join(part.split("|")[which] if odd % 2 else part for odd, part in enumerate(parts))


def compiled_value(f, args=()) -> float:
    return float(objective(f).bind(args, np.array(POINT)).evaluate(np.array([POINT]))[0])


@pytest.fixture
def untouched(monkeypatch):
    """What a case sets in a library is gone after it."""
    for module, name in ((np, "my_constant"), (np.linalg, "my_constant")):
        monkeypatch.setattr(module, name, 0.0, raising=False)
    for module, name in ((math, "pi"), (math, "sin"), (math, "floor"), (builtins, "abs")):
        monkeypatch.setattr(module, name, getattr(module, name))


@pytest.mark.parametrize("case", CASES)
def test_two_forms_in_one_process(case, untouched):
    values = []
    for which in (0, 1, 0):
        scope: dict = {"__name__": "typed_in"}
        exec(form(CASES[case], which), scope)
        values.append(compiled_value(scope["f"]))
        np.testing.assert_array_equal(values[-1], float(scope["f"](np.array(POINT))))
        np.testing.assert_array_equal(math.copysign(1.0, values[-1]), math.copysign(1.0, scope["f"](np.array(POINT))))
    assert values[0] == values[2]


IN_A_PROCESS = """
import importlib, json, sys
import numpy as np
from thalweg.kernels import objective
point, names, found = np.array(json.loads(sys.argv[1])), sys.argv[2:], []
import math
for name in names:
    before = dict(vars(math))
    f = importlib.import_module(name).f
    found.append([float(objective(f).bind((), point).evaluate(point[None])[0]), float(f(point))])
    vars(math).update(before)
print(json.dumps(found))
"""


def test_two_forms_in_two_processes(tmp_path, monkeypatch):
    """With one cache folder: the second process finds files of functions of the same names."""
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "cache"))
    names = [f"case_{number}" for number in range(len(CASES))]
    for which in (0, 1):
        folder = tmp_path / str(which)
        folder.mkdir()
        for name, source in zip(names, CASES.values(), strict=True):
            (folder / f"{name}.py").write_text(form(source, which))
        command = [sys.executable, "-c", IN_A_PROCESS, json.dumps(POINT), *names]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-2000:]
        found = json.loads(done.stdout)
        for case, (got, wanted) in zip(CASES, found, strict=True):
            assert (got, math.copysign(1, got)) == (wanted, math.copysign(1, wanted)), case


# --- changes while a process runs ----------------------------------------------------------------------------------


def test_an_array_that_is_changed_in_place():
    """Numba freezes global arrays; here their content decides."""
    table = np.array([1.0, 2.0])

    def f(x):
        return x[0] + table[1]

    assert compiled_value(f) == 3.25
    table[1] = 5.0
    assert compiled_value(f) == 6.25
    view = table[::-1]
    assert compiled_value(lambda x: x[0] + view[1]) == 2.25
    table[0] = 7.0
    assert compiled_value(lambda x: x[0] + view[1]) == 8.25


def test_a_module_that_is_loaded_anew(tmp_path, monkeypatch):
    """Names that were taken out of it before stay what they were, as in Python."""
    path = tmp_path / "reloaded_thalweg.py"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    path.write_text(
        "K = 1.0\nTABLE = (1.0, 2.0)\ndef helper(t): return t + K\ndef f(x): return helper(x[0]) + TABLE[1]\n"
    )
    module = importlib.import_module("reloaded_thalweg")
    old, helper = module.f, module.helper

    def mine(x):
        return module.helper(x[0]) + module.K + 10.0 * helper(x[1])

    assert (compiled_value(module.f), compiled_value(mine)) == (4.25, 38.25)
    path.write_text(
        "K = 2.0\nTABLE = (1.0, 4.0)\ndef helper(t): return t - K\ndef f(x): return helper(x[0]) * TABLE[1]\n"
    )
    importlib.reload(module)
    for f in (module.f, old, mine):
        assert compiled_value(f) == f(np.array(POINT))
    del sys.modules["reloaded_thalweg"]


def test_functions_that_are_typed_anew_and_replaced(monkeypatch):
    scope: dict = {}
    exec("def g(t): return t\ndef f(x): return g(x[0])", scope)
    assert compiled_value(scope["f"]) == 1.25
    exec("def g(t): return 2.0 * t", scope)
    assert compiled_value(scope["f"]) == 2.5
    monkeypatch.setitem(scope, "g", math.sqrt)
    assert compiled_value(scope["f"]) == math.sqrt(1.25)
    scope["f"].__defaults__ = None
    scope["f"].__code__ = (lambda x: x[1] + 0.0).__code__
    assert compiled_value(scope["f"]) == 2.5


def test_a_replaced_builtin_is_not_answered_from_before(untouched):
    """It is asked of Numba anew, which may not take it; the old code is not used."""

    def f(x):
        return abs(x[0] - 3.0)

    before = fingerprint(f)
    builtins.abs = math.floor
    assert fingerprint(f) != before


def test_named_tuples_in_args_are_told_by_their_fields():
    from collections import namedtuple

    def f(x, pair):
        return x[0] + pair.a

    for fields, wanted in (("a b", 2.25), ("b a", 3.25), ("a b", 2.25)):
        assert compiled_value(f, (namedtuple("Pair", fields)(1.0, 2.0),)) == wanted


def test_what_a_library_has_of_its_own_is_known_in_another_process(untouched):
    """All that NumPy has is described by what is the same in every process."""
    from thalweg.kernels.compile import fingerprint as module

    before = len(module._opaque)
    for name in vars(np):
        module._describe(np, {}, frozenset([name]))
    assert len(module._opaque) == before
