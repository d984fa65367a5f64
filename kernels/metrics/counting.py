"""How often each label is true, predicted, or both, and which one is taken for which."""

from __future__ import annotations

import numpy as np

from .labels import Codes
from .passes import BLOCKS, passing

FEW = 64  # labels whose pairs are counted where only labels are asked for: that is one addition for each row


def count_labels(codes: Codes, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(3, labels) the weights of the rows where a label is both, true, and predicted; (labels,) whether it occurs."""
    width = len(codes.names)
    if width <= FEW:
        pairs, seen = count_pairs(codes, weights)
        return np.array([np.diag(pairs), pairs.sum(axis=1), pairs.sum(axis=0)]), seen
    size = 4 * width
    sums = counts_of((codes.true, codes.pred, codes.low, weights), len(codes.true), size, most=_blocks(codes, size))
    table = sums.sum(axis=0).reshape(4, width)
    return table[:3], table[3] > 0


def count_pairs(codes: Codes, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(labels, labels) the weights of the rows by true and predicted label; (labels,) whether a label occurs."""
    width = len(codes.names)
    size = width * width + width
    data = (codes.true, codes.pred, codes.low, weights, width)
    table = pairs_of(data, len(codes.true), size, most=_blocks(codes, size)).sum(axis=0)
    return table[: width * width].reshape(width, width), table[width * width :] > 0


def _blocks(codes: Codes, size: int) -> int:
    """So few blocks that their tables are no larger than the labels."""
    return max(1, min(BLOCKS, len(codes.true) // size))


@passing(threads_from=1 << 19)
def counts_of(data, start, stop, out):
    low, weighted, width = data[2], data[3].size > 0, out.size // 4
    true, pred, weights = data[0][start:stop], data[1][start:stop], data[3][start:stop]
    for i in range(true.size):
        t, p, w = true[i] - low, pred[i] - low, weights[i] if weighted else 1.0
        if t == p:
            out[t] += w
        out[width + t] += w
        out[2 * width + p] += w
        out[3 * width + t] = out[3 * width + p] = 1.0


@passing(threads_from=1 << 20)
def pairs_of(data, start, stop, out):
    low, weighted, width = data[2], data[3].size > 0, data[4]
    true, pred, weights = data[0][start:stop], data[1][start:stop], data[3][start:stop]
    for i in range(true.size):
        t, p = true[i] - low, pred[i] - low
        out[t * width + p] += weights[i] if weighted else 1.0
        out[width * width + t] = out[width * width + p] = 1.0
