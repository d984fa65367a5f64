"""Tables that hold the same numbers are the same design for the compiler: passes are compiled once for all of them."""

import gc
import weakref

import numba
import numpy as np
import pytest
from scipy import sparse

from thalweg.kernels.data.rows import design

NUMBERS = np.random.default_rng(1).standard_normal((7, 3))


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def test_a_read_only_array_is_taken_as_it_stands():
    table = frozen(NUMBERS)
    rows = design(table).x
    assert numba.typeof(rows) == numba.typeof(design(NUMBERS).x)
    assert rows.ctypes.data == table.ctypes.data and design(NUMBERS).x is NUMBERS
    np.testing.assert_array_equal(rows, NUMBERS)
    kept = weakref.ref(table)
    del table
    gc.collect()
    assert kept() is not None  # as long as its memory is looked at
    del rows
    gc.collect()
    assert kept() is None


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array, sparse.csc_array])
def test_sparse_tables_of_wide_or_frozen_places_are_one_kind(make):
    plain, table = design(sparse.csr_matrix(NUMBERS)), sparse.csr_array(make(NUMBERS))
    table.indices, table.indptr = table.indices.astype(np.int64), table.indptr.astype(np.int64)
    table.data = frozen(table.data)
    found = design(table)
    assert numba.typeof(found) == numba.typeof(plain)
    assert found.values.ctypes.data == table.data.ctypes.data
    for one, other in zip(found, plain):
        np.testing.assert_array_equal(one, other)
