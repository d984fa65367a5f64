"""Data as a caller gives them: rows X, targets y, weights; checked, and copied only where that cannot be helped.

What is copied: whole numbers and lists, Fortran's order, foreign bytes, precisions other than float64 and float32.
Arrays that are mapped from a file stay there, and nothing is ever written to what was given.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..reals import shortened
from .rows import Dense, Sparse, design

SHAPE = "(n, p), n rows of p numbers, at least one of each"
LOOK = 1 << 16  # rows that are looked at in one go, where something is not finite


def read_rows(X: Any) -> Dense | Sparse:
    """(n, p) rows, dense or sparse.

    Raises
    ------
    TypeError, ValueError
        Naming X, what was given and what is expected.
    """
    rows: Any
    if hasattr(X, "tocsr"):
        rows = design(_sparse_numbers(X))
        _refuse_not_finite("X", rows.values)
        return rows
    array = _numbers("X", X)
    if array.ndim != 2 or 0 in array.shape:
        hint = "; one column is X.reshape(-1, 1)" if array.ndim == 1 and array.size else ""
        raise ValueError(
            f"X: got shape {array.shape}, expected (n, p), n rows of p numbers, at least one of each{hint}"
        )
    if array.dtype not in (np.float64, np.float32):
        array = array.astype(np.float64)
    rows = design(array)
    _refuse_not_finite("X", rows.x)
    return rows


def _sparse_numbers(X: Any) -> Any:
    if len(X.shape) != 2 or 0 in X.shape:
        raise ValueError(f"X: got shape {X.shape}, expected {SHAPE}")
    if X.dtype.kind not in "biuf":
        raise TypeError(f"X: got a sparse matrix of dtype {X.dtype}, expected real numbers")
    csr = X.tocsr()
    return csr if csr.dtype in (np.float64, np.float32) else csr.astype(np.float64)


def read_targets(y: Any, rows: int) -> np.ndarray | None:
    """(n,) or (n, k) targets: real numbers as float64, whole numbers and truth values as int64; None: none."""
    if y is None:
        return None
    if hasattr(y, "tocsr"):
        raise TypeError("y: got a sparse matrix, expected a number for each row, or as many numbers (y.toarray())")
    array = _numbers("y", y)
    if array.ndim not in (1, 2) or len(array) != rows or 0 in array.shape:
        raise ValueError(f"y: got shape {array.shape}, expected ({rows},) or ({rows}, k): as many rows as X has")
    array = np.ascontiguousarray(array, np.int64 if array.dtype.kind in "biu" else np.float64)
    _refuse_not_finite("y", array)
    return array


def read_weights(weights: Any, rows: int) -> np.ndarray | None:
    """(n,) weights, scaled to a mean of 1, so that steps are of the length that they have without; None: none."""
    if weights is None:
        return None
    array = _numbers("sample_weight", weights).astype(np.float64)
    if array.shape != (rows,):
        raise ValueError(f"sample_weight: got shape {array.shape}, expected ({rows},): one for each row of X")
    _refuse_not_finite("sample_weight", array)
    if (array < 0).any():
        i = int(np.argmax(array < 0))
        raise ValueError(f"sample_weight: got {array[i]:g} for row {i}, expected a number that is not negative")
    if not array.any():
        raise ValueError("sample_weight: got zeros alone, expected one above 0")
    return array / array.mean()


def _numbers(name: str, given: Any) -> np.ndarray:
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(f"{name}: got a masked array, expected numbers alone; leave those rows out")
    try:
        array = np.asarray(given)
    except Exception as error:  # rows of several lengths
        raise ValueError(f"{name}: got {shortened(given)}, which is no array ({error})") from None
    if array.dtype.kind == "O":
        try:
            array = array.astype(np.float64)
        except (TypeError, ValueError):
            raise TypeError(f"{name}: got {shortened(given)}, expected real numbers") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: got an array of dtype {array.dtype}, expected real numbers")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _refuse_not_finite(name: str, array: np.ndarray) -> None:
    """ValueError that names the row. One sum, at the speed of memory, is finite where all are, but for overflow."""
    if array.dtype.kind != "f":
        return
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum()):
            return
    for start in range(0, len(array), LOOK):
        part = np.isfinite(array[start : start + LOOK])
        if not part.all():
            place = np.argwhere(~part)[0]
            where = "".join(f" column {j}" for j in place[1:])
            raise ValueError(
                f"{name}: got {array[(start + place[0], *place[1:])]} in row {start + place[0]}{where and ','}{where}, "
                "expected finite numbers"
            )
