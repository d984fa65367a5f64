"""The 74 problems without constraints, or with bounds only, on which local methods are compared.

The 43 of `bench/unconstrained.py`, the 11 of `bench/larger.py` and the 20 of `bench/bounded.py`: of Hock and
Schittkowski 4, of More, Garbow and Hillstrom 11, of CUTEst 59. Whoever wants them, a test too, loads this file.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np


def _load(name):
    """A file beside this one: `bench` is a folder of scripts, not a package."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


bounded, larger, unconstrained = _load("bounded"), _load("larger"), _load("unconstrained")


def _free(name, fun, x0, f_ref, args=()):
    return bounded.Bounded(name, fun, x0, np.tile([-np.inf, np.inf], (len(x0), 1)), f_ref, args)


PROBLEMS = sorted(
    [
        *(_free(problem.name, problem.fun, problem.x0, problem.f_ref) for problem in unconstrained.PROBLEMS),
        *(_free(*entry) for entry in larger.PROBLEMS),
        *bounded.PROBLEMS,
    ],
    key=lambda problem: (len(problem.x0), problem.name),
)
