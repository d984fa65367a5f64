"""Arguments as other libraries name them: what each is here, or what to write instead.

Each is taken where it means what ours does, else refused. docs/coming-from.md is made from these tables."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..population.differential_evolution import STRATEGIES
from .settings import as_integer, as_positive_real

Ends = tuple[np.ndarray, np.ndarray]  # lower and upper bounds


@dataclass(frozen=True)
class Taken:
    """An argument that has a name of ours.

    A target `options.NAME` is an option of the method. `value(name, value, box)` is what ours becomes, where it is not
    the same; it refuses what it cannot take.
    """

    to: tuple[str, ...]
    methods: tuple[str, ...] = ()  # that it belongs to; (): all
    else_write: str = ""  # with any other method
    value: Callable[[str, Any, Callable[[], Ends]], Any] | None = None
    overrides: bool = False  # it may stand beside an argument of ours, in whose place it counts


@dataclass(frozen=True)
class Refused:
    """An argument that has no meaning here; what to write instead, and the values that mean what is done anyway."""

    write: str
    harmless: tuple = ()


def _shown(name, value, box) -> bool:
    return float(value) > 0 if isinstance(value, numbers.Real) else bool(value)


def _threads(name, value, box):
    return None if value == -1 else value


def _rows(name, value, box) -> int:
    """SciPy's popsize: rows for each variable, at least 5 in all."""
    return max(int(as_positive_real(name, value) * len(box()[0])), 5)


def _strategy(name, value, box) -> str:
    if value not in STRATEGIES:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(STRATEGIES)}")
    return value


def _weight(name, value, box):
    if isinstance(value, tuple | list):
        raise ValueError(
            f"{name}: got {value!r}: de draws no weight anew for each generation; write options={{'weight': 0.7}}, or "
            f"method='jso', whose weights adapt"
        )
    return value


def _share(name, value, box, option: str = "sigma") -> float:
    """A step in units of x, as pycma's sigma0: ours is a share of the box's width, where there is a box."""
    step, (lower, upper) = as_positive_real(name, value), box()
    widths = upper - lower
    if np.isinf(widths).all():
        return step
    if not (widths == widths[0]).all() or widths[0] == 0:
        raise ValueError(
            f"{name}: got {step} for bounds of several widths; write options={{{option!r}: SHARE}} of each width "
            f"(of 1 where there are no bounds)"
        )
    return step / float(widths[0])


def _half(name, value, box) -> float:
    """fcmaes' input_sigma: a share of half the width."""
    step = as_positive_real(name, value)
    finite = np.isfinite(box()).all(axis=0)
    if finite.any() and not finite.all():
        raise ValueError(f"{name}: got {step} where some bounds are infinite; write options={{'sigma': SHARE}}")
    return 0.5 * step if finite.all() else step


def _jump(name, value, box) -> float:
    """SciPy's stepsize."""
    return _share(name, value, box, "step")


def _and_first(name, value, box) -> int:
    """SciPy's niter: jumps; our first iteration is the local search before them."""
    return as_integer(name, value) + 1


def _local(name, value, box) -> str:
    """SciPy's minimizer_kwargs, where it says which method."""
    names = {"lbfgsb": "l_bfgs_b", "neldermead": "nelder_mead"}
    known = value.get("method") if isinstance(value, dict) and value.keys() <= {"method"} else None
    if value == {}:
        return "auto"
    found = names.get(known.casefold().replace("-", "")) if isinstance(known, str) else None
    if found is None:
        raise ValueError(f"{name}: got {value!r}, expected {{'method': 'L-BFGS-B'}} or 'Nelder-Mead'; {LOCAL_OPTIONS}")
    return found


def _without(name, value, box) -> str:
    return "none" if value else "auto"


def _whole(name, value, box):
    """A limit as SciPy reads it: no whole number is rounded down, inf is no limit (pycma's, too)."""
    if not isinstance(value, float | np.floating) or value != value:
        return value
    return None if value == np.inf else math.floor(value)


def _simplex(name, value, box):
    """SciPy's initial_simplex: D + 1 vertices, D being the length of x0."""
    dimension, shape = len(box()[0]), np.shape(value)
    if shape != (dimension + 1, dimension):
        raise ValueError(
            f"{name}: got shape {shape}, expected ({dimension + 1}, {dimension}): the vertices of a simplex"
        )
    return value


def _each(ours: str, *names: str, **more) -> dict[str, Taken]:
    return {name: Taken((ours,), **more) for name in names}


DE, SIMPLEX, CMA = ("de",), ("nelder_mead",), ("cma_es",)
HOPPING, DUAL = ("basin_hopping",), ("dual_annealing",)
LOCAL_OPTIONS = "jac= and args= are arguments of minimize, the rest of a local search is in options="
BESIDE_HOPPING, BESIDE_DUAL = "write method='basin_hopping' beside it", "write method='dual_annealing' beside it"
FIRST_ORDER = ("gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw")
STEP = "it is the step of first-order methods; leave it out"
NEWTON, REGIONS = ("newton", "newton_cg", "trust_exact"), ("newton_cg", "trust_exact")
NO_REGION = "write method='trust_exact' or 'newton_cg', which have a trust region"
SEARCHES = ("l_bfgs_b", "bfgs", "nonlinear_cg")  # along a line
GRADIENTS = (*SEARCHES, *NEWTON, *FIRST_ORDER, "auto")
NO_SEARCH = "write method='l_bfgs_b', 'bfgs' or 'nonlinear_cg', which search along lines"
POPSIZE = "it is a multiple of D in SciPy, a number of points in pycma; write options={'population': POINTS}"
TAKEN: dict[str, Taken] = {
    **_each(
        "max_iters", "maxiter", "max_iter", "maxiters", "n_gen", "gen", "generations", "n_iter", value=_whole,
    ),
    **_each(
        "max_evals", "maxfun", "maxfev", "max_nfev", "maxfevals", "max_evaluations", "max_fun_evals", "n_eval",
        "maxeval", "n_trials", "n_calls", "budget", value=_whole,
    ),
    **_each("max_time", "timeout", "maxtime"),
    **_each("seed", "random_state", "rng", "rg"),
    **_each("progress", "disp", "verbose", "show_progress_bar", "verb_disp", value=_shown),
    **_each("threads", "n_jobs", value=_threads),
    **_each("target", "ftarget", "stop_fitness", "target_value"),
    **_each("x0", "guess"),
    **_each("restarts", "num_retries", "n_restarts", "runs"),
    **_each("runs", "restarts"),  # of the door `restarts`, which the line before is not for
    **_each("bounds.lower", "lb", "xl"),
    **_each("bounds.upper", "ub", "xu"),
    **_each("options.population", "pop_size", "population_size"),
    "tol": Taken(("ftol",)),
    "fatol": Taken(("ftol",), SIMPLEX, "write ftol=, which is relative to the best value"),
    "xatol": Taken(("options.xtol",), SIMPLEX, "write method='nelder_mead', or ftol= and patience="),
    "xtol": Taken(("options.xtol",), SIMPLEX, "write method='nelder_mead', or ftol= and patience="),
    "gtol": Taken(("options.gtol",), GRADIENTS, "write a method that uses gradients, or leave it out"),
    **_each("options.step", "learning_rate", "lr", methods=FIRST_ORDER, else_write=STEP),
    **_each("options.radius", "initial_trust_radius", methods=REGIONS, else_write=NO_REGION),
    **_each("options.largest_radius", "max_trust_radius", methods=REGIONS, else_write=NO_REGION),
    **_each("options.eta", "eta", methods=REGIONS, else_write=NO_REGION),
    "maxcor": Taken(("options.memory",), ("l_bfgs_b",), "write method='l_bfgs_b'"),
    "maxls": Taken(("options.maxls",), SEARCHES, NO_SEARCH),
    "xrtol": Taken(("options.xtol",), ("bfgs",), "write method='bfgs'"),
    "locally_biased": Taken(("options.locally_biased",), ("direct",), "write method='direct'"),
    "len_tol": Taken(("options.xtol",), ("direct",), "write method='direct'"),
    "initial_simplex": Taken(("x0",), SIMPLEX, "write method='nelder_mead'", _simplex, overrides=True),
    "popsize": Taken(("options.population",), DE, POPSIZE, _rows),
    "strategy": Taken(("options.strategy",), DE, "write method='de' beside it", _strategy),
    "mutation": Taken(("options.weight",), DE, "write method='de' beside it", _weight),
    "recombination": Taken(("options.crossover",), DE, "write method='de' beside it"),
    "sigma0": Taken(("options.sigma",), CMA, "it is the first step of CMA-ES; leave it out", _share),
    "niter": Taken(("max_iters",), HOPPING, f"{BESIDE_HOPPING}, or max_iters=", _and_first),
    "T": Taken(("options.temperature",), HOPPING, BESIDE_HOPPING),
    "stepsize": Taken(("options.step",), HOPPING, BESIDE_HOPPING, _jump),
    "niter_success": Taken(("patience",), HOPPING, "write patience="),
    "target_accept_rate": Taken(("options.acceptance",), HOPPING, BESIDE_HOPPING),
    "stepwise_factor": Taken(("options.factor",), HOPPING, BESIDE_HOPPING),
    "interval": Taken(("options.interval",), HOPPING, BESIDE_HOPPING),
    "minimizer_kwargs": Taken(("options.local",), (*HOPPING, *DUAL), f"{BESIDE_DUAL}, or leave it out", _local),
    "initial_temp": Taken(("options.temperature",), DUAL, BESIDE_DUAL),
    "restart_temp_ratio": Taken(("options.restart",), DUAL, BESIDE_DUAL),
    "visit": Taken(("options.visit",), DUAL, BESIDE_DUAL),
    "accept": Taken(("options.accept",), DUAL, BESIDE_DUAL),
    "no_local_search": Taken(("options.local",), DUAL, f"{BESIDE_DUAL}, or leave it out", _without),
    "input_sigma": Taken(("options.sigma",), CMA, "it is the first step of CMA-ES; leave it out", _half),
}  # fmt: skip
FOR_METHOD: dict[tuple[str, str], Taken] = {  # where an argument means something else to one method
    ("popsize", "cma_es"): Taken(("options.population",)),
    ("mutation", "genetic"): Taken(("options.mutation",)),
    ("tol", "nelder_mead"): Taken(("ftol", "options.xtol")),
    **{("tol", method): Taken(("options.gtol",)) for method in ("bfgs", "nonlinear_cg", *NEWTON, *FIRST_ORDER)},
    ("tol", "l_bfgs_b"): Taken(("ftol", "options.gtol")),
    **{("xtol", method): Taken(("options.xtol",)) for method in NEWTON},
}

SWARM = "write options={'variant': 'inertia', 'inertia': W, 'cognitive': C1, 'social': C2} of method='pso'"
GENES = "write options={'crossover_rate': SHARE, 'crossover_eta': ETA, 'mutation_rate': SHARE} of method='genetic'"
SEPARABLE = "write options={'covariance': 'diagonal'} of method='cma_es'"
EXACT = "derivatives are exact where the objective is compiled; leave it out"
REFUSED: dict[str, Refused] = {
    "updating": Refused("write updating='deferred': candidates are made from the last generation", ("deferred",)),
    "init": Refused("write init='random', or x0= for a population of your own", ("random",)),
    "vectorized": Refused("write objective(f, vectorized=True), whose x has a row for each point", (False,)),
    "constraints": Refused("constraints are still to come; add a penalty to the objective", ((), [])),
    "eps": Refused(f"{EXACT}; direct chooses its rectangles without it, to the same points"),
    "finite_diff_rel_step": Refused(EXACT),
    "inexact": Refused("write how well newton_cg solves its model, options={'forcing': SHARE}", (True,)),
    "subproblem_maxiter": Refused("the step of trust_exact has limits of its own; leave it out"),
    "norm": Refused("gtol is about the largest entry of the gradient; leave it out", (float("inf"),)),
    "betas": Refused("write options={'beta1': SHARE, 'beta2': SHARE} of method='adam'"),
    "atol": Refused("write ftol=, which is relative to the best value", (0,)),
    "tolfun": Refused("write ftol=, which is relative to the best value"),
    "tolx": Refused("write ftol=, or patience= with a number of generations"),
    "rhobeg": Refused("write options={'edge': SHARE} of method='nelder_mead'"),
    "adaptive": Refused("nelder_mead adapts to the dimension always; leave it out", (True,)),
    "return_all": Refused("result.history has the best values; callback= sees the points", (False,)),
    "iprint": Refused("write progress=True", (-1, 0)),
    "save_history": Refused("result.history has the best values; leave it out", (False,)),
    "termination": Refused("write max_iters=, max_evals=, max_time= or ftol="),
    "take_step": Refused("jumps of basin_hopping are uniform; write options={'step': SHARE}"),
    "accept_test": Refused("basin_hopping accepts by Metropolis' rule; write options={'temperature': T}"),
    "resume": Refused("leave it out: checkpoint= goes on from its file where there is one"),
    "vol_tol": Refused("write options={'xtol': SHARE} of method='direct', which is about sides"),
    "f_min": Refused("write target=, the value at which to stop"),
    "f_min_rtol": Refused("write target=, the value at which to stop"),
    **dict.fromkeys(("w", "omega", "eta1", "eta2"), Refused(SWARM)),
    **dict.fromkeys(("cr", "eta_c"), Refused(GENES)),
    "max_vel": Refused("velocities of pso have no limit; leave it out"),
    "neighb_type": Refused("informants are drawn anew; write options={'variant': NAME} of method='pso'"),
    "eliminate_duplicates": Refused("genetic keeps no copies unless elites= is given; leave it out", (True,)),
    "n_offsprings": Refused("as many as there are parents; write options={'population': POINTS} of method='genetic'"),
    "sampler": Refused("write method= and its name, or use thalweg.random_search and grid_search"),
    "algorithm": Refused("write method= and its name"),
    "population": Refused("write options={'population': POINTS} of a method that has one"),
    "direction": Refused("write the negative of the function to maximise it", ("minimize",)),
    "incpopsize": Refused("each restart of cma_es doubles the population; leave it out", (2,)),
    **dict.fromkeys(("CMA_diagonal", "use_separable_cma"), Refused(SEPARABLE, (False,))),
    "CMA_stds": Refused("leave it out, and scale the variables: the first step is a share of each width"),
    "sigma": Refused("write options={'sigma': SHARE} of method='cma_es', a share of the box's width"),
}


def taken_by(name: str, method: str) -> Taken | None:
    """What an argument is to a method."""
    return FOR_METHOD.get((name, method)) or TAKEN.get(name)


def is_harmless(value, harmless: tuple) -> bool:
    """Whether a value is one of these; of the same type, as 0 is no False."""
    return any(type(value) is type(known) and value == known for known in (None, *harmless))
