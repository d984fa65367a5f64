"""`hyperparameters` of scaling.py: the searches of examples/breast_cancer.py beside scikit-learn's, with repeats."""

import sys
import time
from pathlib import Path

import numpy as np
from common import pairwise, table
from scaling_runs import say, verdict

POINTS = 90


def contenders(client, thin):
    """{kind: {name: call(seed) -> best score}}; ours comes first."""
    import joblib
    from scipy.stats import loguniform
    from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    import breast_cancer as example

    from thalweg.orchestration import choice, grid_search, random_search, when

    c, gamma = example.C[::thin], example.GAMMA[::thin]
    grid = {"kernel": ["linear", "rbf"], "C": c, "gamma": when("kernel", "rbf", choice(gamma))}
    theirs = [{"svc__kernel": ["linear"], "svc__C": c}, {"svc__kernel": ["rbf"], "svc__C": c, "svc__gamma": gamma}]
    laws = {"svc__C": loguniform(1e-2, 1e2)}, {"svc__C": loguniform(1e-2, 1e2), "svc__gamma": loguniform(1e-4, 1e0)}
    drawn = [{"svc__kernel": [kernel], **law} for kernel, law in zip(("linear", "rbf"), laws, strict=True)]
    model, options = make_pipeline(StandardScaler(), SVC()), {"cv": example.FOLDS, "n_jobs": 2, "refit": False}
    points = POINTS // thin**2

    def grid_cv(seed):
        return GridSearchCV(model, theirs, **options).fit(example.X, example.y).best_score_

    def random_cv(seed):
        search = RandomizedSearchCV(model, drawn, n_iter=points, random_state=seed, **options)
        return search.fit(example.X, example.y).best_score_

    def on_dask(call):
        def run(seed):
            with joblib.parallel_config("dask", client=client):
                return call(seed)

        return run

    def ours(seed):
        return 1.0 - random_search(example.train, example.space, points=points, seed=seed, client=client).fun

    return {
        "grid": {
            "thalweg grid_search, Dask": lambda seed: 1.0 - grid_search(example.train, grid, client=client).fun,
            "GridSearchCV(n_jobs=2), joblib": grid_cv,
            "GridSearchCV(n_jobs=2), joblib on Dask": on_dask(grid_cv),
        },
        "random": {
            "thalweg random_search, Dask": ours,
            "RandomizedSearchCV(n_jobs=2), joblib": random_cv,
            "RandomizedSearchCV(n_jobs=2), joblib on Dask": on_dask(random_cv),
        },
    }


def measure_hyperparameters(quick):
    from thalweg.orchestration import cluster

    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        return {"missing": str(error)}
    taken, scores = {}, {}
    with cluster(2) as client:
        for calls in contenders(client, 4).values():
            for call in calls.values():
                call(0)  # on the workers, all is loaded
        kinds = contenders(client, 2 if quick else 1)
        for repeat in range(2 if quick else 3):
            for kind, calls in kinds.items():
                for name, call in calls.items():
                    start = time.perf_counter()
                    score = call(repeat + 1)
                    seconds = time.perf_counter() - start
                    taken.setdefault(kind, {}).setdefault(name, []).append(seconds)
                    scores.setdefault(name, []).append(score)
                    say(f"{name}: {seconds:.2f} s, best score {score:.6f}")
    for name in kinds["grid"]:
        assert np.ptp(scores[name] + scores["thalweg grid_search, Dask"]) < 1e-12, f"{name}: {scores}"
    return {"seconds": taken, "scores": scores}


def report_hyperparameters(data):
    if "missing" in data:
        return f"Not measured: {data['missing']}"
    rows = []
    for kind, taken in data["seconds"].items():
        ours = next(iter(taken.values()))
        for position, (name, seconds) in enumerate(taken.items()):
            median, low, high = pairwise(ours, seconds)
            score = f"{np.median(data['scores'][name]):.6f}"
            cells = [name, f"{np.median(seconds):.2f}", score, "", ""]
            if position > 0:
                cells[3] = f"{median:.2f} ({low:.2f} to {high:.2f})"
            if (kind, position) == ("grid", 1):
                cells[4] = verdict(median <= 1.0, "<= 1")
            rows.append(cells)
    return (
        "Breast-cancer data, scaling and a support vector machine, five-fold cross-validation "
        "(examples/breast_cancer.py); two processes each, warm. The grids are the same, and so are their best scores "
        "in each repeat; random points are drawn from the same distributions, but are not the same.\n\n"
        + table(["", "s", "best score (median)", "time of thalweg / of this", "required"], rows)
    )
