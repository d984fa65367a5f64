"""The contenders of bbob.py: each is `solve(run, seed)`, which spends the evaluations of a `bbob_record.Run`.

A method that has ended before its budget begins anew, with another seed and from another point. `Spent` ends a peer.
"""

import itertools

import numpy as np


def starts(run, seed):
    """The middle of the box, then uniform points."""
    random = np.random.default_rng(seed)
    yield np.zeros(run.dimension)
    while True:
        yield random.uniform(-5, 5, run.dimension)


def thalweg(method, exact=False, again=True, **settings):
    """Ours, by the name of the method.

    exact: with exact derivatives, of which each gradient counts 4 evaluations; else by differences, which count.
    again: restarts of its own until the budget is spent.
    """

    def solve(run, seed):
        from thalweg.solvers import SOLVERS, minimize

        solver, given = SOLVERS.get(method), dict(settings)
        if not exact and solver is not None and "gradient" in solver.asks:
            given["jac"] = "2-point"
        for k, x0 in enumerate(starts(run, seed)):
            left = run.left
            if left == 0 or (k > 0 and not again):
                return
            if solver is not None and solver.domain == "real" and method != "cma_es":
                given["x0"] = x0  # a local method
            function = run.compiled()
            if exact:
                function, given["jac"], given["args"] = run.exact()
            result = minimize(
                function, run.bounds, method=method, seed=1000 * seed + k, max_evals=left, target=run.goal,
                threads=1, **given,
            )  # fmt: skip
            run.compiling += result.timing["compile"]
            if run.left == left:
                return  # it makes no evaluation

    return solve


def pycma(run, seed, **restarts):
    import cma

    random = np.random.default_rng(seed)
    options = {"seed": seed, "bounds": [-5, 5], "maxfevals": run.budget + 10, "ftarget": run.goal, "verbose": -9}
    cma.fmin2(run.point, lambda: random.uniform(-4, 4, run.dimension), 2.0, options, restarts=30, **restarts)


def pycma_bipop(run, seed):
    pycma(run, seed, bipop=True)


def pygmo(name, population=20, **parameters):
    def solve(run, seed):
        import pygmo as pg

        class Problem:
            def fitness(self, x):
                return (run.point(x),)

            def get_bounds(self):
                return tuple(zip(*run.bounds))

            def __deepcopy__(self, _):
                return self

        for k in itertools.count():
            generations = max(run.budget // population, 1)
            algorithm = getattr(pg, name)(gen=generations, seed=1000 * seed + k, **parameters)
            pg.algorithm(algorithm).evolve(pg.population(pg.problem(Problem()), population, seed=1000 * seed + k))

    return solve


def fcmaes(run, seed):
    """Its DE, then its CMA-ES, as its `de_cma` has it, over again. Its compiled code swallows exceptions."""
    from fcmaes.optimizer import de_cma
    from scipy.optimize import Bounds

    def value(x):
        return 1e300 if run.over else run.point(x)

    random = np.random.Generator(np.random.PCG64(seed))
    while not run.over:
        left = run.budget - run.calls
        optimizer = de_cma(max_evaluations=left, stop_fitness=run.goal)
        optimizer.minimize(value, Bounds(*zip(*run.bounds)), rg=random)


def minionpy(algorithm):
    def solve(run, seed):
        from minionpy import Minimizer

        for k in itertools.count():
            if run.over:
                return
            left = run.budget - run.calls
            Minimizer(run.points, run.bounds, maxevals=left, seed=1000 * seed + k, algo=algorithm).optimize()

    return solve


def dual_annealing(run, seed):
    from scipy.optimize import dual_annealing as anneal

    for k in itertools.count():
        anneal(run.point, run.bounds, rng=1000 * seed + k, maxfun=2 * run.budget, maxiter=10**7)


def differential_evolution(run, seed):
    from scipy.optimize import differential_evolution as evolve

    for k in itertools.count():
        evolve(run.point, run.bounds, rng=1000 * seed + k, maxiter=10**6, tol=1e-10, atol=1e-10)


def scipy_local(method, **options):
    """From one point after the other."""

    def solve(run, seed):
        from scipy.optimize import minimize

        for x0 in starts(run, seed):
            minimize(run.point, x0, method=method, bounds=run.bounds, options={"maxiter": 10**6, **options})

    return solve


def direct(run, seed):
    from scipy.optimize import direct as divide

    divide(run.point, run.bounds, maxfun=run.budget + 10, maxiter=10**6, vol_tol=0, len_tol=1e-12)


PEERS = {
    "pycma BIPOP": pycma_bipop,
    "pygmo sade": pygmo("sade", ftol=1e-12, xtol=1e-12),
    "pygmo de1220": pygmo("de1220", ftol=1e-12, xtol=1e-12),
    "pygmo cmaes": pygmo("cmaes", ftol=1e-12, xtol=1e-12, force_bounds=True),
    "pygmo pso": pygmo("pso"),
    "pygmo sga": pygmo("sga"),
    "fcmaes de_cma": fcmaes,
    "minionpy ARRDE": minionpy("ARRDE"),
    "minionpy LSRTDE": minionpy("LSRTDE"),
    "minionpy jSO": minionpy("jSO"),
    "scipy dual_annealing": dual_annealing,
    "scipy differential_evolution": differential_evolution,
    "scipy SLSQP": scipy_local("SLSQP", ftol=1e-13),
    "scipy direct": direct,
}


def contender(name):
    """A peer by its name; ours as "thalweg METHOD", with exact derivatives as "thalweg METHOD exact", without restarts
    of its own as "thalweg METHOD once".
    """
    if name in PEERS:
        return PEERS[name]
    library, method, *words = [*name.split(), "", ""]
    if library != "thalweg" or not method or set(words) - {"exact", "once", ""}:
        raise ValueError(
            f"methods: got {name!r}, expected 'thalweg METHOD [exact] [once]' or one of {', '.join(PEERS)}"
        )
    return thalweg(method, exact="exact" in words, again="once" not in words)
