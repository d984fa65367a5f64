"""What tells functions in Python apart: the same text in any process, another one for other code or data."""

import os
import subprocess
import sys
import textwrap

import pytest

from thalweg.kernels.compile.code_hash import code_hash

COMMON = """
    import dataclasses, enum, functools, sys
    import numpy as np
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from thalweg.kernels import objective
    from thalweg.kernels.compile.code_hash import code_hash
"""
# A function `f` in many forms; NUMBER stands for what is different the second time.
FORMS = {
    "lambda": "f = lambda a: a + NUMBER",
    "default": "def f(a, b=NUMBER): return a + b",
    "set by default": "def f(a, b={'p', 'qq', 'rrr', 'ssss', NUMBER}): return a in b",
    "constant set": "f = lambda a: a in {'p', 'qq', 'rrr', 'ssss', NUMBER}",
    "set": "names = {'p', 'qq', ('rrr', 'ssss'), frozenset({'t', 'uu'}), NUMBER}\nf = lambda a: a in names",
    "closure": "def make(b): return lambda a: a + b\nf = make(NUMBER)",
    "partial": "f = functools.partial(lambda a, b: a + b, b=NUMBER)",
    "partials in a list": "some = [functools.partial(max, k) for k in (0, NUMBER, 2)]\nf = lambda a: some",
    "which of two": "p, q = [], []\nsome = [p, q, [p, q][NUMBER % 2]]\nf = lambda a: some",
    "helper": "def helper(a): return a + NUMBER\nf = lambda a: helper(a)",
    "cached helper": "@functools.cache\ndef helper(a): return a + NUMBER\nf = lambda a: helper(a)",
    "decorated": "def twice(g):\n    @functools.wraps(g)\n    def h(a): return g(g(a))\n    return h\n"
    "@twice\ndef f(a): return a + NUMBER",
    "recursion": "def g(a): return f(a - 1)\ndef f(a): return g(a) if a else NUMBER",
    "instance": "class C:\n    def __call__(self, a): return a + NUMBER\nf = C()",
    "attribute": "class C:\n    def __call__(self, a): return a\nf = C()\nf.b = NUMBER",
    "slots": "class C:\n    __slots__ = 'b'\nc = C()\nc.b = NUMBER\nf = lambda a: c.b",
    "method": "class C:\n    def f(self, a): return self.g(a)\n    def g(self, a): return NUMBER\nf = C().f",
    "static method": "class C:\n    @staticmethod\n    def g(a): return NUMBER\nf = lambda a: C.g(a)",
    "property": "class C:\n    @property\n    def g(self): return NUMBER\nf = lambda a: C().g",
    "base class": "class B:\n    def g(self): return NUMBER\nclass C(B): pass\nf = lambda a: C().g()",
    "dataclass": "@dataclasses.dataclass\nclass C:\n    a: int\n    b: int = NUMBER\nf = lambda a: C(a)",
    "enum": "class E(enum.Enum):\n    A = NUMBER\nf = lambda a: E.A",
    "module": "import beside\nf = lambda a: beside.g(a)",
    "objects in an array": "array = np.array([{'p', 'qq', 'rrr'}, NUMBER], dtype=object)\nf = lambda a: array",
    "installed object": "pipe = make_pipeline(StandardScaler(with_mean=bool(NUMBER % 2)))\nf = lambda a: pipe.fit(a)",
    "own object in an installed one": "class Own(TransformerMixin, BaseEstimator):\n"
    "    def fit(self, X): return self\n    def transform(self, X): return X + NUMBER\n"
    "pipe = make_pipeline(StandardScaler(), Own())\nf = lambda a: pipe.fit(a)",
}


def digests(folder, number, hash_seed):
    """Of all forms, in a process of its own: of f, and of an objective of it that stays in Python."""
    (folder / "beside.py").write_text(f"def g(a): return a + {number}\ndef other(a): return {number + 1}\n")
    told = "print(code_hash(f), objective(f, compiled=False, check=False).bind((f, {'x', 'yy'})).fingerprint())"
    lines = [f"{form.replace('NUMBER', str(number))}\n{told}" for form in FORMS.values()]
    script = folder / "script.py"
    script.write_text(textwrap.dedent(COMMON) + "\n".join(lines))
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    return dict(zip(FORMS, done.stdout.splitlines(), strict=True))


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("script")
    return digests(folder, 1, 0), digests(folder, 1, 7), digests(folder, 4, 0)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_in_any_process_and_another_for_other_content(processes, form):
    first, again, other = (found[form] for found in processes)
    assert first == again
    assert not set(first.split()) & set(other.split())


def test_what_stands_elsewhere_does_not_count():
    def make():
        return lambda a: a + 1

    def f(a):
        return a + 1

    below = lambda a: a + 1
    assert code_hash(make()) == code_hash(below)
    assert code_hash(f) == code_hash(f) != code_hash(lambda b: b + 1)
