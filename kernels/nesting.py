"""A solver inside another one: its state is a part of the other's, its machine code is called and not compiled again.

    search = nested("l_bfgs_b", LBfgsBState)                                       in the file of the outer method
    value = search(problem, state.l_bfgs_b, state.fresh_l_bfgs_b, x, most, run)    in its iteration: a whole run
    drive = driver("nelder_mead", NelderMeadState)                                 or a step at a time, between
    drive(problem, state.nelder_mead, 1)                                           `lend` and `take_in`

The inner run keeps its own counters, its own best and its own stop; what it evaluates counts in the run around it, too.
Compiled into its caller, L-BFGS-B would cost eight seconds of compilation for each method that has it, and for each
driver of these. So compiled code reads the address of the nested driver from a word of memory that it knows by name (a
symbol): what it is compiled to can be kept on disk. The drivers write the address there before a run begins (`link`).
A second word has the address of the driver that takes several threads, for problems that ask for it (`spread`).
"""

from __future__ import annotations

import itertools
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from .calling import asking
from .calling.arguments import copy_array, intrinsic
from .calling.states import StateType, state_type
from .compile.jit import inlined, once, part
from .compile.structures import leaf_names, mapped
from .run import RUNNING, note_raised, open_iteration

ENTRY = (types.intp, types.intp, types.int64)  # of a driver: problem, state, evaluations
PROBLEMS = ("Functions", "Replay")  # kinds of problems, each of which has a driver of its own
_words: dict[str, np.ndarray] = {}  # name of a symbol -> (1,) the address of a driver, 0 as long as there is none


SERIAL, SPREAD = "", "_spread"  # which of its drivers


def _symbol(solver: str, problem: str, way: str = SERIAL) -> str:
    return f"thalweg_nested_{solver}_{problem}{way}"


def link(solver: str, problem: str, address: int, way: str = SERIAL) -> None:
    """From now on, the driver of a nested solver is at this address."""
    _words[_symbol(solver, problem, way)][0] = address


def is_linked(solver: str, problem: str, way: str = SERIAL) -> bool:
    return bool(_words[_symbol(solver, problem, way)][0])


@once
def restoring(State: type):
    """restore(state, template): the state becomes the template."""
    # A run appends to the history of the one before it: its record says that nothing is in it.
    names = [name for name in leaf_names(State) if not name.endswith("run.history")]
    lines = "".join(f"    copy_array(state.{name}, template.{name})\n" for name in names)
    scope: dict = {"copy_array": copy_array}
    exec(f"def restore(state, template):\n{lines}", scope)
    return inlined(scope["restore"])


def nothing_of(state: Any) -> Any:
    """A state in the place of one that is not needed: all its arrays are empty."""
    return mapped(lambda array: array[:0].copy(), state)


def nested(solver: str, State: type, place=None):
    """search(problem, state, fresh, x, most, run) -> value: a run of the nested solver, from x (D,), within the run.

    Parameters
    ----------
    solver : str
        Its name in the registry.
    State : type
        Its state: `state`, and `fresh`, a copy from before its first iteration.
    place : kernel, optional
        (x, state): begin at x. Default: it is copied to state.x.

    The best point of the search becomes x, of which the value is returned. It may take `most` evaluations, and no more
    than the run has left; they, failures, gradients, exceptions and the best are noted in `run`.
    """
    drive, restore, place = driver(solver, State), restoring(State), place or _place_x

    @inlined
    def search(problem, state, fresh, x, most, run):
        restore(state, fresh)
        place(x, state)
        own, now = state.run.now[0], run.now[0]
        lend(run, state.run, min(most, now.max_evals - now.evaluations - asking.price(problem)))
        own.index = 0  # the first run of a method begins where it is told
        while own.stop == RUNNING:
            drive(problem, state, own.max_evals)
        take_in(run, state.run, 0)
        for j in range(x.size):
            x[j] = state.run.best_x[j] if own.best < np.inf else x[j]
        return own.best

    return search


@inlined
def _place_x(x, state):
    for j in range(x.size):
        state.x[j] = x[j]


@part
def lend(run, inner, evaluations):
    """The inner run begins anew; it may make so many evaluations, if the run around it has them left."""
    whole, now = run.now[0], inner.now[0]
    now.stop, now.iteration, now.evaluations, now.best, now.spread = RUNNING, 0, 0, np.inf, np.inf
    now.max_evals = min(evaluations, whole.max_evals - whole.evaluations)
    now.target, now.index = whole.target, whole.index
    now.entries, now.stride, now.due = 0, 1, 0
    open_iteration(inner)


@part
def take_in(run, inner, before):
    """What the inner run has done since it had made `before` evaluations, in the books of the run around it."""
    whole, now = run.now[0], inner.now[0]
    whole.evaluations += now.evaluations - before
    whole.failed += now.failed
    whole.gradients += now.gradients
    now.failed = now.gradients = 0
    if now.best < whole.best:
        whole.best, whole.stall = now.best, -1
        for j in range(run.best_x.size):
            run.best_x[j] = inner.best_x[j]
    if now.raised == 1:
        note_raised(run, inner.raised_x)


def driver(solver: str, State: type):
    """drive(problem, state, evaluations): the driver of a solver, by its address; for about so many."""
    for problem, way in itertools.product(PROBLEMS, (SERIAL, SPREAD)):
        name = _symbol(solver, problem, way)
        if name not in _words:
            _words[name] = np.zeros(1, dtype=np.int64)
            llvmlite.binding.add_symbol(name, _words[name].ctypes.data)
    kind = state_type(State)

    @intrinsic
    def drive(typingctx, problem, state, evaluations):
        asks = problem.instance_class

        def codegen(context, builder, signature, values):
            address = _read_word(context, builder, _symbol(solver, asks.__name__))
            if "spread" in asks._fields:
                wanted = builder.extract_value(values[0], asks._fields.index("spread"))
                other = _read_word(context, builder, _symbol(solver, asks.__name__, SPREAD))
                both = builder.and_(cgutils.is_not_null(builder, wanted), cgutils.is_not_null(builder, other))
                address = builder.select(both, other, address)
            form = context.call_conv.get_function_type(types.none, ENTRY)
            callee = builder.inttoptr(address, form.as_pointer())
            given = [_stored(context, builder, ty, value) for ty, value in zip(signature.args[:2], values)]
            context.call_conv.call_function(builder, callee, types.none, ENTRY, [*given, values[2]])
            return context.get_dummy_value()

        return types.none(problem, kind, types.int64), codegen

    return drive


def _read_word(context, builder, symbol: str):
    word = context.get_value_type(types.intp)
    return builder.load(builder.module.globals.get(symbol) or ir.GlobalVariable(builder.module, word, symbol))


def _stored(context, builder, ty, value):
    """The address of what `load` reads (calling/arguments.py): a state has one, a problem is stored on the stack."""
    word = context.get_value_type(types.intp)
    if isinstance(ty, StateType):
        return builder.ptrtoint(value, word)
    members = cgutils.unpack_tuple(builder, value, len(ty))
    place = cgutils.alloca_once(builder, ir.ArrayType(word, len(members)))
    for k, member in enumerate(members):
        builder.store(member, cgutils.gep_inbounds(builder, place, 0, k))
    return builder.ptrtoint(place, word)
