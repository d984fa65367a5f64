"""Evaluations per second: 30-D Rastrigin written with math.cos, DE/rand/1/bin (population 300) on one thread;
L-SHADE and jSO against minionpy's; two threads over restarts and over the population; the time of an evaluation by the
form in which the objective is written (forms.py).

    python bench/throughput.py [--quick] [--repeats 5] [--only forms|peers|restarts|population]

First every contender is validated (its value is recomputed at its x, its count by a counting objective), then all are
timed in interleaved repeats; ratios are taken repeat by repeat. Compilation happens before the clock starts.
"""

import argparse
import json
import math
import subprocess
import sys
import time

import numpy as np
from common import PEERS, machine, pairwise, save, table, versions
from forms import FORMS, forms_table, time_forms
from peers import BOUNDS, CONTENDERS, CR, OWN_COUNTER, POPULATION, RAND1BIN, SINGLE, D, F, compiled, counting, rastrigin

QUICK = 20  # --quick divides all budgets by this


def heavy(x):
    """About 20 microseconds: Rastrigin a hundred times over, each pass at a slightly different frequency."""
    total = 0.0
    for k in range(100):
        frequency = 2.0 * math.pi * (1.0 + 1e-9 * k)
        for v in x:
            total += v * v - 10.0 * math.cos(frequency * v)
    return 0.01 * total + 10.0 * len(x)


def de(fun, evaluations, seed, **more):
    from thalweg.solvers import minimize

    start = time.perf_counter()
    result = minimize(fun, BOUNDS, seed=seed, max_evals=evaluations, method="de", options=RAND1BIN, **more)
    return result.nfev / (time.perf_counter() - start), result


def validate(name, run, objectives):
    """Small runs: f(x) recomputed in plain Python, evaluations counted, the seed matters; what is wrong, or ''."""
    tolerance = 1e-5 if name in SINGLE else 1e-9
    evaluations = 30 * POPULATION
    x, value, claimed = run(objectives, evaluations, 1)
    if not abs(rastrigin([float(v) for v in x]) - value) <= tolerance * (1 + abs(value)):
        return f"reports {value}, f(x) is {rastrigin(list(x))}"
    if not np.all(np.abs(x) <= 5.12 * (1 + tolerance)):
        return "left the box"
    if run(objectives, evaluations, 2)[1] == value:
        return "the seed changes nothing"
    if name not in OWN_COUNTER:
        counted, seen = counting()
        claimed = run(counted, evaluations, 1)[2]
        if abs(seen[0] - claimed) > 1:
            return f"claims {claimed} evaluations, made {seen[0]}"
    return "" if abs(claimed / evaluations - 1) < 0.1 else f"{claimed} evaluations instead of {evaluations}"


def contenders(repeats, divide):
    """Interleaved repeats of all that can be imported: {name: {rates, cores}} and what is missing or refused."""
    objectives, ready, refused = compiled(), {}, {}
    for name, (run, evaluations, _) in CONTENDERS.items():
        try:
            problem = validate(name, run, objectives)
            run(objectives, evaluations // divide, 0)
        except Exception as error:  # a peer that is not installed or fails is reported, and the others go on
            problem = f"{type(error).__name__}: {error}"[:120]
        if problem:
            refused[name] = problem
        else:
            ready[name] = {"rates": [], "cores": []}
        print(f"{name}: {problem or 'valid'}", flush=True)
    for repeat in range(repeats):
        for name, row in ready.items():
            run, evaluations, _ = CONTENDERS[name]
            wall, cpu = time.perf_counter(), time.process_time()
            _, _, claimed = run(objectives, evaluations // divide, repeat + 1)
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            row["rates"].append(claimed / wall)
            row["cores"].append(cpu / wall)
    return ready, refused


def contenders_table(ready, refused):
    rows = []
    for name, row in ready.items():
        first = [name, f"{np.median(row['rates']) / 1e6:.3f}", f"{np.median(row['cores']):.2f}"]
        against = {ours: required for ours, required in CONTENDERS[name][2].items() if ours in ready}
        for ours, required in (against or {"": None}).items():
            cells = ["", "", ""]
            if ours:
                median, low, high = pairwise(ready[ours]["rates"], row["rates"])
                met = "" if required is None else f"{required}: {'met' if median >= required else 'MISSED'}"
                cells = [ours.removeprefix("thalweg "), f"{median:.1f} ({low:.1f} to {high:.1f})", met]
            rows.append(first + cells)
            first = ["", "", ""]
    head = ["", "million evaluations/s", "CPU s / wall s", "ours", "is faster by", "required"]
    return "\n".join([table(head, rows), "", *(f"- {name}: not measured ({why})" for name, why in refused.items())])


def worker(budget, runs):
    """A bare process: the work of `restarts=runs` on one thread, once for each line on stdin (the seed)."""
    de(rastrigin, POPULATION * 10, 0, threads=1, restarts=2)
    print("ready", flush=True)
    for line in sys.stdin:
        print(de(rastrigin, budget, int(line), threads=1, restarts=runs)[1].nfev, flush=True)


def restarts(repeats, divide, runs=8):
    """Two threads over 2*runs restarts against two bare processes with `runs` restarts each, and against one thread."""
    budget = 300_000 // divide
    command = [sys.executable, __file__, "--worker", str(budget), str(runs)]
    workers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for w in workers:
        assert w.stdout.readline() == "ready\n"
    de(rastrigin, POPULATION * 10, 0, threads=2, restarts=4)
    rates = {"two threads": [], "two processes": [], "one thread": []}
    for repeat in range(repeats):
        rates["two threads"].append(de(rastrigin, budget, repeat, threads=2, restarts=2 * runs)[0])
        start = time.perf_counter()
        for k, w in enumerate(workers):
            w.stdin.write(f"{100 + 2 * repeat + k}\n")
            w.stdin.flush()
        done = sum(int(w.stdout.readline()) for w in workers)
        rates["two processes"].append(done / (time.perf_counter() - start))
        rates["one thread"].append(de(rastrigin, budget, repeat, threads=1, restarts=2 * runs)[0])
    for w in workers:
        w.stdin.close()
        w.wait()
    return rates


def population(repeats, divide):
    """One run, threads=2 against threads=1: a cheap and a dear objective, free and beside a busy process."""
    rates = {}
    for fun, budget in ((rastrigin, 3_000_000 // divide), (heavy, max(POPULATION * 4, 60_000 // divide))):
        de(fun, POPULATION * 10, 0, threads=1)
        de(fun, POPULATION * 10, 0, threads=2)
        for beside in ("free", "a core kept busy"):
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if beside != "free" else None
            try:
                pairs = []
                for r in range(repeats):
                    (two, second), (one, first) = de(fun, budget, r, threads=2), de(fun, budget, r, threads=1)
                    assert second.fun == first.fun and np.array_equal(second.x, first.x), "threads change the answer"
                    pairs.append((two, one))
            finally:
                if busy:
                    busy.kill()
                    busy.wait()
            rates[f"{fun.__name__}, {beside}"] = [list(p) for p in zip(*pairs, strict=True)] + [second.threads]
    return rates


def scaling_table(over_restarts, over_population):
    rows = []
    for against, required in (("two processes", 0.95), ("one thread", None)) if over_restarts else ():
        ours, theirs = over_restarts["two threads"], over_restarts[against]
        rows.append((f"restarts: 2 threads / {against}", ours, theirs, required, 2))
    for name, (two, one, threads) in over_population.items():
        rows.append((f"population: 2 threads / 1, {name}", two, one, 0.95, threads))
    cells = []
    for name, ours, theirs, required, threads in rows:
        median, low, high = pairwise(ours, theirs)
        met = "" if required is None else f"{required}: {'met' if median >= required else 'MISSED'}"
        cells.append(
            [
                name,
                f"{np.median(ours) / 1e6:.3f}",
                f"{np.median(theirs) / 1e6:.3f}",
                threads,
                f"{median:.3f} ({low:.3f} to {high:.3f})",
                met,
            ]
        )
    return table(["", "million evaluations/s", "against", "threads run", "ratio", "required"], cells)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a smoke run: two repeats, small budgets, nothing written")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=["forms", "peers", "restarts", "population"])
    parser.add_argument("--worker", nargs=2, type=int, help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.worker:
        return worker(*a.worker)
    repeats, divide = (2, QUICK) if a.quick else (a.repeats, 1)
    parts = [
        "# Throughput",
        f"{machine()}",
        f"{versions(*PEERS)}",
        f"{D}-D Rastrigin, DE/rand/1/bin, F {F}, CR {CR}, population {POPULATION}; "
        f"median of {repeats} interleaved repeats, ratios pair by pair (least to greatest).",
    ]
    data = {"machine": machine(), "versions": versions(*PEERS)}
    if a.only in (None, "forms"):
        taken = time_forms(repeats)
        data["forms"] = {name: taken[f] for name, f in FORMS}
        parts.append(forms_table(taken))
    if a.only in (None, "peers"):
        data["contenders"], data["refused"] = contenders(repeats, divide)
        parts.append(contenders_table(data["contenders"], data["refused"]))
    if a.only not in ("forms", "peers"):
        data["restarts"] = restarts(repeats, divide) if a.only != "population" else {}
        data["population"] = population(repeats, divide) if a.only != "restarts" else {}
        parts.append(scaling_table(data["restarts"], data["population"]))
    text = "\n\n".join(parts)
    print(text)
    if not (a.quick or a.only):
        save("throughput", json.loads(json.dumps(data, default=float)), text)


if __name__ == "__main__":
    main()
