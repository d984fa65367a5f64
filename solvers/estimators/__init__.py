"""Estimators as scikit-learn's: `fit`, `predict`, pipelines, `check_estimator`. They need the extra `learn`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "thalweg's estimators are scikit-learn's in form and need it: pip install 'thalweg[learn]'"
    ) from error

if TYPE_CHECKING:
    from .elastic_net import ElasticNet, Lasso
    from .least_squares import LinearRegression
    from .logistic import LogisticRegression
    from .logistic_cv import LogisticRegressionCV
    from .matrix_factorization import MatrixFactorization
    from .penalty_cv import ElasticNetCV, LassoCV
    from .penalty_paths import enet_path, lasso_path
    from .ridge import Ridge
    from .ridge_cv import RidgeCV
    from .sgd import SGDClassifier, SGDRegressor

__all__ = [
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
]

LATER = {  # name -> its module
    "ElasticNet": "elastic_net",
    "ElasticNetCV": "penalty_cv",
    "Lasso": "elastic_net",
    "LassoCV": "penalty_cv",
    "LinearRegression": "least_squares",
    "LogisticRegression": "logistic",
    "LogisticRegressionCV": "logistic_cv",
    "MatrixFactorization": "matrix_factorization",
    "Ridge": "ridge",
    "RidgeCV": "ridge_cv",
    "SGDClassifier": "sgd",
    "SGDRegressor": "sgd",
    "enet_path": "penalty_paths",
    "lasso_path": "penalty_paths",
}


if not TYPE_CHECKING:  # or checkers would believe in any name

    def __getattr__(name: str) -> Any:
        if name not in LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value = getattr(import_module(f".{LATER[name]}", __name__), name)
        return value
