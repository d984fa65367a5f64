"""Loops that ask for cosines are run by whole vectors, the last one masked; far numbers among others are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.calling import adapters
from thalweg.kernels.calling.arguments import normalise, record_type
from thalweg.kernels.compile import vector_loops


@pytest.fixture
def code_of(monkeypatch, tmp_path):
    """The LLVM code of the adapter of an objective, compiled anew."""

    def compiled_code(f) -> str:
        monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
        adapter = adapters._compile(f, record_type(normalise(())), precise=False)
        return adapter.overloads[adapters.ADAPTER.args].library.get_llvm_str()

    return compiled_code


def waves(x):
    total = 0.0
    for v in x:
        total += v * v - math.cos(v)
    return total


def all_three(x):
    total = 0.0
    for v in x:
        total += math.sin(v) + math.cos(3.0 * v) + 0.001 * math.tan(v)
    return total


def two_loops(x):
    product = 1.0
    for i in range(len(x)):
        product *= math.cos(x[i] / (i + 1.0))
    largest = 0.0
    for v in x:
        largest = max(largest, abs(math.sin(v)) * math.exp(-abs(v)))
    return product + largest


def running(x):
    """A number that the next term needs: no vectors."""
    state = 0.5
    for v in x:
        state = math.sin(state + v) * math.cos(v)
    return state


def nested(x):
    total = 0.0
    for a in x:
        for b in x:
            total += math.cos(a * b) if a > b else math.sin(a + b)
    return total


def light(x):
    total = 0.0
    for v in x:
        total += (v - 1.0) ** 2
    return total


def halves(x):
    """Loops over slices, that are empty where there is one variable."""
    total = 0.0
    for v in x[: len(x) // 2]:
        total += math.cos(v)
    for v in x[:0]:
        total += math.sin(v)
    return total


def points(dimension):
    """The second has numbers beyond the reach of the engine's own cos, the third an infinite one, the fourth a NaN."""
    x = np.random.default_rng(dimension).uniform(-6, 6, (4, dimension))
    x[1, ::3] *= 1e5
    x[1, -1] = 1e300
    x[2, dimension // 2] = np.inf
    x[3, dimension // 3] = np.nan
    return x


def plain(f, x):
    try:
        return f(x.tolist())
    except ValueError:  # math.cos(inf)
        return np.nan


@pytest.mark.parametrize("f", [waves, all_three, two_loops, running, nested, halves], ids=lambda f: f.__name__)
def test_values_are_those_of_python(f):
    bound = objective(check=False)(f).bind()
    for dimension in (*range(1, 10), 16, 30, 33):
        x = points(dimension)
        np.testing.assert_allclose(bound.evaluate(x), [plain(f, row) for row in x], rtol=1e-11, atol=1e-11)


def test_a_loop_that_asks_is_one_loop_of_masked_vectors(code_of):
    code = code_of(waves)
    assert "llvm.masked.load" in code and "fmul double" not in code, "terms are computed one by one"
    assert "define linkonce_odr double @thalweg_cos(" in code and "@thalweg_cos_each_" in code  # complete, for the disk
    assert vector_loops.KEPT not in code


def test_another_loop_stays_as_it_was(code_of):
    assert "llvm.masked.load" not in code_of(light)


LOOPS = """
define void @f(i64 %n) local_unnamed_addr #0 {
  br label %outer

outer:
  br label %inner

inner:
  %a = call double @thalweg_cos(double 2.0)
  br i1 %c, label %inner, label %after

after:
  br i1 %c, label %outer, label %end, !llvm.loop !3

end:
  ret void
}
"""


def test_innermost_loops_are_marked_where_they_ask():
    assert vector_loops.mark_loops(LOOPS.replace("@thalweg_cos", "@cos")).startswith(
        LOOPS.replace("@thalweg_cos", "@cos")
    )
    marked = vector_loops.mark_loops(LOOPS)
    assert "label %inner, label %after, !llvm.loop !2\n" in marked
    assert "label %end, !llvm.loop !3\n" in marked
    assert 'local_unnamed_addr "stackrealign" #0 {' in marked
    assert "!2 = distinct !{!2, !0, !1}\n" in marked


def test_where_the_text_is_another_one_loops_stay_as_they_are(code_of, monkeypatch):
    monkeypatch.setattr(vector_loops, "DECLARATION", "what no LLVM reads")
    assert "llvm.masked.load" not in code_of(waves)
    monkeypatch.undo()
    x = points(9)[:2]
    np.testing.assert_allclose(objective(waves).bind().evaluate(x), [waves(row.tolist()) for row in x], rtol=1e-11)


def polynomial(x):
    total = 0.0
    for v in x:
        total += ((((0.1 * v + 0.3) * v + 0.7) * v + 0.9) * v - 0.2) / (1.0 + v * v)
    return total


def test_precise_keeps_every_bit():
    x = np.random.default_rng(0).uniform(-3, 3, (20, 30))
    for f in (polynomial, waves):
        bound = objective(precise=True, check=False)(f).bind()
        np.testing.assert_array_equal(bound.evaluate(x), [f(row.tolist()) for row in x])
