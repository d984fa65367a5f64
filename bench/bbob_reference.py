"""Our BBOB functions against COCO's own, `coco-experiment`.

python bench/bbob_reference.py                  # the whole table: values, minima and their places
python bench/bbob_reference.py --write          # tests/data/bbob.json anew
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent.parent / "tests" / "data" / "bbob.json"
FUNCTIONS, DIMENSIONS = range(1, 25), (2, 3, 5, 10, 20, 40)
INSTANCES = (1, 2, 3, 4, 5, *range(71, 81))
SAMPLED = {2: (1, 80), 3: (2, 76), 5: (3, 71), 10: (4, 72), 20: (5, 74), 40: (1, 78)}  # dimension: instances
TOLERANCE = 1e-9


def point(dimension, k):
    """Point k of the test data, made of whole numbers: the same bits everywhere. Odd ones leave the box."""
    j = np.arange(1, dimension + 1)
    x = (7919 * j * (k + 1) + 104_729 * k) % 10_007 / 10_007 * 10 - 5
    return 1.2 * x if k % 2 else x


def coco(function, dimension, instance):
    import cocoex

    return cocoex.BareProblem("bbob", function, dimension, instance)


def write():
    """Values at two points, and the minimum, of a sample of instances."""
    rows = [
        [f, d, i, *(p(point(d, k)) for k in (0, 1)), p.best_value()]
        for f in FUNCTIONS
        for d in DIMENSIONS
        for i in SAMPLED[d]
        for p in [coco(f, d, i)]
    ]
    head = "coco-experiment's values at points 0 and 1 of bench/bbob_reference.py, which wrote this file"
    lines = ",\n".join(json.dumps(row) for row in rows)
    DATA.write_text(f'{{"about": "{head}",\n"function, dimension, instance, values, minimum": [\n{lines}\n]}}\n')


def check(points=5):
    """Largest relative difference of values, at random points, one in four outside the box, and of minima."""
    from thalweg.kernels import objective
    from thalweg.kernels.functions.bbob import bbob

    random, worst = np.random.default_rng(1), {}
    for f in FUNCTIONS:
        worst[f] = 0.0
        for d in DIMENSIONS:
            for i in INSTANCES:
                ours, theirs = bbob(f, d, i), coco(f, d, i)
                x = random.uniform(-5, 5, (points, d))
                x[::4] *= 1.2
                bound = objective(ours.fun, check=False).bind(ours.args, x[:1])
                x_opt = np.array(theirs.best_parameter())
                assert np.abs(ours.minimum.x - x_opt).max() < 1e-9, (f, d, i, "x_opt")
                assert abs(ours.minimum.fun - theirs.best_value()) < 1e-12, (f, d, i, "f_opt")
                assert abs(bound.evaluate(x_opt[None])[0] - theirs(x_opt)) < 1e-9, (f, d, i, "f(x_opt)")
                values = np.array([theirs(row) for row in x])
                difference = np.abs(bound.evaluate(x) - values) / np.abs(values)
                worst[f] = max(worst[f], difference.max())
        print(f"f{f}: {worst[f]:.1e}", flush=True)
    print(f"{len(FUNCTIONS) * len(DIMENSIONS) * len(INSTANCES)} problems, largest relative difference of values:")
    print(f"{max(worst.values()):.1e}, {TOLERANCE:g} is asked for")
    return max(worst.values()) <= TOLERANCE


def check_record():
    """The record that is made in compiled code against a loop over the same points."""
    from bbob_record import TARGETS, Run

    random = np.random.default_rng(1)
    for f in (1, 8, 21):
        run = Run(f, 3, 2, 3000)
        points = run.problem.minimum.x + random.normal(size=(3000, 3)) * np.geomspace(3, 1e-5, 3000)[:, None]
        gaps = [run.point(x) - run.problem.minimum.fun for x in points if not run.over]
        best = np.minimum.accumulate(gaps)
        hits = [int(np.argmax(best <= target)) + 1 for target in TARGETS if best[-1] <= target]
        assert run.hits() == hits and len(hits) > 10, (f, run.hits(), hits)
        now = run.now
        at, noted = now["check_at"][: now["checks"]], now["check_gap"][: now["checks"]]
        assert (noted == best[at - 1]).all() and len(at) > 20
    print("the record is that of a loop in Python")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    sys.exit(write() if parser.parse_args().write else not check())
