"""How fast L1 logistic regression is beside scikit-learn's liblinear and saga, to the same duality gap.

    python bench/logistic_l1.py [--gap 1e-4] [--patience 5] [--sets independent correlated scaled sparse]

100,000 x 100 dense doubles, three seeded sets: independent columns; columns with correlation 0.9; independent columns
whose scales are drawn from 1e-3 to 1e3. C = 0.01, 1, 100. Then 100,000 x 20,000 sparse, 0.2 % filled, C = 0.1, 1, 10.
No intercept, as liblinear penalises its own: so all three minimise the same. Two threads (the peers use one).

The gap of every answer is computed by one function (PenalisedLogistic.gap, tests/test_l1_logistic.py shows that it is a
bound); an answer counts when it is at most `--gap` of the loss of the constant model. The peers say nothing of a gap,
so they are given 5, 10, 20 ... iterations (epochs of saga) until it is reached; one that has not reached it in
`--patience` times our time is given up. Times of fit: of the longest run that did not reach the gap, and of the first
that did. Each is paired with one of ours, run after it. Beside the seconds on the clock stand those of the CPU, of all
threads: on a machine with other work these are the steadier ones.

Sets that are not asked for keep their lines of the last run.

Required: in the median over the dense cases at least 2 times both.
"""

import argparse
import json
import time
import warnings

import numba
import numpy as np
from common import RESULTS, machine, save, table, versions
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from thalweg.kernels.data.rows import design
from thalweg.solvers.learning.penalised_logistic import PenalisedLogistic
from thalweg.solvers.learning.proximal_newton import proximal_newton

ROWS = 100_000
CASES = [(name, C) for name in ("independent", "correlated", "scaled") for C in (0.01, 1.0, 100.0)]
CASES += [("sparse", C) for C in (0.1, 1.0, 10.0)]
SEEDS = {"independent": 11, "correlated": 12, "scaled": 13, "sparse": 14}


def data(name):
    """X, and labels drawn from a logistic model of 30 % of the columns (sparse: 5 %)."""
    rng = np.random.default_rng(SEEDS[name])
    p = 20_000 if name == "sparse" else 100
    if name == "sparse":
        X = sparse.random(ROWS, p, density=0.002, format="csr", random_state=rng, data_rvs=rng.standard_normal)
    else:
        X = rng.standard_normal((ROWS, p))
    if name == "correlated":
        X = np.sqrt(0.1) * X + np.sqrt(0.9) * rng.standard_normal((ROWS, 1))
    scale = 10.0 ** rng.uniform(-3, 3, p) if name == "scaled" else np.ones(p)
    w = rng.standard_normal(p) * (rng.random(p) < (0.05 if name == "sparse" else 0.3))
    z = (3.0 if name == "sparse" else 1.0) * (X @ w)
    X = X * scale if name == "scaled" else X
    return X, (rng.random(ROWS) < 1.0 / (1.0 + np.exp(-z))).astype(np.int64)


def timed(call):
    """(seconds on the clock, of the CPU), and what it returned."""
    clock, cpu = time.perf_counter(), time.process_time()
    found = call()
    return np.array([time.perf_counter() - clock, time.process_time() - cpu]), found


def relative_gap(X, y, C, coef):
    start = np.column_stack([coef, np.zeros(len(coef))])
    problem = PenalisedLogistic(X, y, np.full(ROWS, C), 1.0, 0.0, False, start)
    problem.slopes()
    return problem.gap() / problem.constant


def race(X, y, C, solver, ours, goal, patience):
    """((not reached, reached): seconds of the peer over ours, clock and CPU; None where there is none), iterations."""
    missed, iterations = None, 5
    while True:
        peer = LogisticRegression(
            l1_ratio=1.0, C=C, solver=solver, fit_intercept=False, tol=1e-12, max_iter=iterations, random_state=0
        )
        spent, fit = timed(lambda peer=peer: peer.fit(X, y))
        mine = ours()
        ratio = spent / mine
        if relative_gap(design(X), y, C, fit.coef_) <= goal:
            return missed, ratio, iterations
        missed = ratio
        if ratio.min() > patience:
            return missed, None, iterations
        iterations *= 2


def told(missed, reached, which):
    low = "" if missed is None else f"{missed[which]:.1f}"
    return f"> {low}" if reached is None else f"{low or '0'} to {reached[which]:.1f}"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--gap", type=float, default=1e-4)
    arguments.add_argument("--patience", type=float, default=5.0)
    arguments.add_argument("--sets", nargs="+", choices=list(SEEDS), default=list(SEEDS))
    given = arguments.parse_args()
    warnings.simplefilter("ignore")
    numba.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    before = RESULTS / "logistic_l1.json"
    records = json.loads(before.read_text())["cases"] if before.exists() else []
    records, loaded = [r for r in records if r["set"] not in given.sets], {}
    for name, C in CASES:
        if name not in given.sets:
            continue
        if name not in loaded:
            loaded = {name: data(name)}
        X, y = loaded[name]

        def fit(X=X, y=y, C=C):
            return proximal_newton(design(X), y, np.full(ROWS, C), 1.0, 0.0, fit_intercept=False, tol=given.gap)

        answer = fit()  # compiled, and validated
        assert answer.converged and relative_gap(design(X), y, C, answer.coef) <= 1.01 * given.gap
        spent = []

        def ours(fit=fit, spent=spent):
            spent.append(timed(fit)[0])
            return spent[-1]

        races = [race(X, y, C, solver, ours, given.gap, given.patience) for solver in ("liblinear", "saga")]
        clock, cpu = np.median(spent, axis=0)
        cells = [told(*r[:2], which) for r in races for which in (0, 1)]
        size = int(np.count_nonzero(answer.coef))
        row = [name, f"{C:g}", size, answer.n_iter, f"{clock:.2f}", f"{cpu:.2f}", *cells]
        print(*row, sep=" | ", flush=True)
        at_least = [[0.0, 0.0] if r[0] is None else r[0].tolist() for r in races]
        records.append({"set": name, "C": C, "row": row, "at_least": at_least, "gap": given.gap})
    records.sort(key=lambda r: CASES.index((r["set"], r["C"])))
    dense = np.array([r["at_least"] for r in records if r["set"] != "sparse"])  # (cases, peers, clock or CPU)
    medians = np.median(dense, axis=0) if len(dense) else np.zeros((2, 2))
    head = [
        "set", "C", "coefficients", "steps", "ours, s", "CPU s",
        "liblinear / ours", "CPU", "saga / ours", "CPU",
    ]  # fmt: skip
    used = versions("scikit-learn", "scipy")
    text = [
        "# L1 logistic regression to the same duality gap",
        "",
        f"`python bench/logistic_l1.py --gap {given.gap:g} --patience {given.patience:g}`, {machine()}, {used}.",
        f"Two threads; gap {given.gap:g} of the constant model's loss. A ratio is a range: the peer had not reached",
        "the gap in the lower one, had in the upper one; `>`: given up. Median of the lower ones over the dense cases:",
        f"liblinear {medians[0, 0]:.1f} on the clock, {medians[0, 1]:.1f} of CPU; saga {medians[1, 0]:.1f} and",
        f"{medians[1, 1]:.1f} (required: 2).",
        "",
        table(head, [r["row"] for r in records]),
    ]
    save("logistic_l1", {"cases": records, "machine": machine(), "versions": used}, "\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
