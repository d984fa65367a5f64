"""How fast MatrixFactorization is beside the package implicit, and how near its errors come to the lowest possible.

    python bench/recommendation.py [--repeats 3] [--threads 2]

1,000,000 ratings of 3,706 items by 6,040 users, from the model of kernels/functions/ratings.py. Implicit feedback:
both packages minimise Hu, Koren and Volinsky's objective with 32 factors, of the same ratings (negative ones are taken
as 0.1), c = 1 + r, in the same precision, on the same threads, from the same factors (where the table says so, implicit
from its own). Validated first: one function, in double precision, computes the objective of both packages' factors;
ours must say the same of itself; after one iteration in double precision both have the same factors. The goal is where
implicit is after its 15 iterations. Timed is the whole fit, ours with as many iterations as the goal takes, pair by
pair.

Explicit feedback: errors on a tenth of the ratings that was held out, beside those of the model that made them.

Required: at least twice implicit's speed, with its conjugate gradients (its default) and with its Cholesky solver.
"""

import argparse
import os
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is loaded: implicit asks for it
os.environ["OMP_WAIT_POLICY"] = "passive"  # for both: thalweg asks for it, but implicit loads OpenMP first

import numpy as np
from common import machine, pairwise, save, table, versions
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse

import thalweg as tw
from thalweg.kernels.functions.ratings import make_ratings

RANK, PENALTY, ITERATIONS, REQUIRED = 32, 1.0, 15, 2.0


def objective(ratings, users, items):
    """Hu, Koren and Volinsky's, in double precision: all cells by the Gram matrices, then what ratings change."""
    x, y = users.astype(np.float64), items.astype(np.float64)
    u, i = np.repeat(np.arange(len(x)), np.diff(ratings.indptr)), ratings.indices
    c, s = 1.0 + ratings.data.astype(np.float64), np.einsum("tj,tj->t", x[u], y[i])
    everywhere = np.sum((x.T @ x) * (y.T @ y))
    return everywhere + np.sum(c * (1.0 - s) ** 2 - s**2) + PENALTY * (np.sum(x**2) + np.sum(y**2))


def timed(call):
    """Seconds, and those of all cores together."""
    begin = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begin[0], time.process_time() - begin[1]


def theirs(ratings, cg, threads, iterations=ITERATIONS, own_start=False):
    """((seconds, of cores), factors of users, of items)"""
    confidences = sparse.csr_matrix(ratings)
    confidences.data = confidences.data + ratings.dtype.type(1.0)  # what it calls confidence is the whole weight
    model = AlternatingLeastSquares(
        factors=RANK, regularization=PENALTY, alpha=1.0, dtype=ratings.dtype, use_cg=cg, iterations=iterations,
        num_threads=threads, random_state=0,
    )  # fmt: skip
    if not own_start:  # ours: see `starting_rows`
        random = np.random.RandomState(0)
        users, items = (random.normal(scale=0.1, size=(n, RANK)).astype(ratings.dtype) for n in ratings.shape)
        model.user_factors, model.item_factors = users, items
    return timed(lambda: model.fit(confidences, show_progress=False)), model.user_factors, model.item_factors


def ours(ratings, solver, threads, iterations):
    """((seconds, of cores), the model)"""
    model = tw.MatrixFactorization(
        RANK, feedback="implicit", solver=solver, regularization=PENALTY, confidence=1.0, max_iter=iterations, tol=0.0,
        n_jobs=threads, random_state=0,
    )  # fmt: skip
    return timed(lambda: model.fit(ratings)), model


def check(ratings, threads):
    """One iteration of both, from the same factors, is the same (implicit keeps weights in single precision)."""
    _, x, y = theirs(ratings, False, threads, iterations=1)
    _, model = ours(ratings, "als", threads, 1)
    assert np.abs(model.user_factors_ - x).max() < 1e-6 and np.abs(model.item_factors_ - y).max() < 1e-6


def race(ratings, cg, solvers, threads, repeats, own_start=False):
    """Rows of the table, one for each of our solvers, and the ratios of times (median, least, greatest)."""
    _, x, y = theirs(ratings, cg, threads, own_start=own_start)
    goal = objective(ratings, x, y)
    needed, reached = {}, {}
    for solver in solvers:
        _, model = ours(ratings, solver, threads, 2 * ITERATIONS)
        mine = objective(ratings, model.user_factors_, model.item_factors_)
        assert abs(model.loss_curve_[-1] / mine - 1.0) < 1e-5, "what ours says of itself is not so"
        needed[solver] = 1 + int(np.argmax(np.array(model.loss_curve_) <= goal * (1 + 1e-6)))
        _, model = ours(ratings, solver, threads, needed[solver])
        reached[solver] = objective(ratings, model.user_factors_, model.item_factors_)
        assert reached[solver] <= goal * (1 + 1e-5), f"ours ends at {reached[solver]}, implicit at {goal}"
    spent = []
    for _ in range(repeats):
        spent.append([theirs(ratings, cg, threads, own_start=own_start)[0]])
        spent[-1] += [ours(ratings, solver, threads, needed[solver])[0] for solver in solvers]
    spent = np.array(spent)  # (repeats, theirs and each of ours, seconds and those of cores)
    rows, ratios = [], []
    for k, solver in enumerate(solvers):
        ratio = pairwise(spent[:, 0, 0], spent[:, 1 + k, 0])
        of_cores = pairwise(spent[:, 0, 1], spent[:, 1 + k, 1])[0]
        name = f"{ratings.dtype}, {'conjugate gradients' if cg else 'Cholesky'}{', own start' * own_start}"
        row = [name, f"{goal:.6g}", solver, f"{reached[solver]:.6g}", needed[solver]]
        row += [f"{t:.2f}" for t in np.median(spent[:, [0, 1 + k], 0], axis=0)]
        row += [f"{ratio[0]:.1f} ({ratio[1]:.1f} to {ratio[2]:.1f})", f"{of_cores:.1f}"]
        print(*row, flush=True)
        rows.append(row)
        ratios.append(ratio[0])
    return rows, ratios, spent.tolist()


def errors(data, threads):
    """Rows of errors on a held-out tenth, and what the model that made the ratings has."""
    u, i = data.rated.nonzero()
    held = np.random.default_rng(1).random(u.size) < 0.1
    fit, test = (sparse.csr_array((data.rated.data[m], (u[m], i[m])), data.rated.shape) for m in (~held, held))
    floor = float(np.sqrt(np.mean((data.rated.data[held] - data.means.data[held]) ** 2)))
    rows = []
    for solver, penalty in (("als", 0.02), ("als_cg", 0.02), ("sgd", 0.02)):
        model = tw.MatrixFactorization(
            8, solver=solver, regularization=penalty, n_jobs=threads, random_state=0, early_stopping=True
        )
        model.fit(fit[:100])  # compiles
        spent, of_cores = timed(lambda model=model: model.fit(fit))
        row = [solver, model.n_iter_, f"{spent:.2f}", f"{of_cores:.2f}"]
        row += [f"{-model.score(fit):.4f}", f"{-model.score(test):.4f}"]
        rows.append(row)
        print(*row, flush=True)
    return floor, rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    data = make_ratings()
    rows, lines, spent = [], [], []
    single, double = (data.rated.astype(dtype) for dtype in (np.float32, np.float64))
    for ratings in (single, double):
        ratings.data = np.maximum(ratings.data, ratings.dtype.type(0.1))
    check(double, a.threads)
    for ratings, cg, solvers, own_start in (
        (single, True, ("als", "als_cg"), False),
        (double, True, ("als", "als_cg"), False),
        (single, True, ("als",), True),
        (single, False, ("als",), False),
    ):
        repeats = a.repeats if cg else max(1, a.repeats // 3)  # it takes minutes
        new, ratios, times = race(ratings, cg, solvers, a.threads, repeats, own_start)
        spent.append(times)
        rows += new
        for row, ratio in zip(new, ratios):
            verdict = "met" if ratio >= REQUIRED else "MISSED"
            lines.append(f"- implicit's {row[0]}; ours {row[2]}: {ratio:.1f} times ({REQUIRED:g}: {verdict})")
    floor, explicit = errors(make_ratings(seed=7), a.threads)
    newline = "\n"
    head = ["implicit", "15 iterations: objective", "ours", "objective", "iterations", "their s", "our s"]
    head += ["faster", "by CPU time"]
    text = f"""# Recommendation

{machine()}; {a.threads} threads; load average {os.getloadavg()[0]:.0f}

{versions("scipy", "scikit-learn", "implicit")}

1,000,000 ratings, 32 factors, implicit feedback. Times of whole fits, to the objective that implicit has after its 15
iterations, medians of {a.repeats} pairs, of Cholesky a third of them ("by CPU time": of all cores together, which other
work on the machine disturbs less):

{newline.join(lines)}

{table(head, rows)}

Explicit feedback, 8 factors, the default settings but for regularization = 0.02 and early stopping. Root mean square
errors; the model that made the ratings has {floor:.4f} on the same held-out tenth:

{table(["solver", "iterations", "s", "CPU s", "error, fitted", "error, held out"], explicit)}
"""
    print(text)
    save("recommendation", {"machine": machine(), "rows": rows, "seconds": spent, "explicit": explicit}, text)


if __name__ == "__main__":
    main()
