"""Automatic derivatives of a function at one point, for tests."""

import numba
import numpy as np

from thalweg.kernels import objective
from thalweg.kernels.calling.arguments import call_adapter
from thalweg.kernels.differentiate.adapters import derivatives
from thalweg.kernels.differentiate.workspace import Workspace


@numba.njit
def _called(address, x, record, g, work):
    return call_adapter(address, (x, record, g, work))


def value_and_gradient(f, x, args=()):
    """The value and the gradient (n,) of f at x."""
    x = np.array(x, dtype=np.float64)
    bound = objective(f).bind(args)
    g, work = np.full(len(x), np.nan), Workspace()
    value = _called(derivatives(bound).gradient, x, bound.args_address, g, work.address)
    return value, g
