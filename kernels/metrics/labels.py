"""Labels of classes: as a user writes them, and as codes that compiled code can count.

Labels are whole numbers (booleans and whole floats, too) or text. Whole numbers that lie close together are their own
codes, less the smallest; others get theirs from a hash table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..compile.jit import kernel
from ..reals import shortened
from .passes import passing
from .reading import finite, same_length

CLOSE = 256  # whole numbers are their own codes where so many lie between the smallest and the largest


class Codes(NamedTuple):
    """Two columns of labels, or one twice. The code of a label is its number less `low`."""

    true: np.ndarray  # (n,) int64
    pred: np.ndarray  # (n,) int64
    low: int
    names: np.ndarray  # (codes,) the label of each code, ascending; some may not occur


def read_labels(name: str, value: Any) -> np.ndarray:
    """(n,) whole numbers as int64, text of fixed length, or text as objects; (n, m) bool of several labels for each."""
    if np.ma.is_masked(value):
        raise ValueError(f"{name}: got {shortened(value)}, which is masked, expected a label for each row")
    if hasattr(value, "toarray"):
        array = value.toarray()  # of scipy.sparse
    else:
        try:
            array = np.asarray(value)
        except ValueError:
            raise ValueError(f"{name}: got {shortened(value)}, expected labels, one for each row") from None
    if array.ndim == 2 and array.shape[1] > 1:
        return _indicators(name, array)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"{name}: got an array of shape {array.shape}, expected labels, one for each row")
    if not array.size:
        raise ValueError(f"{name}: got no labels, expected at least one")
    kind = array.dtype.kind
    if kind == "O":
        array, kind = _of_objects(name, array)
    if kind == "f":
        whole = _whole(name, array)
    elif kind in "biu":
        whole = array
    elif kind in "UTO":
        return np.ascontiguousarray(array.astype(str) if kind == "T" else array)
    else:
        raise ValueError(f"{name}: got labels of {array.dtype}, expected whole numbers or text")
    return np.ascontiguousarray(_as_int64(name, whole))


def _as_int64(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "uO" and array.dtype.itemsize == 8 and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name}: got {array.max()}, expected labels below 2**63")
    return array.astype(np.int64, copy=False)


def _whole(name: str, array: np.ndarray) -> np.ndarray:
    """Floats as whole numbers."""
    finite(**{name: array})
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        value = array[whole != array][0]
        raise ValueError(f"{name}: got {value}, expected labels, which are whole numbers or text")
    return whole


def _of_objects(name: str, array: np.ndarray) -> tuple[np.ndarray, str]:
    kinds = set(map(type, array))
    if all(issubclass(kind, str) for kind in kinds):
        return array, "O"
    if all(issubclass(kind, int | np.integer | np.bool_ | float | np.floating) for kind in kinds):
        fractions = any(issubclass(kind, float | np.floating) for kind in kinds)
        return (array.astype(np.float64), "f") if fractions else (_as_int64(name, array), "i")
    wrong = next(member for member in array if not isinstance(member, str))
    raise ValueError(f"{name}: got {shortened(wrong)} among the labels, expected whole numbers or text only")


def _indicators(name: str, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise ValueError(
            f"{name}: got an array of shape {array.shape}, expected one label for each row, or 0 and 1 for each label"
        )
    return array != 0


def read_pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """True and predicted labels of as many rows: both numbers, both text, or several for each row in both."""
    true, pred = read_labels("y_true", y_true), read_labels("y_pred", y_pred)
    same_length("y_pred", pred, len(true))
    if true.shape != pred.shape:
        raise ValueError(f"y_pred: got an array of shape {pred.shape}, expected {true.shape}, as y_true has")
    if (true.dtype.kind in "ib") != (pred.dtype.kind in "ib"):
        raise ValueError("y_pred: got text in one of y_true and y_pred and numbers in the other, expected the same")
    return true, pred


def code(true: np.ndarray, pred: np.ndarray) -> Codes:
    """Labels, as they were read, as codes."""
    if true.dtype.kind != "i":
        return _coded_text(true, pred)
    low, high = extremes(true, pred)
    if high - low < CLOSE:
        return Codes(true, pred, low, np.arange(low, high + 1))
    return _hashed(true, pred, 2)


def _coded_text(true: np.ndarray, pred: np.ndarray) -> Codes:
    if true.dtype.kind == pred.dtype.kind == "U":
        return _hashed(true, pred, max(true.dtype.itemsize, pred.dtype.itemsize) // 4)
    columns = true.tolist(), pred.tolist()
    names = sorted(set(columns[0]).union(columns[1]))
    place = {name: k for k, name in enumerate(names)}
    coded = [np.fromiter(map(place.__getitem__, column), np.int64, len(column)) for column in columns]
    return Codes(coded[0], coded[1], 0, np.array(names, dtype=object))


def _hashed(true: np.ndarray, pred: np.ndarray, words: int) -> Codes:
    """Labels that are so many words of 32 bits each."""
    both = true if pred is true else np.concatenate([true, pred])
    codes, first = number_rows(both.view(np.uint32).reshape(len(both), words))
    names, order = np.unique(both[first], return_index=True)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    codes = rank[codes]
    return Codes(codes[: len(true)], codes[len(both) - len(pred) :], 0, names)


def extremes(true: np.ndarray, pred: np.ndarray) -> tuple[int, int]:
    found = extremes_of((true, pred), len(true), 2, np.int64)
    return int(found[:, 0].min()), int(found[:, 1].max())


@passing(threads_from=1 << 23)
def extremes_of(data, start, stop, out):
    """The smallest and the largest of two columns."""
    a, b = data[0][start:stop], data[1][start:stop]
    low, high = a[0], a[0]
    for i in range(a.size):
        low = min(low, min(a[i], b[i]))
        high = max(high, max(a[i], b[i]))
    out[0], out[1] = low, high


@kernel
def number_rows(rows):
    """Equal rows get the same number, in the order in which they appear: (n,) numbers, and where each appears first.

    A table of open addresses, twice as long as what is in it.
    """
    n, width = rows.shape
    mask = 1023
    table = np.full(mask + 1, -1)
    numbers, first, marks = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.uint64)
    count = 0
    for i in range(n):
        mark = np.uint64(14695981039346656037)
        for j in range(width):
            mark = (mark ^ np.uint64(rows[i, j])) * np.uint64(0x9E3779B97F4A7C15)
            mark ^= mark >> np.uint64(29)
        slot = np.int64(mark >> np.uint64(8)) & mask
        while True:
            k = table[slot]
            if k < 0:
                table[slot] = k = count
                first[k], marks[k] = i, mark
                count += 1
                break
            if marks[k] == mark:
                j = 0
                while j < width and rows[i, j] == rows[first[k], j]:
                    j += 1
                if j == width:
                    break
            slot = (slot + 1) & mask
        numbers[i] = k
        if 2 * count > mask:
            mask = 4 * mask + 3
            table = np.full(mask + 1, -1)
            for k in range(count):
                slot = np.int64(marks[k] >> np.uint64(8)) & mask
                while table[slot] >= 0:
                    slot = (slot + 1) & mask
                table[slot] = k
    return numbers, first[:count].copy()
