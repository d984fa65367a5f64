"""What functions of Python, NumPy and Numba do to the arrays they are given, as far as it is known (writes.py).

A function that is not listed may write into anything, so that a list that is too short costs a copy and no more.
"""

from __future__ import annotations

import math
import random
from typing import Any, NamedTuple

import numpy as np
from numba.core import types
from numba.core.inline_closurecall import length_of_iterator
from numba.np.ufunc.dufunc import DUFunc


class Known(NamedTuple):
    """What a function does; a method has its array as the first argument."""

    views: bool = False  # what it returns may be, or hold, an array it was given
    out: float = math.inf  # position of the first argument that it writes into
    until: float = math.inf  # position of the first behind it that it does not


READS, VIEWS, WRITES_FIRST = Known(), Known(views=True), Known(out=0, until=1)

# They only read, and what they return is new.
READING = """
    all allclose angle any append argmax argmin argpartition argsort argwhere array array_equal average bincount
    column_stack concatenate convolve copy corrcoef correlate count_nonzero cov cross cumprod cumsum delete diag
    diagflat diff digitize dstack ediff1d empty_like extract flatnonzero full full_like geomspace histogram hstack
    in1d insert interp intersect1d isclose iscomplex iscomplexobj isin isneginf isposinf isreal isrealobj isscalar
    kron linspace logspace max amax mean median min amin nanargmax nanargmin nancumprod nancumsum nanmax nanmean
    nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar nonzero ones_like partition percentile
    prod ptp quantile repeat roll roots searchsorted select setdiff1d setxor1d shape sinc size sort stack std sum take
    take_along_axis trace trapezoid trapz tril tril_indices_from triu triu_indices_from union1d unique vander var vdot
    vstack where zeros_like
    linalg.cholesky linalg.cond linalg.det linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv
    linalg.lstsq linalg.matrix_rank linalg.norm linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd
    random.choice random.dirichlet random.multinomial random.permutation
"""
# They only read, and return a view, or what may be one.
VIEWING = """
    asarray asarray_chkfinite ascontiguousarray asfortranarray atleast_1d atleast_2d atleast_3d array_split
    broadcast_arrays broadcast_to dsplit expand_dims flip fliplr flipud hsplit imag linalg.matrix_power
    lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view moveaxis ndenumerate nditer ravel real reshape
    resize rot90 split swapaxes transpose trim_zeros unwrap vsplit
    polynomial.polynomial.polyadd polynomial.polynomial.polyint polynomial.polynomial.polymul
    polynomial.polynomial.polysub polynomial.polynomial.polyval
"""
READING_METHODS = """
    all allclose any argmax argmin argsort astype conj conjugate copy cumprod cumsum flatten item max mean min nonzero
    prod ptp repeat std sum take tobytes var
"""
OUTPUT = {"dot": 2, "outer": 2, "clip": 3, "round": 2, "around": 2}  # where the array for the result may stand


def _of_numpy(name: str) -> Any:
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)  # None: no version of NumPy has them all
    return found


FUNCTIONS: dict[Any, Known] = {
    **{_of_numpy(name): READS for name in READING.split()},
    **{_of_numpy(name): VIEWS for name in VIEWING.split()},
    **{_of_numpy(name): Known(out=place) for name, place in OUTPUT.items()},
    **dict.fromkeys((abs, bool, float, int, isinstance, len, length_of_iterator, max, min, print, slice), READS),
    **dict.fromkeys((enumerate, iter, list, next, reversed, sorted, sum, tuple, zip), VIEWS),
    **dict.fromkeys((np.fill_diagonal, np.random.shuffle, random.shuffle), WRITES_FIRST),
}  # fmt: skip
FUNCTIONS.pop(None, None)
METHODS: dict[str, Known] = {
    **dict.fromkeys(READING_METHODS.split(), READS),
    **dict.fromkeys(("ravel", "reshape", "transpose", "view"), VIEWS),
    **{name: Known(out=OUTPUT[name]) for name in ("dot", "clip")},
    **dict.fromkeys(("fill", "itemset", "sort"), WRITES_FIRST),
}  # fmt: skip


def known_function(ty) -> Known | None:
    """What is known of a function by its type."""
    key = ty.typing_key
    if isinstance(ty, types.BoundFunction):
        if not isinstance(ty.this, types.Array):
            return None
        return METHODS.get(key[1] if isinstance(key, tuple) else str(key).rpartition(".")[2])
    if isinstance(key, np.ufunc | DUFunc):
        return Known(out=key.nin)
    try:
        return FUNCTIONS.get(key)
    except TypeError:  # unhashable
        return None
