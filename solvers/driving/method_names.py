"""Names of methods: ours, those that other libraries have for the same ones, and what to write instead of the rest.

Capitals, hyphens, underscores and blanks make no difference. docs/coming-from.md is made from these tables, and so must
be `Method`, which is what an editor knows of them; tests keep all of them equal."""

from __future__ import annotations

import difflib
from typing import Literal

from ..contract import Solver
from ..registry import SOLVERS

Method = Literal[
    "auto",
    "adagrad", "Adagrad", "AdaGrad",
    "adam", "Adam",
    "adamw", "AdamW",
    "basin_hopping", "basinhopping", "BasinHopping", "iterated_local_search", "ILS",
    "arrde", "ARRDE",
    "bfgs", "BFGS", "fmin_bfgs",
    "cma_es", "CMA-ES", "cmaes", "CMAES", "cma", "CMA", "CmaEsSampler", "Cma_cpp", "Cma_python", "fmin2", "bipop",
    "cr_fm_nes", "CR-FM-NES", "crfmnes", "Crfmnes", "Crfmnes_cpp",
    "de", "DE", "differential_evolution", "Differential Evolution",
    "direct", "DIRECT", "DIRECT_L",
    "dual_annealing", "Da_cpp", "GenSA",
    "genetic", "GA", "genetic_algorithm", "GeneticAlgorithm", "sga",
    "gradient_descent", "GradientDescent", "GD", "steepest_descent", "SteepestDescent",
    "jso", "jSO",
    "l_bfgs_b", "L-BFGS-B", "L-BFGS", "lbfgs", "fmin_l_bfgs_b",
    "lshade", "LSHADE", "L-SHADE", "L_SHADE",
    "lsrtde", "LSRTDE", "L-SRTDE",
    "momentum", "heavy_ball", "HeavyBall",
    "nelder_mead", "Nelder-Mead", "NelderMead", "neldermead", "fmin",
    "nesterov", "NAG",
    "nonlinear_cg", "CG", "fmin_cg", "nlcg", "ConjugateGradient",
    "newton", "Newton",
    "newton_cg", "Newton-CG", "NewtonCG", "trust-ncg", "trust-krylov", "fmin_ncg",
    "parallel_tempering", "ParallelTempering", "replica_exchange", "REMC",
    "pso", "PSO", "particle_swarm", "ParticleSwarm", "pso_gen", "CLPSO", "SPSO2011",
    "portfolio",
    "random_search", "RandomSearch", "RandomSampler",
    "rmsprop", "RMSprop", "RMSProp",
    "simulated_annealing", "SA",
    "tabu", "TabuSearch", "TS", "ECTS",
    "trust_exact", "trust-exact", "dogleg",
]  # fmt: skip

ALIASES: dict[str, tuple[str, ...]] = {
    "adagrad": ("Adagrad", "AdaGrad"),
    "adam": ("Adam",),
    "adamw": ("AdamW",),
    "basin_hopping": ("basinhopping", "BasinHopping", "iterated_local_search", "ILS"),
    "arrde": ("ARRDE",),
    "bfgs": ("BFGS", "fmin_bfgs"),
    "cma_es": (
        "CMA-ES", "cmaes", "CMAES", "cma", "CMA", "CmaEsSampler", "Cma_cpp", "Cma_python", "fmin2", "bipop",
    ),
    "cr_fm_nes": ("CR-FM-NES", "crfmnes", "Crfmnes", "Crfmnes_cpp"),
    "de": ("DE", "differential_evolution", "Differential Evolution"),
    "direct": ("DIRECT", "DIRECT_L"),
    "dual_annealing": ("Da_cpp", "GenSA"),
    "genetic": ("GA", "genetic_algorithm", "GeneticAlgorithm", "sga"),
    "gradient_descent": ("GradientDescent", "GD", "steepest_descent", "SteepestDescent"),
    "jso": ("jSO",),
    "l_bfgs_b": ("L-BFGS-B", "L-BFGS", "lbfgs", "fmin_l_bfgs_b"),
    "lshade": ("LSHADE", "L-SHADE", "L_SHADE"),
    "lsrtde": ("LSRTDE", "L-SRTDE"),
    "momentum": ("heavy_ball", "HeavyBall"),
    "nelder_mead": ("Nelder-Mead", "NelderMead", "neldermead", "fmin"),
    "nesterov": ("NAG",),
    "nonlinear_cg": ("CG", "fmin_cg", "nlcg", "ConjugateGradient"),
    "newton": ("Newton",),
    "newton_cg": ("Newton-CG", "NewtonCG", "trust-ncg", "trust-krylov", "fmin_ncg"),
    "parallel_tempering": ("ParallelTempering", "replica_exchange", "REMC"),
    "pso": ("PSO", "particle_swarm", "ParticleSwarm", "pso_gen", "CLPSO", "SPSO2011"),
    "portfolio": (),
    "random_search": ("RandomSearch", "RandomSampler"),
    "rmsprop": ("RMSprop", "RMSProp"),
    "simulated_annealing": ("SA",),
    "tabu": ("TabuSearch", "TS", "ECTS"),
    "trust_exact": ("trust-exact", "dogleg"),
}  # fmt: skip

POPULATION = "write method='lshade', 'jso' or 'lsrtde'"
# reason -> the names that it is given for; each tells what to write.
INSTEAD: dict[str, tuple[str, ...]] = {
    "constraints are still to come; write method='l_bfgs_b' where there are bounds alone": (
        "SLSQP", "trust-constr", "fmin_slsqp", "ipopt", "snopt7",
    ),
    "truncated Newton steps within bounds are method='newton_cg'; write that, or 'l_bfgs_b'": ("TNC", "fmin_tnc"),
    "this local method is not here; write method='nelder_mead', which needs no derivatives either": (
        "Powell", "COBYLA", "COBYQA", "BOBYQA", "NEWUOA", "fmin_powell", "fmin_cobyla", "sbplx", "compass_search",
        "PatternSearch", "HookeJeeves",
    ),
    "this multistart is not here; write method='basin_hopping' or 'dual_annealing', or restarts=100 of 'l_bfgs_b'": (
        "shgo", "MLSL",
    ),
    "write method='basin_hopping', options={'temperature': 0}: only what is not worse is accepted then": ("mbh",),
    "write thalweg.grid_search(objective(f), bounds, levels=20), then minimize from its best point": (
        "brute", "GridSampler", "BruteForceSampler",
    ),
    "this variant is not here; write method='pso'": ("EPPSO",),
    "its parameters adapt in 'lshade', 'jso' and 'lsrtde', which came after it; write one of these": (
        "sade", "de1220", "jDE", "j2020", "SHADE", "JADE", "SaDE", "CoDE", "NLSHADE_RSP", "MadDE",
        "De_cpp", "De_python", "de_cma",
    ),
    "this variant is not here; write method='genetic'": ("BRKGA", "G3PCX"),
    f"this method is not here; {POPULATION}, or 'cma_es'": (
        "xnes", "ES", "SRES", "ISRES", "Pgpe_cpp", "Csma_cpp", "Bite_cpp", "OnePlusOne",
        "NGOpt",
    ),
    f"methods named after animals and the like are not here; {POPULATION}": (
        "bee_colony", "gaco", "gwo", "ihs", "ABC", "ACO", "GWO", "WOA", "BatAlgorithm", "FireflyAlgorithm", "DA",
    ),
    "several objectives are not here; minimise a weighted sum of them": (
        "NSGA2", "NSGA3", "nspso", "maco", "moead", "MOEAD", "moead_gen", "NSGAIISampler", "NSGAIIISampler", "UNSGA3",
        "CTAEA", "AGEMOEA", "RVEA", "SMSEMOA",
    ),
    f"models of the objective are for dear evaluations, and not here yet; {POPULATION}": (
        "TPESampler", "TPE", "GPSampler", "BoTorchSampler", "gp_minimize", "BayesianOptimization", "EGO",
    ),
    "write thalweg.random_search(objective(f), bounds, sampling='sobol')": ("QMCSampler",),
    "steps by batches of data need to know the rows; write minimize(DataSum(loss, X, y), ...)": ("SGD",),
    "this variant is not here; write method='adam', 'adamw', 'rmsprop' or 'adagrad'": (
        "Adamax", "NAdam", "RAdam", "AMSGrad", "Adadelta", "AdaBelief", "Lion", "LAMB", "Rprop",
    ),
    "one variable needs no method of its own; write minimize(f, [(low, high)])": ("Brent", "golden", "bounded"),
    "it is a method for residuals, whose squares it adds up; write least_squares(residuals, x0, method='lm')": (
        "lm", "levenberg_marquardt", "leastsq", "least_squares", "gauss_newton",
    ),
    "it is a method for residuals, whose squares it adds up; write least_squares(residuals, x0)": (
        "trf", "dogbox", "trust_region_reflective",
    ),
}  # fmt: skip


def plain(name: str) -> str:
    """A name without what makes no difference."""
    return "".join(letter for letter in name.casefold() if letter not in "-_ ")


OURS = {plain(spelling): name for name, spellings in ALIASES.items() for spelling in (name, *spellings)}
REFUSED = {plain(name): reason for reason, names in INSTEAD.items() for name in names}


def find_method(method) -> str | Solver:
    """ "auto", or the solver that is meant.

    Raises
    ------
    TypeError, ValueError
        Naming what was given, and what to write.
    """
    if isinstance(method, Solver):
        return method
    if method is None:  # left out, as in SciPy
        return "auto"
    if not isinstance(method, str):
        raise TypeError(f"method: got {type(method).__name__}, expected a name or a Solver: auto, {', '.join(SOLVERS)}")
    if method == "auto" or method in SOLVERS:  # as most calls write it: nothing is looked for
        return SOLVERS.get(method, method)
    named = {plain(name): name for name in ("auto", *SOLVERS)}
    written = plain(method)
    name = named.get(written) or OURS.get(written)
    if name == "auto":
        return name
    if name in SOLVERS:
        return SOLVERS[name]
    there = f"There are auto, {', '.join(SOLVERS)}"
    if written in REFUSED:
        raise ValueError(f"method: got {method!r}: {REFUSED[written]}. {there}")
    if name is not None:
        raise ValueError(f"method: got {method!r}: {name} is not here; {POPULATION}. {there}")
    close = 0.79 if len(written) > 4 else 0.85  # a typo, not a relative
    near = difflib.get_close_matches(written, [*named, *OURS, *REFUSED], n=1, cutoff=close)
    meant = named.get(near[0]) or OURS.get(near[0]) if near else None
    hint = f"; did you mean {meant!r}?" if meant == "auto" or meant in SOLVERS else "."
    raise ValueError(f"method: got {method!r}, which does not exist{hint} {there}")
