"""Metrics of predicted classes beside scikit-learn's."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import thalweg as tw

from .beside_sklearn import agree

KINDS = {  # of labels, made from 0 to 4
    "numbers": lambda k: k,
    "far": lambda k: (k - 2) * 10**12,
    "floats": lambda k: k.astype(float),
    "bytes": lambda k: k.astype(np.int8),
    "text": lambda k: np.array(["b", "a", "émile", "", "a longer one"])[k],
    "objects": lambda k: np.array(["b", "a", "émile", "", "a longer one"], dtype=object)[k],
    "lists": lambda k: k.tolist(),
}
WEIGHTS = st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0])
SCORES = ("precision_score", "recall_score", "f1_score")


@st.composite
def classes(draw):
    """True and predicted labels of one kind, labels to choose from, weights."""
    n, top = draw(st.integers(1, 12)), draw(st.integers(0, 4))
    kind = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    y, p = (draw(hnp.arrays(int, n, elements=st.integers(0, top))) for _ in range(2))
    chosen = draw(st.none() | hnp.arrays(int, draw(st.integers(1, 4)), elements=st.integers(0, 4)))
    chosen = None if chosen is None else list(kind(chosen))
    return kind(y), kind(p), chosen, draw(st.none() | hnp.arrays(float, n, elements=WEIGHTS))


@settings(deadline=None, max_examples=60)
@given(classes(), st.booleans(), st.sampled_from([None, "true", "pred", "all"]))
def test_accuracy_and_confusion(drawn, flag, normalize):
    y, p, labels, weights = drawn
    agree("accuracy_score", y, p, sample_weight=weights, normalize=flag)
    adjusted = flag and len(set(np.asarray(y).tolist())) > 1  # of one class theirs is NaN without a warning of its own
    agree("balanced_accuracy_score", y, p, sample_weight=weights, adjusted=bool(adjusted and weights is None))
    agree("confusion_matrix", y, p, labels=labels, sample_weight=weights, normalize=normalize)


AVERAGES = st.sampled_from(["binary", "micro", "macro", "weighted", "samples", None])
DIVISIONS = st.sampled_from(["warn", 0.0, 1.0, np.nan])


@settings(deadline=None, max_examples=80)
@given(classes(), AVERAGES, DIVISIONS, st.sampled_from([0, 0.5, 1.0, 2.0, np.inf]), st.integers(0, 1))
def test_precision_recall_and_f(drawn, average, zero_division, beta, positive):
    y, p, labels, weights = drawn
    pos_label = (y if positive else p)[0]
    options = dict(labels=labels, average=average, zero_division=zero_division, sample_weight=weights)
    agree("precision_recall_fscore_support", y, p, beta=beta, pos_label=pos_label, **options)
    for name in SCORES:
        agree(name, y, p, **options)  # with pos_label 1, which may not occur


@st.composite
def indicators(draw):
    n, m = draw(st.integers(1, 6)), draw(st.integers(2, 4))
    y, p = (draw(hnp.arrays(int, (n, m), elements=st.integers(0, 1))) for _ in range(2))
    labels = draw(st.none() | st.lists(st.integers(0, m), min_size=1, max_size=3))
    return y, p, labels, draw(st.none() | hnp.arrays(float, n, elements=WEIGHTS))


@settings(deadline=None, max_examples=60)
@given(indicators(), AVERAGES, DIVISIONS)
def test_several_labels_for_each_row(drawn, average, zero_division):
    y, p, labels, weights = drawn
    agree("accuracy_score", y, p, sample_weight=weights)
    options = dict(labels=labels, average=average, zero_division=zero_division, sample_weight=weights)
    agree("precision_recall_fscore_support", y, p, **options)
    agree("f1_score", y, p, **options)


NAMES = ("accuracy_score", "balanced_accuracy_score", "confusion_matrix", "f1_score", "precision_recall_fscore_support")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_taken_and_refused(name):
    pd, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    y, p = ["a", "b", "b", "a"], ["a", "b", "a", "b"]
    options = {"pos_label": "b"} if name == "f1_score" else {}
    for kind in (pd.Series, pd.Categorical, lambda v: pd.Series(v, dtype=object), lambda v: np.array(v)[:, None]):
        agree(name, kind(y), p, **options)
    for kind in ("Int64", "int8", "boolean", "float32"):
        agree(name, pd.Series([0, 1, 1, 0], dtype=kind), [0, 1, 0, 1])
    agree(name, np.array([[1, 0], [0, 1]]).T[:, 0], [1, 0])  # with strides
    agree(name, sparse.csr_matrix([[1, 0], [0, 1]]), np.array([[1, 0], [1, 1]]))
    refused = [
        ([], []), ([1, 2], [1]), ([1, 2], ["a", "b"]), (["1", "2"], [1, 2]), ([1.5, 2], [1, 2]), ([1, np.nan], [1, 2]),
        ([1, np.inf], [1, 2]), (["a", None], ["a", "b"]), ([b"a", b"b"],) * 2, ([[1, 0], [0, 2]], [[1, 0]] * 2),
        ([[1, 0], [0, 1]], [1, 0]), ([[1, 0], [0, 1]], [[1, 0, 1], [0, 1, 1]]), ("ab", "ab"), ([[["a"]]], [[["a"]]]),
        ([1j, 2], [1, 2]), (pd.Series([1, None], dtype="Int64"), [1, 1]), ([[1], [2, 3]], [1, 2]),
    ]  # fmt: skip
    for pair in refused:
        assert agree(name, *pair) is None
    for weights in ([0, 0, 0, 0], [1, 2], [1, 1, 1, np.nan], [[1], [1], [1], [1]]):
        assert agree(name, y, p, sample_weight=weights, **options) is None
    assert agree("accuracy_score", y, p, sample_weight=[1, 1, -1, -1]) is None
    agree("accuracy_score", y, p, sample_weight=[1, 1, 1, -1])


def test_options_are_checked():
    y, p = [0, 1, 1, 0], [0, 1, 0, 1]
    for options in (
        {"average": "mean"}, {"zero_division": 2}, {"zero_division": "x"}, {"pos_label": 7}, {"average": "samples"},
    ):  # fmt: skip
        assert agree("f1_score", y, p, **options) is None
    assert agree("f1_score", [0, 1, 2], [0, 1, 1]) is None  # three classes
    assert agree("precision_recall_fscore_support", y, p, beta=-1.0) is None
    for options in ({"normalize": "rows"}, {"labels": []}, {"labels": [5]}, {"labels": ["a"]}):
        assert agree("confusion_matrix", y, p, **options) is None
    with pytest.raises(ValueError, match="pos_label: got 7, expected one of \\[0, 1\\]"):
        tw.metrics.f1_score(y, p, pos_label=7)
    with pytest.warns(tw.metrics.UndefinedMetricWarning, match="precision is not defined") as seen:
        tw.metrics.precision_score([0, 1], [0, 0])
    assert seen[0].filename == __file__
    with pytest.warns(UserWarning, match="pos_label: 0 has no meaning"):
        tw.metrics.f1_score(y, p, pos_label=0, average="macro")
    with pytest.warns(UserWarning, match="y_pred has classes"):
        tw.metrics.balanced_accuracy_score([0, 0], [0, 1])
    with pytest.warns(tw.metrics.UndefinedMetricWarning):
        assert np.isnan(tw.metrics.balanced_accuracy_score([1, 1], [1, 1], adjusted=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tw.metrics.f1_score([0, 0], [0, 0], zero_division=1.0) == 1.0
    assert tw.metrics.confusion_matrix(y, p).dtype == tw.metrics.confusion_matrix(y, p, sample_weight=[1] * 4).dtype


def test_many_labels_and_many_rows():
    """Tables that are too large for each block to have its own."""
    random = np.random.default_rng(1)
    weights = random.random(30_000)
    for y in (random.integers(0, 3, 30_000), random.integers(0, 200, 30_000), random.integers(0, 10**9, 30_000)):
        p = np.where(random.random(y.size) < 0.5, y, random.permutation(y))
        agree("f1_score", y, p, average="weighted", sample_weight=weights)
        agree("accuracy_score", y, p)
    agree("confusion_matrix", y % 1000 * 10**6, p % 1000 * 10**6)


def test_numbers_that_a_double_cannot_tell_apart():
    big = [2**60, 2**60 + 1]
    for kind in (np.int64, np.uint64, object):
        assert tw.metrics.accuracy_score(np.array(big, dtype=kind), np.array(big[::-1], dtype=kind)) == 0.0
    with pytest.raises(ValueError, match="which is masked"):
        tw.metrics.accuracy_score(np.ma.masked_equal([1, 2], 2), [1, 2])
    with pytest.raises(ValueError, match="below 2"):
        tw.metrics.accuracy_score(np.array([2**63], dtype=np.uint64), [1])


def test_hashes_that_collide():
    """Text that differs in a single place, and rows of zeros: each label has one code."""
    from thalweg.kernels.metrics.labels import number_rows

    rows = np.random.default_rng(2).integers(0, 3, (20_000, 9)).astype(np.uint32)
    numbers, first = number_rows(rows)
    assert np.array_equal(rows[first][numbers], rows) and len(first) == len(np.unique(rows, axis=0))
    assert np.array_equal(np.sort(first), first) and numbers[0] == 0
