"""Hyper-parameters of a support vector machine: grid search and random search, beside scikit-learn's GridSearchCV.

    python examples/breast_cancer.py [picture.png]

Needs scikit-learn; the picture needs matplotlib. The data are scikit-learn's breast-cancer set (569 x 30), the model a
pipeline of scaling and a support vector machine, the value the error of a five-fold cross-validation. `gamma` exists
only for the radial kernel: GridSearchCV is told so by a list of two grids, we by `when`.
"""

import sys
import time

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from thalweg.orchestration import choice, cluster, grid_search, log_uniform, random_search, when

X, y = load_breast_cancer(return_X_y=True)
FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)
SPLITS = list(FOLDS.split(X, y))
C, GAMMA = np.geomspace(1e-2, 1e2, 9), np.geomspace(1e-4, 1e0, 9)

grid = {"kernel": ["linear", "rbf"], "C": C, "gamma": when("kernel", "rbf", choice(GAMMA))}
space = {
    "kernel": ["linear", "rbf"],
    "C": log_uniform(1e-2, 1e2),
    "gamma": when("kernel", "rbf", log_uniform(1e-4, 1e0)),
}


def train(kernel, C, gamma="scale"):
    """The error of a cross-validation."""
    model = make_pipeline(StandardScaler(), SVC(kernel=kernel, C=C, gamma=gamma))
    scores = [model.fit(X[fit], y[fit]).score(X[test], y[test]) for fit, test in SPLITS]
    return 1.0 - float(np.mean(scores))


def compare(client):
    """(name, best score, seconds, result) of each search, with two workers each."""
    model = make_pipeline(StandardScaler(), SVC())
    theirs = [{"svc__kernel": ["linear"], "svc__C": C}, {"svc__kernel": ["rbf"], "svc__C": C, "svc__gamma": GAMMA}]
    peer = GridSearchCV(model, theirs, cv=FOLDS, n_jobs=2, refit=False)
    GridSearchCV(model, {"svc__C": [1.0, 2.0]}, cv=FOLDS, n_jobs=2, refit=False).fit(X, y)  # its workers warm up, too
    calls = [
        ("thalweg grid_search", lambda: grid_search(train, grid, client=client)),
        ("thalweg random_search", lambda: random_search(train, space, points=90, seed=1, client=client)),
        ("scikit-learn GridSearchCV", lambda: peer.fit(X, y)),
    ]
    for name, call in calls:
        begin = time.perf_counter()
        found = call()
        score = found.best_score_ if found is peer else 1.0 - found.fun
        yield name, score, time.perf_counter() - begin, found


def draw(grid_table, random_table, best, file):
    """The error over C and gamma, on the grid and at the random points."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(10, 4), sharex=True, sharey=True, layout="constrained")
    for ax, table, title in zip(axes, (grid_table, random_table), ("grid search", "random search"), strict=True):
        rows = [k for k, kernel in enumerate(table["kernel"]) if kernel == "rbf"]
        error = [100 * table["fun"][k] for k in rows]
        points = ax.scatter(
            [table["C"][k] for k in rows], [table["gamma"][k] for k in rows], c=error, s=60, cmap="viridis_r",
            vmin=2, vmax=10,
        )  # fmt: skip
        ax.set(xscale="log", yscale="log", xlabel="C", title=f"{title}: radial kernel, best {min(error):.2f} %")
    if "gamma" in best:
        axes[0].plot(best["C"], best["gamma"], "r+", markersize=16, label="best of the grid")
        axes[0].legend(loc="lower left")
    axes[0].set_ylabel("gamma")
    figure.colorbar(points, ax=axes, label="error of five-fold cross-validation, %")
    figure.savefig(file, dpi=120)


if __name__ == "__main__":
    with cluster(2) as client:
        grid_search(train, {"kernel": ["linear"], "C": [1.0, 2.0]}, client=client)  # the workers load scikit-learn
        results = {}
        for name, score, seconds, found in compare(client):
            results[name] = found
            print(f"{name:<28} best score {score:.6f} in {seconds:5.2f} s")
    best = results["thalweg grid_search"]
    print(f"\nbest of the grid: {best.point}")
    if len(sys.argv) > 1:
        draw(best.table, results["thalweg random_search"].table, best.point, sys.argv[1])
