"""From what the user wrote to what a run needs: each argument checked before anything is compiled or run."""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import numbers
import os
import types
import typing
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...kernels.calling.asking import QUESTIONS
from ...kernels.calling.c_functions import c_pointer
from ...kernels.calling.objective import Objective
from ...kernels.compile.jit import available_threads
from ...kernels.given import as_word
from ...kernels.problem import Problem
from ...kernels.reals import NotReal, real_array, shortened
from ..contract import UNLIMITED, Limits, Solver
from ..registry import SOLVERS
from .method_names import find_method

OFFERED = frozenset({"value", "gradient", "product", "hessian"})  # what a solver may ask of a problem today
EVALUATIONS_PER_VARIABLE = 10_000  # the default budget of a run; the schedules of the adaptive family are made for it
FOREVER = 1e9  # seconds: from here on, and so inf, no limit
MOST = 2**62  # a count is below, so that sums of counts are 64-bit numbers
DEVICES = ("cpu", "cuda")
ROWS_PER_VARIABLE = 9  # of an average generation of L-SHADE: what an iteration may cost
# Where units wait for something else (a simulation elsewhere, a network), far more than cores make sense. Beyond this a
# number is a slip, and the system refuses in the midst of it.
MOST_OF = {"threads": 1024, "workers": 256}  # a worker is a Python of its own, of about 100 MB
MOST_OF_PORTFOLIO = 1000  # variables: its memory grows with their square
CHOSEN_BY_AUTO = ("portfolio", "lshade", "jso", "lsrtde", "l_bfgs_b", "nelder_mead")


def choose_method(problem: Problem, limits: Limits, options: Any = None, rows: bool = False) -> str:
    """`method="auto"`: one of CHOSEN_BY_AUTO; a local method where there is no box.

    In a box the portfolio, but for whole numbers, several points to begin with, options of a population, very many
    variables (its matrices), and where a generation is evaluated at once (rows). There it is one of DE's family:
    bench/results/quality.md: at 2,000 D evaluations in 30-D L-SHADE leads, at 10,000 D in 10-D jSO; at 10,000 D in 30-D
    L-SRTDE leads in the CEC 2017 results of others. The border between short and long lies between the two measured.
    """
    if not np.isfinite(problem.bounds).all():
        smooth = isinstance(problem.fun, Objective) and problem.fun.compiled and c_pointer(problem.fun.function) is None
        return "l_bfgs_b" if smooth and not problem.integrality.any() else "nelder_mead"
    together = rows or (isinstance(problem.fun, Objective) and problem.fun.vectorized)
    several = problem.x0 is not None and len(problem.x0) > 1
    if not (together or several or options or problem.integrality.any() or problem.dimension > MOST_OF_PORTFOLIO):
        return "portfolio"
    evaluations = limits.max_evals
    if limits.max_iterations:
        evaluations = min(evaluations, limits.max_iterations * ROWS_PER_VARIABLE * problem.dimension)
    if evaluations < 5_000 * problem.dimension:
        return "lshade"
    return "jso" if problem.dimension < 20 else "lsrtde"


def find_solver(method, problem: Problem, limits: Limits, options: Any = None, rows: bool = False) -> Solver:
    """The method that is meant, or that `auto` chooses."""
    found = find_method(method)
    return found if isinstance(found, Solver) else SOLVERS[choose_method(problem, limits, options, rows)]


def make_options(solver: Solver, options):
    """The options of a solver from a mapping, or as they are."""
    if isinstance(options, solver.Options):
        options = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    if options is None:
        return solver.Options()
    if not isinstance(options, typing.Mapping):
        raise TypeError(f"options: got {type(options).__name__}, expected a dict or {solver.name}.Options")
    known = {field.name: field for field in dataclasses.fields(solver.Options)}
    hints = typing.get_type_hints(solver.Options)
    converted = {}
    for name, value in options.items():
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"options: {solver.name} has no option {name!r}; {hint}it has {', '.join(known)}")
        converted[name] = _of_type(name, value, hints[name])
    return solver.Options(**converted)


def _of_type(name: str, value, hint):
    """The value of an option as its annotation asks for it."""
    allowed = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if value is None and type(None) in allowed:
        return None
    if any(typing.get_origin(kind) is tuple for kind in allowed):
        return _rows(name, value)
    if int in allowed:
        return as_integer(name, value)
    if float in allowed:
        number = as_real(name, value)
        if math.isinf(number):
            raise ValueError(f"{name}: got {value!r}, expected a finite number")
        return number
    if bool in allowed and isinstance(value, bool | np.bool_):
        return bool(value)
    if str in allowed and isinstance(value, str):
        return value
    raise TypeError(f"{name}: got {value!r}, expected {' or '.join(kind.__name__ for kind in allowed)}")


def _rows(name: str, value) -> tuple[tuple[float, ...], ...]:
    """A matrix as an option: tuples, which compare, and go to JSON."""
    try:
        matrix = real_array(value)
    except NotReal as error:
        raise TypeError(f"{name}: got {shortened(value)}, {error}; expected a matrix of numbers") from error
    if matrix.size == 0:
        raise TypeError(f"{name}: got {shortened(value)}, expected a matrix of numbers")
    if matrix.ndim != 2:
        raise ValueError(f"{name}: got an array of shape {matrix.shape}, expected a matrix")
    return tuple(map(tuple, matrix.tolist()))


def as_integer(name: str, value) -> int:
    number = as_real(name, value, "a whole number")
    if not (math.isfinite(number) and number == math.floor(number)):
        raise TypeError(f"{name}: got {value!r}, expected a whole number")
    return int(value)


def as_real(name: str, value, expected: str = "a number") -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or value != value:
        raise TypeError(f"{name}: got {value!r}, expected {expected}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name}: got a number beyond 1.8e308, expected {expected}") from None


def as_positive_real(name: str, value) -> float:
    value = as_real(name, value)
    if value <= 0:
        raise ValueError(f"{name}: got {value}, expected a number above 0")
    return value


def as_max_time(value) -> float | None:
    """Seconds; None where there is no limit: of the time alone a run without an end would be asked for."""
    if value is None:
        return None
    seconds = as_positive_real("max_time", value)
    return seconds if seconds < FOREVER else None


def make_limits(dimension: int, max_evals, target, ftol, patience, max_iters=None) -> Limits:
    iterations = 0 if max_iters is None else make_positive("max_iters", max_iters)
    if max_evals is None:
        max_evals = UNLIMITED if iterations else EVALUATIONS_PER_VARIABLE * dimension
    max_evals = as_integer("max_evals", max_evals)
    if not 0 < max_evals < MOST:
        raise ValueError(f"max_evals: got {max_evals}, expected at least 1 evaluation, and fewer than 2**62")
    if ftol is not None and as_real("ftol", ftol) < 0:
        raise ValueError(f"ftol: got {ftol}, expected a number that is not negative")
    ftol = -1.0 if ftol is None else float(ftol)
    patience = 0 if patience is None else make_positive("patience", patience)
    target = -np.inf if target is None else as_real("target", target)
    return Limits(max_evals, target, ftol, patience, iterations)


def make_seed(seed) -> int:
    """A seed of 64 bits; None draws one from the system, a generator of NumPy gives one."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(2**63))
    if isinstance(seed, np.random.RandomState):
        return int(seed.randint(2**31 - 1))
    if seed is None:
        return int.from_bytes(os.urandom(8), "little") >> 1
    if isinstance(seed, bool | np.bool_) or not isinstance(seed, numbers.Integral):
        raise TypeError(f"seed: got {seed!r}, expected a whole number or None")
    number = int(seed)
    if not 0 <= number < 2**64:
        raise ValueError(f"seed: got {seed}, expected 0 <= seed < 2**64")
    return number


def make_run_number(run) -> int:
    number = as_integer("run", run)
    if not 0 <= number < MOST:
        raise ValueError(f"run: got {number}, expected 0 <= run < 2**62")
    return number


def make_positive(name: str, value, below: float = MOST) -> int:
    value = as_integer(name, value)
    if value < 1:
        raise ValueError(f"{name}: got {value}, expected at least 1")
    if value >= below:
        raise ValueError(f"{name}: got {value}, expected a number below 2**62")
    return value


def check_memory(population: int | None, dimension: int) -> None:
    """Refuse a population that is larger than the memory of the machine. The points alone: no method needs less."""
    size = 8 * (population or 0) * dimension
    if size > memory():
        there = f"{memory() / 2**30:.3g} GiB of memory"
        raise ValueError(f"population: got {population}, whose points take {size / 2**30:.3g} GiB; there are {there}")


@functools.cache
def memory() -> float:
    """Bytes of the machine; inf where it does not say."""
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return math.inf


def count_of(name: str, value) -> int:
    """How many threads or worker processes: the argument of that name. None: one for each core."""
    cores = available_threads()
    if value is None:
        return cores
    count, most = make_positive(name, value), max(MOST_OF[name], 4 * cores)
    if count > most:
        raise ValueError(f"{name}: got {count}, expected at most {most} on the {cores} cores of this machine")
    return count


USES = (  # arguments, what they give, and the questions that it answers
    ("jac", "gradient", frozenset({"gradient"})),
    ("hess", "Hessian", frozenset({"hessian", "product"})),
    ("hessp", "products with the Hessian", frozenset({"hessian", "product"})),
)


def check_fits(solver: Solver, problem: Problem, limits: Limits, **derivatives) -> None:
    """Refuse what a method cannot do, and the arguments that have no meaning for it."""
    name = solver.name
    for question in sorted(solver.asks - OFFERED):
        raise ValueError(f"method: {name} asks for {QUESTIONS[question]}, which this problem does not have")
    for argument, what, questions in USES:
        may = solver.asks | solver.wishes | ({"gradient"} if solver.may_ask is not None else set())
        if derivatives.get(argument) is not None and not may & questions:
            if not solver.local:
                raise ValueError(f"{argument}: {name} uses no {what}; leave it out")
            warnings.warn(f"{argument}: {name} uses no {what}; it is left out", RuntimeWarning, stacklevel=5)
    if limits.ftol >= 0 and not solver.converges:
        raise ValueError(f"ftol: {name} keeps no values that could converge; use max_evals, target or patience")
    if problem.integrality.any() and not solver.integers:
        raise ValueError(f"integrality: {name} takes no whole numbers; use another method, or leave it out")
    if solver.domain == "box":
        problem.require_box(name)
    if problem.x0 is None and not np.isfinite(problem.bounds).all():
        raise ValueError(f"x0: {name} needs a point to begin with where the bounds are not finite")


@dataclass(frozen=True)
class Plan:
    """How the runs of a call are carried out; nothing in it changes an answer, but for the clock."""

    runs: int | None  # None: until the time is up
    threads: int
    device: str
    max_time: float | None
    each_generation: bool = False  # whether hooks are called after each, or as the clock says


def make_plan(restarts, threads, device, limited, max_time, each_generation=False) -> Plan:
    """limited: whether the length of a run was asked for."""
    runs = make_positive("restarts", restarts)
    max_time = as_max_time(max_time)
    device = as_word("device", device, DEVICES)
    if device == "cuda" and threads is not None:
        raise ValueError("threads: device='cuda' has threads of its own, as many as suit it; leave this out")
    count = count_of("threads", threads)
    endless = max_time is not None and not limited and runs == 1
    return Plan(None if endless else runs, count, device, max_time, each_generation)
