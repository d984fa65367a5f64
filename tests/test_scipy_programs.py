"""Programs as people write them for SciPy run with another import, and end at least as low."""

import re
import textwrap

import numpy as np
import pytest

from thalweg import minimize

HEAD = """
import math
import numpy as np
from scipy.optimize import Bounds

def rosenbrock(x):
    return sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0)

def rastrigin(x):
    return 10 * len(x) + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))

rng_of_data = np.random.default_rng(0)
"""

# --- minimize: the import alone changes ------------------------------------------------------------------------------

PROGRAMS = {
    "the tutorial's first": """
        x0 = np.array([1.3, 0.7, 0.8, 1.9, 1.2])
        res = minimize(rosenbrock, x0, method='nelder-mead', options={'xatol': 1e-8, 'disp': False})
    """,
    "with an argument": """
        def rosen_with_args(x, a, b):
            return sum(a * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0) + b

        res = minimize(rosen_with_args, [1.3, 0.7, 0.8], args=(0.5, 1.0), method='Nelder-Mead', tol=1e-9)
    """,
    "a fit of a curve": """
        t = np.linspace(0, 3, 40)
        y = 2.5 * np.exp(-1.3 * t) + 0.5 + 0.01 * rng_of_data.normal(size=t.size)

        def sse(p, t, y):
            return np.sum((p[0] * np.exp(-p[1] * t) + p[2] - y) ** 2)

        res = minimize(sse, [1.0, 1.0, 0.0], (t, y), 'Nelder-Mead', options={'maxiter': 5000, 'fatol': 1e-10})
    """,
    "a maximum likelihood": """
        data = rng_of_data.normal(3.0, 2.0, size=200)

        def nll(params, data):
            mu, log_sigma = params
            sigma = np.exp(log_sigma)
            return np.sum(0.5 * ((data - mu) / sigma) ** 2 + np.log(sigma)) / len(data)

        res = minimize(nll, (0.0, 0.0), args=(data,))
    """,
    "an argument that is no tuple": """
        res = minimize(lambda x, c: np.sum((x - c) ** 2), x0=np.zeros(3), args=2.5)
    """,
    "a Bounds": """
        bounds = Bounds([0, -0.5], [1.0, 2.0])
        res = minimize(rosenbrock, [0.5, 0.0], bounds=bounds, method='Nelder-Mead', options={'adaptive': True})
    """,
    "pairs with None": """
        fun = lambda x: (x[0] - 1) ** 2 + (x[1] - 2.5) ** 2
        res = minimize(fun, (2, 0), method='Nelder-Mead', bounds=((0, None), (None, 2)), tol=1e-8)
    """,
    "a callback": """
        path = []
        res = minimize(rosenbrock, [-1.2, 1.0], method='Nelder-Mead', callback=path.append,
                       options={'maxiter': 2000, 'maxfev': 4000, 'return_all': False})
        res = res
    """,
    "one variable": """
        res = minimize(lambda x: (x[0] - 3) ** 4 + x[0], 0.0, method='Nelder-Mead')
    """,
    "a simplex of one's own": """
        simplex = np.array([[-1.2, 1.0], [-1.0, 1.0], [-1.2, 1.3]])
        res = minimize(rosenbrock, simplex[0], method='Nelder-Mead', jac=None, hess=None, constraints=(),
                       options={'initial_simplex': simplex, 'xatol': 1e-9, 'fatol': 1e-9})
    """,
}


def run(program: str, door: str):
    scope: dict = {}
    exec(f"from {door} import minimize\n{HEAD}{textwrap.dedent(program)}", scope)
    return scope["res"]


@pytest.mark.filterwarnings("default")  # SciPy's own
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_programs_for_minimize(program):
    theirs, ours = run(program, "scipy.optimize"), run(program, "thalweg")
    assert ours.fun <= theirs.fun + 1e-6 * (1 + abs(theirs.fun)) and ours.success, ours.message
    assert ours.x.shape == theirs.x.shape and ours.nfev > 0 and ours.nit > 0


# --- global methods: the name of the function becomes that of the method ----------------------------------------------

CALLS = [
    "differential_evolution(rosenbrock, [(0, 2)] * 5, seed=1)",
    "differential_evolution(rastrigin, [(-5.12, 5.12)] * 2, rng=np.random.default_rng(4), tol=1e-8, polish=False)",
    "differential_evolution(rosenbrock, Bounds([0.0] * 3, [2.0] * 3), maxiter=600, popsize=10, seed=3, disp=False)",
    "differential_evolution(rosenbrock, bounds=[(-4, 5)] * 3, strategy='best1bin', mutation=0.8, seed=5)",
    "differential_evolution(lambda x, a: np.sum((x - a) ** 2), [(-5, 5)] * 2, args=(2,), updating='deferred', seed=2)",
    "differential_evolution(rosenbrock, [(0, 2)] * 2, strategy='rand1exp', mutation=0.7, maxiter=400, rng=7)",
    "differential_evolution(lambda x: (x[0] - 1.7) ** 2 + abs(x[1]), [(-9, 9)] * 2, integrality=[True, False], rng=1)",
    "dual_annealing(rastrigin, [(-5.12, 5.12)] * 4, seed=1234)",
    "dual_annealing(rosenbrock, bounds=[(-2, 2)] * 3, maxiter=500, maxfun=50000, rng=2)",
    "dual_annealing(rastrigin, list(zip([-3.0] * 3, [4.0] * 3)), args=(), x0=[1.0, 2.0, 3.0], no_local_search=True)",
    "basinhopping(rastrigin, [1.0, 2.0], niter=300, T=0.5, stepsize=0.8, seed=3)",
    "basinhopping(rosenbrock, [-1.0, 2.0, 0.5], niter=20, minimizer_kwargs={'method': 'L-BFGS-B'}, interval=10, rng=1)",
]


def rewritten(call: str) -> str:
    """Arguments that only one method has stand beside its name; else `auto` chooses."""
    name = call.split("(")[0]
    own = re.search("popsize|strategy|mutation|recombination|no_local_search", call) or name == "basinhopping"
    method = f", method={name!r})" if own else ")"
    return call.replace(f"{name}(", "minimize(", 1)[:-1] + method


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("call", CALLS)
def test_calls_of_global_methods(call):
    scope: dict = {}
    exec(f"from scipy.optimize import basinhopping, differential_evolution, dual_annealing\n{HEAD}", scope)
    theirs = eval(call, scope)
    scope["minimize"] = minimize
    ours = eval(rewritten(call), scope)
    assert ours.fun <= theirs.fun + 1e-6 * (1 + abs(theirs.fun)) and np.isfinite(ours.x).all()
