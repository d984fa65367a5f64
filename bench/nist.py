"""NIST's non-linear regression problems: does `minimize(method="auto")` find the certified sums of squares?

    python bench/nist.py [--seeds 5] [--restarts 1] [NAME ...]

The box is [-10 m, 10 m] per parameter, m the largest absolute value of it among NIST's two starting points and the
certified answer, with 0 for the end whose sign none of the three has. The budget is 100,000 evaluations per parameter,
restarts included. A set passes when the median over the seeds agrees with the certified sum to 6 digits.
"""

import argparse
import math
import re
import statistics
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from thalweg.kernels import Minimum, Problem

DATA = Path(__file__).parents[1] / "tests" / "data" / "nist"
BUDGET = 100_000  # evaluations per parameter
DIGITS = 6


# --- the models, as a user would write them ----------------------------------------------------------------------


def box_bod(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] * (1.0 - math.exp(-b[1] * x[i]))) ** 2
    return total


def chwirut(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - math.exp(-b[0] * x[i]) / (b[1] + b[2] * x[i])) ** 2
    return total


def dan_wood(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] * x[i] ** b[1]) ** 2
    return total


def eckerle(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] / b[1] * math.exp(-0.5 * ((x[i] - b[2]) / b[1]) ** 2)) ** 2
    return total


def gauss(b, x, y):
    total = 0.0
    for i in range(len(x)):
        baseline = b[0] * math.exp(-b[1] * x[i])
        first = b[2] * math.exp(-((x[i] - b[3]) ** 2) / b[4] ** 2)
        second = b[5] * math.exp(-((x[i] - b[6]) ** 2) / b[7] ** 2)
        total += (y[i] - baseline - first - second) ** 2
    return total


def lanczos(b, x, y):
    total = 0.0
    for i in range(len(x)):
        value = 0.0
        for k in range(0, 6, 2):
            value += b[k] * math.exp(-b[k + 1] * x[i])
        total += (y[i] - value) ** 2
    return total


def mgh17(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] - b[1] * math.exp(-x[i] * b[3]) - b[2] * math.exp(-x[i] * b[4])) ** 2
    return total


def misra_b(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] * (1.0 - (1.0 + b[1] * x[i] / 2.0) ** -2)) ** 2
    return total


def misra_d(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] * b[1] * x[i] / (1.0 + b[1] * x[i])) ** 2
    return total


def rat42(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] / (1.0 + math.exp(b[1] - b[2] * x[i]))) ** 2
    return total


def rat43(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] / (1.0 + math.exp(b[1] - b[2] * x[i])) ** (1.0 / b[3])) ** 2
    return total


def roszman(b, x, y):
    total = 0.0
    for i in range(len(x)):
        total += (y[i] - b[0] + b[1] * x[i] + math.atan(b[2] / (x[i] - b[3])) / math.pi) ** 2
    return total


MODELS = {
    "BoxBOD": box_bod,
    "Chwirut2": chwirut,
    "DanWood": dan_wood,
    "Eckerle4": eckerle,
    "Gauss1": gauss,
    "Gauss3": gauss,
    "Lanczos2": lanczos,
    "MGH17": mgh17,
    "Misra1b": misra_b,
    "Misra1d": misra_d,
    "Rat42": rat42,
    "Rat43": rat43,
    "Roszman1": roszman,
}


# --- the data ----------------------------------------------------------------------------------------------------


class Dataset(NamedTuple):
    """One of NIST's files."""

    x: np.ndarray  # (n,) predictor
    y: np.ndarray  # (n,) response
    starts: np.ndarray  # (2, p) NIST's starting points
    certified: np.ndarray  # (p,) certified parameters
    rss: float  # certified residual sum of squares


def read(name: str) -> Dataset:
    """Parse a file of NIST: 60 lines of header, then the columns y and x."""
    lines = (DATA / f"{name}.dat").read_text("ascii").splitlines()
    header = "\n".join(lines[:60])
    rows = re.findall(r"^\s*b\d+ =\s+(\S+)\s+(\S+)\s+(\S+)\s+\S+\s*$", header, re.MULTILINE)
    rss = re.search(r"Residual Sum of Squares:\s+(\S+)", header)
    assert rows and rss, f"{name}.dat is not in NIST's format"
    first, second, certified = np.array(rows, dtype=np.float64).T
    y, x = np.loadtxt(lines[60:], unpack=True)
    return Dataset(x, y, np.array([first, second]), certified, float(rss[1]))


def load(name: str) -> Problem:
    """One of the 13 as a `Problem`."""
    data = read(name)
    seen = np.vstack([data.starts, data.certified])
    reach = 10 * np.abs(seen).max(axis=0)
    return Problem(
        fun=MODELS[name],
        bounds=np.column_stack([np.where(seen.min(axis=0) < 0, -reach, 0), np.where(seen.max(axis=0) > 0, reach, 0)]),
        args=(data.x, data.y),
        names=[f"b{k + 1}" for k in range(len(data.certified))],
        minimum=Minimum(data.certified, data.rss),
        reference=f"NIST StRD, non-linear regression, {name}",
    )


def digits(value: float, certified: float) -> float:
    """The number of digits that agree: the negative logarithm of the relative error, 11 where NIST's figures end."""
    if not math.isfinite(value):
        return 0.0
    error = abs(value - certified) / abs(certified)
    return min(11.0, max(0.0, -math.log10(error))) if error else 11.0


# --- the benchmark -----------------------------------------------------------------------------------------------


def main() -> None:
    from common import machine, save, table, versions

    from thalweg.solvers import minimize

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MODELS)}; default all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--restarts", type=int, default=1, help="the budget is divided among them")
    parser.add_argument("--method", default="auto")
    options = parser.parse_args()
    for name in options.names:
        if name not in MODELS:
            parser.error(f"{name} is not one of {', '.join(MODELS)}")

    names = options.names or list(MODELS)
    rows = []
    for name in names:
        problem = load(name)
        budget = BUDGET * problem.dimension
        agreed, found, evaluations, seconds = [], [], [], []
        for seed in range(1, options.seeds + 1):
            begin = time.perf_counter()
            result = minimize(
                problem.fun,
                problem.bounds,
                args=problem.args,
                method=options.method,
                seed=seed,
                restarts=options.restarts,
                max_evals=budget // options.restarts,
            )
            seconds.append(time.perf_counter() - begin)
            assert result.nfev <= budget, f"{name}: {result.nfev} evaluations, allowed are {budget}"
            agreed.append(digits(result.fun, problem.minimum.fun))
            found.append(result.fun)
            evaluations.append(result.nfev)
        row = Row(
            name, problem.dimension, statistics.median(agreed), min(agreed), problem.minimum.fun,
            statistics.median(found), max(evaluations), statistics.median(seconds),
        )  # fmt: skip
        rows.append(row)
        print(*row.cells(), sep="  ", flush=True)
    passed = sum(row.digits >= DIGITS for row in rows)
    head = ["set", "p", "digits, median", "digits, worst", "certified", "found, median", "evaluations", "s"]
    text = f"""# NIST non-linear regression

method={options.method}, {options.seeds} seeds, {options.restarts} run(s) each.

{machine()}

{versions()}

{table(head, [row.cells() for row in rows])}

{passed} of {len(rows)} to {DIGITS} digits or more (median of the seeds), at most {BUDGET:,} evaluations per parameter.
"""
    print(text)
    if not options.names:
        save("nist", [row._asdict() for row in rows], text)


class Row(NamedTuple):
    name: str
    parameters: int
    digits: float
    worst: float
    certified: float
    found: float
    evaluations: int
    seconds: float

    def cells(self) -> list[str]:
        numbers = f"{self.digits:.1f}", f"{self.worst:.1f}", f"{self.certified:.10e}", f"{self.found:.10e}"
        return [self.name, str(self.parameters), *numbers, f"{self.evaluations:,}", f"{self.seconds:.2f}"]


if __name__ == "__main__":
    main()
