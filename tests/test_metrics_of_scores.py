"""Metrics of scores and of probabilities, and their curves, beside scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import thalweg as tw

from .beside_sklearn import agree

SCORES = st.one_of(st.integers(-3, 3).map(lambda k: k / 2), st.floats(-1e6, 1e6), st.sampled_from([-0.0, 5e-324]))
WEIGHTS = st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.0])  # so few digits that sums of them are exact in any order
AVERAGES = st.sampled_from(["macro", "micro", "weighted", "samples", None])


@st.composite
def ranked(draw):
    n = draw(st.integers(1, 12))
    y = draw(hnp.arrays(int, n, elements=st.integers(0, 1)))
    y = y * 2 - 1 if draw(st.booleans()) else y
    return y, draw(hnp.arrays(float, n, elements=SCORES)), draw(st.none() | hnp.arrays(float, n, elements=WEIGHTS))


@settings(deadline=None, max_examples=80)
@given(ranked(), st.booleans(), st.sampled_from([None, 1.0, 0.5, 0.01]))
def test_two_classes(drawn, drop, max_fpr):
    y, s, weights = drawn
    if weights is None or len(set(y[weights > 0])) == 2:  # of a single class theirs is NaN, or one of two errors
        agree("roc_auc_score", y, s, sample_weight=weights, max_fpr=max_fpr)
    agree("average_precision_score", y, s, sample_weight=weights)
    for name in ("roc_curve", "precision_recall_curve"):
        agree(name, y, s, sample_weight=weights, drop_intermediate=drop)
        agree(name, np.array(["no", "yes", "perhaps"])[y], s, sample_weight=weights, pos_label="yes")


@settings(deadline=None, max_examples=60)
@given(st.data(), AVERAGES)
def test_several_labels_for_each_row(data, average):
    n, m = data.draw(st.integers(1, 6)), data.draw(st.integers(2, 3))
    y = data.draw(hnp.arrays(int, (n, m), elements=st.integers(0, 1)))
    s = data.draw(hnp.arrays(float, (n, m), elements=SCORES))
    weights = data.draw(st.none() | hnp.arrays(float, n, elements=st.sampled_from([0.25, 1.0, 3.0])))
    agree("roc_auc_score", y, s, average=average, sample_weight=weights)
    agree("average_precision_score", y, s, average=average, sample_weight=weights)


@settings(deadline=None, max_examples=40)
@given(st.data(), AVERAGES, st.sampled_from(["ovr", "ovo", "raise"]))
def test_several_classes(data, average, multi_class):
    n, m = data.draw(st.integers(3, 10)), data.draw(st.integers(3, 4))
    y = data.draw(hnp.arrays(int, n, elements=st.integers(0, m - 1)))
    p = data.draw(hnp.arrays(float, (n, m), elements=st.sampled_from([1.0, 2.0, 3.0, 5.0])))
    p /= p.sum(axis=1, keepdims=True)
    weights = data.draw(st.none() | hnp.arrays(float, n, elements=st.sampled_from([0.25, 1.0, 3.0])))
    labels = data.draw(st.sampled_from([None, list(range(m)), list(range(m))[::-1]]))
    if len(set(y)) > 1:  # of one class theirs says less, or divides by zero
        options = dict(average=average, multi_class=multi_class, sample_weight=weights, labels=labels)
        agree("roc_auc_score", y, p, **options)
        agree("roc_auc_score", np.array(["a", "b", "d", "c"])[y], p, average=average, multi_class=multi_class)
        agree("average_precision_score", y, p, average=average, sample_weight=weights)
    agree("log_loss", y, p, sample_weight=weights, labels=labels)
    agree("log_loss", y, p)
    agree("log_loss", np.eye(m, dtype=int)[y], p, sample_weight=weights)


@settings(deadline=None, max_examples=60)
@given(ranked(), st.booleans(), st.sampled_from([None, [0, 1], [1], [1, 0], ["a", "b"], [0, 1, 2]]))
def test_log_loss_of_two_classes(drawn, normalize, labels):
    y, p, weights = drawn
    p = np.clip(np.abs(p) / 2, 0, 1)
    agree("log_loss", y, p, sample_weight=weights, normalize=normalize, labels=labels)


def test_what_is_taken_and_refused():
    pd = pytest.importorskip("pandas")
    y, s = [0, 1, 1, 0], [0.1, 0.4, 0.35, 0.2]
    names = ("roc_auc_score", "average_precision_score", "roc_curve", "precision_recall_curve", "log_loss")
    for name in names:
        agree(name, y, s)
        agree(name, pd.Series(y), pd.Series(s))
        agree(name, np.array(y)[:, None] if name != "log_loss" else y, np.array(s)[:, None])
        agree(name, [False, True, True, False], np.float64(s)[::-1])
        for pair in (
            ([], []), ([0, 1], [0.1]), ([0, 1], [0.1, np.nan]), ([0, 1], [0.1, np.inf]), ([0.5, 1], [0.1, 0.2]),
            ([0, 1], ["a", "b"]), ([0, 1], [[0.1, 0.2, 0.4], [0.1, 0.2, 0.3]]), ([[0, 1], [1, 2]], [[0.1, 0.2]] * 2),
            ([0, 1, 2], [0.1, 0.2, 0.3]),
        ):  # fmt: skip
            assert agree(name, *pair) is None
        for weights in ([0, 0, 0, 0], [1, 2], [1, 1, 1, np.nan]):
            assert agree(name, y, s, sample_weight=weights) is None
    for name in names[:-1]:
        with pytest.raises(ValueError, match="sample_weight: got -1"):
            getattr(tw.metrics, name)(y, s, sample_weight=[1, 1, 1, -1])
    for name in ("roc_curve", "precision_recall_curve"):
        for labels in ([2, 1], ["a", "b"], [0, -1], [2, 2]):
            assert agree(name, labels, [0.1, 0.2]) is None
        agree(name, [2, 1], [0.1, 0.2], pos_label=2)
        agree(name, [2, 1, 3], [0.1, 0.2, 0.3], pos_label=7)
        agree(name, ["a", "b"], [0.1, 0.2], pos_label=1)
    for labels, positive in (
        (["a", "b"], "b"),
        (["a", "b"], 1),
        ([0, 2], 1),
        ([2, 2], 1),
        ([0, 0], 5),
        (["a", "a"], 1),
    ):
        agree("average_precision_score", labels, [0.1, 0.2], pos_label=positive)
    assert agree("average_precision_score", [0, 1, 2], np.eye(3), pos_label=2) is None
    for options in ({"average": "mean"}, {"max_fpr": 0}, {"max_fpr": 1.5}, {"multi_class": "all"}):
        assert agree("roc_auc_score", y, s, **options) is None
    thirds = np.full((4, 3), 1 / 3)
    for options in (
        {"labels": [0, 2, 1]}, {"labels": [0, 0, 1]}, {"labels": [0, 1, 3]}, {"labels": ["a", "b", "c"]},
        {"max_fpr": 0.5}, {"sample_weight": [1, 2, 3, 4], "multi_class": "ovo"},
    ):  # fmt: skip
        assert agree("roc_auc_score", [0, 1, 2, 1], thirds, **{"multi_class": "ovr", **options}) is None
    assert agree("roc_auc_score", [0, 1, 2, 1], thirds * 2, multi_class="ovr") is None
    assert agree("roc_auc_score", [0, 1, 2, 1], thirds[:, :2], multi_class="ovr") is None
    agree("roc_auc_score", [0, 1, 1, 1], thirds, multi_class="ovr", labels=[0, 1, 2])
    with pytest.warns(tw.metrics.UndefinedMetricWarning):
        assert np.isnan(tw.metrics.roc_auc_score([0, 0], np.full((2, 3), 1 / 3), multi_class="ovo", labels=[0, 1, 2]))


def test_probabilities_are_checked():
    for pair in (([0, 1], [1.1, 0.0]), ([0, 1], [-0.1, 0.0]), ([1, 1], [0.1, 0.8]), ([0, 1], [[0.2, 0.8]])):
        assert agree("log_loss", *pair) is None
    assert agree("log_loss", [0, 1, 1], np.full((3, 3), 1 / 3)) is None
    assert agree("log_loss", [[0, 1], [1, 0]], [[0.2, 0.8], [0.4, 0.6]], labels=[0, 1]) is None
    for y, p in (([0, 1], [0.0, 1.0]), ([0, 1], [1.0, 0.0]), ([0, 1], [1, 0]), (["a", "b"], [[0.2, 0.8], [0.4, 0.6]])):
        agree("log_loss", y, p)
    single = tw.metrics.log_loss([0, 1], np.float32([1, 0]))
    assert single == pytest.approx(-np.log(np.finfo(np.float32).eps), rel=1e-12)
    with pytest.warns(UserWarning, match="do not add up to 1"):
        tw.metrics.log_loss([0, 1, 2], np.full((3, 3), 0.4))
    with pytest.warns(UserWarning, match="ascending"):
        tw.metrics.log_loss([0, 1], [0.2, 0.7], labels=[1, 0])


def test_many_rows():
    random = np.random.default_rng(3)
    n = 70_000
    s, weights = random.standard_normal(n), random.integers(0, 8, n) / 8.0
    y = (random.random(n) < 1 / (1 + np.exp(-s))).astype(int)
    for scores in (s, np.round(s, 1), s.astype(np.float32)):
        agree("roc_auc_score", y, scores, sample_weight=weights)
        agree("average_precision_score", y, scores, sample_weight=weights)
        for name in ("roc_curve", "precision_recall_curve"):
            agree(name, y, scores.astype(float), sample_weight=weights)
    agree("log_loss", y, 1 / (1 + np.exp(-s)), sample_weight=weights)


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(float, st.integers(1, 40), elements=st.floats(allow_nan=False, width=64)))
def test_the_sort(scores):
    """Any doubles, infinities, too: descending, equal ones in their order."""
    from thalweg.kernels.metrics.sorting import descending

    rows = np.empty(len(scores), np.uint32)
    _, order = descending(scores.view(np.uint64), np.zeros(len(scores), bool), rows)
    assert np.array_equal(order >> 1, np.argsort(-(scores + 0.0), kind="stable"))
