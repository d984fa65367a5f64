"""LogisticRegression with smooth penalties: scikit-learn's checks and coefficients, Newton's method step by step."""

import pickle
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numba import get_num_threads, set_num_threads
from scipy.sparse import csr_matrix
from scipy.special import expit, logsumexp
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

import thalweg as tw
from thalweg.kernels.data.gram import gram
from thalweg.kernels.data.rows import design
from thalweg.solvers.learning.logistic_sum import LogisticSum, MultinomialSum
from thalweg.solvers.learning.newton_cholesky import newton_cholesky

generator = np.random.default_rng(5)
N, P = 240, 6
X = generator.normal(size=(N, P)) * np.array([1.0, 20.0, 0.05, 1.0, 3.0, 1.0])
X[:, 5] = 3.0  # a constant column
FEW = csr_matrix(np.where(generator.uniform(size=X.shape) < 0.4, X, 0.0))
SCORE = X[:, 0] - X[:, 3] + 0.05 * X[:, 1]
TWO = np.where(SCORE + generator.logistic(size=N) > 0.2, "yes", "no")
THREE = np.digitize(SCORE + generator.logistic(size=N), [-1.0, 1.0]) * 10
WEIGHTS = generator.uniform(0.0, 2.0, N)
WEIGHTS[:10] = 0.0
SMOOTH = ("newton-cholesky", "lbfgs", "newton-cg")


@parametrize_with_checks([tw.LogisticRegression()])
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@cache
def theirs(classes, sparse, weighted, options):
    table, y = FEW if sparse else X, TWO if classes == 2 else THREE
    model = linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-12, max_iter=1000, **dict(options))
    return model.fit(table, y, sample_weight=WEIGHTS if weighted else None)


@pytest.mark.parametrize("solver", SMOOTH)
@pytest.mark.parametrize("options", [{}, {"C": 0.01, "fit_intercept": False}, {"C": 50.0, "class_weight": "balanced"}])
def test_coefficients_are_those_of_scikit_learn(solver, options):
    for classes, sparse, weighted in ((2, False, True), (2, True, False), (3, False, False), (3, True, True)):
        expected = theirs(classes, sparse, weighted, tuple(options.items()))
        table, y = FEW if sparse else X, TWO if classes == 2 else THREE
        model = tw.LogisticRegression(solver=solver, tol=1e-10, max_iter=1000, **options)
        found = model.fit(table, y, sample_weight=WEIGHTS if weighted else None)
        size = np.abs(expected.coef_).max()
        # l_bfgs_b compares values, which tell w to half their digits
        atol = (1e-6 if solver != "lbfgs" else 2e-5) * size
        np.testing.assert_allclose(found.coef_, expected.coef_, rtol=0, atol=atol)
        np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=0, atol=3 * atol)
        np.testing.assert_allclose(found.predict_proba(table), expected.predict_proba(table), rtol=0, atol=1e-5)
        np.testing.assert_allclose(found.predict_log_proba(table), np.log(found.predict_proba(table)), atol=1e-12)
        assert found.predict(table).tolist() == expected.predict(table).tolist()


def test_liblinear_penalises_the_intercept():
    exact = {"solver": "liblinear", "tol": 1e-9}
    for options in ({"C": 0.2}, {"C": 0.2, "intercept_scaling": 3.0}, {"C": 0.2, "l1_ratio": 1.0}):
        expected = linear_model.LogisticRegression(max_iter=100_000, **exact, **options).fit(X, TWO)
        found = tw.LogisticRegression(**exact, **options).fit(X, TWO)
        np.testing.assert_allclose(found.coef_, expected.coef_, rtol=0, atol=2e-5)
        np.testing.assert_allclose(found.intercept_, expected.intercept_, rtol=0, atol=2e-5)


def test_the_logit_of_spector_and_mazzeo():
    """Spector and Mazzeo, J. Econ. Educ. 11 (1980) 37, as tabled by statsmodels, and to more digits by Stata 11.

    Stata keeps data in single precision, which shows in the seventh digit; Greene prints four.
    """
    table = np.loadtxt(Path(__file__).parent / "data" / "spector.csv", skiprows=1)
    columns, grade = table[:, 1:4], table[:, 4]
    model = tw.LogisticRegression(C=np.inf, tol=1e-13).fit(columns, grade)
    found = np.append(model.coef_[0], model.intercept_)
    np.testing.assert_allclose(found, [2.82611259, 0.09515766, 2.37868766, -13.02134686], rtol=0, atol=5e-9)
    single = columns.astype(np.float32).astype(np.float64)
    model.fit(single, grade)
    found = np.append(model.coef_[0], model.intercept_)
    stata = [2.82611297201, 0.0951576702557, 2.37868772835, -13.0213483201]
    np.testing.assert_allclose(found, stata, rtol=4e-12)
    total = LogisticSum(design(single), grade, np.ones(32), np.zeros(4))
    assert -32 * total.value_and_gradient(found)[0] == pytest.approx(-12.8896334653335, rel=1e-14)
    errors = np.sqrt(np.diag(np.linalg.inv(32 * total.hessian())))
    np.testing.assert_allclose(errors, [1.26294114526, 0.141554207662, 1.06456430165, 4.93132462871], rtol=6e-12)


def plain(table, y, weights, ridge, w):
    """Value, gradient and Hessian of the binary objective, as its formula says."""
    A = np.column_stack([table, np.ones(len(table))])
    z, c = A @ w, weights / weights.sum()
    p = expit(z)
    value = c @ (np.logaddexp(0.0, z) - y * z) + 0.5 * ridge @ w**2
    return value, A.T @ (c * (p - y)) + ridge * w, (A.T * (c * p * (1 - p))) @ A + np.diag(ridge)


@pytest.mark.parametrize("step", [1, 7])
@pytest.mark.parametrize("table", [X, FEW], ids=["dense", "sparse"])
def test_a_pass_is_the_formula(table, step):
    y, ridge = (TWO == "yes") * 1.0, np.linspace(0.1, 0.7, P + 1)
    total = LogisticSum(design(table), y, WEIGHTS, ridge)
    total = total.part(step) if step > 1 else total
    rows = (X if table is X else FEW.toarray())[::step]
    for scale in (0.01, 1.0, 300.0):  # beyond exp's reach
        w, v = scale * np.linspace(-1.0, 0.8, P + 1), np.linspace(1.0, 2.0, P + 1)
        value, g, H = plain(rows, y[::step], WEIGHTS[::step], ridge, w)
        found, slope = total.value_and_gradient(w)
        assert found == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(slope, g, rtol=0, atol=1e-13 * np.abs(g).max())
        np.testing.assert_allclose(total.hessian(), H, rtol=0, atol=1e-13 * np.abs(H).max())
        np.testing.assert_allclose(total.diagonal(), np.diag(H), rtol=1e-12)
        np.testing.assert_allclose(total.product(v), H @ v, rtol=0, atol=1e-13 * np.abs(H @ v).max())


@pytest.mark.parametrize("table", [X, FEW], ids=["dense", "sparse"])
def test_a_pass_over_many_classes_is_the_formula(table):
    y, K, ridge = THREE // 10, 3, np.full((3, P + 1), 0.3)
    total = MultinomialSum(design(table), y, WEIGHTS, ridge)
    A, c = np.column_stack([X if table is X else FEW.toarray(), np.ones(N)]), WEIGHTS / WEIGHTS.sum()
    for scale in (0.01, 1.0, 300.0):
        w, v = scale * np.linspace(-1.0, 0.8, K * (P + 1)), np.linspace(1.0, 2.0, K * (P + 1))
        z = A @ w.reshape(K, -1).T
        p = np.exp(z - logsumexp(z, axis=1)[:, None])
        value = c @ (logsumexp(z, axis=1) - z[np.arange(N), y]) + 0.15 * w @ w
        g = ((p - np.eye(K)[y]) * c[:, None]).T @ A + 0.3 * w.reshape(K, -1)
        blocks = [[(A.T * (c * p[:, k] * ((k == m) - p[:, m]))) @ A for m in range(K)] for k in range(K)]
        H = np.block(blocks) + 0.3 * np.eye(w.size)
        found, slope = total.value_and_gradient(w)
        assert found == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(slope, g.ravel(), rtol=0, atol=1e-13 * np.abs(g).max())
        np.testing.assert_allclose(total.hessian(), H, rtol=0, atol=1e-12 * np.abs(H).max())
        np.testing.assert_allclose(total.diagonal(), np.diag(H), rtol=1e-11)
        np.testing.assert_allclose(total.product(v), H @ v, rtol=0, atol=1e-11 * np.abs(H @ v).max())


def test_newton_takes_newtons_steps():
    """Where the coefficients are few the Hessian is made anew at each point: x - H^-1 g, to rounding."""
    y, ridge = (TWO == "yes") * 1.0, np.full(P + 1, 0.01)
    w = np.zeros(P + 1)
    for iterations in (1, 2, 3):
        _, g, H = plain(X, y, WEIGHTS, ridge, w)
        w = w - np.linalg.solve(H, g)
        found = newton_cholesky(LogisticSum(design(X), y, WEIGHTS, ridge), np.zeros(P + 1), 0.0, iterations)
        np.testing.assert_allclose(found.w, w, rtol=1e-9)


def test_newton_keeps_the_hessian_and_corrects_it_by_bfgs():
    """12 coefficients and more: one Hessian, then (6.17) of Nocedal and Wright."""
    random = np.random.default_rng(3)
    table = random.normal(size=(400, 12))
    y, ridge, w = (table[:, 0] + random.logistic(size=400) > 0) * 1.0, np.full(13, 0.05), np.zeros(13)
    inverse = np.linalg.inv(plain(table, y, np.ones(400), ridge, w)[2])
    _, g, _ = plain(table, y, np.ones(400), ridge, w)
    for iterations in range(1, 5):
        s = -inverse @ g
        w = w + s
        _, new, _ = plain(table, y, np.ones(400), ridge, w)
        assert np.abs(new).max() < 0.5 * np.abs(g).max()
        change, g = new - g, new
        V = np.eye(13) - np.outer(change, s) / (s @ change)
        inverse = V.T @ inverse @ V + np.outer(s, s) / (s @ change)
        found = newton_cholesky(LogisticSum(design(table), y, np.ones(400), ridge), np.zeros(13), 0.0, iterations)
        np.testing.assert_allclose(found.w, w, rtol=0, atol=1e-11)


def test_many_rows_begin_with_a_sample_and_end_at_the_minimum():
    random = np.random.default_rng(8)
    table = random.normal(size=(6000, 4))
    y = np.sort((table[:, 0] + random.logistic(size=6000) > 0) * 1.0)  # sorted by class: a sample of the first is none
    table[:, 1] += y
    total = LogisticSum(design(table), y, np.ones(6000), np.full(5, 1e-4))
    passes = []
    first = total.value_and_gradient
    total.value_and_gradient = lambda w: passes.append(w) or first(w)
    found = newton_cholesky(total, np.zeros(5), 1e-9, 100)
    assert found.converged and len(passes) <= 5
    assert np.abs(plain(table, y, np.ones(6000), np.full(5, 1e-4), found.w)[1]).max() < 1e-9


def test_the_gram_matrix_by_blocks():
    random = np.random.default_rng(2)
    table, weights = random.normal(size=(500, 11)), random.uniform(size=500)
    A = np.column_stack([table, np.ones(500)])
    for step, width in ((1, 11), (1, 12), (3, 12)):
        expected = (A[::step, :width].T * weights[::step]) @ A[::step, :width]
        np.testing.assert_allclose(gram(design(table), step, weights[::step], width), expected, rtol=0, atol=1e-12)


def test_the_same_bits_on_any_number_of_threads():
    random = np.random.default_rng(4)
    table = random.normal(size=(5000, 3))
    y = np.digitize(table[:, 0] + random.logistic(size=5000), [-1.0, 1.0])
    before, found = get_num_threads(), []
    for jobs in (1, 2):
        found.append([tw.LogisticRegression(n_jobs=jobs).fit(table, labels) for labels in (y, y > 0)])
        assert get_num_threads() == before
    set_num_threads(before)
    for one, two in zip(*found):
        assert np.array_equal(one.coef_, two.coef_) and np.array_equal(one.intercept_, two.intercept_)


def test_a_table_of_doubles_is_not_copied():
    import tracemalloc

    random = np.random.default_rng(4)
    table = random.normal(size=(20_000, 50))
    y = table[:, 0] + random.logistic(size=20_000) > 0
    tw.LogisticRegression().fit(table, y)
    tracemalloc.start()
    tw.LogisticRegression().fit(table, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.2 * table.nbytes  # 13 vectors of one number a row, less than a tenth of 100 columns


def test_classes_that_a_plane_separates():
    table = np.array([[-2.0, 1.0], [-1.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    for solver in SMOOTH:
        model = tw.LogisticRegression(C=np.inf, solver=solver).fit(table, [0, 0, 1, 1])
        assert np.isfinite(model.coef_).all() and model.score(table, [0, 0, 1, 1]) == 1.0
        assert model.predict_proba(table).max() > 0.999
    assert np.isfinite(model.predict_log_proba(1e4 * table)).all()  # where the probability is 0


def test_more_columns_than_rows_and_columns_that_say_the_same():
    random = np.random.default_rng(6)
    table = random.normal(size=(12, 40))
    y = np.arange(12) % 3
    twice = np.hstack([table[:, :3], table[:, :3]])
    for t, labels, C in ((table, y, 1.0), (table, y > 0, 1.0), (twice, y > 0, 1e6)):
        expected = linear_model.LogisticRegression(C=C, tol=1e-10, max_iter=10_000).fit(t, labels)
        found = tw.LogisticRegression(C=C, tol=1e-8, max_iter=1000).fit(t, labels)
        np.testing.assert_allclose(found.predict_proba(t), expected.predict_proba(t), atol=1e-4)


def test_warm_start_goes_on_where_it_was():
    model = tw.LogisticRegression(warm_start=True, tol=1e-8)
    with pytest.warns(ConvergenceWarning, match=r"has not converged in 2 iterations.*Scale"):
        model.set_params(max_iter=2).fit(X, THREE)
    before = model.coef_
    model.set_params(max_iter=100).fit(X, THREE)
    assert not np.allclose(before, model.coef_)
    model.fit(X, THREE)
    assert model.n_iter_[0] == 0
    assert model.fit(X[:, :3], TWO).coef_.shape == (1, 3)  # another table: it begins anew
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(X[:, :3]), model.predict_proba(X[:, :3]))


def test_names_of_columns_are_kept():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    model = tw.LogisticRegression().fit(frame, TWO)
    assert model.feature_names_in_.tolist() == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("fedcba")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "newton-cholesky", "l1_ratio": 1.0}, "solver: got 'newton-cholesky', which does not take .* 'l1'"),
        ({"solver": "liblinear", "l1_ratio": 0.5}, "solver: got 'liblinear', which does not take .* 'elasticnet'"),
        ({"solver": "liblinear", "C": np.inf}, "does not take the penalty None"),
        ({"dual": True}, "dual: got True"),
        ({"solver": "fastest"}, "'solver' parameter"),
        ({"C": 0.0}, "'C' parameter"),
        ({"n_jobs": 0}, "n_jobs: got 0"),
    ],
)
def test_what_a_solver_does_not_take(options, message):
    with pytest.raises(ValueError, match=message):
        tw.LogisticRegression(**options).fit(X, TWO)


def test_bad_data():
    for value in (np.nan, np.inf):
        table = X.copy()
        table[3, 1] = value
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            tw.LogisticRegression().fit(table, TWO)
    with pytest.raises(ValueError, match="only one class: 'yes'"):
        tw.LogisticRegression().fit(X, ["yes"] * N)
    with pytest.raises(ValueError, match="Negative values"):
        tw.LogisticRegression().fit(X, TWO, sample_weight=-WEIGHTS)
    with pytest.raises(ValueError, match="Only binary classification"):
        tw.LogisticRegression(solver="liblinear").fit(X, THREE)


def test_penalty_is_deprecated_and_means_what_it_meant():
    for penalty, same in (("l2", {}), ("l1", {"l1_ratio": 1.0}), (None, {"C": np.inf})):
        with pytest.warns(FutureWarning, match="penalty: got"):
            old = tw.LogisticRegression(penalty, l1_ratio=same.get("l1_ratio", 0.0)).fit(X[:, :4], TWO)
        new = tw.LogisticRegression(**same).fit(X[:, :4], TWO)
        assert np.array_equal(old.coef_, new.coef_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("newton_cholesky", "l_bfgs_b", "newton_cg"):  # as `minimize` calls them
            tw.LogisticRegression(solver=name, max_iter=1000).fit(X[:, :4], TWO)
