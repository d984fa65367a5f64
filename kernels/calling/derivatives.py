"""Which derivatives a problem has, and where they come from: the user, the machine code of the objective, differences.

A solver says what it asks for; `derivatives_of` finds an adapter for each and what it needs. A workspace belongs to one
run, as it is written to: `Derivatives.functions` makes them anew for each.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..reals import shortened
from . import gradients
from .arguments import RAISED_BITS, Packed
from .asking import Functions
from .gradients import THREE_POINT, TWO_POINT, compiled
from .vectors import Pair, VectorFunction, both_of, like

SCHEMES = ("2-point", "3-point", "cs")
AUTOMATIC = "automatic"


@dataclass(frozen=True)
class Derivative:
    """A derivative by the address of its adapter."""

    address: int
    how: str  # "given", "automatic", or the scheme of its differences
    work: Callable[[], Any]  # makes a workspace for one run: something that has an `address`
    price: int = 0  # evaluations of the objective, of a gradient beyond the one of the value
    function: Any = None  # of the user's, that may raise: a VectorFunction, or one of complex x


@dataclass(frozen=True)
class Derivatives:
    """What the adapters of a problem are: names of asking.FORMS -> derivatives."""

    of: dict[str, Derivative]

    def functions(self, plain: Functions, owner: Any = None) -> Packed:
        """The problem for one run, with workspaces of its own. `owner`: what the addresses in `plain` belong to."""
        works = {name: d.work() for name, d in self.of.items()}
        order = ("gradient", "product", "hessian", "jacobian")  # asking.GRADIENT_WORK ...
        words = np.array([works[n].address if n in works else 0 for n in order], dtype=np.int64)
        addresses = {name: d.address for name, d in self.of.items()}
        names = {"price": "gradient", "product_price": "product", "hessian_price": "hessian"}
        prices = {price: self.of[name].price for price, name in names.items() if name in self.of}
        problem = plain._replace(**addresses, work=int(words.ctypes.data), **prices)
        return Packed(problem, (works, words, owner))

    def replay(self, x: np.ndarray) -> None:
        """Raise what a function of the user's raises at x, if one does."""
        for derivative in self.of.values():
            if derivative.function is not None:
                derivative.function.replay(x)

    def gradient_at(self, x: np.ndarray, record: int) -> np.ndarray | None:
        """The gradient (D,) at x, with the arguments at address `record`; None where a function raised."""
        found, g = self.of["gradient"], np.empty_like(x)
        work = found.work()
        value = np.float64(gradients.caller("gradient")(found.address, (x, record, g, work.address)))
        return None if np.isnan(value) and value.view(np.int64) == RAISED_BITS else g

    @property
    def how(self) -> dict[str, str]:
        """Where each comes from, for the result."""
        return {name: derivative.how for name, derivative in self.of.items()}


@dataclass(frozen=True)
class Wanted:
    """What the user says of derivatives.

    jac: a function, a scheme of SCHEMES, or None: automatic, by differences for an objective in Python.
    hess, hessp: functions of (x, *args) and (x, p, *args), or None: automatic, where the gradient is, else differences
    of gradients, which a `hess` stands for that is a scheme, or one of SciPy's quasi-Newton approximations.
    step: relative step of differences, a number or one for each variable.
    """

    jac: Any = None
    hess: Any = None
    hessp: Any = None
    step: Any = None

    @property
    def full(self) -> Any:
        """`hess`, if that is a function."""
        return None if self.approximated else self.hess

    @property
    def approximated(self) -> bool:
        """Whether differences of gradients are asked for."""
        return self.hess in SCHEMES if isinstance(self.hess, str) else hasattr(self.hess, "update")


def derivatives_of(bound, asks: Set[str], wanted: Wanted, lower: np.ndarray, upper: np.ndarray, x: np.ndarray):
    """The derivatives that a solver asks for.

    bound: CompiledObjective or PythonObjective; lower, upper (D,): differences stay inside; x (D,): where functions of
    the user's are called first.

    Raises
    ------
    TypeError, ValueError, CompilationError
        Naming the argument, or what cannot be differentiated.
    """
    found: dict[str, Derivative] = {}
    if asks & {"gradient", "product", "hessian"}:
        found["gradient"] = _gradient(bound, wanted, lower, upper, x)
    if "product" in asks or ("hessian" in asks and wanted.full is None):
        found["product"] = _product(bound, wanted, found["gradient"], (lower, upper), x)
    if "hessian" in asks:
        free = int((lower < upper).sum())  # along the others no difference is taken
        found["hessian"] = _hessian(bound, wanted, found, free, x)
    for derivative in found.values():
        if derivative.function is not None and bound.callback is None:
            bound.callback = derivative.function.callback  # where that stays in Python, the run is one of Python
    return Derivatives({name: d for name, d in found.items() if name in asks or name == "gradient"})


def _gradient(bound, wanted: Wanted, lower, upper, x) -> Derivative:
    if isinstance(wanted.jac, Pair):
        return _pair(both_of(wanted.jac.function), bound, x, bound.runs_as == "compiled")
    if callable(wanted.jac):
        jac = like(bound.source, wanted.jac)
        function = VectorFunction("jac", jac, bound.given, x, (len(x),), bound.runs_as == "compiled")
        own, behind = function.place_beside(bound)
        words = bound.address, function.address, own, behind
        return Derivative(compiled(gradients.given, "gradient"), "given", lambda: Packed(words), function=function)
    if wanted.jac is None and bound.runs_as == "compiled":
        return automatic_gradient(bound)
    scheme = "2-point" if wanted.jac is None else wanted.jac
    if scheme not in SCHEMES:
        raise ValueError(f"jac: got {shortened(scheme)}, expected a function, True, or one of {', '.join(SCHEMES)}")
    if scheme == "cs":
        return _by_complex_step(bound, x, lower, upper)
    adapter, step = (gradients.two_point, TWO_POINT) if scheme == "2-point" else (gradients.three_point, THREE_POINT)
    steps = _steps(wanted.step, step, len(x))
    price = len(x) if scheme == "2-point" else 2 * len(x)
    ends = np.ascontiguousarray(lower), np.ascontiguousarray(upper)
    address = compiled(adapter, "gradient")

    def with_steps(value: int):
        return Packed((value, steps, *ends, np.empty(len(x))))

    if getattr(bound, "batches", False):
        return _in_batches(bound, address, with_steps, x, how=scheme, price=price)
    return Derivative(address, scheme, lambda: with_steps(bound.address), price)


def _by_complex_step(bound, x, lower, upper) -> Derivative:
    from .complex_points import ComplexFunction

    n = len(x)
    function = ComplexFunction(bound.source, bound.given, x, 1, bound.runs_as == "compiled")

    function.check_slope(x, lower, upper)

    def with_points():
        point, out = np.zeros(n, np.complex128), np.zeros(1, np.complex128)
        return Packed((bound.address, function.address, function.args_address, point, out))

    return Derivative(compiled(gradients.complex_step, "gradient"), "cs", with_points, n, function)


def _in_batches(bound, address: int, make_work: Callable, x, how: str, price: int) -> Derivative:
    """Differences of which the points are evaluated together."""
    from .side_by_side import SideBySide

    both = SideBySide(bound.evaluate, address, make_work)
    return replace(_pair(both, bound, x, False, steady=False), how=how, price=price)


def _pair(both: Callable, bound, x, compile_it: bool, steady: bool = True) -> Derivative:
    """The gradient by a function that gives the value, too."""
    function = VectorFunction("fun", like(bound.source, both), bound.given, x, (len(x) + 1,), compile_it, steady)

    def with_numbers():
        return Packed((function.address, function.args_address, np.empty(len(x) + 1)))

    return Derivative(compiled(gradients.given_both, "gradient"), "given", with_numbers, function=function)


def _steps(given, usual: float, dimension: int) -> np.ndarray:
    steps = np.full(dimension, usual) if given is None else np.asarray(given, dtype=np.float64)
    if steps.ndim > 1 or (steps.ndim == 1 and steps.size != dimension) or not (np.abs(steps) > 0).all():
        raise ValueError(f"step: got {shortened(given)}, expected a number above 0, or one for each variable")
    return np.ascontiguousarray(np.broadcast_to(np.abs(steps), (dimension,)))


def automatic_gradient(bound) -> Derivative:
    """The gradient of the machine code of an objective."""
    from ..differentiate.adapters import derivatives
    from ..differentiate.workspace import Workspace

    if bound.form is None:
        raise ValueError("jac: got None for a C function, expected a function for its gradient, or '2-point'")
    return Derivative(derivatives(bound).gradient, AUTOMATIC, Workspace)


def automatic_product(bound) -> Derivative:
    """Products with the Hessian of the machine code of an objective."""
    from ..differentiate.adapters import derivatives
    from ..differentiate.workspace import Workspace

    return Derivative(derivatives(bound).product, AUTOMATIC, Workspace)


def _product(bound, wanted: Wanted, gradient: Derivative, box: tuple, x) -> Derivative:
    n, ends = len(x), [np.ascontiguousarray(end) for end in box]
    if wanted.hessp is not None:
        given = np.zeros(n), *bound.given
        hessp = like(bound.source, wanted.hessp)
        function = VectorFunction("hessp", hessp, given, x, (n,), bound.runs_as == "compiled", steady=False)

        def own_vector():
            """Each run hands over a vector of its own."""
            vector = np.zeros(n) if function.compiled else function.args[0]
            record = function.record_with(vector)
            return Packed((function.address, int(record.ctypes.data), vector), record)

        return Derivative(compiled(gradients.given_product, "product"), "given", own_vector, function=function)
    if wanted.full is not None:
        hessian = _given_hessian(bound, wanted, x)

        def with_matrix():
            inner = hessian.work()
            return Packed((hessian.address, inner.address, np.empty((n, n))), inner)

        return replace(hessian, address=compiled(gradients.by_hessian, "product"), work=with_matrix)
    if gradient.how == AUTOMATIC and not wanted.approximated:
        return automatic_product(bound)

    def with_gradients():
        inner = gradient.work()
        return Packed((gradient.address, inner.address, np.empty(n), np.empty(n), *ends), inner)

    price = 2 * (1 + gradient.price)
    return Derivative(compiled(gradients.by_gradients, "product"), "differences of gradients", with_gradients, price)


def _hessian(bound, wanted: Wanted, found: dict[str, Derivative], free: int, x) -> Derivative:
    if wanted.full is not None:
        return _given_hessian(bound, wanted, x)
    product, n = found["product"], len(x)

    def with_columns():
        inner = product.work()
        return Packed((product.address, inner.address, np.empty(n), np.empty(n)), inner)

    address = compiled(gradients.by_products, "hessian")
    return replace(product, address=address, work=with_columns, price=free * product.price)


def _given_hessian(bound, wanted: Wanted, x) -> Derivative:
    n = len(x)
    hess = like(bound.source, wanted.full)
    function = VectorFunction("hess", hess, bound.given, x, (n, n), bound.runs_as == "compiled")
    words = function.address, function.args_address
    address = compiled(gradients.given_hessian, "hessian")
    return Derivative(address, "given", lambda: Packed((*words, np.empty(n * n))), function=function)
