"""Paths of coefficients as an L1 penalty falls: the lasso, and logistic regression.

python examples/learning/penalty_path.py
"""

import numpy as np
from drawing import BLUE, GREEN, GREY, ORANGE, RED, picture

import thalweg as tw

TRUE = {0: 2.0, 1: -1.5, 2: 1.0, 3: -0.5}  # columns that count, and by how much; the others do not
COLOURS = (BLUE, RED, GREEN, ORANGE)


def data(rows=200, columns=30, seed=3):
    """X (rows, columns), whose neighbouring columns are correlated by half; y = X w + noise; and its sign."""
    random = np.random.default_rng(seed)
    X = random.standard_normal((rows, columns))
    for j in range(1, columns):
        X[:, j] = 0.5 * X[:, j - 1] + np.sqrt(0.75) * X[:, j]
    w = np.zeros(columns)
    w[list(TRUE)] = list(TRUE.values())
    y = X @ w + random.standard_normal(rows)
    return X - X.mean(axis=0), y - y.mean(), (y > y.mean()).astype(int)


def lasso(X, y):
    """alphas (100,), falling from the least one where all are 0; coefficients (columns, 100)."""
    alphas, coefficients, _ = tw.lasso_path(X, y, eps=1e-2, tol=1e-8)
    return alphas, coefficients


def logistic(X, c, steps=40):
    """1/C (steps,), falling likewise; coefficients (columns, steps)."""
    strongest = abs(X.T @ (c - c.mean())).max()  # where the pull of no column is as strong as the penalty
    penalties = np.geomspace(strongest, strongest / 100, steps)
    model = tw.LogisticRegression(l1_ratio=1.0, tol=1e-7, max_iter=1000, warm_start=True)
    found = [model.set_params(C=1 / penalty).fit(X, c).coef_[0].copy() for penalty in penalties]
    return penalties, np.transpose(found)


def entered(coefficients):
    """Columns in the order in which they come into the model."""
    first = [np.flatnonzero(row)[0] if row.any() else np.inf for row in coefficients]
    return [int(j) for j in np.argsort(first, kind="stable") if np.isfinite(first[j])]


def draw(left, right):
    X, y, c = data()
    for axes, (penalties, coefficients) in ((left, lasso(X, y)), (right, logistic(X, c))):
        for j in reversed(range(len(coefficients))):
            colour, width = (COLOURS[j], 1.6) if j in TRUE else (GREY, 0.6)
            label = f"w = {TRUE[j]:g}" if j in TRUE else None
            axes.semilogx(penalties / penalties[0], coefficients[j], color=colour, linewidth=width, label=label)
        axes.invert_xaxis()
        axes.set(xlabel="penalty / the least that makes all 0", ylabel="coefficient")
    left.set_title("The lasso")
    right.set_title("Logistic regression, L1")
    handles, labels = left.get_legend_handles_labels()
    left.legend(handles[::-1], labels[::-1], fontsize=8, loc="lower left")


if __name__ == "__main__":
    X, y, c = data()
    for name, (penalties, coefficients) in (("lasso", lasso(X, y)), ("logistic", logistic(X, c))):
        many = (coefficients != 0).sum(axis=0)
        print(f"{name}: first {entered(coefficients)[:6]}, in the model at the end {many[-1]}")
        for share in (0.5, 0.2, 0.05):
            k = np.argmin(abs(penalties / penalties[0] - share))
            print(f"  at {share}: {many[k]} columns, {coefficients[list(TRUE), k].round(2).tolist()}")
    picture(draw)
