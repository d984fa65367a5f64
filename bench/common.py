"""What the benchmarks share: the machine, the versions, pairs of repeats, tables."""

import datetime
import importlib.metadata
import json
import os
import platform
import resource
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
PEERS = ("pygmo", "fcmaes", "minionpy", "scipy", "pymoo", "evosax", "jax")


def versions(*names):
    """Installed versions; None where a distribution is missing."""
    found = {"python": platform.python_version()}
    for name in ("thalweg", "numpy", "numba", "llvmlite", *names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found


def machine():
    """CPU model, cores this process may use, date."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": model, "cores": cores, "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")}


def cpu_seconds():
    """Of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def pairwise(ours, theirs):
    """Median, least and greatest of ours/theirs over interleaved repeats, repeat by repeat."""
    ratio = np.asarray(ours, float) / np.asarray(theirs, float)
    return float(np.median(ratio)), float(ratio.min()), float(ratio.max())


def table(head, rows):
    """A Markdown table with aligned columns; the first column to the left, the others to the right."""
    cells = [[str(c) for c in row] for row in [head, *rows]]
    width = [max(len(row[k]) for row in cells) for k in range(len(head))]
    lines = []
    for first, *rest in cells:
        padded = [first.ljust(width[0]), *(c.rjust(w) for c, w in zip(rest, width[1:], strict=True))]
        lines.append("| " + " | ".join(padded) + " |")
    rule = "|" + "-" * (width[0] + 2) + "|" + "".join("-" * (w + 1) + ":|" for w in width[1:])
    return "\n".join([lines[0], rule, *lines[1:]])


def save(name, data, text):
    """Write results/name.json and results/name.md."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(data, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text.rstrip() + "\n")
