"""A recommender: ratings of a known model, told from other ratings by factors of users and items.

python examples/learning/recommender.py
"""

import warnings

import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, RED, picture
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

import thalweg as tw
from thalweg.kernels.functions.ratings import make_ratings

RANK, NOISE = 4, 0.5
RANKS = (1, 2, 4, 8, 16, 32)


def sample(users=1500, items=1000, ratings=120_000):
    """Ratings (users, items) to fit, a fifth to check, and the error of the model that made them."""
    data = make_ratings(users, items, ratings, rank=RANK, taste=0.7, noise=NOISE, seed=1)
    u, i = data.rated.nonzero()
    held = np.random.default_rng(0).random(u.size) < 0.2
    fit, check = (
        sparse.csr_array((data.rated.data[part], (u[part], i[part])), data.rated.shape) for part in (~held, held)
    )
    return fit, check, float(np.sqrt(np.mean((check.data - data.means.data[held]) ** 2)))


def error(fit, check, rank=RANK, **options):
    """Root mean square errors on what was fitted, and on what was held out."""
    options = {"regularization": 0.03, "random_state": 0, **options}
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model = tw.MatrixFactorization(rank, **options).fit(fit)
    return -model.score(fit), -model.score(check)


def biases_alone(fit, check):
    """The error of mean + b_u + c_i, by alternating means; a bias counts one rating more, of 0."""
    u, i = fit.nonzero()
    mean = fit.data.mean()
    b, c = np.zeros(fit.shape[0]), np.zeros(fit.shape[1])
    for _ in range(10):
        b = np.bincount(u, fit.data - mean - c[i], len(b)) / (np.bincount(u, minlength=len(b)) + 1.0)
        c = np.bincount(i, fit.data - mean - b[u], len(c)) / (np.bincount(i, minlength=len(c)) + 1.0)
    u, i = check.nonzero()
    return float(np.sqrt(np.mean((check.data - mean - b[u] - c[i]) ** 2)))


def over_iterations(fit, check, solver, iterations=30):
    """Errors on what was held out, after each iteration or epoch."""
    return [error(fit, check, solver=solver, max_iter=n, tol=0.0)[1] for n in range(1, iterations + 1)]


def recommended(fit, check, n=10):
    """Mean rating of what was held out, of those of it that are recommended, and how many there are."""
    model = tw.MatrixFactorization(RANK, regularization=0.03, random_state=0).fit(fit)
    found, _ = model.recommend(np.arange(fit.shape[0]), n)
    chosen = np.zeros(fit.shape, bool)
    chosen[np.arange(len(found))[:, None], found] = True
    u, i = check.nonzero()
    hits = chosen[u, i]
    return float(check.data.mean()), float(check.data[hits].mean()), int(hits.sum())


def found_again(fit, check, n=10):
    """Who rates what, without the stars: precision at n of implicit feedback, and of the most popular items."""
    model = tw.MatrixFactorization(RANK, feedback="implicit", confidence=5.0, regularization=5.0, random_state=0)
    seen, wanted = (sparse.csr_array((np.ones(r.nnz), r.indices, r.indptr), r.shape) for r in (fit, check))
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit(seen)
    popular = np.argsort(-np.bincount(seen.indices, minlength=seen.shape[1]), kind="stable")
    there, asked = seen.toarray() > 0, wanted.toarray() > 0
    right = [asked[u][popular[~there[u][popular]][:n]].mean() for u in range(len(there)) if asked[u].any()]
    return model.rank_score(wanted, n).precision, float(np.mean(right))


def draw(left, right):
    fit, check, floor = sample()
    for axes in (left, right):
        axes.axhline(floor, color=GREY, linewidth=0.8)
    for solver, colour, label in (("als", BLUE, "alternating least squares"), ("sgd", ORANGE, "stochastic gradients")):
        errors = over_iterations(fit, check, solver)
        left.plot(range(1, len(errors) + 1), errors, color=colour, label=label)
    alone = biases_alone(fit, check)
    left.axhline(alone, color=RED, linewidth=0.8, label="biases alone")
    left.text(30, floor + 0.004, "noise", color=GREY, fontsize=8, ha="right")
    left.set(title=f"{RANK} factors", xlabel="iterations, or epochs", ylabel="error, held out (stars)")
    left.legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.0, 0.93))
    for penalty, colour in ((0.003, ORANGE), (0.03, BLUE), (0.1, GREEN)):
        errors = [error(fit, check, rank, regularization=penalty)[1] for rank in RANKS]
        right.semilogx(RANKS, errors, "o-", color=colour, markersize=4, label=f"regularization {penalty:g}")
    right.set(title="Factors and regularization", xlabel="factors", xticks=RANKS, xticklabels=RANKS)
    right.minorticks_off()
    right.legend(fontsize=8)


if __name__ == "__main__":
    fit, check, floor = sample()
    print(f"{fit.nnz} ratings to fit, {check.nnz} to check; the error of the model that made them is {floor:.3f}")
    print(f"biases alone: {biases_alone(fit, check):.3f}")
    for rank in RANKS:
        print(
            rank,
            "factors:",
            *(f"{e:.3f}" for p in (0.003, 0.03, 0.1) for e in error(fit, check, rank, regularization=p)),
        )
    print("stochastic gradients: {:.3f}, {:.3f}".format(*error(fit, check, solver="sgd", max_iter=30)))
    print("mean of what was held out: {:.2f}; of what is recommended: {:.2f} ({})".format(*recommended(fit, check)))
    print("precision at 10 of implicit feedback: {:.3f}; of what is popular: {:.3f}".format(*found_again(fit, check)))
    picture(draw)
