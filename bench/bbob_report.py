"""Tables and pictures of BBOB runs: the area under the ECDF, and expected running times beside the published ones."""

import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from common import RESULTS, machine, table, versions

PUBLISHED = json.loads((Path(__file__).parent / "data" / "bbob_published.json").read_text())
SHOWN = ("BIPOP-CMA-ES", "DE-F-AUC", "PSO", "GA")  # of the published, in the tables of running times
TARGETS = 51
NEAR = 1.3  # ratio of running times
CURVES = 10  # in a picture, at most: so many colours there are
BUDGETS = (50, 500, 2000, 10_000, 100_000)  # for each variable
GROUPS = {"separable": (1, 5), "moderate": (6, 9), "ill": (10, 14), "multimodal": (15, 19), "weak": (20, 24)}
PACKAGES = ("cma", "pygmo", "fcmaes", "minionpy", "scipy")


def area(hits, dimension, budget):
    """Mean over the 51 targets of the share of the budget, in its logarithm, that was left when each was reached.

    An evaluation counts 1 / D; what comes before D evaluations counts as D, as it does in COCO's pictures.
    """
    total = sum(1 - math.log(max(k / dimension, 1)) / math.log(budget) for k in hits if k <= budget * dimension)
    return total / TARGETS


def mean_area(lines, dimension, budget):
    return float(np.mean([area(line["hits"], dimension, budget) for line in lines])) if lines else None


def share(value):
    return "" if value is None else f"{value:.3f}"


def expected(lines):
    """Expected running time to 10^-8: evaluations of all runs over the runs that reached it; how many did."""
    reached = sum(line["solved"] for line in lines)
    spent = sum(line["hits"][-1] if line["solved"] else line["evaluations"] for line in lines)
    return (spent / reached if reached else None), reached


def number(value):
    """Two digits."""
    return "" if value is None else f"{value:.0f}" if value < 1000 else f"{value:.1e}".replace("e+0", "e")


def by_method(lines):
    """Runs by method, the largest area first; its name tells the budget where it has runs of several."""
    budgets, found = defaultdict(set), defaultdict(list)
    for line in lines:
        budgets[line["method"]].add(line["budget"])
    for line in lines:
        method = line["method"]
        found[f"{method}, {line['budget']} D" if len(budgets[method]) > 1 else method].append(line)
    return dict(
        sorted(found.items(), key=lambda item: -mean_area(item[1], lines[0]["dimension"], item[1][0]["budget"]))
    )


def areas(dimension, methods):
    largest = max(line["budget"] for runs in methods.values() for line in runs)
    columns = [budget for budget in BUDGETS if budget <= largest]
    rows = []
    for method, runs in methods.items():
        own = runs[0]["budget"]
        means = [mean_area(runs, dimension, budget) if budget <= own else None for budget in columns]
        groups = [
            mean_area([line for line in runs if low <= line["function"] <= high], dimension, own)
            for low, high in GROUPS.values()
        ]
        solved = [line["function"] for line in runs if line["solved"]]
        counts = [len(set(solved)), f"{len(solved)}/{len(runs)}", len({line["instance"] for line in runs})]
        seconds = sum(line["seconds"] for line in runs)
        rows.append([method, own, *map(share, means), *map(share, groups), *counts, f"{seconds:.0f}"])
    best = [{"hits": PUBLISHED["best 2009"][str(f)][str(dimension)]} for f in range(1, 25)]
    cells = [share(mean_area(best, dimension, budget)) for budget in columns]
    rows.append(["best of 2009, published", "", *cells, *[""] * (len(GROUPS) + 4)])
    budgets = [f"{budget:,} D" for budget in columns]
    return table(["method", "budget / D", *budgets, *GROUPS, "functions", "runs", "instances", "s"], rows)


def running_times(dimension, methods):
    """A row for each method, the published ones first."""
    head = ["", *(f"f{f}" for f in range(1, 25))]
    best = [PUBLISHED["best 2009"][str(f)][str(dimension)] for f in range(1, 25)]
    rows = [["best of 2009", *(number(hits[-1] if len(hits) == TARGETS else None) for hits in best)]]
    for name in SHOWN:
        found = [PUBLISHED["to 1e-8"][name][str(f)].get(str(dimension), (None, 0)) for f in range(1, 25)]
        rows.append([name, *(number(ert) + (f" ({reached})" if 0 < reached < 15 else "") for ert, reached in found)])
    for method, runs in methods.items():
        row = [method]
        for f in range(1, 25):
            own = [line for line in runs if line["function"] == f]
            ert, reached = expected(own)
            row.append(number(ert) + (f" ({reached}/{len(own)})" if 0 < reached < len(own) else ""))
        rows.append(row)
    return table(head, rows)


def against_published(dimension, methods):
    """How many functions each solves at least once, and ratios of running times over those that both solve."""
    published = {
        name: {f: own[str(f)].get(str(dimension), (None, 0))[0] for f in range(1, 25)}
        for name, own in PUBLISHED["to 1e-8"].items()
    }
    rows = [["functions", "", *(sum(ert is not None for ert in own.values()) for own in published.values())]]
    for method, runs in methods.items():
        ours = {f: expected([line for line in runs if line["function"] == f])[0] for f in range(1, 25)}
        row = [method, sum(ert is not None for ert in ours.values())]
        for theirs in published.values():
            ratios = [ours[f] / theirs[f] for f in ours if ours[f] and theirs[f]]
            mean = f"{np.exp(np.mean(np.log(ratios))):.2f} " if ratios else ""
            row.append(f"{mean}({sum(ratio <= NEAR for ratio in ratios)}/{len(ratios)})")
        rows.append(row)
    return table(["", "functions", *published], rows)


def picture(dimension, methods, path):
    """Share of functions, runs and targets that was reached, over evaluations / D, by the methods of largest area."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4.5), layout="constrained")
    curves = {name: (len(runs), [line["hits"] for line in runs]) for name, runs in list(methods.items())[:CURVES]}
    curves["best of 2009"] = (24, [PUBLISHED["best 2009"][str(f)][str(dimension)] for f in range(1, 25)])
    largest = max(line["budget"] for runs in methods.values() for line in runs)
    for name, (runs, hits) in curves.items():
        x = np.sort([max(k / dimension, 1) for own in hits for k in own])
        x = x[x <= largest]
        y = np.arange(1, len(x) + 1) / (runs * TARGETS)
        known = name == "best of 2009"
        style = {"color": "black", "linestyle": "--", "linewidth": 1} if known else {"linewidth": 1.3}
        axes.step([1, *x, largest], [0, *y, y[-1] if len(y) else 0], where="post", label=name, **style)
    axes.set(xscale="log", xlim=(1, largest), ylim=(0, 1), xlabel="evaluations / D", ylabel="targets reached")
    axes.set_title(f"BBOB, {dimension}-D: 24 functions, 51 targets from $10^2$ to $10^{{-8}}$", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, loc="upper left")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)


def report(lines):
    """Write results/bbob.md, and a picture for each dimension."""
    parts = [
        "# BBOB",
        "`python bench/bbob.py`. 24 functions; a run ends at 10^-8 above the minimum, or when its budget is spent; a "
        "method that ends before begins anew. Area: mean over functions, instances and the 51 targets 10^2 to 10^-8 of "
        "the share of the budget, in its logarithm, that was left when a target was reached; all of it counts up to D "
        "evaluations. A column below a method's own budget reads the beginning of the same runs. The groups are at its "
        "own budget.",
        f"{machine()}  \n{versions(*PACKAGES)}",
    ]
    for dimension in sorted({line["dimension"] for line in lines}):
        methods = by_method([line for line in lines if line["dimension"] == dimension])
        image = RESULTS / f"bbob-{dimension}D.png"
        picture(dimension, methods, image)
        parts += [
            f"## {dimension}-D",
            areas(dimension, methods),
            f"![{dimension}-D]({image.name})",
            "Expected running time to 10^-8, in evaluations (in brackets: runs that reached it, where not all did). "
            f"The first {1 + len(SHOWN)} rows are published results, from cocopp 2.9.1, 15 runs each.",
            running_times(dimension, methods),
            "Running times over the published ones: geometric mean over the functions that both solve (on how many "
            f"it is at most {NEAR} times theirs, of how many).",
            against_published(dimension, methods),
        ]
    text = "\n\n".join(parts)
    (RESULTS / "bbob.md").write_text(text + "\n")
    return text
