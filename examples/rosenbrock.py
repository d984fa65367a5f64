"""Rosenbrock's valley, called as SciPy users call: arguments, a closure, a target, restarts, the history.

    python examples/rosenbrock.py
    thalweg run examples/rosenbrock.py

The first line runs both calls at the end of this file, the second minimises `problem`.
"""

from thalweg.kernels import Minimum, Problem
from thalweg.solvers import minimize


def rosenbrock(x, a, b):
    total = 0.0
    for i in range(len(x) - 1):
        total += (a - x[i]) ** 2 + b * (x[i + 1] - x[i] ** 2) ** 2
    return total


bounds = [(-5, 5)] * 10
problem = Problem(fun=rosenbrock, bounds=bounds, args=(1.0, 100.0), minimum=Minimum([1.0] * 10, 0.0))


def shifted(shift):
    """Parameters may also come from around the function."""

    def objective(x):
        return rosenbrock(x - shift, 1.0, 100.0)

    return objective


if __name__ == "__main__":
    print(minimize(rosenbrock, bounds, args=(1.0, 100.0), seed=1))

    result = minimize(shifted(0.5), bounds, seed=1, restarts=8, target=1e-8)
    print(result.message)
    print(f"{result.fun:.1e} at {result.x}, {result.nfev} evaluations in {len(result.runs)} runs")
