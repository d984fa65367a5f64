"""How good predictions are: scikit-learn's metrics, compiled.

Names, arguments, defaults and values are scikit-learn's; scikit-learn itself is not needed. What it refuses is a
ValueError here, and where it warns that a metric is not defined, so does `UndefinedMetricWarning`. Arrays, lists and
pandas are taken; numbers are computed in double precision.

>>> import thalweg as tw
>>> tw.metrics.mean_squared_error([1.0, 2.0], [1.0, 4.0])
2.0
"""

from .areas import average_precision_score, roc_auc_score
from .classification import accuracy_score, balanced_accuracy_score, confusion_matrix
from .curves import precision_recall_curve, roc_curve
from .precision_recall import f1_score, precision_recall_fscore_support, precision_score, recall_score
from .probabilities import log_loss
from .reading import UndefinedMetricWarning
from .regression import mean_absolute_error, mean_squared_error, r2_score, root_mean_squared_error

__all__ = [
    "UndefinedMetricWarning",
    "accuracy_score",
    "average_precision_score",
    "balanced_accuracy_score",
    "confusion_matrix",
    "f1_score",
    "log_loss",
    "mean_absolute_error",
    "mean_squared_error",
    "precision_recall_curve",
    "precision_recall_fscore_support",
    "precision_score",
    "r2_score",
    "recall_score",
    "roc_auc_score",
    "roc_curve",
    "root_mean_squared_error",
]
