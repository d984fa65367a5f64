"""Many runs: how they scale, what orchestration costs, and how long the peers take for the same.

    python bench/scaling.py [restarts] [overhead] [grid] [search] [peers] [hyperparameters] [--quick]

Without names all sections, about 12 minutes on two cores. Each validates its answers, then times interleaved repeats;
ratios are taken repeat by repeat, median (least to greatest). A section replaces its own part of results/scaling.json,
from which results/scaling.md is written.
"""

import argparse
import json
import time
from importlib import import_module

from common import RESULTS, machine, save, versions

SECTIONS = {  # name: where measure_<name>(quick) -> data and report_<name>(data) -> text are
    "restarts": "scaling_runs",
    "overhead": "scaling_runs",
    "grid": "scaling_search",
    "search": "scaling_search",
    "peers": "scaling_peers",
    "hyperparameters": "scaling_hyperparameters",
}
PACKAGES = ("dask", "distributed", "scipy", "scikit-learn", "joblib", "optuna", "pygmo", "fcmaes")


def measure(name, quick):
    """What a section found, and where."""
    print(f"{name} ...", flush=True)
    start = time.perf_counter()
    data = getattr(import_module(SECTIONS[name]), f"measure_{name}")(quick)
    seconds = round(time.perf_counter() - start, 1)
    print(f"{name}: {seconds} s\n", flush=True)
    return {"machine": machine(), "versions": versions(*PACKAGES), "seconds": seconds, "data": data}


def report(name, found):
    text = getattr(import_module(SECTIONS[name]), f"report_{name}")(found["data"])
    return f"## {name}\n\nMeasured {found['machine']['date']}, in {found['seconds']} s.\n\n{text}"


def whole_report(kept):
    """All sections that were ever measured, each with where it was if not all were at one place."""
    places = {
        name: f"{found['machine']['cpu']}, {found['machine']['cores']} cores; {found['versions']}"
        for name, found in kept.items()
    }
    parts = ["# Many runs", places[next(iter(places))]]
    for name in (n for n in SECTIONS if n in kept):
        parts.append(report(name, kept[name]))
        if places[name] != parts[1]:
            parts.append(f"This section: {places[name]}")
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="section", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="a smoke run: small sizes, nothing written")
    a = parser.parse_args()
    if unknown := set(a.sections) - set(SECTIONS):
        parser.error(f"got {', '.join(sorted(unknown))}, expected some of {', '.join(SECTIONS)}")
    file = RESULTS / "scaling.json"
    kept = json.loads(file.read_text()) if file.exists() and not a.quick else {}
    for name in a.sections or SECTIONS:
        kept[name] = json.loads(json.dumps(measure(name, a.quick), default=float))
        print(report(name, kept[name]), "\n", flush=True)
        if not a.quick:
            save("scaling", kept, whole_report(kept))


if __name__ == "__main__":
    main()
