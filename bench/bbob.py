"""Solvers on BBOB: evaluations to 51 targets from 10^2 to 10^-8 over functions, instances and dimensions, on all cores.

    python bench/bbob.py --methods "thalweg cma_es,thalweg jso,pycma BIPOP" --dimensions 5 --budget 2000
    python bench/bbob.py --methods peers --dimensions 2,5,10,20 --instances 4-15 --budget 10000
    python bench/bbob.py --table                     # the tables and pictures of all runs that are there
    python bench/bbob.py --check                     # functions and record, against coco-experiment and Python
    python bench/bbob.py --methods "thalweg jso" --log FOLDER      # also as COCO's own log, read back with cocopp

Every finished run is one JSON line in results/bbob-<library>.jsonl; a run that is there is not made again (--fresh
makes it anew: needed when ours has changed). The budget is in evaluations for each variable.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from common import RESULTS, machine

FIELDS = ("method", "budget", "dimension", "function", "instance")


def one_run(task):
    """One method on one problem, until it is solved or its budget is spent."""
    from bbob_log import logged
    from bbob_record import SOLVED, Run, Spent
    from bbob_solvers import contender

    method, budget, dimension, function, instance = task
    run, start = Run(function, dimension, instance, budget * dimension), time.perf_counter()
    try:
        contender(method)(run, seed=instance)
    except Exception as error:
        if not (run.over or isinstance(error, Spent)):  # some peers' compiled code makes another exception of it
            raise
    seconds = time.perf_counter() - start - run.compiling
    line = dict(zip(FIELDS, task)) | {
        "hits": run.hits(),
        "evaluations": min(int(run.now["evaluations"]), run.budget),
        "solved": bool(run.now["gap"] <= SOLVED),
        "seconds": round(seconds, 3),
    }
    return line, logged(run)


def one_after_another(task):
    os.environ["OMP_NUM_THREADS"] = "1"
    return one_run(task)


def file_of(method):
    return RESULTS / f"bbob-{method.split()[0]}.jsonl"


def load(files=None):
    """All lines of the journals."""
    files = sorted(RESULTS.glob("bbob-*.jsonl")) if files is None else files
    return [json.loads(line) for path in files if path.exists() for line in path.read_text().splitlines()]


def drop(tasks):
    """Forget runs."""
    for path in filter(Path.exists, {file_of(task[0]) for task in tasks}):
        kept = [line for line in load([path]) if tuple(line[field] for field in FIELDS) not in tasks]
        path.write_text("".join(json.dumps(line) + "\n" for line in kept))


def carry_out(tasks, processes):
    """What is not in the journals yet."""
    done = {tuple(line[field] for field in FIELDS) for line in load()}
    tasks = [task for task in tasks if task not in done]
    print(f"{len(tasks)} runs to make on {processes} processes", flush=True)
    logs, start = [], time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for k, (line, log) in enumerate(pool.imap_unordered(one_after_another, tasks), 1):
            with file_of(line["method"]).open("a") as out:
                out.write(json.dumps(line) + "\n")
            logs.append((line, log))
            if k % 100 == 0 or k == len(tasks):
                print(f"{k} runs, {time.perf_counter() - start:.0f} s", flush=True)
    return logs


def whole_numbers(text):
    """ "1-3,7" -> [1, 2, 3, 7]"""
    parts = [part.partition("-") for part in text.split(",")]
    return [k for low, dash, high in parts for k in range(int(low), int(high if dash else low) + 1)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", default="", help="peers, or names separated by commas: thalweg jso, pycma BIPOP")
    parser.add_argument("--functions", type=whole_numbers, default="1-24")
    parser.add_argument("--instances", type=whole_numbers, default="1-15")
    parser.add_argument("--dimensions", type=whole_numbers, default="5")
    parser.add_argument("--budget", type=int, default=2000, help="evaluations for each variable")
    parser.add_argument("--processes", type=int, default=machine()["cores"])
    parser.add_argument("--fresh", action="store_true", help="make runs anew that are there")
    parser.add_argument("--log", help="a folder for COCO's log of the runs that are made now")
    parser.add_argument("--table", action="store_true", help="tables and pictures of all runs that are there")
    parser.add_argument("--check", action="store_true", help="compare functions and record")
    a = parser.parse_args()
    if a.check:
        from bbob_reference import check, check_record

        check_record()
        sys.exit(not check())
    from bbob_solvers import PEERS

    methods = list(PEERS) if a.methods == "peers" else [name.strip() for name in a.methods.split(",") if name.strip()]
    tasks = [(m, a.budget, d, f, i) for i in a.instances for d in a.dimensions for f in a.functions for m in methods]
    if a.fresh:
        drop(set(tasks))
    if methods:
        logs = carry_out(tasks, a.processes)
        if a.log:
            from bbob_log import compare, write

            write(a.log, logs)
            compare(a.log, logs)
    if a.table or methods:
        from bbob_report import report

        print(report(load()))


if __name__ == "__main__":
    main()
