"""Automatic derivatives of a function at one point, for tests."""

import numpy as np
from numba.core import types

from thalweg.kernels.calling.adapters import Form, once
from thalweg.kernels.calling.arguments import call_adapter, normalise, pack
from thalweg.kernels.calling.asking import FORMS
from thalweg.kernels.calling.objective import _Form
from thalweg.kernels.compile.jit import compile_for, kernel
from thalweg.kernels.differentiate.adapters import Derivatives
from thalweg.kernels.differentiate.workspace import Workspace


class Automatic:
    """The derivatives of a function alone: its value is not compiled. `way`: "vector" of one that returns an array."""

    def __init__(self, function, args=(), precise=False, way="value"):
        args = normalise(args)
        form = _Form(function, args, whole=True)
        self.form = Form(form.function, *form.known, precise, False, way)
        self.kept: dict = {}
        self.derivatives = Derivatives(self)
        self.values = form.held + args
        self.record = pack(self.values)
        self.works = {kind: Workspace() for kind in ("gradient", "product", "jacobian")}

    def gradient(self, x, work=None):
        """(the value, the gradient (n,))."""
        g = np.full(len(x), np.nan)
        return self._ask("gradient", work, x, g), g

    def product(self, x, v):
        """(n,) the Hessian times v."""
        hv = np.full(len(x), np.nan)
        self._ask("product", None, x, v, hv)
        return hv

    def jacobian(self, x, m):
        """(m,), (m, n) the residuals and their Jacobian."""
        r, J = np.full(m, np.nan), np.full((m, len(x)), np.nan)
        self._ask("jacobian", None, x, r, J)
        return r, J

    def _ask(self, kind, work, x, *arrays):
        call = once(f"test call of a {kind}", lambda: compile_for(kernel(_called), _signature(kind)))
        given = (np.array(x, np.float64), int(self.record.ctypes.data), *arrays, (work or self.works[kind]).address)
        return call(getattr(self.derivatives, kind), given)


def _called(address, arguments):
    return call_adapter(address, arguments)


def _signature(kind):
    return types.intp, types.Tuple(FORMS[kind].args)


def value_and_gradient(f, x, args=()):
    """The value and the gradient (n,) of f at x."""
    return Automatic(f, args).gradient(x)
