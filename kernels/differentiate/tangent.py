"""Forward mode: from a flat function the text of one that carries K directional derivatives along.

Of residuals it gives K columns of their Jacobian at once; of a gradient, which is a flat function like any other, the
product of the Hessian with a vector.

Memory. The tangents of the double at address p are K doubles at p * K + shift; those of x, and of what the function
fills (`OWN`), stand in an array of their own, in the same order.
"""

from __future__ import annotations

import itertools
import re

from .adjoint import DROPPED, declarations, size_of
from .flow import Flow
from .pointers import COPIES, Pointers, X, is_allocation
from .products import is_product, output_of, tangent_of_product
from .reading import Block, Function, Instruction, Refused, read
from .rules import Code, rule_of, strong

FULL = 3
OWN = (X, "result", "value")  # places with an array of tangents of their own: x, what is filled, the value


def tangent(module: str, flat: str, name: str, K: int, places: dict[int, str], flags: str, own: bool) -> str:
    """A module with the function `name`: i32 (the parameters of `flat`, a tangent for each place of OWN, shift, arena,
    its end, where it is free).

    `places`: what the parameters point to, by their number (pointers.py).
    """
    return Tangent(read(module, flat), name, K, places, flags, own).text()


class Tangent:
    def __init__(self, function: Function, name: str, K: int, places: dict[int, str], flags: str, own: bool):
        self.function, self.name, self.K = function, name, K
        self.V = "double" if K == 1 else f"<{K} x double>"
        self.code = Code(flags, own, itertools.count())
        self.flow = Flow(function, loops=False)
        given = {function.parameters[k]: place for k, place in places.items()}
        self.of_derivative = "arena" in given.values()
        self.pointers = Pointers(function, given, frozenset([X]), checked=self.of_derivative)
        self.starts = {place: p for p, place in given.items() if place in OWN}

    def text(self) -> str:
        ends: dict[str, str] = {}
        lines = [
            "entry:", "  %bump = alloca ptr", "  store ptr %free.t, ptr %bump",
            f"  %trash = alloca [{self.K} x double]", f"  %zeros = alloca [{self.K} x double]",
            f"  call void @llvm.memset.p0.i64(ptr %zeros, i8 0, i64 {8 * self.K}, i1 false)",
            f"  br label %{self.flow.order[0].name}",
        ]  # fmt: skip
        for line in [line for block in self.flow.order for line in self._block(block, ends)]:
            if " = phi " in line:
                line = re.sub(r"%(v\d+) \]", lambda m: f"%{ends.get(m.group(1), m.group(1))} ]", line)
            lines.append(line)
        lines += ["full:", f"  ret i32 {FULL}"]
        given = [f"{t} {p}" for p, t in zip(self.function.parameters, self.function.types)]
        given += [f"ptr noalias %t.{place}" for place in OWN]
        given += ["i64 %shift", "ptr %arena.t", "ptr %arena.t.end", "ptr %free.t"]
        body = "\n".join(lines)
        head = f"define i32 @{self.name}({', '.join(given)}) {{"
        return "\n".join([head, body, "}", *declarations(self.function.module, body)]) + "\n"

    def _block(self, block: Block, ends: dict[str, str]) -> list[str]:
        self.code = code = self.code.beside()
        for phi in block.phis:
            code.add(phi.line.strip())
        for phi in block.phis:
            if phi.name in self.pointers.active:
                ways = ", ".join(f"[ {self._of(a)}, %{n} ]" for a, n in zip(phi.args, phi.labels))
                code.add(f"{phi.name}.d = phi {self.V} {ways}")
        for i in block.body:
            if is_allocation(i):
                self._allocate(i)
                ends[block.name] = f"room.{i.name[1:]}"
                continue
            if i.callee.startswith(DROPPED):
                continue
            if is_product(i.callee) and self.pointers.may_be_active(output_of(i)):
                self._product(i)
                continue
            code.add(i.line.strip())
            self._carry(i)
        self._leave(block)
        return [f"{block.name}:", *code.lines]

    def _leave(self, block: Block) -> None:
        end = block.end
        if end.op == "raise":
            self.code.add(f"ret i32 {end.detail}")
        elif end.op == "ret" and end.types == ["double"]:
            self.code.add(f"store {self.V} {self._of(end.args[0])}, ptr %t.value, align 8")
            self.code.add("ret i32 0")
        elif end.op == "ret" and not end.args:
            self.code.add("ret i32 0")
        else:
            self.code.add(end.line.strip())

    def _allocate(self, i: Instruction) -> None:
        add, u = self.code.add, i.name[1:]
        size = str(size_of(i.detail)) if i.op == "alloca" else i.args[0]
        if i.op == "alloca" and i.args:
            size = self.code.op(f"mul i64 {size}, {i.args[0]}")
        add(f"{i.name} = load ptr, ptr %bump")
        rounded = self.code.op(f"and i64 {self.code.op(f'add i64 {size}, 63')}, -64")
        add(f"store ptr {self.code.op(f'getelementptr i8, ptr {i.name}, i64 {rounded}')}, ptr %bump")
        last, at = (self.code.op(f"ptrtoint ptr {p} to i64") for p in ("%arena.t.end", i.name))
        fits = self.code.op(f"icmp ule i64 {rounded}, {self.code.op(f'sub i64 {last}, {at}')}")
        add(f"br i1 {fits}, label %room.{u}, label %full")
        self.code.lines.append(f"room.{u}:")

    # --- one instruction ---

    def _of(self, v: str) -> str:
        """The tangents of a value."""
        return f"{v}.d" if v in self.pointers.active else "0.0" if self.K == 1 else "zeroinitializer"

    def _carry(self, i: Instruction) -> None:
        code, pointers = self.code, self.pointers
        if i.op == "store":
            if pointers.holds_number(i) and pointers.may_be_active(i.args[1]):
                place = self._place(i.args[1], "%trash")
                code.add(f"store {self.V} {self._of(i.args[0])}, ptr {place}, align 8")
        elif i.callee.startswith(("llvm.memset", *COPIES)):
            self._carry_copy(i)
        elif i.name in pointers.active:
            if i.op == "load":
                code.add(f"{i.name}.d = load {self.V}, ptr {self._place(i.args[0], '%zeros')}, align 8")
            elif i.op == "select":
                a, b = self._of(i.args[1]), self._of(i.args[2])
                code.add(f"{i.name}.d = select i1 {i.args[0]}, {self.V} {a}, {self.V} {b}")
            else:
                code.add(f"{i.name}.d = freeze {self.V} {self._sum(i)}")

    def _sum(self, i: Instruction) -> str:
        """The tangents of an operation: those of its operands, each times the partial derivative."""
        found = rule_of(i)
        if found is None:
            raise Refused(f"there is no derivative of {i.callee or i.op}", i.callee)
        rule, steep = found
        total = ""
        for k, a in enumerate(i.args):
            if a in self.pointers.active:
                term = self._term(i, k, rule, steep)
                total = self.code.arithmetic("fadd", total, term, type=self.V) if total else term
        return total

    def _term(self, i: Instruction, k: int, rule, steep: bool) -> str:
        code, given = self.code, (lambda j: i.args[j], lambda: i.name)
        if self.K == 1:
            term = rule(code, self._of(i.args[k]), k, *given)
            return strong(code, self._of(i.args[k]), term) if steep else term
        if i.op in ("fadd", "freeze", "bitcast"):
            return self._of(i.args[k])
        partial = self._splat(rule(code, "1.0", k, *given))
        tangents = self._of(i.args[k])
        term = code.arithmetic("fmul", tangents, partial, type=self.V)
        if not steep:
            return term
        none = code.op(f"fcmp oeq {self.V} {tangents}, zeroinitializer")
        return code.op(f"select <{self.K} x i1> {none}, {self.V} zeroinitializer, {self.V} {term}")

    def _splat(self, value: str) -> str:
        first = self.code.op(f"insertelement {self.V} poison, double {value}, i64 0")
        return self.code.op(f"shufflevector {self.V} {first}, {self.V} poison, <{self.K} x i32> zeroinitializer")

    def _carry_copy(self, i: Instruction) -> None:
        target, source, size = i.args[:3]
        if not self.pointers.may_be_active(target):
            return
        n = size if self.K == 1 else self.code.op(f"mul i64 {size}, {self.K}")
        to = self._place(target)
        if i.callee.startswith(COPIES) and self.pointers.may_be_active(source):
            self.code.add(f"call void @ad.copied(ptr {to}, ptr {self._place(source, 'null')}, i64 {n})")
        else:
            self.code.add(f"call void @llvm.memset.p0.i64(ptr {to}, i8 0, i64 {n}, i1 false)")

    def _product(self, i: Instruction) -> None:
        if self.K != 1:
            raise Refused("products with several tangents at once", i.callee)

        def tangent_place(k: int) -> str:
            elsewhere = "" if i.args[k] == output_of(i) else "null"
            return self._place(i.args[k], elsewhere) if self.pointers.may_be_active(i.args[k]) else "null"

        self.code.add(tangent_of_product(i, tangent_place))
        self.code.add(i.line.strip())

    def _place(self, pointer: str, elsewhere: str = "") -> str:
        """Where the tangents of what a pointer points to lie; `elsewhere` where it points to what has none."""
        op, places = self.code.op, self.pointers.places(pointer)
        if len(places) == 1 and (own := next(iter(places))) in self.starts:
            return self._in_own(pointer, own)
        if places & set(OWN):
            raise Refused("a pointer of it may point into x or elsewhere")
        if self.K == 1:
            shifted = op(f"getelementptr i8, ptr {pointer}, i64 %shift")
        else:
            scaled = op(f"mul i64 {op(f'ptrtoint ptr {pointer} to i64')}, {self.K}")
            shifted = op(f"inttoptr i64 {op(f'add i64 {scaled}, %shift')} to ptr")
        if places and all(map(self.pointers.is_local, places)):
            return shifted
        if not elsewhere and self.of_derivative:  # which writes into its own memory only
            return shifted
        if not elsewhere:
            raise Refused("it copies to one of several arrays, of which some do not hang on x")
        active = [place for place in self.pointers.reached(pointer) if place in self.pointers.active_places]
        inside = op(f"icmp uge ptr {pointer}, %arena.t")
        inside = op(f"and i1 {inside}, {op(f'icmp ult ptr {pointer}, %arena.t.end')}")
        assert active
        return op(f"select i1 {inside}, ptr {shifted}, ptr {elsewhere}")

    def _in_own(self, pointer: str, own: str) -> str:
        """In the array of tangents of x, or of what is filled."""
        op, start = self.code.op, self.starts[own]
        if pointer == start:
            return f"%t.{own}"
        d = self.function.definitions[pointer]
        if d.op == "getelementptr" and self.K == 1:
            rest = ", ".join(f"{t} {a}" for t, a in zip(d.types[1:], d.args[1:]))
            return op(f"getelementptr {d.detail}, ptr {self._in_own(d.args[0], own)}, {rest}")
        distance = op(f"sub i64 {op(f'ptrtoint ptr {pointer} to i64')}, {op(f'ptrtoint ptr {start} to i64')}")
        return op(f"getelementptr i8, ptr %t.{own}, i64 {op(f'mul i64 {distance}, {self.K}')}")
