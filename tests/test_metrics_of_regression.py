"""Metrics of regression beside scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import thalweg as tw

from .beside_sklearn import agree

NAMES = ("mean_squared_error", "root_mean_squared_error", "mean_absolute_error", "r2_score")
# Whole and half numbers: what is constant is so without rounding, for scikit-learn, too.
NUMBERS = st.one_of(st.integers(-3, 3).map(float), st.integers(-(2**20), 2**20).map(lambda k: k / 2))


@st.composite
def predictions(draw):
    n, m = draw(st.integers(1, 12)), draw(st.integers(0, 3))
    shape = (n, m) if m else (n,)
    y = draw(hnp.arrays(float, shape, elements=st.just(draw(NUMBERS)) if draw(st.booleans()) else NUMBERS))
    p = y.copy() if draw(st.integers(0, 3)) == 0 else draw(hnp.arrays(float, shape, elements=NUMBERS))
    weights = draw(st.none() | hnp.arrays(float, n, elements=st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0])))
    words = st.sampled_from(["uniform_average", "raw_values", "variance_weighted"])
    multioutput = draw(words | hnp.arrays(float, m, elements=st.sampled_from([0.0, 0.5, 2.0])) if m > 1 else words)
    return y, p, {"sample_weight": weights, "multioutput": multioutput}


@settings(deadline=None, max_examples=100)
@given(predictions(), st.booleans())
def test_as_scikit_learn(drawn, force_finite):
    y, p, options = drawn
    for name in NAMES:
        agree(name, y, p, **options, **({"force_finite": force_finite} if name == "r2_score" else {}))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_taken_and_refused(name):
    pd = pytest.importorskip("pandas")
    y, p = [3, 1, 2, 7], [1, 1, 4, 5]
    value = agree(name, y, p)
    assert getattr(tw.metrics, name)(np.float32(y), np.float32(p)) == value  # theirs: in single
    for kind in (pd.Series, np.int8, lambda v: np.array(v)[:, None], lambda v: pd.DataFrame({"y": v})):
        assert agree(name, kind(y), kind(p)) == value
    assert agree(name, np.array([y, y]).T[:, 0], p) == value  # with strides
    agree(name, pd.Series([1, 2, 3, 4], dtype="Int64"), p)
    refused = [
        ([], []), (y, p[:3]), ([1, np.nan, 2, 3], p), (y, [1, 2, np.inf, 4]), (1, 1), ([[[1]]], [[[1]]]),
        (["a", "b", "c", "d"], p), ([None, 1, 2, 3], p), ([1j, 1, 2, 3], p), ([[1, 2]], [[1]]), (np.ones((3, 0)),) * 2,
    ]  # fmt: skip
    for pair in refused:
        assert agree(name, *pair) is None
    for weights in ([0, 0, 0, 0], [1, 2], [1, 1, 1, np.nan], [[1], [1], [1], [1]], [1, 1, -1, -1]):
        assert agree(name, y, p, sample_weight=weights) is None
    agree(name, y, p, sample_weight=[-1, 3, 1, 2])
    assert agree(name, [np.inf, -np.inf, 1, 2], p) is None
    assert agree(name, np.ma.masked_equal(y, 3), [np.nan, 1, 4, 5]) is None
    if name != "r2_score":  # of which theirs overflows
        agree(name, [1e308, 1e308, 0, 0], [1e308, 1e308, 0, 1])
    for multioutput in ("mean", 3, [1.0, 2.0]):
        assert agree(name, y, p, multioutput=multioutput) is None
    with pytest.raises(ValueError, match="multioutput: got 1 weights"):
        getattr(tw.metrics, name)(y, p, multioutput=[1.0])
    assert agree(name, [[1, 2], [3, 4]], [[1, 2], [3, 5]], multioutput=[1, 2, 3]) is None


def test_messages_name_the_argument():
    score = tw.metrics.mean_squared_error
    for message, args, weights in (
        ("y_pred: got 1 rows, expected 2", ([1, 2], [1]), None),
        ("y_true: got nan in row 1, expected finite", ([1, np.nan], [1, 2]), None),
        ("y_pred: got 1 outputs, expected 2", ([[1, 2]], [[1]]), None),
        ("sample_weight: got weights that are all 0", ([1, 2], [1, 2]), [0, 0]),
        ("y_pred: got 'ab', which holds text", ([1, 2], "ab"), None),
    ):
        with pytest.raises(ValueError, match=message):
            score(*args, sample_weight=weights)


def test_constant_values_are_constant_whatever_their_rounding():
    """Where scikit-learn's mean of [0.1, 0.1, 0.1] is not 0.1, and the score -1.7e31."""
    for y in (np.full(3, 0.1), np.full(200_000, 1 / 3)):
        assert tw.metrics.r2_score(y, y) == 1.0
        assert tw.metrics.r2_score(y, y + np.arange(len(y))) == 0.0
        assert tw.metrics.r2_score(y, y + 1, force_finite=False) == -np.inf


def test_many_rows():
    random = np.random.default_rng(1)
    y = 1e3 + random.standard_normal(200_001)
    p, weights = y + random.standard_normal(y.size), random.random(y.size)
    for name in NAMES:
        agree(name, y, p)
        agree(name, y, p, sample_weight=weights)
