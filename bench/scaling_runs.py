"""`restarts` and `overhead` of scaling.py: runs on threads, on Dask workers, and in bare processes beside them."""

import math
import multiprocessing
import time
from contextlib import contextmanager

import numpy as np
from common import pairwise, table

D = 10
BOUNDS = [(-5.12, 5.12)] * D
SEED = 1


def say(line):
    print(f"  {line}", flush=True)


def verdict(met, required):
    return f"{required}: {'met' if met else 'MISSED'}"


def rastrigin(x):
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def run_many(runs, evaluations, **where):
    from thalweg.orchestration import restarts

    start = time.perf_counter()
    result = restarts(rastrigin, BOUNDS, runs=runs, method="jso", seed=SEED, max_evals=evaluations, **where)
    return time.perf_counter() - start, result


def bare_work(evaluations):
    from thalweg.orchestration.runs import Runs
    from thalweg.solvers.driving.call import parse_call

    work = Runs(parse_call(rastrigin, BOUNDS, method="jso", seed=SEED, max_evals=evaluations))
    work.prepare()
    return work


def bare_runs(evaluations, units):
    """The same runs in a plain loop: what a process does that nobody orchestrates; their values."""
    work = bare_work(evaluations)
    return [work.carry_out(unit, None, lambda: False)["fun"] for unit in units]


def evaluations_for(seconds):
    """The budget of a run that takes so long here."""
    evaluations = 2000
    for _ in range(4):
        work, taken = bare_work(evaluations), []
        for unit in range(6):
            start = time.perf_counter()
            work.carry_out(unit, None, lambda: False)
            taken.append(time.perf_counter() - start)
        evaluations = max(int(evaluations * seconds / np.median(taken[1:])), 200)
    return round(evaluations, 2 - len(str(evaluations)))


# --- the ways to do it: each warms up before, and gives (seconds, values, result) ---


@contextmanager
def on_threads(threads):
    run_many(2 * threads, 2000, threads=threads)
    yield lambda runs, evaluations: _of_result(*run_many(runs, evaluations, threads=threads))


@contextmanager
def on_workers(workers):
    from thalweg.orchestration import cluster

    with cluster(workers) as client:
        run_many(2 * workers, 2000, client=client)
        yield lambda runs, evaluations: _of_result(*run_many(runs, evaluations, client=client))


@contextmanager
def in_bare_processes(processes):
    with multiprocessing.get_context("spawn").Pool(processes, initializer=bare_runs, initargs=(2000, [0, 1])) as pool:
        pool.starmap(bare_runs, [(2000, [k]) for k in range(8 * processes)], chunksize=1)  # they have started

        def call(runs, evaluations):
            start = time.perf_counter()
            shares = [range(k, runs, processes) for k in range(processes)]
            parts = pool.starmap(bare_runs, [(evaluations, share) for share in shares], chunksize=1)
            seconds, values = time.perf_counter() - start, np.empty(runs)
            for share, part in zip(shares, parts, strict=True):
                values[share] = part
            return seconds, values, None

        yield call


def _of_result(seconds, result):
    assert result.success and not result.failures, result.message
    return seconds, result.runs["fun"], result


WAYS = {  # name: (how, processes or threads)
    "1 bare process": (in_bare_processes, 1),
    "1 thread": (on_threads, 1),
    "Dask, 1 worker": (on_workers, 1),
    "2 bare processes": (in_bare_processes, 2),
    "2 threads": (on_threads, 2),
    "Dask, 2 workers": (on_workers, 2),
}


def measure_restarts(quick):
    """Runs of 0.1 s: 200 on two threads or processes, 50 on one; those of one number must have the same value."""
    divide, repeats = (10, 2) if quick else (1, 3)
    runs = {1: 50 // divide, 2: 200 // divide}
    evaluations = evaluations_for(0.1)
    rates, bits = {name: [] for name in WAYS}, {}
    for repeat in range(repeats):
        for name, (how, count) in WAYS.items():
            with how(count) as call:
                seconds, values, _ = call(runs[count], evaluations)
            rates[name].append(runs[count] / seconds)
            for unit, value in enumerate(values):
                assert bits.setdefault(unit, value) == value, f"{name}: run {unit} is {value}, not {bits[unit]}"
            say(f"repeat {repeat + 1}, {name}: {rates[name][-1]:.2f} runs/s")
    return {"evaluations": evaluations, "rates": rates, "equal values": len(bits)}


def report_restarts(data):
    rows = []
    for name, (_, count) in WAYS.items():
        bare = "1 bare process" if count == 1 else "2 bare processes"
        median, low, high = pairwise(data["rates"][name], data["rates"][bare])
        against = "" if name == bare else f"{median:.3f} ({low:.3f} to {high:.3f})"
        met = verdict(median >= 0.95, ">= 0.95") if name == "Dask, 2 workers" else ""
        rows.append([name, f"{np.median(data['rates'][name]):.2f}", against, met])
    return (
        f"Runs of 0.1 s: {D}-D Rastrigin, jSO, {data['evaluations']} evaluations; `restarts` beside processes that do "
        "the same runs in a plain loop, each half of them where there are two. Processes and clusters are warm before "
        f"the clock starts. All {data['equal values']} values have the same bits everywhere.\n\n"
        + table(["", "runs/s", "ratio to as many bare processes", "required"], rows)
    )


# --- overhead ---


def measure_overhead(quick):
    """Runs of 1, 10 and 100 ms with tasks of automatic size; then many short runs against threads."""
    lengths, seconds = (0.001, 0.01, 0.1), 2.0 if quick else 8.0
    budgets = {length: evaluations_for(length) for length in lengths}
    rows = []
    for _ in range(1 if quick else 3):
        for name in ("2 threads", "Dask, 2 workers"):
            how, count = WAYS[name]
            with how(count) as call:
                for length, evaluations in budgets.items():
                    runs = int(count * seconds / length)
                    wall, _, result = call(runs, evaluations)
                    busy = float(result.timing["busy"])
                    rows.append({"name": name, "runs": runs, "wall": wall, "busy": busy, "workers": count})
                    rows[-1]["tasks"] = result.get("tasks")
                    say(f"{name}, {runs} runs of {1000 * busy / runs:.2f} ms: {100 * lost(rows[-1]):.2f} % lost")
    return {"rows": rows, "short": short_runs(budgets[0.001], 3 if quick else 7)}


def lost(row):
    return 1.0 - row["busy"] / (row["workers"] * row["wall"])


def short_runs(evaluations, repeats, runs=1000):
    """1,000 restarts of 1 ms: a warm client against threads, pair by pair."""
    pairs, tasks = {"Dask": [], "threads": []}, []
    with on_threads(2) as threads, on_workers(2) as workers:
        for _ in range(repeats):
            seconds, values, result = workers(runs, evaluations)
            again, expected, _ = threads(runs, evaluations)
            assert np.array_equal(values, expected), "Dask and threads differ"
            pairs["Dask"].append(seconds)
            pairs["threads"].append(again)
            tasks.append(int(result.tasks))
            say(f"{runs} runs of 1 ms: Dask {seconds:.3f} s in {tasks[-1]} tasks, threads {again:.3f} s")
        calls = {
            name: [way(2, evaluations)[0] for _ in range(repeats)]
            for name, way in (("Dask", workers), ("threads", threads))
        }
    return {"runs": runs, "evaluations": evaluations, **pairs, "tasks": tasks, "calls": calls}


def report_overhead(data):
    rows = []
    for name, runs in dict.fromkeys((row["name"], row["runs"]) for row in data["rows"]):
        repeats = [row for row in data["rows"] if (row["name"], row["runs"]) == (name, runs)]
        losses = [lost(row) for row in repeats]
        row = repeats[losses.index(sorted(losses)[len(losses) // 2])]  # the one of the median
        idle = row["workers"] * row["wall"] - row["busy"]
        per_task = f"{1000 * idle / row['tasks']:.1f}" if row["tasks"] else ""
        cells = [f"{name}, {runs} runs", f"{1000 * row['busy'] / runs:.2f}", row["tasks"] or ""]
        cells += [
            f"{100 * lost(row):.2f} ({100 * min(losses):.2f} to {100 * max(losses):.2f})",
            f"{1e6 * idle / runs:.0f}",
            per_task,
            verdict(lost(row) < 0.02, "< 2 %"),
        ]
        rows.append(cells)
    short = data["short"]
    median, low, high = pairwise(short["Dask"], short["threads"])
    most = max(short["tasks"])
    head = ["", "ms per run", "tasks", "lost, %", "us per run", "ms per task", "required"]
    return (
        "Lost: 1 - busy / (workers x wall), where busy are the seconds inside of runs and wall is that of the whole "
        "call. What the scheduler takes from a core while a run is on it counts as busy; the ratio to bare processes "
        "(restarts) has it in. Median of three, least to greatest.\n\n" + table(head, rows) + "\n\n"
        f"{short['runs']} runs of 1 ms ({short['evaluations']} evaluations), warm client with two workers against two "
        f"threads: {np.median(short['Dask']):.3f} s against {np.median(short['threads']):.3f} s, ratio {median:.2f} "
        f"({low:.2f} to {high:.2f}), {verdict(median <= 1.5, '<= 1.5')}; tasks: at most {most}, "
        f"{verdict(most <= 8, '<= 4 per worker')}. A call of two such runs takes "
        f"{1000 * np.median(short['calls']['Dask']):.0f} ms on the client, "
        f"{1000 * np.median(short['calls']['threads']):.0f} ms on threads."
    )
