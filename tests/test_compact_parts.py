"""A compact part stays a function of its own in its caller; an inlined one does not."""

from __future__ import annotations

import re

import numpy as np
import pytest
from numba.core import types

from thalweg.kernels.calling.arguments import block
from thalweg.kernels.compile.jit import compact, compile_for, inlined, kernel


def added(x):
    total = 0.0
    for j in range(x.size):
        total += x[j]
    return total


@pytest.mark.parametrize(("make", "functions"), [(compact, 1), (inlined, 0)])
def test_what_becomes_of_a_part(make, functions):
    part = make(added)

    def twice(x):
        return part(x) + part(x[1:])

    caller = compile_for(kernel(twice, cached=False), (types.float64[::1],))
    assert caller(np.array([1.0, 2.0, 3.0])) == 11.0
    (text,) = caller.inspect_llvm().values()
    assert len(re.findall(r"^define .*added", text, re.MULTILINE)) == functions


def test_a_block_is_a_view_of_the_rows_of_one_matrix():
    def double(x, i):
        rows = block(x, i, 2)
        for a in range(rows.shape[0]):
            for b in range(rows.shape[1]):
                rows[a, b] *= 2.0

    x = np.arange(18.0).reshape(6, 3)
    expected = x.copy()
    expected[2:4] *= 2.0
    compile_for(kernel(double, cached=False), (types.float64[:, ::1], types.intp))(x, 1)
    np.testing.assert_array_equal(x, expected)
