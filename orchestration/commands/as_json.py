"""A result in JSON's types, for `thalweg run --json`."""

from __future__ import annotations

import json

from ...kernels.problem import Problem
from ...solvers.driving.result import Result
from ...solvers.driving.telling import in_words, plain


def as_json(problem, name: str, result: Result) -> str:
    """The whole result, and what is known of the problem, in JSON's types; null stands for inf and nan."""
    return json.dumps(plain({**_known(problem, name), **in_words(result)}), indent=2, allow_nan=False)


def _known(problem, name: str) -> dict:
    """What a Problem says of itself; of a function its name."""
    if not isinstance(problem, Problem):
        return {"problem": {"name": name}}
    known = problem.minimum
    return {
        "problem": {"name": name, "reference": problem.reference, "names": problem.names, "bounds": problem.bounds},
        "minimum": None if known is None else {"x": known.x, "fun": known.fun},
    }
