"""Linear models beside scikit-learn: lasso paths, the lasso by cross-validation, Ridge and LinearRegression.

    python bench/lasso.py [--repeats 3]

Each case is validated first: every gap of a path is closed to the tolerance both are given, the objectives agree to
twice that, coefficients of direct solvers agree to 1e-8. Then both are timed in turn; a ratio is scikit-learn's time
over ours, pair by pair. Whole calls, as a user makes them, compiled before. BLAS has one thread, for both: on a machine
that others use, too, its threads wait for each other. Data are seeded: normal columns, independent or with a
correlation of 0.9 between neighbours, 50 true coefficients, noise of half the signal's standard deviation.

Required: a path on 1,000 x 10,000 at least at scikit-learn's speed.
"""

import argparse
import os
import time
import warnings

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded

import numpy as np
from common import machine, pairwise, save, table, versions
from scipy import sparse
from sklearn import linear_model
from sklearn.exceptions import ConvergenceWarning

import thalweg as tw


def data(n, p, correlation=0.0, seed=1):
    """X (n, p) in Fortran's order, centred, and y (n,), centred."""
    random = np.random.default_rng(seed)
    X = np.asfortranarray(random.normal(size=(n, p)))
    for j in range(1, p) if correlation else ():
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * X[:, j]
    signal = X @ weights(p, random)
    y = signal + 0.5 * signal.std() * random.normal(size=n)
    X -= X.mean(axis=0)
    return X, y - y.mean()


def weights(p, random):
    w = np.zeros(p)
    w[random.choice(p, min(p, 50), replace=False)] = random.normal(size=min(p, 50))
    return w


def sparse_data(n, p, density, seed=1):
    random = np.random.default_rng(seed)
    X = sparse.random_array((n, p), density=density, format="csc", rng=random, data_sampler=random.normal)
    signal = X @ weights(p, random)
    return X, signal + 0.5 * signal.std() * random.normal(size=n)


def timed(call):
    begin = time.perf_counter()
    found = call()
    return time.perf_counter() - begin, found


def pairs(name, ours, theirs, check, repeats):
    """A row of the table, and the ratio."""
    ours()  # compiled
    spent = []
    for repeat in range(repeats):
        mine, found = timed(ours)
        other, true = timed(theirs)
        if repeat == 0:
            check(found, true)
        spent.append((mine, other))
    spent = np.array(spent)
    ratio = pairwise(spent[:, 1], spent[:, 0])
    middle = np.median(spent, axis=0)
    row = [name, f"{middle[1]:.3g}", f"{middle[0]:.3g}", f"{ratio[0]:.1f}", f"{ratio[1]:.1f} to {ratio[2]:.1f}"]
    print(*row, flush=True)
    return row, ratio[0]


def path_case(name, X, y, tol, eps, repeats):
    n = X.shape[0]
    alphas = tw.lasso_path(X, y, alphas=100, eps=eps, tol=0.5)[0]
    options = {"alphas": alphas, "tol": tol, "precompute": False, "max_iter": 10_000}

    def objective(w, alpha):
        return np.sum((y - X @ w) ** 2) / (2 * n) + alpha * np.abs(w).sum()

    def check(found, true):
        goal = tol * (y @ y) / n
        assert found[2].max() <= goal, f"{name}: a gap of ours is {found[2].max()}, above {goal}"
        for k in range(0, 100, 9):
            ahead = objective(found[1][:, k], alphas[k]) - objective(true[1][:, k], alphas[k])
            assert ahead <= 2 * goal, f"{name}: ours is higher by {ahead}, of a goal of {goal}"

    return pairs(
        f"{name}, eps {eps:g}, tol {tol:g}", lambda: tw.lasso_path(X, y, **options),
        lambda: linear_model.lasso_path(X, y, **options), check, repeats,
    )  # fmt: skip


def direct_case(name, ours, theirs, X, y, repeats):
    def check(found, true):
        assert np.abs(found.coef_ - true.coef_).max() <= 1e-8 * np.abs(true.coef_).max(), f"{name}: coefficients differ"

    return pairs(name, lambda: ours.fit(X, y), lambda: theirs.fit(X, y), check, repeats)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    warnings.simplefilter("ignore", ConvergenceWarning)  # scikit-learn's, at the end of a path; ours are validated
    rows, required = [], []
    for correlation in (0.0, 0.9):
        X, y = data(1000, 10_000, correlation)
        words = "correlation 0.9" if correlation else "independent"
        row, ratio = path_case(f"path, 1,000 x 10,000, {words}", X, y, 1e-4, 1e-3, repeats)
        rows.append(row)
        required.append(ratio)
    X, y = sparse_data(10_000, 20_000, 0.002)
    rows.append(path_case("path, 10,000 x 20,000, 0.2 % filled", X, y, 1e-6, 1e-2, repeats)[0])
    X, y = data(2000, 500, 0.9)

    def same_errors(found, true):
        np.testing.assert_allclose(found.mse_path_, true.mse_path_, rtol=1e-2)

    rows.append(
        pairs(
            "LassoCV, 2,000 x 500, correlation 0.9, 5 folds", lambda: tw.LassoCV(tol=1e-6).fit(X, y),
            lambda: linear_model.LassoCV(tol=1e-6, n_jobs=2).fit(X, y), same_errors, repeats,
        )[0]
    )  # fmt: skip
    X, y = data(100_000, 100)
    X = np.ascontiguousarray(X)
    for name in ("LinearRegression", "Ridge"):
        ours, theirs = getattr(tw, name)(), getattr(linear_model, name)()
        rows.append(direct_case(f"{name}, 100,000 x 100", ours, theirs, X, y, repeats)[0])
    alphas = np.geomspace(0.1, 1000, 20)
    ours, theirs = tw.RidgeCV(alphas), linear_model.RidgeCV(alphas)
    rows.append(direct_case("RidgeCV, 20,000 x 100, 20 penalties", ours, theirs, X[:20_000], y[:20_000], repeats)[0])
    met = "met" if min(required) >= 1.0 else "MISSED"
    text = f"""# Linear models beside scikit-learn

{machine()}; load average {os.getloadavg()[0]:.0f}

{versions("scikit-learn", "scipy")}

Paths on 1,000 x 10,000: at least {min(required):.1f} times scikit-learn's speed (required: 1: {met}).

{table(["case", "scikit-learn, s", "thalweg, s", "faster, median of pairs", "least to greatest"], rows)}
"""
    print(text)
    save("lasso", {"machine": machine(), "rows": rows}, text)


if __name__ == "__main__":
    main()
