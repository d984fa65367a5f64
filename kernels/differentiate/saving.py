"""What the reverse sweep needs of the forward one: the values of operands, as they were.

made anew    what follows from x, the arguments and the number of the iteration by a few instructions
a slot       what is computed once: outside of all loops
a frame      what is computed in every iteration: at the end of a block it goes to the tape, and where the reverse of
             the block begins it comes back
restored     what was computed before a loop and is needed in it: each exit of the loop keeps it for the whole loop
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .flow import Flow, Loop
from .pointers import ARGS, CONSTANT, Pointers, X
from .reading import VALUE, Block, Function, Instruction
from .rules import Code

CHEAP = {"fadd", "fsub", "fmul", "fneg", "getelementptr", "add", "sub", "mul", "shl", "lshr", "ashr", "and", "or",
         "xor", "zext", "sext", "trunc", "icmp", "fcmp", "select", "sitofp", "uitofp", "inttoptr", "ptrtoint", "freeze",
         "extractvalue", "fpext"}  # fmt: skip
CHEAP_CALLS = ("llvm.fabs.f64", "llvm.copysign.f64", "llvm.floor.f64", "llvm.smax.i64", "llvm.smin.i64",
               "llvm.umax.i64", "llvm.umin.i64", "llvm.abs.i64", "llvm.smul.with.overflow.i64",
               "llvm.sadd.with.overflow.i64")  # fmt: skip
MOST = 24  # instructions that a value may take to be made anew
MOST_RESTORED = 4  # the same for what could be restored
DEEPEST = 12


@dataclass(eq=False)
class Frame:
    """What a block leaves on the tape: what is kept -> (its type, the name under which it comes back)."""

    kept: dict[str, tuple[str, str]] = field(default_factory=dict)

    def keep(self, value: str, type: str, name: str) -> str:
        return self.kept.setdefault(value, (type, name))[1]


class Saving:
    def __init__(self, function: Function, flow: Flow, pointers: Pointers):
        self.function, self.flow, self.pointers = function, flow, pointers
        self.slots: dict[str, str] = {}  # value -> its type
        self.frames = {block: Frame() for block in flow.order}
        self.restored: dict[Block, dict[str, str]] = {block: {} for block in flow.order}  # value -> its variable
        self.variables: dict[str, str] = {}  # of restored values -> their types

    def begin(self, block: Block, code: Code) -> None:
        """From now on values are asked for in the reverse of this block."""
        self.block, self.code = block, code
        self.known: dict[str, str] = {}

    def value(self, v: str) -> str:
        """An operand, with the value it had when the block ran."""
        if not v.startswith("%v") or v in self.function.parameters:
            return v
        if v not in self.known:
            self.known[v] = self._value(v)
        return self.known[v]

    def _value(self, v: str) -> str:
        i = self.function.definitions[v]
        if not self.flow.around[i.block]:
            self.slots[v] = i.type
            return self.code.op(f"load {i.type}, ptr {slot(v)}")
        cost = self._cost(v)
        loop = self._loop_behind(i.block)
        if loop is not None and (cost is None or cost > MOST_RESTORED):
            return self._restored(v, i.type, loop)
        if cost is None:
            return self.frames[self.block].keep(v, i.type, self.code.new())
        return self._anew(i)

    def _loop_behind(self, defined: Block) -> Loop | None:
        """The outermost loop around this block that `defined` is not in."""
        outside = [loop for loop in self.flow.around[self.block] if defined not in loop.body]
        return outside[-1] if outside else None

    def _restored(self, v: str, type: str, loop: Loop) -> str:
        variable = f"%w{loop.counter[1:]}.{v[1:]}"
        self.variables[variable] = type
        for block in self.flow.exits(loop):
            self.restored[block][v] = variable
        return self.code.op(f"load {type}, ptr {variable}")

    def _anew(self, i: Instruction) -> str:
        step = self._induction(i)
        if step:
            start, width, loop = step
            k = self.code.op(f"load i64, ptr {loop.counter}")
            if width != "1":
                k = self.code.op(f"mul i64 {k}, {width}")
            start = self.value(start)
            return k if start == "0" else self.code.op(f"add i64 {k}, {start}")
        operands = {a: self.value(a) for a in i.args}
        return self.code.op(VALUE.sub(lambda m: operands.get(m.group(0), m.group(0)), i.text))

    def _cost(self, v: str, depth: int = 0) -> int | None:
        """Instructions needed to make v anew; None if it cannot be, or takes too many."""
        if not v.startswith("%v") or v in self.function.parameters or v in self.known:
            return 0
        i = self.function.definitions[v]
        if not self.flow.around[i.block]:
            return 0
        if depth > DEEPEST:
            return None
        step = self._induction(i)
        if step:
            cost = self._cost(step[0], depth + 1)
            return None if cost is None else cost + 1
        if not self._can_be_made(i):
            return None
        total = 1
        for a in i.args:
            cost = self._cost(a, depth + 1)
            if cost is None or total + cost > MOST:
                return None
            total += cost
        return total

    def _can_be_made(self, i: Instruction) -> bool:
        if i.op == "load":
            places = self.pointers.places(i.args[0])
            return bool(places) and places <= {ARGS, CONSTANT, X}
        return i.callee in CHEAP_CALLS if i.op == "call" else i.op in CHEAP

    def _induction(self, i: Instruction) -> tuple[str, str, Loop] | None:
        """(where it starts, its step, the loop) of a value that grows by a constant in each iteration."""
        loop = self.flow.of_header.get(i.block)
        if i.op != "phi" or i.type != "i64" or loop is None or not loop.is_simple or self.block not in loop.body:
            return None
        start = i.args[i.labels.index(loop.entries[0].name)]
        after = self.function.definitions.get(i.args[i.labels.index(loop.latches[0].name)])
        if after is None:
            return None
        if after.op == "add" and after.args[0] == i.name and re.fullmatch(r"-?\d+", after.args[1]):
            return start, after.args[1], loop
        if after.op == "phi" and after is not i and after.block is i.block and re.fullmatch(r"-?\d+", start):
            other = self._induction(after)  # this one is a step behind it
            if other and re.fullmatch(r"-?\d+", other[0]) and int(other[0]) - int(other[1]) == int(start):
                return start, other[1], loop
        return None


def slot(v: str) -> str:
    return f"%s{v[1:]}"
