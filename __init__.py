"""thalweg: objectives in plain Python, compiled, and minimised on one core, on all cores, on a GPU or on a cluster.

>>> import thalweg as tw
>>> result = tw.minimize(lambda x: (x[0] - 1) ** 2 + x[1] ** 2, [(-5, 5), (-5, 5)], seed=1)
>>> bool(result.fun < 1e-8)
True

Each name is loaded when it is first asked for: this import alone loads no compiler.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import kernels, orchestration, solvers
    from .kernels import Minimum, Problem, functions, metrics, objective, random
    from .kernels.differentiate.doors import check_grad, grad, hessian, hvp, jacobian, value_and_grad
    from .orchestration import (
        choice,
        cluster,
        grid_search,
        integer,
        islands,
        log_integer,
        log_uniform,
        random_search,
        read_journal,
        restarts,
        uniform,
        when,
    )
    from .solvers import (
        SOLVERS,
        BracketError,
        DataSum,
        Optimizer,
        OptimizeWarning,
        Result,
        StopReason,
        bracket,
        compiled,
        curve_fit,
        least_squares,
        minimize,
        minimize_many,
        minimize_scalar,
        register,
    )
    from .solvers.estimators import (
        ElasticNet,
        ElasticNetCV,
        Lasso,
        LassoCV,
        LinearRegression,
        LogisticRegression,
        LogisticRegressionCV,
        MatrixFactorization,
        Ridge,
        RidgeCV,
        SGDClassifier,
        SGDRegressor,
        enet_path,
        lasso_path,
    )

    __version__: str

__all__ = [
    "SOLVERS",
    "BracketError",
    "DataSum",
    "ElasticNet",
    "ElasticNetCV",
    "Lasso",
    "LassoCV",
    "LinearRegression",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MatrixFactorization",
    "Minimum",
    "OptimizeWarning",
    "Optimizer",
    "Problem",
    "Result",
    "Ridge",
    "RidgeCV",
    "SGDClassifier",
    "SGDRegressor",
    "StopReason",
    "__version__",
    "bracket",
    "check_grad",
    "choice",
    "cluster",
    "compiled",
    "curve_fit",
    "enet_path",
    "functions",
    "grad",
    "grid_search",
    "hessian",
    "hvp",
    "integer",
    "islands",
    "jacobian",
    "kernels",
    "lasso_path",
    "least_squares",
    "log_integer",
    "log_uniform",
    "metrics",
    "minimize",
    "minimize_many",
    "minimize_scalar",
    "objective",
    "orchestration",
    "random",
    "random_search",
    "read_journal",
    "register",
    "restarts",
    "solvers",
    "uniform",
    "value_and_grad",
    "when",
]

DERIVATIVES = ("check_grad", "grad", "hessian", "hvp", "jacobian", "value_and_grad")
LAYERS = {
    "kernels": ("Minimum", "Problem", "functions", "objective"),
    "solvers": (
        "SOLVERS",
        "BracketError",
        "DataSum",
        "OptimizeWarning",
        "Optimizer",
        "Result",
        "StopReason",
        "bracket",
        "curve_fit",
        "least_squares",
        "minimize",
        "minimize_many",
        "minimize_scalar",
        "register",
    ),
    "solvers.estimators": (
        "ElasticNet",
        "ElasticNetCV",
        "Lasso",
        "LassoCV",
        "LinearRegression",
        "LogisticRegression",
        "LogisticRegressionCV",
        "MatrixFactorization",
        "Ridge",
        "RidgeCV",
        "SGDClassifier",
        "SGDRegressor",
        "enet_path",
        "lasso_path",
    ),
}  # fmt: skip  (what is in neither is in orchestration)


if not TYPE_CHECKING:  # or checkers would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = _load(name)
        return value


def __dir__() -> list[str]:
    return __all__


def _load(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("thalweg")
    if name in ("kernels", "solvers", "orchestration"):
        return import_module(f".{name}", __name__)
    if name == "compiled":
        return import_module(".solvers.compiled", __name__)
    if name in ("functions", "metrics", "random"):
        return import_module(f".kernels.{name}", __name__)
    if name in DERIVATIVES:
        return getattr(import_module(".kernels.differentiate.doors", __name__), name)
    layer = next((layer for layer, names in LAYERS.items() if name in names), "orchestration")
    return getattr(import_module(f".{layer}", __name__), name)
