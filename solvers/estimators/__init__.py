"""Estimators as scikit-learn's: `fit`, `predict`, pipelines, `check_estimator`. They need the extra `learn`."""

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise ImportError(
        "thalweg's estimators are scikit-learn's in form and need it: pip install 'thalweg[learn]'"
    ) from error
