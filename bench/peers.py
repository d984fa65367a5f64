"""The contenders of throughput.py. Each is `run(objectives, evaluations, seed) -> (x, value, evaluations claimed)`."""

import os
from collections import namedtuple

import numpy as np
from forms import array_expression, over_values, rastrigin

D, POPULATION, F, CR = 30, 300, 0.5, 0.9
BOUNDS = [(-5.12, 5.12)] * D
Objectives = namedtuple("Objectives", "user point batch")  # what thalweg is given; x -> f; (n, D) -> (n,)


def compiled():
    """The same objective for all, compiled by Numba: one point, and a batch of points."""
    import numba

    point = numba.njit(rastrigin)

    @numba.njit
    def batch(x):
        values = np.empty(len(x))
        for i in range(len(x)):
            values[i] = point(x[i])
        return values

    batch(np.zeros((2, D)))
    return Objectives(rastrigin, point, batch)


def counting():
    """The same objective in Python, counting its evaluations; returns the objectives and the counter."""
    from thalweg.kernels import objective

    seen = [0]

    def point(x):
        seen[0] += 1
        return rastrigin(x)

    user = objective(point, compiled=False, check=False)
    return Objectives(user, point, lambda x: np.array([point(row) for row in x])), seen


def thalweg(method, form=None, **options):
    def run(objectives, evaluations, seed):
        from thalweg.solvers import minimize

        result = minimize(
            objectives.user if form is None else form,
            BOUNDS,
            method=method,
            seed=seed,
            max_evals=evaluations,
            threads=1,
            options=options or None,
        )
        return result.x, result.fun, result.nfev

    return run


PYGMO_DE = {"F": F, "CR": CR, "variant": 7, "ftol": 0.0, "xtol": 0.0}


def pygmo_builtin(name, **settings):
    """One of pygmo's algorithms on its own C++ Rastrigin function."""

    def run(objectives, evaluations, seed):
        import pygmo

        return _pygmo(pygmo, pygmo.problem(pygmo.rastrigin(dim=D)), evaluations, seed, name, settings)

    return run


def pygmo_numba(objectives, evaluations, seed):
    import pygmo

    point = objectives.point

    class Rastrigin:
        def fitness(self, x):
            return (point(x),)

        def get_bounds(self):
            return tuple(zip(*BOUNDS, strict=True))

    return _pygmo(pygmo, pygmo.problem(Rastrigin()), evaluations, seed, "de", PYGMO_DE)


def _pygmo(pygmo, problem, evaluations, seed, name, settings):
    start = pygmo.population(problem, POPULATION, seed=seed)
    algorithm = getattr(pygmo, name)(gen=evaluations // POPULATION - 1, seed=seed, **settings)
    end = pygmo.algorithm(algorithm).evolve(start)
    return end.champion_x, end.champion_f[0], end.problem.get_fevals()


def fcmaes(module):
    def run(objectives, evaluations, seed):
        import importlib

        from scipy.optimize import Bounds

        de = importlib.import_module(f"fcmaes.{module}")
        result = de.minimize(
            objectives.point,
            D,
            Bounds(*zip(*BOUNDS, strict=True)),
            popsize=POPULATION,
            f=F,
            cr=CR,
            max_evaluations=evaluations,
            workers=1,
            rg=np.random.Generator(np.random.PCG64(seed)),
        )
        return result.x, result.fun, result.nfev

    return run


def scipy(vectorized):
    def run(objectives, evaluations, seed):
        from scipy.optimize import differential_evolution

        fun = (lambda x: objectives.batch(np.ascontiguousarray(x.T))) if vectorized else objectives.point
        result = differential_evolution(
            fun,
            BOUNDS,
            strategy="rand1bin",
            popsize=POPULATION // D,
            mutation=F,
            recombination=CR,
            init="random",
            polish=False,
            tol=0,
            atol=0,
            maxiter=evaluations // POPULATION - 1,
            rng=seed,
            vectorized=vectorized,
            updating="deferred" if vectorized else "immediate",
        )
        return result.x, result.fun, result.nfev * (POPULATION if vectorized else 1)  # it counts calls

    return run


def pymoo(objectives, evaluations, seed):
    from pymoo.algorithms.soo.nonconvex.de import DE
    from pymoo.core.problem import Problem
    from pymoo.optimize import minimize

    class Rastrigin(Problem):
        def __init__(self):
            low, high = (np.array(b) for b in zip(*BOUNDS, strict=True))
            super().__init__(n_var=D, n_obj=1, xl=low, xu=high)

        def _evaluate(self, x, out, *args, **kwargs):
            out["F"] = objectives.batch(np.ascontiguousarray(x))[:, None]

    de = DE(pop_size=POPULATION, variant="DE/rand/1/bin", CR=CR, F=F)
    result = minimize(Rastrigin(), de, ("n_eval", evaluations), seed=seed, verbose=False)
    return result.X, result.F[0], result.algorithm.evaluator.n_eval


def evosax(objectives, evaluations, seed, cache={}):  # noqa: B006 (the jitted loop is built once)
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")
    import jax

    generations = evaluations // POPULATION - 1
    if generations not in cache:
        cache[generations] = _evosax_loop(jax, generations)
    x, value = cache[generations](jax.random.key(seed))
    return np.asarray(x), float(value), (generations + 1) * POPULATION


def _evosax_loop(jax, generations):
    from evosax.algorithms import DifferentialEvolution

    jnp = jax.numpy
    low, high = BOUNDS[0]
    de = DifferentialEvolution(population_size=POPULATION, solution=jnp.zeros(D))
    params = de.default_params.replace(
        elitism=False, crossover_rate=CR, differential_weight=F, differential_weight_min=F, differential_weight_max=F
    )

    def values(x):
        return 10.0 * D + jnp.sum(x * x - 10.0 * jnp.cos(2.0 * jnp.pi * x), axis=-1)

    def generation(state, key):
        ask, tell = jax.random.split(key)
        x, state = de.ask(ask, state, params)
        x = jnp.clip(x, low, high)
        return de.tell(tell, x, values(x), state, params)[0], None

    @jax.jit
    def loop(key):
        start, init, rest = jax.random.split(key, 3)
        x = jax.random.uniform(start, (POPULATION, D), minval=low, maxval=high)
        state, _ = jax.lax.scan(generation, de.init(init, x, values(x), params), jax.random.split(rest, generations))
        return state.best_solution, state.best_fitness

    return loop


def minionpy(algorithm):
    def run(objectives, evaluations, seed):
        from minionpy import Minimizer

        fun = lambda x: objectives.batch(np.asarray(x)).tolist()  # noqa: E731
        options = {"x_tol": -1.0}  # the whole budget
        result = Minimizer(fun, BOUNDS, maxevals=evaluations, seed=seed, algo=algorithm, options=options).optimize()
        return result.x, result.fun, result.nfev

    return run


SINGLE = ("evosax DE, float32",)  # JAX's default; ten times slower in float64 here
FORMS_OF_DE = {"thalweg de": 5, "thalweg de, for v in x": 5, "thalweg de, array expression": 4.5}
OF_SWARMS = {"thalweg pso, clpso": 5, "thalweg pso, inertia": 5, "thalweg pso, spso2011": None}
OF_GENES = {"thalweg genetic, one-point": 5, "thalweg genetic, sbx": None}
TEXTBOOK = {"selection": "truncation", "crossover": "one_point", "mutation": "uniform", "elites": 1}
OWN_COUNTER = (
    "pygmo de, its C++ Rastrigin",
    "pygmo pso, its C++ Rastrigin",
    "pygmo sga, its C++ Rastrigin",
    "pygmo sga with sbx, its C++ Rastrigin",
    "evosax DE, float32",
    *list(FORMS_OF_DE)[1:],
)  # not the objective that counts
RAND1BIN = {"population": POPULATION, "weight": F, "crossover": CR, "strategy": "rand1bin"}
CONTENDERS = {  # name: (run, evaluations, {which of ours it is compared with: ratio required})
    "thalweg de": (thalweg("de", **RAND1BIN), 3_000_000, {}),
    "thalweg de, for v in x": (thalweg("de", over_values, **RAND1BIN), 3_000_000, {}),
    "thalweg de, array expression": (thalweg("de", array_expression, **RAND1BIN), 3_000_000, {}),
    "thalweg lshade": (thalweg("lshade"), 600_000, {}),
    "thalweg jso": (thalweg("jso"), 600_000, {}),
    **{
        f"thalweg pso, {variant}": (thalweg("pso", variant=variant, population=POPULATION), 600_000, {})
        for variant in ("clpso", "inertia", "spso2011")
    },
    "thalweg genetic, sbx": (thalweg("genetic", population=POPULATION), 600_000, {}),
    "thalweg genetic, one-point": (thalweg("genetic", population=POPULATION, **TEXTBOOK), 600_000, {}),
    "pygmo pso, its C++ Rastrigin": (pygmo_builtin("pso"), 600_000, OF_SWARMS),
    "pygmo sga, its C++ Rastrigin": (pygmo_builtin("sga"), 600_000, OF_GENES),
    "pygmo sga with sbx, its C++ Rastrigin": (
        pygmo_builtin("sga", crossover="sbx", mutation="polynomial"),
        600_000,
        {"thalweg genetic, sbx": 5},
    ),
    "pygmo de, its C++ Rastrigin": (pygmo_builtin("de", **PYGMO_DE), 600_000, FORMS_OF_DE),
    "pygmo de": (pygmo_numba, 300_000, {"thalweg de": 9}),
    "fcmaes DE, C++": (fcmaes("decpp"), 300_000, {"thalweg de": 9}),
    "fcmaes DE, Python": (fcmaes("de"), 60_000, {"thalweg de": None}),
    "scipy": (scipy(False), 60_000, {"thalweg de": 150}),
    "scipy, vectorized": (scipy(True), 300_000, {"thalweg de": None}),
    "pymoo DE": (pymoo, 300_000, {"thalweg de": None}),
    "evosax DE, float32": (evosax, 300_000, {"thalweg de": None}),
    "minionpy LSHADE": (minionpy("LSHADE"), 600_000, {"thalweg lshade": 6}),
    "minionpy jSO": (minionpy("jSO"), 600_000, {"thalweg jso": 6}),
}
