"""Ridge: its solvers against the normal equations in closed form, and scikit-learn's answers."""

import pickle

import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator

import thalweg as tw


def data(n, p, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, p)) + random.normal(size=p)
    return X, np.column_stack([X @ random.normal(size=p), random.normal(size=n)]) + random.normal(size=(n, 2)) + 2.0


def closed_form(X, y, alpha, weights):
    """The intercept and w, from the augmented normal equations."""
    A = np.column_stack([np.ones(len(y)), X])
    D = np.diag(np.r_[0.0, np.full(X.shape[1], alpha)])
    found = np.linalg.solve(A.T @ (weights[:, None] * A) + D, A.T @ (weights * y))
    return found[0], found[1:]


SOLVERS = ("auto", "cholesky", "svd", "sparse_cg", "lsqr")


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n", "p"), [(60, 5), (1500, 8), (8, 20)])
def test_solvers_solve_the_normal_equations(solver, n, p):
    X, Y = data(n, p)
    weights = np.random.default_rng(1).integers(0, 3, n).astype(float)
    for w in (None, weights):
        intercept, coefficients = closed_form(X, Y[:, 0], 0.7, np.ones(n) if w is None else w)
        for design in (X, sparse.csr_array(X)) if solver != "svd" else (X,):
            found = tw.Ridge(0.7, solver=solver, tol=1e-13).fit(design, Y[:, 0], w)
            np.testing.assert_allclose(found.coef_, coefficients, atol=1e-9)
            assert found.intercept_ == pytest.approx(intercept, abs=1e-8) and np.all(found.n_iter_ >= 1)


@pytest.mark.parametrize("options", [{}, {"fit_intercept": False}, {"alpha": [0.1, 20.0]}])
@pytest.mark.parametrize(("n", "p"), [(50, 6), (6, 15)])
def test_answers_are_scikit_learns(n, p, options):
    X, Y = data(n, p, seed=2)
    options = {"tol": 1e-12, "max_iter": 100_000, **options}
    for y in (Y, Y[:, :1], Y[:, 0]) if "alpha" not in options else (Y,):
        ours, theirs = tw.Ridge(**options).fit(X, y), linear_model.Ridge(**options).fit(X, y)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
        np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-6)
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-5)
        assert ours.coef_.shape == theirs.coef_.shape and np.shape(ours.intercept_) == np.shape(theirs.intercept_)


@pytest.mark.parametrize(("n", "p"), [(50, 6), (6, 15)])
def test_positive_coefficients(n, p):
    X, Y = data(n, p, seed=2)
    found = tw.Ridge(0.3, positive=True, tol=1e-8, max_iter=100_000).fit(X, Y)
    for k, y in enumerate(Y.T):
        A = np.vstack([X - X.mean(axis=0), np.sqrt(0.3) * np.eye(p)])
        exact = optimize.nnls(A, np.r_[y - y.mean(), np.zeros(p)])[0]
        np.testing.assert_allclose(found.coef_[k], exact, atol=1e-6)


def test_ill_conditioned_and_dependent_columns():
    X, Y = data(40, 4)
    X = np.column_stack([X, X[:, 0] + 1e-9 * X[:, 1], X[:, 2]])
    found = tw.Ridge(1e-12).fit(X, Y)
    theirs = linear_model.Ridge(1e-12, solver="svd").fit(X, Y)
    np.testing.assert_allclose(found.predict(X), theirs.predict(X), atol=1e-6)
    none = tw.Ridge(0.0).fit(X[:, [0, 1, 2, 3, 5]], Y[:, 0])  # of least norm
    centred = X[:, [0, 1, 2, 3, 5]] - X[:, [0, 1, 2, 3, 5]].mean(axis=0)
    np.testing.assert_allclose(none.coef_, np.linalg.pinv(centred) @ (Y[:, 0] - Y[:, 0].mean()), atol=1e-9)


def test_constant_columns_have_no_coefficient():
    X, Y = data(30, 3)
    X[:, 1], X[:, 2] = 0.1, 0.0
    for solver in SOLVERS:
        assert np.all(np.abs(tw.Ridge(solver=solver).fit(X, Y).coef_[:, 1:]) < 1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1.0}, "'alpha' parameter"),
        ({"alpha": [1.0, 2.0, 3.0]}, "alpha: got 3 penalties, expected one, or one for each of the 2 targets"),
        ({"alpha": [1.0, -2.0]}, r"alpha: got -2.0, expected"),
        ({"solver": "saga"}, "'solver' parameter"),
        ({"solver": "svd", "positive": True}, "solver: got 'svd', expected 'auto' or 'lbfgs'"),
        ({"solver": "lbfgs"}, "solver: got 'lbfgs'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        tw.Ridge(**options).fit(*data(20, 3))


def test_bad_data_is_refused():
    X, Y = data(20, 3)
    with pytest.raises(ValueError, match=r"svd.*sparse data"):
        tw.Ridge(solver="svd").fit(sparse.csr_array(X), Y)
    with pytest.raises(ValueError, match="Negative values"):
        tw.Ridge().fit(X, Y, -np.ones(20))
    with pytest.raises(ValueError, match="NaN"):
        tw.Ridge().fit(np.where(X > 1, np.nan, X), Y)
    with pytest.warns(ConvergenceWarning, match="sparse_cg has not converged: raise max_iter"):
        tw.Ridge(solver="sparse_cg", max_iter=1, tol=1e-14).fit(X, Y)


def test_names_pickles_and_single_precision():
    pandas = pytest.importorskip("pandas")
    X, Y = data(20, 2)
    model = pickle.loads(pickle.dumps(tw.Ridge().fit(pandas.DataFrame(X, columns=["a", "b"]), Y)))
    assert list(model.feature_names_in_) == ["a", "b"] and model.solver_ == "cholesky"
    assert tw.Ridge().fit(X.astype(np.float32), Y).coef_.dtype == np.float32


def test_scikit_learns_checks():
    check_estimator(tw.Ridge(), on_skip=None)
