"""A metric beside scikit-learn's: the same value to 1e-12, the same refusals, the same warnings of undefined values."""

import warnings

import numpy as np
import pytest

import thalweg as tw

sklearn_metrics = pytest.importorskip("sklearn.metrics")
UNDEFINED = sklearn_metrics._classification.UndefinedMetricWarning


def outcome(function, args, options, undefined):
    """(what it returns, or the exception; whether it warned that the value is undefined)."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            found = function(*args, **options)
        except Exception as error:
            found = error
    said = [issubclass(w.category, undefined) or str(w.message).startswith("No positive class found") for w in seen]
    return found, any(said)


def agree(name, *args, **options):
    """What ours returns, having compared it; None where both refuse."""
    theirs, they_warn = outcome(getattr(sklearn_metrics, name), args, options, UNDEFINED)
    ours, we_warn = outcome(getattr(tw.metrics, name), args, options, tw.metrics.UndefinedMetricWarning)
    if isinstance(theirs, Exception):
        assert isinstance(ours, ValueError), f"{theirs!r}, ours {ours!r}"
        return None
    assert not isinstance(ours, Exception), f"{theirs!r}, ours {ours!r}"
    assert we_warn == they_warn
    same(theirs, ours)
    return ours


def same(theirs, ours):
    if isinstance(theirs, tuple):
        assert isinstance(ours, tuple) and len(ours) == len(theirs)
        for a, b in zip(theirs, ours):
            same(a, b)
    elif theirs is None:
        assert ours is None
    else:
        assert type(ours) is (np.ndarray if isinstance(theirs, np.ndarray) else float)
        assert np.shape(ours) == np.shape(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
