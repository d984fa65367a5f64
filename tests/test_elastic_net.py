"""Lasso and ElasticNet: epoch by epoch against a transcription, against scikit-learn, and their duality gap."""

import pickle

import numba
import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

import thalweg as tw
from thalweg.kernels.data.centred_columns import CentredDense, CentredSparse
from thalweg.solvers.learning.coordinate_path import follow_path, reduced


def data(n, p, seed=0, correlated=0.0, noise=0.5):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) + correlated * random.normal(size=(n, 1))
    w = np.where(np.arange(p) % 4 == 0, random.normal(size=p), 0.0)
    return X, X @ w + noise * random.normal(size=n) + 3.0


def sparse_data(n, p, seed=0):
    X, _ = data(n, p, seed)
    X[np.abs(X) < 1.0] = 0.0
    return X, X @ np.where(np.arange(p) % 4 == 0, 1.0, 0.0) + np.random.default_rng(seed).normal(size=n)


def objective(X, y, w, l1, l2):
    return 0.5 * np.sum((y - X @ w) ** 2) + l1 * np.abs(w).sum() + 0.5 * l2 * w @ w


def as_sparse(X):
    csc = sparse.csc_array(X)
    return CentredSparse(csc.data, csc.indices, csc.indptr, np.zeros(X.shape[1]), np.ones(len(X)), float(len(X)))


# --- step by step ---------------------------------------------------------------------------------------------------


def transcription(X, y, l1, l2, positive, epochs):
    """w after each epoch: cyclic descent; after every fifth epoch what Bertrand and Massias (2021) extrapolate."""
    w, points, found = np.zeros(X.shape[1]), [np.zeros(X.shape[1])], []
    for _ in range(epochs):
        for j in range(X.shape[1]):
            z = X[:, j] @ (y - X @ w + X[:, j] * w[j])
            kept = max(abs(z) - l1, 0.0) * np.sign(z)
            w[j] = (max(kept, 0.0) if positive else kept) / (X[:, j] @ X[:, j] + l2)
        points.append(w.copy())
        found.append(w.copy())
        if len(points) == 6:
            U = np.diff(points, axis=0)
            A = U @ U.T
            z = np.linalg.solve(A + 1e-12 * np.trace(A) * np.eye(5), np.ones(5))
            there = (z / z.sum()) @ points[1:]
            better = objective(X, y, there, l1, l2) < objective(X, y, w, l1, l2)
            if better and not (positive and there.min() < 0):
                w = there
            found[-1] = w.copy()
            points = [w.copy()]
    return found


@pytest.mark.parametrize(("l2", "positive"), [(0.0, False), (30.0, False), (0.0, True)])
@pytest.mark.parametrize("form", [CentredDense, as_sparse])
def test_epochs_are_those_of_the_papers(form, l2, positive):
    X, noise = data(60, 6, seed=2, correlated=2.0, noise=0.0)
    y = X @ [2.0, 0.5, 1.0, 3.0, 0.3, -1.0] + 0.1 * noise
    design = CentredDense(np.ascontiguousarray(X.T)) if form is CentredDense else as_sparse(X)
    plain = transcription(X, y, 5.0, l2, positive, 12)
    for epochs in (1, 2, 4, 5, 6, 11, 12):
        path = follow_path(design, y, [5.0], [l2], positive=positive, tol=0.0, max_iter=epochs)
        assert path.epochs[0] == epochs
        np.testing.assert_allclose(path.coefficients[0], plain[epochs - 1], rtol=1e-7, atol=1e-9)
    assert not np.allclose(plain[4], plain[3], rtol=1e-3)  # what is extrapolated is far from where it began


@pytest.mark.parametrize(("l1", "l2"), [(20.0, 0.0), (20.0, 5.0), (0.0, 5.0)])
def test_the_gap_bounds_the_distance_from_the_minimum(l1, l2):
    X, y = data(50, 120, seed=3)
    design = CentredDense(np.ascontiguousarray(X.T))
    best = follow_path(design, y, [l1], [l2], tol=1e-13, max_iter=100_000)
    least = objective(X, y, best.coefficients[0], l1, l2)
    assert best.gaps[0] <= best.goal == 1e-13 * (y @ y)
    for tol in (0.3, 1e-2, 1e-4, 1e-6):
        path = follow_path(design, y, [l1], [l2], tol=tol, max_iter=100_000)
        above = objective(X, y, path.coefficients[0], l1, l2) - least
        assert -1e-9 <= above <= path.gaps[0] + 1e-9 and path.gaps[0] <= tol * (y @ y)


def test_the_gap_is_that_of_its_formula():
    """At w = 0: r = y, s = min(a / |X'y|, 1), so P - D = (1 - s)^2 y'y / 2."""
    X, y = data(40, 8)
    strongest = np.abs(X.T @ y).max()
    path = follow_path(CentredDense(np.ascontiguousarray(X.T)), y, [0.25 * strongest], [0.0], tol=1.0)
    assert not path.coefficients.any()
    assert path.gaps[0] == pytest.approx(0.75**2 * (y @ y) / 2, rel=1e-12)


# --- beside scikit-learn --------------------------------------------------------------------------------------------

TIGHT = {"tol": 1e-13, "max_iter": 100_000}
CASES = {
    "lasso": ({}, {}),
    "elastic net": ({"l1_ratio": 0.3}, {}),
    "ridge by descent": ({"l1_ratio": 0.0, "alpha": 0.4}, {}),
    "no intercept": ({"fit_intercept": False}, {}),
    "positive": ({"positive": True}, {}),
    "gram": ({"precompute": True, "l1_ratio": 0.7}, {}),
    "drawn": ({"selection": "random", "random_state": 3}, {}),
    "weights": ({"l1_ratio": 0.8}, {"weights": True}),
    "weights and gram": ({"precompute": True}, {"weights": True}),
    "targets": ({}, {"targets": True}),
    "targets and gram": ({"precompute": True}, {"targets": True}),
    "one target in a column": ({}, {"column": True}),
    "wide": ({"alpha": 0.05}, {"shape": (40, 150)}),
    "close columns": ({"alpha": 0.01}, {"correlated": 5.0}),
}


@pytest.mark.parametrize("form", ["dense", "sparse"])
@pytest.mark.parametrize("case", CASES)
def test_coefficients_are_scikit_learns(case, form):
    options, of_data = CASES[case]
    shape = of_data.get("shape", (80, 12))
    X, y = data(*shape, correlated=of_data.get("correlated", 0.0)) if form == "dense" else sparse_data(*shape)
    if "targets" in of_data:
        y = np.column_stack([y, X[:, 1] - y, X[:, 3]])
    if "column" in of_data:
        y = y[:, None]
    weights = np.random.default_rng(5).integers(0, 3, len(X)).astype(float) if "weights" in of_data else None
    X = X if form == "dense" else sparse.csr_array(X)
    arguments = {"alpha": 0.1, "l1_ratio": 1.0, **options, **TIGHT}
    ours = tw.ElasticNet(**arguments).fit(X, y, sample_weight=weights)
    if form == "sparse" and "precompute" in arguments:
        arguments["precompute"] = False
    theirs = linear_model.ElasticNet(**arguments).fit(X, y, sample_weight=weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    assert np.shape(ours.dual_gap_) == np.shape(theirs.dual_gap_) and np.ndim(ours.n_iter_) == np.ndim(theirs.n_iter_)
    assert ours.sparse_coef_.shape == theirs.sparse_coef_.shape


@pytest.mark.parametrize("options", [{}, {"l1_ratio": 0.5}, {"precompute": False}, {"positive": True}, {"alphas": 7}])
def test_paths_are_scikit_learns(options):
    X, y = data(60, 30, seed=4)
    options = {"alphas": 20, "eps": 1e-2, "l1_ratio": 1.0, **options, **TIGHT}
    alphas, coefficients, gaps, epochs = tw.enet_path(X, y, return_n_iter=True, **options)
    theirs = linear_model.enet_path(X, y, **options)
    np.testing.assert_allclose(alphas, theirs[0], rtol=1e-12)
    np.testing.assert_allclose(coefficients, theirs[1], atol=1e-7)
    assert np.all(gaps <= 1e-13 * (y @ y) / len(y)) and len(epochs) == len(alphas)


def test_a_lasso_path_of_more_columns_than_rows():
    X, y = data(50, 400, seed=6)
    alphas, coefficients, _ = tw.lasso_path(X, y, alphas=15, eps=0.05, **TIGHT)
    theirs = linear_model.lasso_path(X, y, alphas=alphas, **TIGHT)[1]
    np.testing.assert_allclose(coefficients, theirs, atol=1e-6)
    few = tw.lasso_path(sparse.csc_array(X), y, alphas=alphas[::-1][:3], coef_init=coefficients[:, -1], **TIGHT)
    np.testing.assert_allclose(few[1], coefficients[:, -3:], atol=1e-6)


def test_a_reduced_problem_has_the_same_gap():
    X, y = data(90, 7)
    X = np.column_stack([X, X[:, 0] + X[:, 1], 1e-9 * X[:, 2], np.zeros(90)])
    design, z = reduced(X.T @ X, X.T @ y, float(y @ y))
    assert z @ z == pytest.approx(y @ y) and design.x.shape[1] <= 10
    whole = follow_path(CentredDense(np.ascontiguousarray(X.T)), y, [9.0], [1.0], tol=0.0, max_iter=2)
    small = follow_path(design, z, [9.0], [1.0], tol=0.0, max_iter=2)
    np.testing.assert_allclose(small.coefficients, whole.coefficients, atol=1e-6)
    np.testing.assert_allclose(small.gaps, whole.gaps, rtol=1e-6)


def test_any_number_of_threads_gives_the_same_bits():
    X, y = data(300, 400)
    before, found = numba.get_num_threads(), []
    for count in {1, before}:
        numba.set_num_threads(count)
        found.append(tw.Lasso(alpha=0.05).fit(X, y).coef_)
    numba.set_num_threads(before)
    design = CentredDense(np.ascontiguousarray((X - X.mean(axis=0)).T))
    alone = follow_path(design, y - y.mean(), [0.05 * 300], [0.0], threads=False).coefficients[0]
    assert all(np.array_equal(coefficients, found[0]) for coefficients in found)
    np.testing.assert_allclose(alone, found[0], atol=1e-12)


# --- bad and degenerate input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_columns_that_say_nothing_have_no_coefficient(make):
    X, y = data(40, 5)
    X[:, 1], X[:, 3] = 0.1, 0.0
    found = tw.Lasso(alpha=1e-6).fit(make(X), y)
    assert found.coef_[1] == found.coef_[3] == 0.0 and np.all(found.coef_[[0, 2, 4]] != 0.0)


def test_above_the_greatest_penalty_nothing_is_left():
    X, y = data(30, 6)
    found = tw.Lasso(alpha=1e3).fit(X, y)
    assert not found.coef_.any() and found.intercept_ == pytest.approx(y.mean()) and found.n_iter_ == 1
    assert found.dual_gap_ <= 1e-4 * np.var(y)
    assert not tw.Lasso().fit(X, np.full(30, 2.0)).coef_.any()  # a constant target


def test_warnings():
    X, y = data(30, 6)
    with pytest.warns(UserWarning, match="alpha: at 0 .* LinearRegression"):
        none = tw.Lasso(alpha=0.0, tol=1e-13, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(none.coef_, np.linalg.lstsq(X - X.mean(0), y - y.mean())[0], atol=1e-6)
    with pytest.warns(ConvergenceWarning, match=r"max_iter=2 passes in 1 of 1 problems.*Raise max_iter"):
        tw.Lasso(alpha=1e-3, max_iter=2, tol=1e-14).fit(X, y)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (np.where(X > 1, np.nan, X), y, None), "NaN"),
        (lambda X, y: (np.where(X > 1, np.inf, X), y, None), "infinity"),
        (lambda X, y: (X, np.where(y > 3, np.inf, y), None), "infinity"),
        (lambda X, y: (X, y, -np.ones(len(y))), "Negative values"),
        (lambda X, y: (X, y, np.zeros(len(y))), "non-zero number|sum to 0"),
        (lambda X, y: (X, y[:-1], None), "inconsistent numbers of samples"),
    ],
)
def test_bad_data_is_refused(change, message):
    X, y, weights = change(*data(20, 3))
    with pytest.raises(ValueError, match=message):
        tw.ElasticNet().fit(X, y, sample_weight=weights)


def test_bad_options_are_refused():
    X, y = data(20, 3)
    with pytest.raises(ValueError, match="'alpha' parameter"):
        tw.Lasso(alpha=-1.0).fit(X, y)
    with pytest.raises(ValueError, match="precompute: got an array of shape"):
        tw.Lasso(precompute=np.eye(2)).fit(X, y)
    with pytest.raises(ValueError, match=r"precompute: got .* centred"):
        tw.Lasso(precompute=(X + 9).T @ (X + 9)).fit(X, y)
    with pytest.raises(ValueError, match="y: got 2 targets"):
        tw.lasso_path(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="alphas: got a number with l1_ratio=0"):
        tw.enet_path(X, y, l1_ratio=0.0)


def test_a_gram_matrix_that_is_given():
    X, y = data(60, 5)
    centred = X - X.mean(axis=0)
    found = tw.Lasso(alpha=0.1, precompute=centred.T @ centred, **TIGHT).fit(X, y)
    np.testing.assert_allclose(found.coef_, tw.Lasso(alpha=0.1, **TIGHT).fit(X, y).coef_, atol=1e-9)


def test_warm_start_begins_where_the_last_fit_ended():
    X, y = data(80, 12, correlated=3.0)
    model = tw.Lasso(alpha=0.01, tol=1e-10, warm_start=True, max_iter=10_000).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ == 1 < first


def test_single_precision_pickles_and_names():
    X, y = data(40, 4)
    single = tw.Lasso(alpha=0.1).fit(X.astype(np.float32), y)
    assert single.coef_.dtype == np.float32
    frame = pytest.importorskip("pandas").DataFrame(X, columns=list("abcd"))
    model = pickle.loads(pickle.dumps(tw.Lasso(alpha=0.1).fit(frame, y)))
    assert list(model.feature_names_in_) == list("abcd")
    np.testing.assert_allclose(model.predict(frame), single.predict(X.astype(np.float32)), rtol=1e-4)


@pytest.mark.parametrize("estimator", [tw.Lasso(), tw.ElasticNet()], ids=["Lasso", "ElasticNet"])
def test_scikit_learns_checks(estimator):
    check_estimator(estimator, on_skip=None)
