"""Factors of ratings: each step against a plain transcription, fixed points, bits, recommendations, what is refused."""

import pickle

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import thalweg as tw
from thalweg.kernels.data.factors import Model, blocks_of
from thalweg.kernels.data.stochastic_factors import epoch_key
from thalweg.kernels.functions.ratings import make_ratings
from thalweg.kernels.numbers.random import permute, row_key
from thalweg.solvers.learning.factorisation import Alternating, Ratings, Stochastic, starting_rows

RANK, PENALTY, ALPHA = 3, 0.07, 2.5
DATA = make_ratings(60, 45, 700, rank=RANK, taste=1.0, noise=0.3, seed=4)
STARS = DATA.rated
COUNTS = abs(STARS)
EXPLICIT = Model(RANK, 1, float(STARS.data.mean()), 0.0)
IMPLICIT = Model(RANK, 0, 0.0, ALPHA)


def start(ratings, model, seed=1):
    """What Alternating and Stochastic begin with, but for what they do with it."""
    sides = Ratings.of(ratings), Ratings.of(ratings.T.tocsr())
    random = np.random.RandomState(seed)
    rows = [starting_rows(side, RANK, bool(model.biases), 0.3, random, ratings.dtype) for side in sides]
    return (*sides, model, PENALTY, *rows)


def full(ratings):
    """Dense values (users, items), and where there is one."""
    there = np.zeros(ratings.shape, bool)
    u, i = ratings.nonzero()
    there[u, i] = True
    return ratings.toarray(), there


def explicit_loss(ratings, users, items, model):
    r, there = full(ratings)
    x, y, b, c = users[:, :RANK], items[:, :RANK], users[:, RANK], items[:, RANK]
    errors = r - (model.mean + b[:, None] + c[None, :] + x @ y.T)
    sizes = (users**2).sum(1)[:, None] + (items**2).sum(1)[None, :]
    return np.sum(there * (errors**2 + PENALTY * sizes))


def implicit_loss(ratings, users, items):
    r, there = full(ratings)
    weights = 1.0 + ALPHA * r
    return np.sum(weights * (there - users @ items.T) ** 2) + PENALTY * (np.sum(users**2) + np.sum(items**2))


def solve_explicit(r, there, fixed, mean):
    """Each row's normal equations, as one writes them down."""
    rows = np.zeros((len(r), fixed.shape[1]))
    for u in range(len(r)):
        f = np.column_stack([fixed[there[u], :RANK], np.ones(there[u].sum())])
        if len(f):
            system = f.T @ f + PENALTY * len(f) * np.eye(RANK + 1)
            rows[u, : RANK + 1] = np.linalg.solve(system, f.T @ (r[u, there[u]] - mean - fixed[there[u], RANK]))
    return rows


def solve_implicit(r, there, fixed):
    """Hu, Koren and Volinsky's equation 4."""
    return np.array(
        [
            np.linalg.solve(
                fixed.T @ np.diag(1.0 + ALPHA * r[u]) @ fixed + PENALTY * np.eye(fixed.shape[1]),
                fixed.T @ ((1.0 + ALPHA * r[u]) * there[u]),
            )
            for u in range(len(r))
        ]
    )


def few_cg_steps(r, there, fixed, rows, steps):
    """Conjugate gradients on the same equations, from the rows as they are."""
    new = rows.copy()
    for u in range(len(r)):
        system = fixed.T @ np.diag(1.0 + ALPHA * r[u]) @ fixed + PENALTY * np.eye(fixed.shape[1])
        residual = fixed.T @ ((1.0 + ALPHA * r[u]) * there[u]) - system @ new[u]
        if not there[u].any():
            new[u] = 0.0
            continue
        direction = residual.copy()
        for _ in range(steps):
            step = residual @ residual / (direction @ system @ direction)
            new[u] += step * direction
            before, residual = residual, residual - step * system @ direction
            direction = residual + (residual @ residual) / (before @ before) * direction
    return new


def test_alternating_solves_the_normal_equations_of_explicit_feedback():
    method = Alternating(*start(STARS, EXPLICIT))
    r, there = full(STARS)
    items = method.items.copy()
    loss = method.iterate()
    users = solve_explicit(r, there, items, EXPLICIT.mean)
    assert users[:, :4] == pytest.approx(method.users[:, :4], abs=1e-11)
    items = solve_explicit(r.T, there.T, users, EXPLICIT.mean)
    assert items[:, :4] == pytest.approx(method.items[:, :4], abs=1e-11)
    assert not method.users[:, 4:].any()
    assert loss == pytest.approx(explicit_loss(STARS, method.users, method.items, EXPLICIT), rel=1e-12)


def test_alternating_solves_the_normal_equations_of_implicit_feedback():
    method = Alternating(*start(COUNTS, IMPLICIT))
    r, there = full(COUNTS)
    items = method.items[:, :RANK].copy()
    loss = method.iterate()
    users = solve_implicit(r, there, items)
    assert users == pytest.approx(method.users[:, :RANK], abs=1e-11)
    assert solve_implicit(r.T, there.T, users) == pytest.approx(method.items[:, :RANK], abs=1e-11)
    assert loss == pytest.approx(implicit_loss(COUNTS, method.users, method.items), rel=1e-12)


def test_conjugate_gradients_are_those_of_the_normal_equations():
    method = Alternating(*start(COUNTS, IMPLICIT), steps=2)
    r, there = full(COUNTS)
    users = few_cg_steps(r, there, method.items[:, :RANK], method.users[:, :RANK], 2)
    items = few_cg_steps(r.T, there.T, users, method.items[:, :RANK], 2)
    loss = method.iterate()
    assert users == pytest.approx(method.users[:, :RANK], abs=1e-11)
    assert items == pytest.approx(method.items[:, :RANK], abs=1e-11)
    assert loss == pytest.approx(implicit_loss(COUNTS, method.users, method.items), rel=1e-12)


@pytest.mark.parametrize(("ratings", "model"), [(STARS, EXPLICIT), (COUNTS, IMPLICIT)])
def test_the_objective_falls_in_every_iteration_to_where_its_gradient_is_zero(ratings, model):
    method, n = Alternating(*start(ratings, model)), RANK + model.biases
    random = np.random.default_rng(0)
    du, di = np.zeros_like(method.users), np.zeros_like(method.items)
    du[:, :n], di[:, :n] = random.normal(size=(len(du), n)), random.normal(size=(len(di), n))

    def loss(step):
        factors = method.users + step * du, method.items + step * di
        return explicit_loss(ratings, *factors, model) if model.biases else implicit_loss(ratings, *factors)

    def slope():
        return abs(loss(1e-5) - loss(-1e-5)) / 2e-5

    first = slope()
    losses = [method.iterate() for _ in range(2000)]
    assert np.all(np.diff(losses[:100]) < 0.0)
    assert slope() < 1e-3 * first


def test_stochastic_steps_are_those_of_the_paper():
    method = Stochastic(*start(STARS, EXPLICIT), rate=0.05, seed=7)
    users, items = method.users.copy(), method.items.copy()
    order, groups = method.order.copy(), method.shifts.size
    for e in range(2):
        loss = method.iterate()
        rate = 0.05 / (1.0 + e / 10.0)
        key = epoch_key(7, 2 + e)
        for shift in method.shifts:
            for g in range(groups):
                block = g * groups + (g + shift) % groups
                mine = order[method.starts[block] : method.starts[block + 1]]
                permute(np.uint64(row_key(key, block)), 0, mine)
                for t in mine:
                    x, y = users[method.u[t]], items[method.i[t]]
                    error = method.values[t] - (EXPLICIT.mean + x[RANK] + y[RANK] + x[:RANK] @ y[:RANK])
                    old = x.copy()
                    x[:RANK] += rate * (error * y[:RANK] - PENALTY * x[:RANK])
                    y[:RANK] += rate * (error * old[:RANK] - PENALTY * y[:RANK])
                    x[RANK] += rate * (error - PENALTY * x[RANK])
                    y[RANK] += rate * (error - PENALTY * y[RANK])
        assert method.users == pytest.approx(users, abs=1e-12)
        assert method.items == pytest.approx(items, abs=1e-12)
        assert loss == pytest.approx(explicit_loss(STARS, users, items, EXPLICIT), rel=1e-12)
    assert sorted(order) == list(range(STARS.nnz))
    shown = sparse.csr_array((method.values, (method.u, method.i)), shape=STARS.shape)
    assert (shown != STARS).nnz == 0


# --- the estimator ---------------------------------------------------------------------------------------------------


def fitted(**parameters):
    return tw.MatrixFactorization(RANK, **{"random_state": 0, "tol": 0.0, "max_iter": 8, **parameters}).fit(STARS)


@pytest.mark.parametrize("solver", ["als", "als_cg", "sgd"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(solver):
    one, two, other = (fitted(solver=solver, n_jobs=n, random_state=s) for n, s in ((1, 0), (2, 0), (2, 1)))
    assert np.array_equal(one.user_factors_, two.user_factors_)
    assert np.array_equal(one.item_factors_, two.item_factors_)
    assert one.loss_curve_ == two.loss_curve_ != other.loss_curve_


def test_ratings_that_were_not_fitted_are_told_nearly_as_well_as_they_can_be():
    data = make_ratings(300, 200, 20_000, rank=3, taste=0.6, noise=0.4, seed=2)
    held = np.random.default_rng(0).random(20_000) < 0.1
    u, i = data.rated.nonzero()
    parts = [sparse.csr_array((data.rated.data[m], (u[m], i[m])), data.rated.shape) for m in (~held, held)]
    assert np.std(data.rated.data - data.means.data) == pytest.approx(0.4, rel=0.02)
    for solver in ("als", "als_cg", "sgd"):
        model = tw.MatrixFactorization(3, solver=solver, regularization=0.02, max_iter=60, tol=1e-3, random_state=1)
        assert 0.39 < -model.fit(parts[0]).score(parts[1]) < 0.46
        u, i = parts[1].nonzero()
        errors = model.predict(u, i) - parts[1].data
        assert model.score(parts[1]) == pytest.approx(-np.sqrt(np.mean(errors**2)))


def test_the_answer_is_made_of_what_the_attributes_say():
    model = fitted()
    estimates = (
        model.mean_ + model.user_biases_[:, None] + model.item_biases_ + model.user_factors_ @ model.item_factors_.T
    )
    assert model.predict(np.arange(60)[:, None], np.arange(45)) == pytest.approx(estimates, abs=1e-12)
    assert model.predict(3, 4).shape == ()
    assert model.n_iter_ == 8 == len(model.loss_curve_)
    assert model.n_features_in_ == 45
    plain = fitted(biases=False)
    assert plain.mean_ == 0.0
    assert not plain.user_biases_.any() and not plain.item_biases_.any()
    assert plain.predict(3, 4) == pytest.approx(plain.user_factors_[3] @ plain.item_factors_[4])


def test_recommendations_are_the_highest_estimates_that_were_not_seen():
    model = fitted()
    everything = model.predict(np.arange(60)[:, None], np.arange(45))
    _, seen = full(STARS)
    items, estimates = model.recommend([5, 7], n=6)
    for row, user in enumerate((5, 7)):
        unseen = np.where(seen[user], -np.inf, everything[user])
        assert items[row].tolist() == np.argsort(-unseen)[:6].tolist()
        assert estimates[row] == pytest.approx(np.sort(unseen)[::-1][:6])
    assert model.recommend(5, n=6)[0].tolist() == items[0].tolist()
    assert model.recommend(5, n=4, exclude_seen=False)[0].tolist() == np.argsort(-everything[5])[:4].tolist()
    most = int(seen.sum(1).argmax())
    all_of_them, scores = model.recommend(most, n=45)
    assert len(all_of_them) == 45 - seen[most].sum() == len(scores)
    padded, scores = model.recommend([most], n=45)
    assert np.all(padded[0, len(all_of_them) :] == -1) and np.all(scores[0, len(all_of_them) :] == -np.inf)


def test_new_users_are_folded_in_by_the_normal_equations():
    model = fitted(regularization=PENALTY)
    new = STARS[[4, 9]]
    rows = solve_explicit(*full(new), model._items, model.mean_)
    assert model.transform(new) == pytest.approx(rows[:, :RANK], abs=1e-11)
    items, estimates = model.recommend(new, n=3)
    expected = model.mean_ + rows[0, RANK] + model.item_biases_ + model.item_factors_ @ rows[0, :RANK]
    assert estimates[0] == pytest.approx(expected[items[0]])
    assert not np.isin(items[0], new[[0]].indices).any()


def test_similar_items_are_those_of_the_highest_cosine():
    model = fitted()
    y = model.item_factors_ / np.linalg.norm(model.item_factors_, axis=1)[:, None]
    items, cosines = model.similar_items(7, n=4)
    others = np.where(np.arange(45) == 7, -np.inf, y @ y[7])
    assert items.tolist() == np.argsort(-others)[:4].tolist()
    assert cosines == pytest.approx(np.sort(others)[::-1][:4])


def test_ranking_scores_are_those_of_their_definition():
    model = tw.MatrixFactorization(RANK, feedback="implicit", confidence=2.0, random_state=0, max_iter=5, tol=0.0)
    _, there = full(COUNTS)
    held = np.random.default_rng(3).random(there.shape) < 0.3
    right = sparse.csr_array(COUNTS.toarray() * (there & held))
    model.fit(sparse.csr_array(COUNTS.toarray() * (there & ~held)))
    precision, gain = [], []
    for user in range(60):
        best = model.recommend(user, 5)[0]
        wanted = right[[user]].indices
        if wanted.size:
            hits = np.isin(best, wanted)
            precision.append(hits.mean())
            worth = 1.0 / np.log2(np.arange(5) + 2.0)
            gain.append((hits * worth).sum() / worth[: wanted.size].sum())
    assert model.rank_score(right, 5) == pytest.approx((np.mean(precision), np.mean(gain)))
    assert model.score(right) == model.rank_score(right, 10).ndcg
    assert model.rank_score(right, 5).precision > 1.5 * held.mean() * there.mean()


def test_early_stopping_keeps_the_factors_that_told_the_held_out_part_best():
    model = tw.MatrixFactorization(RANK, early_stopping=True, regularization=1e-4, random_state=3, max_iter=100).fit(
        STARS
    )
    scores = model.validation_scores_
    assert len(scores) == model.n_iter_ < 100
    assert scores.index(max(scores)) == model.n_iter_ - 1 - model.n_iter_no_change
    held = np.random.RandomState(3).uniform(size=STARS.nnz) < 0.1
    u, i = STARS.nonzero()
    errors = model.predict(u[held], i[held]) - STARS.data[held]
    assert max(scores) == pytest.approx(-np.sqrt(np.mean(errors**2)))


def test_users_and_items_without_ratings_get_what_is_known_of_the_others():
    r = STARS.tolil()
    r[3, :] = 0
    r[:, 8] = 0
    model = tw.MatrixFactorization(RANK, random_state=0, tol=0.0, max_iter=5).fit(r)
    assert model.predict(3, np.arange(45)) == pytest.approx(model.mean_ + model.item_biases_)
    assert model.predict(3, 8) == model.mean_
    model = tw.MatrixFactorization(RANK, solver="sgd", random_state=0, tol=0.0, max_iter=5).fit(r)
    assert model.predict(3, 8) == model.mean_


def test_it_is_an_estimator_of_scikit_learn(capsys):
    model = fitted(verbose=1)
    assert capsys.readouterr().out.count("loss") == 8
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.recommend(2)[0], model.recommend(2)[0])
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(NotFittedError):
        clone(model).recommend(1)
    before = STARS.copy()
    fitted()
    assert (before != STARS).nnz == 0
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        fitted(max_iter=2, tol=1e-9)


def test_single_precision_stays_single_precision():
    single = tw.MatrixFactorization(RANK, random_state=0, tol=0.0, max_iter=8).fit(STARS.astype(np.float32))
    assert single.user_factors_.dtype == np.float32
    assert single.loss_curve_ == pytest.approx(fitted().loss_curve_, rel=1e-4)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 46}, "n_components: got 46, expected 1 to 45, the lesser side"),
        ({"n_components": 2.0}, "n_components: got 2.0"),
        ({"feedback": "loud"}, "feedback: got 'loud', expected 'explicit' or 'implicit'"),
        ({"solver": "svd"}, "solver: got 'svd', expected 'als' or 'als_cg' or 'sgd'"),
        (
            {"solver": "sgd", "feedback": "implicit"},
            "solver: got 'sgd', expected 'als' or 'als_cg' where feedback is imp",
        ),
        ({"regularization": 0.0}, "regularization: got 0.0, expected a positive number"),
        ({"regularization": "much"}, "regularization: got 'much'"),
        ({"confidence": -1.0}, "confidence: got -1.0"),
        ({"tol": np.nan}, "tol: got nan"),
        ({"max_iter": 0}, "max_iter: got 0"),
        ({"validation_fraction": 1.0}, "validation_fraction: got 1.0"),
        ({"n_jobs": 0}, "n_jobs: got 0"),
        ({"solver": "sgd", "learning_rate": 1e6}, "Floating-point overflow in iteration"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        tw.MatrixFactorization(**{"n_components": RANK, "random_state": 0, **parameters}).fit(COUNTS)


def test_ratings_that_mean_nothing_are_refused():
    fit = tw.MatrixFactorization(RANK, random_state=0).fit
    with pytest.raises(TypeError, match=r"X: got ndarray, expected a scipy\.sparse matrix"):
        fit(STARS.toarray())
    for bad in (np.nan, np.inf):
        broken = STARS.copy()
        broken.data[3] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            fit(broken)
    with pytest.raises(ValueError, match="X: got 'no ratings'"):
        fit(sparse.csr_array((9, 9)))
    twice = sparse.coo_array(([1.0, 2.0, 3.0], ([0, 0, 4], [1, 1, 4])), shape=(5, 5))
    for form in (twice, sparse.csr_array(([1.0, 2.0, 3.0], [1, 1, 4], [0, 2, 2, 2, 2, 3]), shape=(5, 5))):
        with pytest.raises(ValueError, match="X: got 1 cells twice"):
            fit(form)
    with pytest.raises(ValueError, match=r"X: got -2\.0, expected no negative entries"):
        tw.MatrixFactorization(RANK, feedback="implicit").fit(sparse.csr_array([[1.0, -2.0, 0.0]] * 3))


def test_places_that_are_not_there_are_refused():
    model = fitted()
    for call, message in (
        (lambda: model.predict(60, 0), "users: got 60, expected 0 to 59"),
        (lambda: model.predict(0, [1, -1]), "items: got -1, expected 0 to 44"),
        (lambda: model.recommend(60), "user: got 60"),
        (lambda: model.recommend(0.5), "user: got 'float64', expected whole numbers"),
        (lambda: model.recommend(1, n=0), "n: got 0"),
        (lambda: model.similar_items(45), "item: got 45"),
        (lambda: model.score(STARS[:5]), "X: got"),
        (lambda: model.transform(STARS[:, :9]), "9 features"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_repeated_counts_are_added_and_zeros_say_nothing():
    fit = tw.MatrixFactorization(1, feedback="implicit", random_state=0, max_iter=4, tol=0.0).fit
    once = sparse.csr_array(np.array([[3.0, 0.0, 1.0], [0.0, 2.0, 1.0]]))
    parts = sparse.coo_array(([1.0, 2.0, 1.0, 2.0, 1.0, 0.0], ([0, 0, 0, 1, 1, 1], [0, 0, 2, 1, 2, 0])), shape=(2, 3))
    assert fit(parts).loss_curve_ == fit(once).loss_curve_
    assert parts.nnz == 6


def test_blocks_of_rows_cost_about_the_same():
    counts = np.random.default_rng(0).zipf(1.6, 5000).clip(max=3000)
    blocks = blocks_of(np.concatenate(([0], np.cumsum(counts))))
    work = np.add.reduceat(counts + 16, blocks[:-1])
    assert blocks[0] == 0 and blocks[-1] == 5000
    assert work.max() < 1.2 * work.mean() + 3000


def test_the_generator_is_what_it_says():
    data = make_ratings(400, 300, 9000, taste=0.7, noise=0.2, seed=3)
    assert data.rated.nnz == 9000
    assert (make_ratings(400, 300, 9000, taste=0.7, noise=0.2, seed=3).rated != data.rated).nnz == 0
    tastes = data.user_tastes @ data.item_tastes.T
    assert tastes.std() == pytest.approx(1.0, rel=0.15)
    u, i = data.rated.nonzero()
    assert tastes[u, i].mean() > 0.3  # people rate what they like
    popularity = np.sort(np.bincount(i))[::-1]
    assert popularity[:30].sum() > 2 * popularity[-100:].sum()
    with pytest.raises(ValueError, match="ratings: got 7"):
        make_ratings(2, 3, 7)
