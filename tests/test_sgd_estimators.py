"""SGDClassifier and SGDRegressor: scikit-learn's checks, its coefficients where rows keep their order, its stops."""

import pickle
from itertools import product

import numpy as np
import pytest
from numba import get_num_threads, set_num_threads
from scipy.sparse import csr_matrix
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from thalweg import SGDClassifier, SGDRegressor
from thalweg.kernels.data.row_losses import LOSSES, loss_of
from thalweg.kernels.data.stochastic import shuffle

PEERS = {SGDClassifier: linear_model.SGDClassifier, SGDRegressor: linear_model.SGDRegressor}
REPEATED = "a row that is repeated is two steps, and not one of twice the weight: scikit-learn expects it to fail, too"
generator = np.random.default_rng(7)
N, P = 120, 5
X = generator.normal(size=(N, P))
FILLED = generator.uniform(size=X.shape) < 0.4
FILLED[~FILLED.any(axis=1), 0] = True  # scikit-learn passes an empty row over where steps are passive-aggressive
FEW = csr_matrix(X * FILLED)
TARGET = X @ generator.normal(size=P) + 0.5 + generator.normal(size=N)
LABEL = np.where(TARGET > 0.3, "yes", "no")
KIND = np.digitize(TARGET, [-1.0, 1.0])
WEIGHTS = generator.uniform(0.5, 2.0, N)
IN_ORDER = {"shuffle": False, "tol": None, "max_iter": 3, "alpha": 0.01}


@parametrize_with_checks(
    [SGDClassifier(), SGDRegressor()],
    expected_failed_checks=lambda estimator: {
        f"check_sample_weight_equivalence_on_{kind}_data": REPEATED for kind in ("dense", "sparse")
    },
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def both(Kind, table, y, sample_weight=None, **options):
    return [E(**options).fit(table, y, sample_weight=sample_weight) for E in (Kind, PEERS[Kind])]


def check_equal(ours, theirs, rtol=1e-9):
    size = np.abs(theirs.coef_).max()
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=rtol * size)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=rtol, atol=rtol * size)
    assert ours.coef_.shape == theirs.coef_.shape and ours.intercept_.shape == theirs.intercept_.shape
    assert ours.n_iter_ == theirs.n_iter_ and ours.t_ == theirs.t_


@pytest.mark.parametrize("table", [X, FEW], ids=["dense", "sparse"])
@pytest.mark.parametrize("loss", LOSSES)
def test_steps_are_those_of_scikit_learn(loss, table):
    for penalty, rule in product(("l2", "l1", "elasticnet", None), ("constant", "invscaling")):
        options = IN_ORDER | {"loss": loss, "penalty": penalty, "learning_rate": rule}
        check_equal(*both(SGDClassifier, table, LABEL, WEIGHTS, **options))
        if loss in LOSSES[5:]:
            check_equal(*both(SGDRegressor, table, TARGET, WEIGHTS, **options))


@pytest.mark.parametrize("table", [X, FEW, X.astype(np.float32)], ids=["dense", "sparse", "single"])
@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": "optimal", "loss": "log_loss"}, {"learning_rate": "optimal", "alpha": 1e-4},
        {"learning_rate": "invscaling", "power_t": 0.3}, {"learning_rate": "optimal", "penalty": None},
        {"learning_rate": "pa1", "eta0": 0.5}, {"learning_rate": "pa2", "eta0": 0.5, "fit_intercept": False},
        {"average": True}, {"average": 100, "penalty": None, "loss": "log_loss"}, {"average": 1000},
    ],
    ids=str,
)  # fmt: skip
def test_rules_and_averages_are_those_of_scikit_learn(options, table):
    try:
        ours, theirs = both(SGDClassifier, table, LABEL, **IN_ORDER | options)
    except ValueError as error:  # an older one has no passive-aggressive steps
        assert "learning_rate" in str(error) and "pa" in options["learning_rate"]
        pytest.skip(str(error))
    check_equal(ours, theirs, 1e-9 if table.dtype == np.float64 else 1e-4)  # which sums in single precision


@pytest.mark.parametrize("table", [X, FEW], ids=["dense", "sparse"])
def test_averages_with_the_l1_penalty_are_means_of_points(table):
    """scikit-learn 1.9 leaves the penalty out of the points that it averages, not out of the last one."""
    options = IN_ORDER | {"loss": "squared_error", "penalty": "l1", "alpha": 0.05, "max_iter": 1}
    points = [linear_model.SGDRegressor(**options).fit(table[:k], TARGET[:k]).coef_ for k in range(1, 41)]
    for first in (1, 11):
        found = SGDRegressor(**options, average=first).fit(table[:40], TARGET[:40])
        np.testing.assert_allclose(found.coef_, np.mean(points[first - 1 :], axis=0), atol=1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 2.0, 1: 0.5, 2: 1.0}])
def test_one_class_against_all_others(class_weight):
    options = IN_ORDER | {"loss": "log_loss", "class_weight": class_weight}
    ours, theirs = both(SGDClassifier, X, KIND, WEIGHTS, **options)
    check_equal(ours, theirs, 1e-7)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6)
    assert (ours.predict(X) == theirs.predict(X)).all()


def test_probabilities():
    for y, loss in product((LABEL, KIND), ("log_loss", "modified_huber")):
        ours, theirs = both(SGDClassifier, X, y, **IN_ORDER | {"loss": loss})
        np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-5)
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(ours.predict_log_proba(X), np.log(ours.predict_proba(X)))
    assert not hasattr(SGDClassifier(), "predict_proba")


@pytest.mark.parametrize("rule", ["optimal", "constant", "invscaling", "adaptive"])
def test_a_fit_ends_where_nothing_is_gained(rule):
    options = {"shuffle": False, "penalty": None, "learning_rate": rule, "alpha": 0.01, "tol": 1e-3}
    ours, theirs = both(SGDRegressor, X, TARGET, loss="huber", **options)
    check_equal(ours, theirs)
    assert 5 < ours.n_iter_ < 1000


def test_weights_count_in_the_stop_and_so_does_the_penalty():
    options = {"shuffle": False, "alpha": 0.01, "learning_rate": "constant", "loss": "log_loss"}
    plain = SGDClassifier(**options).fit(X, LABEL)
    check_equal(plain, SGDClassifier(**options, tol=1e-3).fit(X, LABEL, sample_weight=np.ones(N)))
    doubled = SGDClassifier(**options | {"eta0": 0.005, "alpha": 0.02}).fit(X, LABEL, sample_weight=np.full(N, 2.0))
    check_equal(doubled, plain)  # twice the objective, in half the steps


def test_early_stopping_holds_rows_out():
    wide = np.random.default_rng(0).normal(size=(400, 20))
    label = wide[:, 0] + np.random.default_rng(1).normal(size=400) > 0
    for Kind, y in ((SGDClassifier, label), (SGDRegressor, wide[:, 0])):
        model = Kind(early_stopping=True, random_state=0, max_iter=200).fit(wide, y, sample_weight=np.ones(400))
        assert 5 < model.n_iter_ < 200 and model.t_ == model.n_iter_ * 360 + 1
        assert model.score(wide, y) > 0.6
    with pytest.raises(ValueError, match="early_stopping: partial_fit makes one epoch"):
        SGDRegressor(early_stopping=True).partial_fit(X, TARGET)


@pytest.mark.parametrize("average", [False, 30])
def test_partial_fits_are_epochs(average):
    options = IN_ORDER | {"average": average, "loss": "log_loss"}
    whole, parts = SGDClassifier(**options).fit(X, KIND), SGDClassifier(**options)
    for _ in range(3):
        parts.partial_fit(X, KIND, classes=[0, 1, 2])
    assert parts.coef_.tobytes() == whole.coef_.tobytes() and parts.t_ == whole.t_ and parts.n_iter_ == 1
    with pytest.raises(ValueError, match=r"y: got the labels \[7\]"):
        parts.partial_fit(X[:2], [0, 7])
    models = SGDRegressor(**IN_ORDER, average=average), linear_model.SGDRegressor(**IN_ORDER, average=average)
    for model in models:
        for rows in (slice(0, 50), slice(50, 80)):
            model.partial_fit(X[rows], TARGET[rows])
    check_equal(*models)


def test_a_warm_start_and_given_coefficients():
    begin = {"coef_init": np.ones(P), "intercept_init": 0.5}
    ours, theirs = SGDRegressor(**IN_ORDER), linear_model.SGDRegressor(**IN_ORDER)
    check_equal(ours.fit(X, TARGET, **begin), theirs.fit(X, TARGET, **begin))
    for model in (ours, theirs):
        model.set_params(warm_start=True).fit(X, TARGET)
    check_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"coef_init: got shape \(2,\), expected \(1, 5\)"):
        ours.fit(X, TARGET, coef_init=[1.0, 2.0])


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    options = {"random_state": 3, "loss": "log_loss", "max_iter": 20, "tol": None}
    found = SGDClassifier(**options).fit(X, KIND)
    threads = get_num_threads()
    try:
        set_num_threads(1)
        again = SGDClassifier(**options, n_jobs=2).fit(X, KIND)
    finally:
        set_num_threads(threads)
    assert found.coef_.tobytes() == again.coef_.tobytes() == pickle.loads(pickle.dumps(found)).coef_.tobytes()
    other = SGDClassifier(**options | {"random_state": 4}).fit(X, KIND)
    assert found.coef_.tobytes() != other.coef_.tobytes()


def test_rows_are_shuffled_anew_in_each_epoch():
    order = np.arange(50)
    seen = {order.tobytes()}
    for number in range(1, 5):
        shuffle(order, 11, number)
        assert sorted(order) == list(range(50))
        seen.add(order.tobytes())
    assert len(seen) == 5


def test_shuffled_rows_lead_to_the_loss_that_scikit_learn_reaches():
    table = np.random.default_rng(5).normal(size=(3000, 10))
    label = table @ np.arange(10.0) + 3 * np.random.default_rng(6).normal(size=3000) > 0
    losses = {}
    for Kind in (SGDClassifier, linear_model.SGDClassifier):
        model = Kind(loss="log_loss", alpha=1e-3, max_iter=20, tol=None, random_state=0).fit(table, label)
        z = np.where(label, 1, -1) * model.decision_function(table)
        losses[Kind] = np.logaddexp(0, -z).mean() + 5e-4 * (model.coef_**2).sum()
    assert losses[SGDClassifier] < 1.01 * losses[linear_model.SGDClassifier]


@pytest.mark.parametrize("loss", range(9))
def test_slopes_are_those_of_the_losses(loss):
    step = 1e-6
    for y, z in product((-1.0, 1.0), np.linspace(-2.3, 2.3, 24)):
        ahead, behind = (loss_of.py_func(loss, 0.15, z + s, y)[0] for s in (step, -step))
        assert abs(loss_of.py_func(loss, 0.15, z, y)[1] - (ahead - behind) / (2 * step)) < 1e-6


@pytest.mark.parametrize(
    ("Kind", "options", "words"),
    [
        (SGDClassifier, {"loss": "hingy"}, "The 'loss' parameter of SGDClassifier must be a str among"),
        (SGDRegressor, {"loss": "hinge"}, "The 'loss' parameter of SGDRegressor must be a str among"),
        (SGDRegressor, {"eta0": 0.0}, "The 'eta0' parameter"),
        (SGDClassifier, {"alpha": 0.0}, "alpha must be above 0 where learning_rate is 'optimal'"),
        (SGDClassifier, {"loss": "log_loss", "learning_rate": "pa1"}, "goes with loss='hinge' only"),
        (SGDRegressor, {"penalty": "elasticnet", "l1_ratio": None}, "l1_ratio: got None"),
    ],
)
def test_what_is_refused(Kind, options, words):
    with pytest.raises(ValueError, match=words):
        Kind(**options).fit(X, TARGET if Kind is SGDRegressor else LABEL)


def test_bad_data_are_named():
    with pytest.raises(ValueError, match="classes has to be greater than one"):
        SGDClassifier().fit(X, np.zeros(N))
    with pytest.raises(ValueError, match="Numbers overflowed in epoch 1: the steps are too long"):
        SGDRegressor(learning_rate="constant", eta0=1e3).fit(1e200 * X, TARGET)
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        SGDRegressor().fit(X, TARGET, sample_weight=-WEIGHTS)
    with pytest.raises(ValueError, match="is not supported for partial_fit"):
        SGDClassifier(class_weight="balanced").partial_fit(X, LABEL, classes=["no", "yes"])
    with pytest.warns(ConvergenceWarning, match="SGDRegressor did not converge within max_iter=3 epochs"):
        SGDRegressor(max_iter=3).fit(X, TARGET)


def test_progress_is_told(capsys):
    SGDRegressor(max_iter=2, tol=None, verbose=1).fit(X, TARGET)
    told = capsys.readouterr().out
    assert "epoch 1: loss " in told and "epoch 2: loss " in told and f"step number {2 * N}" in told
