"""Best value at a fixed budget: CEC 2014 functions 1-16 (pygmo's), 10-D and 30-D, 15 seeds, against minionpy.

    python bench/quality.py --methods peers --processes 1      # all | peers | ours | names separated by commas
    python bench/quality.py --table                            # only the table, from what is there

Every finished run is one JSON line in results/quality-<library>.jsonl; a run that is there is not run again
(--fresh drops the lines of the chosen methods first: needed when ours has changed).
A run's error is that of the best point among its first `budget` evaluations, counted by our own wrapper;
below 1e-8 it is 0, as the CEC rules have it. Functions are compared by the two-sided Mann-Whitney rank-sum test at 5 %.
"""

import argparse
import json
import multiprocessing
import time
from pathlib import Path

import numpy as np
from common import RESULTS, machine, table, versions

BUDGET = {10: 10_000 * 10, 30: 2_000 * 30}  # dimension: evaluations
FUNCTIONS, SEEDS = range(1, 17), range(1, 16)
TINY = 1e-8


class Counted:
    """The batch objective of function k: counts, keeps the best of the first `budget` evaluations."""

    def __init__(self, k, dim, budget):
        import pygmo

        self.fitness = pygmo.problem(pygmo.cec2014(prob_id=k, dim=dim)).fitness
        self.budget, self.count, self.largest, self.best, self.sample = budget, 0, 0, np.inf, None

    def __call__(self, x):
        fitness, x = self.fitness, np.asarray(x, float)
        values = [fitness(row)[0] for row in x]  # cec2014 has no batch_fitness; pygmo.thread_bfe would use all cores
        self.best = min(self.best, *values[: max(0, self.budget - self.count)], np.inf)
        self.count += len(values)
        self.largest = max(self.largest, len(values))
        self.sample = x[0].tolist() if self.sample is None else self.sample
        return values


def minion(algorithm, **options):
    def run(batch, bounds, budget, seed):
        import minionpy

        solver = minionpy.Minimizer(batch, bounds, maxevals=budget, seed=seed, algo=algorithm, options=options or None)
        result = solver.optimize()
        return result.x, result.fun, result.nfev

    return run


def thalweg(method, batches=True, **options):
    def run(batch, bounds, budget, seed):
        from thalweg.kernels import objective
        from thalweg.solvers import minimize

        if batches:
            fun = objective(lambda x: np.array(batch(x)), vectorized=True, check=False)
        else:
            fun = objective(lambda x: batch(x[None])[0], compiled=False, check=False)
        result = minimize(fun, bounds, method=method, seed=seed, max_evals=budget, threads=1, options=options or None)
        return result.x, result.fun, result.nfev

    return run


METHODS = {
    "minionpy LSHADE": minion("LSHADE"),
    "minionpy jSO": minion("jSO"),
    "minionpy LSRTDE": minion("LSRTDE"),
    "minionpy ARRDE": minion("ARRDE"),
    "thalweg lshade": thalweg("lshade"),
    "thalweg jso": thalweg("jso"),
    "thalweg lsrtde": thalweg("lsrtde"),
    "thalweg arrde": thalweg("arrde"),
    "thalweg auto": thalweg("auto", batches=False),  # the portfolio asks for one point at a time
}
PAIRS = [("thalweg lshade", "minionpy LSHADE"), ("thalweg jso", "minionpy jSO"), ("thalweg lsrtde", "minionpy LSRTDE")]
PAIRS += [("thalweg arrde", "minionpy ARRDE")]
PAIRS += [("thalweg auto", peer) for peer in METHODS if peer.startswith("minionpy")]


def one_run(task):
    """One run, checked: the reported value is that of the reported point, the budget kept but for one population."""
    method, dim, k, seed = task
    batch, start = Counted(k, dim, BUDGET[dim]), time.perf_counter()
    x, fun, claimed = METHODS[method](batch, [(-100.0, 100.0)] * dim, BUDGET[dim], seed)
    seconds, value = time.perf_counter() - start, batch.fitness(np.asarray(x, float))[0]
    assert abs(value - fun) <= 1e-9 * (1 + abs(value)), (task, "reports", fun, "but f(x) is", value)
    assert batch.count <= batch.budget + batch.largest, (task, "evaluations", batch.count)
    assert np.all(np.abs(x) <= 100), (task, "outside the box")
    return {
        "method": method,
        "dim": dim,
        "function": k,
        "seed": seed,
        "error": batch.best - 100 * k,
        "reported": fun - 100 * k,
        "evaluations": batch.count,
        "claimed": claimed,
        "seconds": round(seconds, 3),
        "first": batch.sample[0],
    }


def file_of(method):
    return RESULTS / f"quality-{method.split()[0]}.jsonl"


def load(method):
    path = Path(file_of(method))
    lines = path.read_text().splitlines() if path.exists() else []
    return [r for r in map(json.loads, lines) if r["method"] == method]


def drop(method):
    keep = [s for s in file_of(method).read_text().splitlines() if json.loads(s)["method"] != method]
    file_of(method).write_text("".join(s + "\n" for s in keep))


def run(methods, processes, seeds, functions, dims):
    """Seeds outermost, so that a part of the runs already makes a table."""
    done = {(r["method"], r["dim"], r["function"], r["seed"]) for m in methods for r in load(m)}
    tasks = [(m, d, k, s) for s in seeds for d in dims for k in functions for m in methods if (m, d, k, s) not in done]
    print(f"{len(done)} runs found, {len(tasks)} to do on {processes} process(es)", flush=True)
    start = time.time()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for n, record in enumerate(pool.imap_unordered(one_run, tasks), 1):
            with file_of(record["method"]).open("a") as out:
                out.write(json.dumps(record) + "\n")
            if n % 50 == 0 or n == len(tasks):
                left = (time.time() - start) / n * (len(tasks) - n)
                print(f"{n}/{len(tasks)} runs, {left / 60:.1f} min left", flush=True)


def report():
    """The tables, from every run on disk."""
    from scipy.stats import mannwhitneyu, rankdata

    errors = {}  # (method, dim, function) -> {seed: error}
    for r in (r for m in METHODS for r in load(m)):
        cell = errors.setdefault((r["method"], r["dim"], r["function"]), {})
        cell[r["seed"]] = 0.0 if r["error"] < TINY else r["error"]
    methods = [m for m in METHODS if any(key[0] == m for key in errors)]
    cells = [(d, k) for d in BUDGET for k in FUNCTIONS if all((m, d, k) in errors for m in methods)]
    mean = np.array([[np.mean(list(errors[m, d, k].values())) for m in methods] for d, k in cells])
    if not cells:
        return "No function has runs of every method yet."
    runs = [sum(len(e) for key, e in errors.items() if key[0] == m) for m in methods]
    rows = [[f"{d}-D F{k}", *(f"{v:.3g}" for v in row)] for (d, k), row in zip(cells, mean, strict=True)]
    ranks = np.array([rankdata(np.round(row, 12)) for row in mean])
    for title, dims in [*((f"mean rank, {d}-D", [d]) for d in BUDGET), ("mean rank", BUDGET)]:
        chosen = ranks[[d in dims for d, _ in cells]]
        rows.append(
            [title, *(f"{v:.2f}" for v in chosen.mean(axis=0))] if len(chosen) else [title, *[""] * len(methods)]
        )
    rows.append(["runs", *runs])
    parts = [
        "# Quality at a fixed budget",
        f"{machine()}",
        f"{versions('minionpy', 'pygmo')}",
        "CEC 2014 F1-F16, mean error; 10^5 evaluations in 10-D, 6*10^4 in 30-D.",
        table(["function", *methods], rows),
    ]
    rows = []
    for ours, peer in (p for p in PAIRS if set(p) <= set(methods)):
        score = dict.fromkeys("wtl", 0)
        for d, k in cells:
            a, b = (list(errors[m, d, k].values()) for m in (ours, peer))
            p = 1.0 if set(a) == set(b) and len(set(a)) == 1 else mannwhitneyu(a, b, alternative="two-sided").pvalue
            # the rank-sum statistic, not the mean, says who is better
            less = np.mean(np.subtract.outer(a, b) < 0) - np.mean(np.subtract.outer(a, b) > 0)
            score["t" if not p < 0.05 else "w" if less > 0 else "l"] += 1
        held = "yes" if score["l"] <= score["w"] + 1 else "NO"
        rows.append([f"{ours} : {peer}", score["w"], score["t"], score["l"], held])
    if rows:
        parts += [
            "Rank-sum (Mann-Whitney, two-sided, 5 %) per function and dimension.",
            table(["pair", "wins", "ties", "losses", "not worse"], rows),
        ]
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="all")
    parser.add_argument("--processes", type=int, default=machine()["cores"])
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--functions", default="1-16", help="1-16 or 1,4,9")
    parser.add_argument("--dims", default="10,30")
    parser.add_argument("--fresh", action="store_true", help="forget the chosen methods' runs first")
    parser.add_argument("--table", action="store_true", help="run nothing")
    a = parser.parse_args()
    groups = {"all": "", "peers": "minionpy", "ours": "thalweg"}
    methods = [m for m in METHODS if m.startswith(groups[a.methods])] if a.methods in groups else a.methods.split(",")
    first, _, last = a.functions.partition("-")
    functions = range(int(first), int(last) + 1) if last else [int(k) for k in a.functions.split(",")]
    RESULTS.mkdir(exist_ok=True)
    for m in (m for m in methods if a.fresh and not a.table and file_of(m).exists()):
        drop(m)
    if not a.table:
        run(methods, a.processes, list(SEEDS)[: a.seeds], functions, [int(d) for d in a.dims.split(",")])
    text = report()
    (RESULTS / "quality.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
