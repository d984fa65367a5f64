"""How many units are carried out: on threads here, or on a Dask cluster; journalled, cancellable, repeatable."""

from .run import Execution

__all__ = ["Execution"]
