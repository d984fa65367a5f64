"""Answers of all solvers, bit for bit, kept in data/answers.json: what a rewrite of the engine must not change.

    python tests/answers.py --write

writes that file from the code that is imported; test_answers.py compares. The problems use + - * /, abs, min, max,
sqrt, floor and comparisons alone, with strict arithmetic: they have the same bits on any CPU, compiled or in Python."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import thalweg.kernels
from thalweg.kernels import objective
from thalweg.orchestration import islands
from thalweg.solvers import Optimizer, StopReason, minimize

FILE = Path(__file__).parent / "data" / "answers.json"
RESTARTS, ISLANDS = 3, 3
METHODS = ("random_search", "de", "lshade", "jso", "lsrtde")  # of which there are answers
NO_POPULATION = ("random_search",)  # takes no ftol, and no part in islands


# --- problems ----------------------------------------------------------------------------------------------------


def bowl(x, shift, weight):
    total = 0.0
    for i in range(x.size):
        total += weight[i] * (x[i] - shift[i]) * (x[i] - shift[i])
    return total


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        bend = x[i + 1] - x[i] * x[i]
        total += 100.0 * bend * bend + (1.0 - x[i]) * (1.0 - x[i])
    return total


def steps(x):
    """Plateaus: many points have the same value."""
    total = 0.0
    for i in range(x.size):
        total += np.floor(abs(x[i] - 0.3))
    return total


def mixed(x, scale):
    total = 0.0
    for i in range(x.size):
        d = x[i] - 0.7 * i
        total += d * d / scale + abs(d)
    return total + x[0] * x[1] - 0.25 * x[2] * x[3]


def holes(x):
    """NaN in a corner and in a band."""
    if (x[0] > 1.0 and x[1] > 0.5) or 0.0 < x[2] < 0.4:
        return np.nan
    return x[0] * x[0] + 2.0 * (x[1] + 1.0) * (x[1] + 1.0) + abs(x[2] - 0.5) - 3.0


def walls(x):
    """inf outside a ring."""
    square = 0.0
    for i in range(x.size):
        square += x[i] * x[i]
    if square < 1.0 or square > 30.0:
        return np.inf
    return np.sqrt(square) + 2.0 * abs(x[0] - x[1]) - x[2]


def ranges(x):
    """Variables of 20 orders of magnitude, values of 140."""
    r = x[0] * x[0] + 1e20 * x[1] * x[1] + abs(x[2])
    return r * r * r * r * r * r * r + 1e-5 * r


def pinned(x):
    """The box gives x[2] one value."""
    total = 3.0 * x[2]
    for i in range(x.size):
        total += (i + 1) * abs(x[i] - 0.1 * i)
    return total


def early(x):
    return (x[0] - 1.0) * (x[0] - 1.0) + (x[1] + 2.0) * (x[1] + 2.0)


def level(x):
    return 1.0 + 0.5 * abs(x[0] - 0.5) + 0.25 * x[1] * x[1]


def joint(x, matrix, target):
    """Not separable, not smooth: the largest of the residuals, and their length."""
    worst, square = 0.0, 0.0
    for i in range(matrix.shape[0]):
        residual = -target[i]
        for j in range(x.size):
            residual += matrix[i, j] * x[j]
        worst = max(worst, abs(residual))
        square += residual * residual
    return worst + 0.1 * np.sqrt(square)


def ripples(x):
    """Many valleys, by triangular waves; separable, so that L-SHADE comes to the terminal value of CR."""
    total = 0.0
    for i in range(x.size):
        wave = abs(x[i] - np.floor(x[i] + 0.5))
        total += 0.05 * x[i] * x[i] + min(wave, 0.4)
    return total


@dataclass(frozen=True)
class Case:
    """A problem and how it is run."""

    fun: Any
    bounds: list
    seed: int
    max_evals: int
    common: dict = field(default_factory=dict)  # further arguments of minimize
    options: dict = field(default_factory=dict)  # by method
    population: int | None = None  # of all methods; None: their own
    exchange: dict = field(default_factory=dict)  # arguments of islands

    def arguments(self, method: str) -> dict:
        """What `minimize`, `restarts` and `islands` take, beside fun."""
        common = {k: v for k, v in self.common.items() if not (k == "ftol" and method in NO_POPULATION)}
        size = {} if self.population is None else {"population": self.population}
        options = size | self.options.get(method, {})
        own = {"method": method, "seed": self.seed, "max_evals": self.max_evals, "options": options}
        return {"bounds": self.bounds} | common | own

    def objective(self, compiled: bool = True):
        return objective(self.fun, precise=True, compiled=compiled)


SHIFT = np.array([0.5, -1.25, 2.0, 0.1, -0.3, 3.0, -2.0, 1.0, 0.0, -4.0])
WEIGHT = np.array([1.0, 10.0, 0.1, 3.0, 1.0, 0.5, 100.0, 1.0, 0.01, 2.0])
MATRIX = np.array([[3.0, -1.0, 0.5], [0.25, 2.0, -1.0], [1.0, 1.0, 1.0], [-2.0, 0.0, 4.0]])
TARGET = np.array([1.0, -0.5, 2.0, 0.75])
POINTS = [[1.5, 1.0, 0.9], [-1.0, 2.0, -0.75], [0.5, 0.25, 0.2]]  # the first and the last give NaN

CASES = {
    "bowl": Case(
        bowl, [(-5.0, 5.0)] * 10, seed=1, max_evals=2999, common={"args": (SHIFT, WEIGHT)},
        exchange={"every": 3},
    ),
    "valley": Case(
        valley, [(-2.0, 3.0)] * 5, seed=2**64 - 1, max_evals=1777, common={"x0": [-1.0, 2.0, 0.5, 0.0, 1.0]},
        options={"de": {"strategy": "best1bin", "weight": 0.7}, "lshade": {"memory": 3}}, population=30,
        exchange={"every": 7, "topology": "random"},
    ),
    "steps": Case(
        steps, [(-400.0, 600.0)] * 4, seed=3, max_evals=1111,
        options={"de": {"strategy": "currenttobest1bin"}, "jso": {"archive": 0.0}}, population=25,
        exchange={"every": 5, "topology": "fully_connected"},
    ),
    "mixed": Case(
        mixed, [(-3.7, 8.2), (-6.0, 6.0), (-20.0, 20.0), (-5.5, 5.5), (0.5, 9.0), (-1.0, 30.0)], seed=4, max_evals=1501,
        common={"args": (2.5,), "integrality": [True, False, True, False, False, True]},
        options={"de": {"strategy": "rand1exp", "crossover": 0.6}, "lsrtde": {"memory": 2}},
        exchange={"every": 4, "migrants": 2},
    ),
    "holes": Case(
        holes, [(-3.0, 3.0), (-3.0, 3.0), (-1.0, 1.0)], seed=0, max_evals=907, common={"x0": POINTS},
        options={"de": {"strategy": "best1exp"}, "lshade": {"archive": 0.0}}, population=22,
        exchange={"every": 6, "topology": "random"},
    ),
    "walls": Case(
        walls, [(-6.0, 6.0)] * 4, seed=6, max_evals=1403,
        options={"de": {"strategy": "currenttobest1exp"}, "jso": {"memory": 2, "best_share": 1.0}}, population=32,
        exchange={"every": 5, "topology": "fully_connected", "migrants": 3},
    ),
    "ranges": Case(
        ranges, [(-1e10, 3e10), (-1.0, 0.5), (-1e3, 1e4)], seed=7, max_evals=1009,
        options={"lshade": {"best_share": 0.5}}, exchange={"every": 4},
    ),
    "pinned": Case(
        pinned, [(-1.0, 2.0), (-9.0, 9.0), (0.25, 0.25), (-3.0, 3.0), (0.0, 50.0)], seed=8, max_evals=1201,
        options={"de": {"crossover": 0.0}}, population=18, exchange={"every": 10, "topology": "random"},
    ),
    "early": Case(
        early, [(-5.0, 5.0)] * 2, seed=9, max_evals=3000, common={"target": 0.01}, population=16,
        exchange={"every": 3},
    ),
    "level": Case(
        level, [(-4.0, 4.0)] * 2, seed=10, max_evals=2500, common={"ftol": 0.02, "patience": 9},
        options={"de": {"strategy": "currenttobest1bin", "weight": 0.9}}, population=24,
        exchange={"every": 4, "topology": "fully_connected"},
    ),
    "joint": Case(
        joint, [(-10.0, 10.0)] * 3, seed=11, max_evals=601, common={"args": (MATRIX, TARGET), "patience": 40},
        exchange={"every": 5},
    ),
    "ripples": Case(
        ripples, [(-8.0, 7.0)] * 8, seed=12, max_evals=503,
        options={"de": {"weight": 1.1}, "lshade": {"archive": 0.0, "memory": 1}}, population=8,
        exchange={"every": 9, "topology": "random", "migrants": 2},
    ),
}  # fmt: skip


# --- answers -----------------------------------------------------------------------------------------------------


def bits(result) -> dict:
    """What must not change, as JSON; neither `success` nor the message."""
    found = {
        "x": [float(value).hex() for value in result.x],
        "fun": float(result.fun).hex(),
        "nfev": int(result.nfev),
        "nit": int(result.nit),
        "n_failed": int(result.n_failed),
        "stop": result.stop_reason.name.lower(),
    }
    if "history" in result:
        evaluations = result.history["evaluations"].astype(np.float64)  # as when the answers were written
        found["history"] = digest(evaluations, result.history["best"])
    return found


def bits_of_runs(result) -> dict:
    """The same of several runs or islands, with a line for each: number, value, evaluations, generations, why."""
    found = bits(result)
    found.pop("history", None)  # `restarts` keeps none
    found["runs"] = [
        f"{r['run']} {float(r['fun']).hex()} {r['nfev']} {r['nit']} {r['n_failed']} {stop_name(r['stop'])}"
        for r in result.runs
    ]
    found["points"] = digest(result.runs["x"])
    return found


def bits_of_islands(result) -> dict:
    more = {"history": bits(result)["history"], "epochs": result.epochs, "migrations": result.migrations}
    return bits_of_runs(result) | more


def stop_name(number) -> str:
    return StopReason(int(number)).name.lower()


def digest(*arrays) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[:16]


def serial(case: Case, method: str) -> dict:
    return bits(minimize(case.objective(), threads=1, **case.arguments(method)))


def several(case: Case, method: str) -> dict:
    return bits_of_runs(minimize(case.objective(), restarts=RESTARTS, threads=1, **case.arguments(method)))


def apart(case: Case, method: str, **where) -> dict:
    arguments = {"islands": ISLANDS} | case.exchange | case.arguments(method)
    return bits_of_islands(islands(case.objective(), **arguments, **where))


# --- the file ----------------------------------------------------------------------------------------------------


def final_population(case: Case, method: str) -> np.ndarray:
    """The points that a run ends with; reaches into the state of an Optimizer."""
    arguments = case.arguments(method)
    bound = case.objective().bind(arguments.pop("args", ()), np.zeros(len(arguments["bounds"])))
    optimizer = Optimizer(**arguments)
    while not optimizer.done:
        optimizer.tell(bound.evaluate(optimizer.ask()))
    return optimizer.state.x[: optimizer.state.rows[0].live]


def write() -> None:
    modes: dict = {"serial": {}, "restarts": {}, "islands": {}}
    for method in METHODS:
        for name, case in CASES.items():
            answer = serial(case, method)
            print(f"{method:>14} {name:<8} {float.fromhex(answer['fun']):<12.5g} {answer['nfev']:>5} {answer['stop']}")
            modes["serial"].setdefault(method, {})[name] = answer
            modes["restarts"].setdefault(method, {})[name] = several(case, method)
            if method not in NO_POPULATION:
                # Equal points move no more, and so would hide a change.
                assert len(np.unique(final_population(case, method), axis=0)) > 1, "the population is one point"
                modes["islands"].setdefault(method, {})[name] = apart(case, method, threads=1)
    source = Path(next(iter(thalweg.kernels.__path__))).parent  # of the code that is imported
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=source, capture_output=True, text=True)
    header = {"commit": commit.stdout.strip(), **minimize(early, [(-5, 5)] * 2, max_evals=10).versions}
    FILE.write_text(json.dumps({"written by": header, **modes}, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
