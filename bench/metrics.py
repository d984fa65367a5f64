"""How fast tw.metrics is beside scikit-learn's.

    python bench/metrics.py [--rows 1000000] [--repeats 5]

Each metric on the same data, validated first: the values agree to 1e-12. Then timed in turns, ours and theirs; the
ratio is the median over the turns, with its least and greatest. A call of 100 rows shows what a call costs by itself;
there a turn is 20 calls. Required: faster in every line.
"""

import argparse
import os
import time
import warnings

import numpy as np
from common import machine, pairwise, save, table, versions
from sklearn import metrics as theirs

from thalweg.kernels import metrics as ours

SMALL = 100


def data(rows):
    """name -> (metric, arguments, options)."""
    random = np.random.default_rng(1)
    score = random.random(rows)
    y = (random.random(rows) < score).astype(np.int64)
    decision = (score > 0.6).astype(np.int64)
    five = random.integers(0, 5, rows)
    guess = np.where(random.random(rows) < 0.6, five, random.integers(0, 5, rows))
    text = np.array(["cat", "cow", "dog", "hen", "pig"])
    identity = random.integers(0, 2**40, 1000)
    many = random.integers(0, 1000, rows)
    three, shares = random.integers(0, 3, rows), random.dirichlet(np.ones(3), rows)
    value = random.standard_normal(rows)
    estimate, weight = value + 0.3 * random.standard_normal(rows), random.random(rows)
    weighted = {"sample_weight": weight}
    return {
        "mean_squared_error": ("mean_squared_error", (value, estimate), {}),
        "mean_absolute_error": ("mean_absolute_error", (value, estimate), {}),
        "r2_score": ("r2_score", (value, estimate), {}),
        "r2_score, weights": ("r2_score", (value, estimate), weighted),
        "accuracy_score": ("accuracy_score", (y, decision), {}),
        "accuracy_score, text": ("accuracy_score", (text[five], text[guess]), {}),
        "balanced_accuracy_score": ("balanced_accuracy_score", (five, guess), {}),
        "f1_score, 2 classes": ("f1_score", (y, decision), {}),
        "f1_score, 5 classes": ("f1_score", (five, guess), {"average": "macro"}),
        "f1_score, text": ("f1_score", (text[five], text[guess]), {"average": "macro"}),
        "f1_score, 1000 classes": ("f1_score", (identity[many], identity[many[::-1]]), {"average": "weighted"}),
        "confusion_matrix, 5 classes": ("confusion_matrix", (five, guess), {}),
        "roc_auc_score": ("roc_auc_score", (y, score), {}),
        "roc_auc_score, weights": ("roc_auc_score", (y, score), weighted),
        "roc_auc_score, 3 classes": ("roc_auc_score", (three, shares), {"multi_class": "ovr"}),
        "average_precision_score": ("average_precision_score", (y, score), {}),
        "roc_curve": ("roc_curve", (y, score), {}),
        "precision_recall_curve": ("precision_recall_curve", (y, score), {}),
        "log_loss, 2 classes": ("log_loss", (y, score), {}),
        "log_loss, 3 classes": ("log_loss", (three, shares), {}),
    }


def cut(value, rows):
    return value[:rows] if isinstance(value, np.ndarray) else value


def agree(a, b):
    if isinstance(a, tuple):
        return all(agree(*pair) for pair in zip(a, b, strict=True))
    return np.allclose(a, b, rtol=1e-12, atol=1e-12)


def seconds(call, calls):
    begin = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - begin) / calls


def measure(metric, args, options, rows, calls, repeats):
    """(seconds of ours, of theirs, by how much ours is faster: median, least, greatest)."""
    args, options = tuple(cut(a, rows) for a in args), {key: cut(v, rows) for key, v in options.items()}

    def mine():
        return getattr(ours, metric)(*args, **options)

    def other():
        return getattr(theirs, metric)(*args, **options)

    assert agree(mine(), other()), metric
    spent = np.array([(seconds(mine, calls), seconds(other, calls)) for _ in range(repeats)])
    return *np.median(spent, axis=0), *pairwise(spent[:, 1], spent[:, 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    a = parser.parse_args()
    warnings.simplefilter("ignore")
    rows, found = [], {}
    for name, case in data(a.rows).items():
        large = measure(*case, a.rows, 1, a.repeats)
        small = measure(*case, SMALL, 20, a.repeats)
        found[name] = {"rows": large, "small": small}
        ms = [f"{1e3 * s:.3g}" for s in large[:2]]
        us = [f"{1e6 * s:.0f}" for s in small[:2]]
        faster = [f"{median:.1f} ({least:.1f} to {greatest:.1f})" for *_, median, least, greatest in (large, small)]
        rows.append([name, *ms, faster[0], *us, faster[1]])
        print(*rows[-1], flush=True)
    slower = [name for name, of in found.items() if min(of["rows"][2], of["small"][2]) < 1]
    verdict = f"MISSED by {slower}" if slower else "met"
    head = ["metric", "ms", "scikit-learn", "faster", f"µs of {SMALL} rows", "scikit-learn", "faster"]
    text = f"""# The speed of tw.metrics

{machine()}; load average {os.getloadavg()[0]:.0f}

{versions("scikit-learn")}

{a.rows:,} rows, times as medians of {a.repeats} turns. Faster in every line: {verdict}.

{table(head, rows)}
"""
    print(text)
    save("metrics", {"machine": machine(), "rows": found}, text)


if __name__ == "__main__":
    main()
