"""What every estimator does with what it is given: tables, targets, weights of rows and of classes.

The checks are scikit-learn's, in its words. A table is not copied where it is a C-contiguous array, or rows in
compressed form, of double or single precision; anything else is made one, once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

PRECISIONS = (np.float64, np.float32)


def read_training(estimator, X, y, **checks: Any) -> tuple[Any, Any]:
    """X (n, p), dense or CSR, and y (n,); the estimator notes the width and the names of its columns.

    `checks`: what else validate_data takes, as y_numeric, multi_output.
    """
    table = {"accept_sparse": "csr", "dtype": PRECISIONS, "order": "C", **checks}
    X, y = validate_data(estimator, X, y, **table)
    return X, y


def read_rows(estimator, X, **checks: Any) -> Any:
    """X (n, p) for a fitted estimator: as wide as that it was fitted to, with the same names."""
    return validate_data(estimator, X, reset=False, **{"accept_sparse": "csr", "dtype": PRECISIONS, **checks})


def read_weights(sample_weight, X) -> np.ndarray:
    """Weights of rows (n,), float64, none below zero; a new array. None: ones."""
    return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True, copy=True)


def read_classes(y) -> tuple[np.ndarray, np.ndarray]:
    """The labels, two or more, sorted (k,), and for each row the place of its own among them (n,)."""
    check_classification_targets(y)
    classes, labels = np.unique(y, return_inverse=True)
    if classes.size < 2:
        raise ValueError(
            "y: got samples of one class, expected at least 2 classes; the data contains only one class: "
            f"{classes.tolist()[0]!r}"
        )
    return classes, labels


def weigh_classes(class_weight, classes, labels, weights) -> None:
    """Multiply the weights (n,) of rows by those of their classes: a dict, "balanced", or None.

    `labels` (n,) are places in `classes` (k,). Balanced: n / (k times the rows of the class), rows weighted.
    """
    if class_weight is None:
        return
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, weights, minlength=classes.size)
        factors = weights.sum() / (classes.size * np.where(counts > 0.0, counts, 1.0))
    else:
        factors = compute_class_weight(class_weight, classes=classes, y=classes)
    weights *= factors[labels]
