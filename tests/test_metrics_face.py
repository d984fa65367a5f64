"""The face of tw.metrics: every example runs, and threads leave no trace."""

import doctest

import numba
import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels.metrics import counting, probabilities, regression
from thalweg.kernels.metrics.passes import Pass


@pytest.mark.parametrize("name", tw.metrics.__all__)
def test_examples(name):
    examples = doctest.DocTestFinder(recurse=False).find(getattr(tw.metrics, name), name, globs={})
    assert name == "UndefinedMetricWarning" or any(example.examples for example in examples)
    for example in examples:
        assert not doctest.DocTestRunner(verbose=False).run(example).failed


def test_signatures_are_those_of_scikit_learn():
    """Names, order and defaults; log_loss without the y_pred that 1.9 deprecates."""
    import inspect

    theirs = pytest.importorskip("sklearn.metrics")
    for name in tw.metrics.__all__[1:]:
        expected = dict(inspect.signature(getattr(theirs, name)).parameters)
        if name == "log_loss" and "y_proba" in expected:
            del expected["y_pred"]
            expected["y_proba"] = expected["y_proba"].replace(default=inspect.Parameter.empty)
        found = inspect.signature(getattr(tw.metrics, name)).parameters
        if name == "log_loss":
            expected.setdefault("y_proba", found["y_proba"])
            expected.pop("y_pred", None)
        assert {k: (p.default, p.kind) for k, p in found.items()} == {
            k: (p.default, p.kind) for k, p in expected.items()
        }, name


@pytest.mark.parametrize("rows", [140_001])
def test_bits_do_not_hang_on_threads(rows, monkeypatch):
    """Passes of each kind, on one thread, on all of them, and block by block."""
    random = np.random.default_rng(5)
    x, y, weights = random.standard_normal(rows), random.standard_normal(rows), random.random(rows)
    a, b = random.integers(0, 3, rows), random.integers(0, 3, rows)
    cases = {
        regression.errors_of: ((x, y, weights), 3, float),
        counting.pairs_of: ((a, b, 0, weights, 3), 12, float),
        probabilities.losses_of: ((a % 2, 0, np.arange(2), np.abs(np.tanh(x))[:, None], weights, 1e-16), 5, float),
    }
    for step, (data, width, kind) in cases.items():
        assert isinstance(step, Pass)
        serial = step(data, rows, width, kind)
        assert len(serial) == 2  # blocks
        monkeypatch.setattr(step, "threads_from", 0)
        before = numba.get_num_threads()
        for threads in {1, before}:
            numba.set_num_threads(threads)
            try:
                assert np.array_equal(step(data, rows, width, kind), serial)
            finally:
                numba.set_num_threads(before)
