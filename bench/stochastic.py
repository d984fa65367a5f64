"""SGDClassifier beside scikit-learn's, same settings, epochs fixed: CPU seconds of `fit`, pair by pair.

    python bench/stochastic.py [REPEATS]

Both run on one thread, as rows come one after another, so CPU seconds are those of an idle machine. They must reach the
same objective first: within 6 % after the same epochs, as the rows stand in another order and the last point of five
epochs is noisy. Without shuffling the tests have coefficients equal to 1e-9.
"""

import sys
import time
import warnings

import numpy as np
from common import machine, pairwise, save, table, versions
from scipy.sparse import csr_matrix
from sklearn import linear_model

from thalweg import SGDClassifier

EPOCHS = 5
ALPHA = 1e-4
LOSSES = {
    "hinge": lambda z: np.maximum(0.0, 1.0 - z), "log_loss": lambda z: np.logaddexp(0.0, -z),
}  # fmt: skip


def data_sets():
    """Labels by a linear model with noise, from fixed seeds."""
    generator = np.random.default_rng(0)
    dense = generator.normal(size=(200_000, 50))
    columns = generator.integers(20_000, size=(100_000, 40))  # 40 of 20,000: 0.2 %
    starts = np.arange(0, columns.size + 1, 40)
    sparse = csr_matrix((generator.normal(size=columns.size), columns.ravel(), starts), shape=(100_000, 20_000))
    sparse.sum_duplicates()
    for name, X in (("dense 200,000 x 50", dense), ("sparse 100,000 x 20,000, 0.2 %", sparse)):
        z = X @ generator.normal(size=X.shape[1])
        yield name, X, z + np.std(z) * generator.normal(size=len(z)) > 0


def objective(model, X, y):
    w = model.coef_[0]
    penalty = 0.5 * (w @ w) if model.penalty == "l2" else np.abs(w).sum()
    return LOSSES[model.loss](np.where(y, 1.0, -1.0) * model.decision_function(X)).mean() + ALPHA * penalty


def fitted(Kind, X, y, **options):
    """(seconds, objective) of one fit."""
    model = Kind(alpha=ALPHA, max_iter=EPOCHS, tol=None, random_state=0, **options)
    begin = time.process_time()
    model.fit(X, y)
    return time.process_time() - begin, objective(model, X, y)


def main(repeats):
    warnings.simplefilter("ignore")
    rows, data = [], {"machine": machine(), "versions": versions("scikit-learn", "scipy"), "lines": []}
    for name, X, y in data_sets():
        for loss in LOSSES:
            for penalty in ("l2", "l1"):
                options = {"loss": loss, "penalty": penalty}
                first, _ = fitted(SGDClassifier, X[:100], y[:100], **options)
                ours, theirs = [], []
                for _ in range(repeats):
                    ours.append(fitted(SGDClassifier, X, y, **options))
                    theirs.append(fitted(linear_model.SGDClassifier, X, y, **options))
                reached = ours[0][1], theirs[0][1]
                assert reached[0] < 1.06 * reached[1], (name, options, reached)
                seconds = [[s for s, _ in found] for found in (ours, theirs)]
                ratio, least, most = pairwise(seconds[1], seconds[0])
                medians = [np.median(s) for s in seconds]
                line = {"data": name, **options, "first": first, "ours": seconds[0], "theirs": seconds[1]}
                data["lines"].append(line | {"objective": reached})
                times = [f"{s:.3f}" for s in medians] + [f"{ratio:.1f} ({least:.1f}-{most:.1f})"]
                rows.append([f"{name}, {loss}, {penalty}", *times, *(f"{value:.4f}" for value in reached)])
                print(rows[-1], flush=True)
    head = ["", "thalweg, s", "scikit-learn, s", "times as fast", "objective", "theirs"]
    m, v = data["machine"], data["versions"]
    text = (
        f"# SGDClassifier, {EPOCHS} epochs\n\n{m['cpu']}, {m['cores']} cores, one thread, CPU seconds; {m['date']}; "
        f"scikit-learn {v['scikit-learn']}, numba {v['numba']}, numpy {v['numpy']}. Median of {repeats} pairs, and the "
        f"least and greatest ratio.\n\n{table(head, rows)}\n"
    )
    save("stochastic", data, text)
    print(text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
