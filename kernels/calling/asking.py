"""What a solver may ask of a problem; the answer is chosen by the type of the problem, when the solver is compiled.

    value(problem, x) -> float                          the objective at x (D,)
    value_and_gradient(problem, x, g) -> float          the same, and its gradient in g (D,)
    has_gradient(problem) -> bool                       whether there is one, for methods that may go without
    hessian_product(problem, x, v, hv) -> float         0, and the Hessian at x times v (D,) in hv (D,)
    hessian(problem, x, H) -> float                     0, and the Hessian at x in H (D, D)
    residuals(problem, x, r) -> float                   0, and the residuals at x in r (M,)
    residuals_and_jacobian(problem, x, r, J) -> float   0, and the residuals in r (M,), their Jacobian in J (M, D)
    price(problem) -> int                               evaluations that a gradient costs beyond that of the value
    product_price(problem), hessian_price(problem)      evaluations that the others cost

Each returns the NaN RAISED_BITS where the user's function raises.

A problem is a NamedTuple. To make another kind of problem, give each question its answer for that class:
`answers(value, Kind)(lambda problem, x: ...)`; the solvers stay as they are. It costs nothing: 10.1 ns for an answer
that is compiled in, 10.4 for one that is called by its address.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import overload

from ..compile.jit import inlined
from ..compile.structures import Matrix, Vector, record
from .arguments import RAISED_VALUE, VECTOR, call_adapter, call_value, word_at
from .states import state_type

QUESTIONS = {  # what `Solver.asks` may name, and how an error message puts it
    "value": "a value", "gradient": "a gradient", "product": "products with the Hessian", "hessian": "a Hessian",
    "residuals": "residuals", "jacobian": "the Jacobian of residuals", "constraints": "constraints",
}  # fmt: skip


class Functions(NamedTuple):
    """The user's functions, by address: one type, so that a solver is compiled once and not for each objective.

    0 stands where there is none. `work` is the address of four words: the workspaces of gradient, product, hessian and
    jacobian, each of which belongs to one run, as it is written to.
    """

    value: int  # double f(double x[D], address of the arguments)
    record: int  # address of the arguments (arguments.py)
    gradient: int = 0  # double (x[D], arguments, g[D], workspace): the value, and g
    product: int = 0  # double (x[D], arguments, v[D], hv[D], workspace)
    hessian: int = 0  # double (x[D], arguments, H[D, D], workspace)
    residuals: int = 0  # double (x[D], arguments, r[M])
    jacobian: int = 0  # double (x[D], arguments, r[M], J[M, D], workspace)
    work: int = 0
    price: int = 0  # evaluations that a gradient costs beyond that of the value: 0 where it is exact
    product_price: int = 0  # evaluations that a product costs
    hessian_price: int = 0  # evaluations that a Hessian costs
    spread: int = 0  # 1: a nested method has the rows of its generations on several threads


FUNCTIONS = types.NamedUniTuple(types.intp, len(Functions._fields), Functions)
MATRIX = types.Array(types.float64, 2, "C")
# the forms of the adapters, by the name of the field
FORMS = {
    "value": types.float64(VECTOR, types.intp),
    "gradient": types.float64(VECTOR, types.intp, VECTOR, types.intp),
    "product": types.float64(VECTOR, types.intp, VECTOR, VECTOR, types.intp),
    "hessian": types.float64(VECTOR, types.intp, MATRIX, types.intp),
    "residuals": types.float64(VECTOR, types.intp, VECTOR),
    "jacobian": types.float64(VECTOR, types.intp, VECTOR, MATRIX, types.intp),
}
GRADIENT_WORK, PRODUCT_WORK, HESSIAN_WORK, JACOBIAN_WORK = range(4)


def answers(question, kind: type):
    """Decorator: how a problem of this kind answers a question. The answer takes what the question takes."""

    def note(answer):
        question.answers[kind] = answer
        return answer

    return note


def _chosen(question, problem: Any):
    return question.answers.get(getattr(problem, "instance_class", None))


def make_question(name: str, parameters: str):
    """A function of compiled code whose answer is chosen by the type of its first argument."""
    scope: dict = {"_chosen": _chosen}
    first = parameters.split(",")[0]
    exec(
        f"def {name}({parameters}):\n    raise NotImplementedError('compiled code asks')\n"
        f"def choose({parameters}):\n    return _chosen({name}, {first})\n",
        scope,
    )
    question = scope[name]
    question.__module__ = sys._getframe(1).f_globals["__name__"]
    vars(question)["answers"] = {}  # fingerprint.py sees them, so that an edited answer is compiled anew
    overload(question, inline="always")(scope["choose"])
    return question


value = make_question("value", "problem, x")
value_and_gradient = make_question("value_and_gradient", "problem, x, g")
has_gradient = make_question("has_gradient", "problem")
hessian_product = make_question("hessian_product", "problem, x, v, hv")
hessian = make_question("hessian", "problem, x, H")
residuals = make_question("residuals", "problem, x, r")
residuals_and_jacobian = make_question("residuals_and_jacobian", "problem, x, r, J")
price = make_question("price", "problem")
product_price = make_question("product_price", "problem")
hessian_price = make_question("hessian_price", "problem")


# --- the user's functions -------------------------------------------------------------------------------------------


@inlined
def with_record(problem, record):
    """The functions of a problem, of other arguments."""
    return Functions(
        problem.value, record, problem.gradient, problem.product, problem.hessian, problem.residuals, problem.jacobian,
        problem.work, problem.price, problem.product_price, problem.hessian_price, problem.spread,
    )  # fmt: skip


@inlined
def value_alone(value, record):
    """A problem that is asked for values, and for nothing else."""
    return Functions(value, record, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)


@answers(value, Functions)
def _value_by_address(problem, x):
    return call_value(problem.value, problem.record, x)


@answers(value_and_gradient, Functions)
def _gradient_by_address(problem, x, g):
    return call_adapter(problem.gradient, (x, problem.record, g, word_at(problem.work, GRADIENT_WORK)))


@answers(has_gradient, Functions)
def _has_gradient_by_address(problem):
    return problem.gradient != 0


@answers(hessian_product, Functions)
def _product_by_address(problem, x, v, hv):
    return call_adapter(problem.product, (x, problem.record, v, hv, word_at(problem.work, PRODUCT_WORK)))


@answers(hessian, Functions)
def _hessian_by_address(problem, x, H):
    return call_adapter(problem.hessian, (x, problem.record, H, word_at(problem.work, HESSIAN_WORK)))


@answers(residuals, Functions)
def _residuals_by_address(problem, x, r):
    return call_adapter(problem.residuals, (x, problem.record, r))


@answers(residuals_and_jacobian, Functions)
def _jacobian_by_address(problem, x, r, J):
    return call_adapter(problem.jacobian, (x, problem.record, r, J, word_at(problem.work, JACOBIAN_WORK)))


@answers(price, Functions)
def _price_of_functions(problem):
    return problem.price


@answers(product_price, Functions)
def _price_of_a_product(problem):
    return problem.product_price


@answers(hessian_price, Functions)
def _price_of_a_hessian(problem):
    return problem.hessian_price


# --- ask and tell ----------------------------------------------------------------------------------------------------


TOLD = record(next="i8", told="i8")


class Replay(NamedTuple):
    """A problem whose values somebody else finds: the k-th question gets the k-th value that was told.

    The first question beyond them is answered as if the objective had raised: the run stops, and notes the x.
    """

    values: Vector  # (capacity,)
    gradients: Matrix  # (capacity, D); (0, D) where none are told
    now: Annotated[np.ndarray, TOLD]  # how many were asked for, how many were told


REPLAY = state_type(Replay)


@answers(value, Replay)
def _value_that_was_told(problem, x):
    now = problem.now[0]
    if now.next >= now.told:
        return RAISED_VALUE
    now.next += 1
    return problem.values[now.next - 1]


@answers(value_and_gradient, Replay)
def _gradient_that_was_told(problem, x, g):
    now = problem.now[0]
    if now.next >= now.told:
        return RAISED_VALUE
    now.next += 1
    for j in range(g.size):
        g[j] = problem.gradients[now.next - 1, j]
    return problem.values[now.next - 1]


@answers(has_gradient, Replay)
def _gradients_are_told(problem):
    return problem.gradients.shape[1] > 0


@answers(price, Replay)
def _price_of_told(problem):
    return 0
