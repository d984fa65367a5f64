"""LassoCV, ElasticNetCV and RidgeCV beside scikit-learn's, and rows that are left out in earnest."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

import thalweg as tw
from thalweg.solvers.learning.leave_one_out import left_out_errors, spectrum

TIGHT = {"tol": 1e-12, "max_iter": 100_000, "alphas": 12, "cv": 4}


def data(n=60, p=8, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) + 1.0
    return X, X[:, 0] - X[:, -1] + random.normal(size=n), random.uniform(0.5, 2.0, n)


# --- folds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"alphas": [0.1, 1.0, 0.01]}, {"fit_intercept": False}, {"positive": True, "precompute": False}],
)
def test_lasso_paths_of_folds_are_scikit_learns(options, weighted, form):
    X, y, weights = data()
    X = sparse.csr_array(np.where(X > 1.0, X, 0.0)) if form == "sparse" else X
    options, weights = {**TIGHT, **options}, weights if weighted else None
    ours = tw.LassoCV(**options).fit(X, y, weights)
    theirs = linear_model.LassoCV(**options).fit(X, y, weights)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    np.testing.assert_allclose(ours.alphas_, theirs.alphas_, rtol=1e-10)
    assert ours.alpha_ == pytest.approx(theirs.alpha_) and ours.n_iter_ >= 1
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)


@pytest.mark.parametrize("shares", [0.4, [0.2, 0.9]])
def test_shares_of_the_elastic_net(shares):
    X, y, _ = data()
    ours = tw.ElasticNetCV(l1_ratio=shares, **TIGHT).fit(X, y)
    theirs = linear_model.ElasticNetCV(l1_ratio=shares, **TIGHT).fit(X, y)
    np.testing.assert_allclose(ours.mse_path_, theirs.mse_path_, rtol=1e-8)
    assert ours.alphas_.shape == theirs.alphas_.shape and ours.l1_ratio_ == theirs.l1_ratio_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)


def test_one_thread_gives_the_same():
    X, y, _ = data(300, 100)
    one, all_of_them = (tw.LassoCV(alphas=10, cv=3, n_jobs=jobs).fit(X, y) for jobs in (1, -1))
    assert np.array_equal(one.mse_path_, all_of_them.mse_path_) and np.array_equal(one.coef_, all_of_them.coef_)


def test_what_lasso_cv_refuses_or_warns_of():
    X, y, _ = data()
    with pytest.raises(ValueError, match="MultiTaskLassoCV"):
        tw.LassoCV().fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"alphas: got .*expected a number, or penalties of at least 0"):
        tw.LassoCV(alphas=[1.0, -1.0]).fit(X, y)
    with pytest.raises(ValueError, match="n_jobs: got 0"):
        tw.LassoCV(n_jobs=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="has not converged within max_iter=1 passes in"):
        tw.LassoCV(max_iter=1, tol=1e-14, alphas=3, cv=2).fit(X, y)


# --- a row at a time ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("exactly", [True, False])
@pytest.mark.parametrize(("n", "p"), [(12, 3), (7, 10), (8, 8)])
def test_errors_of_rows_are_those_of_fits_without_them(n, p, exactly, intercept):
    X, y, weights = data(n, p)
    X[2] = X[1]
    roots, mean = np.sqrt(weights), np.average(X, axis=0, weights=weights) if intercept else np.zeros(p)
    y_mean = np.average(y, weights=weights) if intercept else 0.0
    centred, target = roots[:, None] * (X - mean), (roots * (y - y_mean))[:, None]
    found = left_out_errors(spectrum(centred, target, roots, intercept, exactly), target, 0.3)[:, 0]
    for i in range(n):
        rest = np.delete(np.arange(n), i)
        model = linear_model.Ridge(0.3, fit_intercept=intercept, solver="svd").fit(X[rest], y[rest], weights[rest])
        assert found[i] == pytest.approx(roots[i] * (y[i] - model.predict(X[i : i + 1])[0]), abs=1e-9)


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize(
    "options", [{}, {"fit_intercept": False}, {"alpha_per_target": True}, {"scoring": "neg_mean_absolute_error"}]
)
@pytest.mark.parametrize(("n", "p"), [(30, 4), (6, 15)])
def test_ridge_cv_is_scikit_learns(n, p, options, form):
    X, y, weights = data(n, p)
    design = X if form == "dense" else sparse.csr_array(X)
    for targets, w in ((np.column_stack([y, X[:, 1]]), None), (y, weights)):
        arguments = {"alphas": [0.01, 0.1, 1.0, 10.0], "store_cv_results": True, **options}
        ours = tw.RidgeCV(**arguments).fit(design, targets, w)
        theirs = linear_model.RidgeCV(**arguments).fit(design, targets, w)
        for name in ("alpha_", "best_score_", "cv_results_", "coef_", "intercept_"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-8, err_msg=name)
            assert np.shape(getattr(ours, name)) == np.shape(getattr(theirs, name))


def test_ridge_cv_by_folds():
    X, y, weights = data()
    options = {"alphas": [0.1, 1.0, 10.0], "cv": 3}
    ours, theirs = tw.RidgeCV(**options).fit(X, y, weights), linear_model.RidgeCV(**options).fit(X, y, weights)
    assert ours.alpha_ == theirs.alpha_ and ours.best_score_ == pytest.approx(theirs.best_score_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": [1.0, 0.0]}, "alphas: got 0.0, expected penalties above 0"),
        ({"cv": 3, "alphas": [-1.0]}, "alphas: got -1.0"),
        ({"cv": 3, "store_cv_results": True}, "store_cv_results: got True"),
        ({"cv": 3, "alpha_per_target": True}, "alpha_per_target: got True"),
    ],
)
def test_what_ridge_cv_refuses(options, message):
    with pytest.raises(ValueError, match=message):
        tw.RidgeCV(**options).fit(*data()[:2])


FOLDS = {f"check_sample_weight_equivalence_on_{kind}_data": "folds are cut by rows" for kind in ("dense", "sparse")}


@pytest.mark.parametrize("estimator", [tw.LassoCV(), tw.ElasticNetCV(), tw.RidgeCV()], ids=lambda e: type(e).__name__)
def test_scikit_learns_checks(estimator):
    expected = {} if isinstance(estimator, tw.RidgeCV) else FOLDS
    check_estimator(estimator, on_skip=None, expected_failed_checks=expected)
