"""What is called: problem, solver, options, limits and seed; checked, and ready to be sent to a worker."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import warnings
from dataclasses import dataclass
from typing import Any

import llvmlite.binding
import numpy as np

from ...kernels.calling.asking import FUNCTIONS
from ...kernels.calling.checking import NotDifferentiable
from ...kernels.calling.derivatives import Derivatives, Wanted, derivatives_of
from ...kernels.calling.objective import CompiledObjective, PythonObjective, objective
from ...kernels.calling.vectors import Pair, value_of
from ...kernels.compile import jit
from ...kernels.compile.fingerprint import VERSIONS, fingerprint, type_text
from ...kernels.compile.structures import check_arrays, numba_type
from ...kernels.problem import Problem, parse_bounds, read_points
from ...kernels.reals import shortened
from ..contract import Key, Limits, Solver, asked_by
from ..registry import SOLVERS
from . import drivers, settings
from .method_names import find_method
from .result import AGREE
from .running import Run, make_run

DERIVED = frozenset({"gradient", "product", "hessian"})  # what derivatives_of finds for a solver
WORTH = 1000  # evaluations for each variable: a shorter run is not worth the compilation of a gradient that it can miss


@dataclass(frozen=True)
class Call:
    """All that decides the bits of every run: run k is `start(call, k, bind(call))`, wherever that happens."""

    problem: Problem
    solver: Solver
    options: Any  # solver.Options
    limits: Limits
    seed: int

    @property
    def asks(self) -> frozenset[str]:
        """What the method asks of the problem."""
        return asked_by(self.solver, self.options, self.problem)


def parse_call(
    fun, bounds=None, x0=None, args=(), *, method="auto", jac=None, hess=None, hessp=None, integrality=None, seed=None,
    max_evals=None, max_iters=None, target=None, ftol=None, patience=None, options=None, polished=False, rows=False,
) -> Call:  # fmt: skip
    """The arguments that `minimize` and its kin share, checked before anything is compiled.

    polished: whether there is a local search behind the method, which uses the derivatives.
    rows: whether "auto" must choose a method that evaluates a generation at once.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    """
    if getattr(find_method(method), "local", False) and bounds is not None and x0 is not None:
        x0 = moved_inside(x0, bounds)
    problem = _problem(fun, bounds, x0, args, integrality, jac=jac, hess=hess, hessp=hessp)
    limits = settings.make_limits(problem.dimension, max_evals, target, ftol, patience, max_iters)
    solver = settings.find_solver(method, problem, limits, options, rows)
    derivatives = {"hess": hess, "hessp": hessp} | ({} if polished else {"jac": jac})
    settings.check_fits(solver, problem, limits, **derivatives)
    made = settings.make_options(solver, options)
    settings.check_memory(getattr(made, "population", None), problem.dimension)
    return Call(problem, solver, made, limits, settings.make_seed(seed))


def bind(call: Call, spread=None) -> CompiledObjective | PythonObjective:
    """The objective of a call, compiled (or loaded from disk) in this process; in Python where workers evaluate it."""
    problem, points = call.problem, _points(call.problem, call.limits.max_evals)
    if spread is not None:
        from .workers import SpreadObjective

        bound = SpreadObjective(objective(problem.fun), problem.args, spread)
    else:
        bound = objective(problem.fun).bind(problem.args, points)
    wanted = Wanted(problem.jac, problem.hess, problem.hessp)
    if call.asks & DERIVED:
        bound.derivatives = _derivatives(call, bound, wanted, points[0])
    elif call.solver.wishes and _has_derivatives(call, bound):
        box = problem.lower, problem.upper
        with contextlib.suppress(NotDifferentiable):
            bound.derivatives = derivatives_of(bound, call.solver.wishes, wanted, *box, points[0])
    return bound


def _derivatives(call: Call, bound, wanted: Wanted, x: np.ndarray) -> Derivatives:
    """What the method asks for; x: where functions of the user's are called first."""
    box = call.problem.lower, call.problem.upper
    if call.solver.asks & DERIVED or wanted.jac is not None:
        return derivatives_of(bound, call.asks, wanted, *box, x)
    # It could do without: differences are good enough where nothing else can be had.
    differences = dataclasses.replace(wanted, jac="2-point")
    if isinstance(bound, CompiledObjective) and bound.form is None:
        return derivatives_of(bound, call.asks, differences, *box, x)
    try:
        return derivatives_of(bound, call.asks, wanted, *box, x)
    except NotDifferentiable:
        return derivatives_of(bound, call.asks, differences, *box, x)


def _has_derivatives(call: Call, bound: CompiledObjective | PythonObjective) -> bool:
    """Whether there may be exact derivatives for a method that can go without; it makes its own differences."""
    if call.problem.jac is not None:
        return not isinstance(call.problem.jac, str)
    compiled = isinstance(bound, CompiledObjective) and bound.form is not None
    return compiled and call.limits.max_evals >= WORTH * call.problem.dimension


def with_default_ftol(call: Call, bound: CompiledObjective | PythonObjective) -> Call:
    """A run in Python ends where its values agree as well as success asks for, unless ftol or a target says otherwise.

    Only where that speaks for the whole box: a method that begins anew there may find another valley.
    """
    limits, plain = call.limits, isinstance(bound, PythonObjective)
    if not plain or limits.ftol >= 0 or limits.target > -np.inf or not call.solver.speaks_for_the_box:
        return call
    return dataclasses.replace(call, limits=dataclasses.replace(limits, ftol=AGREE))


def begin(call: Call, run: int, problem=FUNCTIONS, late: bool = False):
    """The state of a run before its first evaluation.

    problem: the type of what it will ask. late: what it nests is compiled when it is due (drivers.link_late).
    """
    solver = call.solver
    state = solver.init(call.problem, call.options, call.limits, Key(call.seed, run))
    if late:
        drivers.link_late(solver, state)
    else:
        drivers.link(solver, state, problem)
    return check_arrays(solver.State, state, f"solver {solver.name}")


def start(call: Call, run: int, bound: CompiledObjective | PythonObjective, threads: int = 1) -> Run:
    """A run that has not begun."""
    return make_run(call.solver, begin(call, run), run, bound, threads)


def describe(call: Call, bound: CompiledObjective | PythonObjective, device: str = "cpu") -> dict:
    """What the bits of a call hang on, as JSON: what a checkpoint or a journal must share to be gone on with."""
    problem = call.problem
    box = np.ascontiguousarray(problem.bounds).tobytes() + problem.integrality.tobytes()
    points = b"" if problem.x0 is None else np.ascontiguousarray(problem.x0).tobytes()
    return {
        "objective": bound.fingerprint(),
        "box and x0": hashlib.sha256(box + points).hexdigest(),
        "method": call.solver.name,
        "code of the method": code_of(call.solver),
        "options": dataclasses.asdict(call.options),
        "limits": {k: repr(v) for k, v in dataclasses.asdict(call.limits).items()},
        "seed": call.seed,
        "versions": versions(device),
    }


@jit.once
def code_of(solver: Solver) -> str:
    """A digest of the kernels and of the layout of the state: what is gone on with must be the same method."""
    rows = solver.rows
    parts = solver.iterate if rows is None else (rows.propose, rows.learn, rows.select, rows.settle, rows.draw)
    layout = type_text(numba_type(solver.State))
    nested = "".join(code_of(SOLVERS[path.rpartition(".")[2]]) for path in solver.nests)
    return hashlib.sha256(f"{fingerprint((parts,))}{layout}{nested}".encode()).hexdigest()[:16]


def versions(device: str = "cpu") -> dict:
    """What a result's bits hang on, beside the seed."""
    return dict(_versions(device))


@jit.once
def _versions(device: str) -> dict:
    try:
        own = importlib.metadata.version("thalweg")
    except importlib.metadata.PackageNotFoundError:
        own = "not installed"
    found = {"thalweg": own, **VERSIONS, "cpu": llvmlite.binding.get_host_cpu_name()}
    if device == "cuda":
        from ...kernels.cuda import shim

        found |= shim.versions()
    return found


def moved_inside(x0, bounds):
    """The point at which a local method begins: the nearest of the box, with a warning where that is another."""
    point = read_points(x0)
    lower, upper = parse_bounds(bounds, point)
    if point is None or point.shape != lower.shape or not ((point < lower) | (point > upper)).any():
        return x0
    warnings.warn(f"x0: got {shortened(x0)}, outside bounds; the run begins at the nearest point inside", stacklevel=5)
    return np.clip(point, lower, upper)


def _problem(fun, bounds, x0, args, integrality, **derivatives) -> Problem:
    if isinstance(fun, Problem):
        if bounds is not None or not isinstance(args, tuple) or args:
            raise ValueError("bounds, args: a Problem brings its own; change it with dataclasses.replace")
        changes = {"x0": x0, "integrality": integrality, **derivatives}
        return dataclasses.replace(fun, **{k: v for k, v in changes.items() if v is not None})
    jac = derivatives["jac"]
    if isinstance(jac, bool | np.bool_):  # as in SciPy
        derivatives["jac"] = None
        if jac:
            source: Any = objective(fun)
            derivatives["jac"] = Pair(source.function)
            fun = dataclasses.replace(source, function=value_of(source.function))
    return Problem(fun=objective(fun), bounds=bounds, args=args, x0=x0, integrality=integrality, **derivatives)


def _points(problem: Problem, most: int) -> np.ndarray:
    """Where the plain function is called first: x0, a point of the box that no symmetry favours, and two corners.

    At most so many points: a run of two evaluations is not preceded by four.
    """
    lower, upper = problem.lower, problem.upper
    with np.errstate(invalid="ignore"):
        points = [lower + 0.5772156649 * (upper - lower), lower, upper]
    if problem.x0 is not None:
        points.insert(0, problem.x0[0])
    whole = np.clip(np.rint(points), np.ceil(lower), np.floor(upper))
    points = np.where(problem.integrality, whole, points)
    return points[np.isfinite(points).all(axis=1)][:most]
