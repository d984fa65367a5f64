"""LogisticRegressionCV: scikit-learn's checks, its paths, scores and choice."""

import numpy as np
import pytest
from sklearn import linear_model
from sklearn.utils.estimator_checks import parametrize_with_checks

import thalweg as tw

random = np.random.default_rng(0)
X = random.normal(size=(200, 4))
SCORE = X[:, 0] - X[:, 1]
TWO = (SCORE + random.logistic(size=200) > 0) * 1
THREE = np.digitize(SCORE + random.logistic(size=200), [-1.0, 1.0])


@parametrize_with_checks([tw.LogisticRegressionCV(Cs=2, cv=3)])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("y", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("options", [{"fit_intercept": False}, {"refit": False, "scoring": "neg_log_loss"}])
def test_paths_scores_and_choice_are_those_of_scikit_learn(y, options):
    options = {"Cs": [10.0, 0.01, 0.3], "cv": 3, "tol": 1e-8, "class_weight": "balanced", **options}
    peer = {"l1_ratios": (0.0,), "use_legacy_attributes": False, "max_iter": 1000, "scoring": "accuracy"}
    theirs = linear_model.LogisticRegressionCV(**{**peer, **options}).fit(X, y)
    ours = tw.LogisticRegressionCV(**options).fit(X, y)
    np.testing.assert_allclose(ours.coefs_paths_, theirs.coefs_paths_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.scores_, theirs.scores_, rtol=0, atol=1e-6)
    assert ours.C_ == pytest.approx(theirs.C_) and ours.l1_ratio_ == 0.0
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=1e-6)
    assert ours.score(X, y) == pytest.approx(theirs.score(X, y), abs=1e-7)
    assert ours.n_iter_.shape == ours.scores_.shape == (3, 1, 3)


def test_the_same_bits_on_any_number_of_threads_and_shares_of_l1():
    one, two = (tw.LogisticRegressionCV(Cs=2, cv=2, l1_ratios=(0.0, 1.0), n_jobs=jobs).fit(X, TWO) for jobs in (1, 2))
    assert np.array_equal(one.coefs_paths_, two.coefs_paths_) and np.array_equal(one.coef_, two.coef_)
    assert one.coefs_paths_.shape == (2, 2, 2, 1, 5)
