"""Reverse mode: from a flat function the text of one that gives its value and its gradient.

Memory. Everything that may carry derivatives lies in one arena: local arrays are taken from its front one after the
other and never freed. The adjoint of the double at address p lies at p + delta, so that pointers, and pointers that are
stored in memory, need no shadows. x is used where it is, with g as its adjoint; where a pointer may point into x or
elsewhere, it is copied into the arena.

Control. The forward sweep is the function itself, with notes: a loop counts its iterations, a block that can be reached
in several ways notes from where. The reverse sweep has a block `r.b` for each block b, and goes from the return back to
the beginning. The adjoint of a value is a variable, of which LLVM makes registers.
"""

from __future__ import annotations

import itertools
import re

from .flow import Flow
from .pointers import ARGS, COPIES, Pointers, X, is_allocation
from .products import back, definitions, is_product, keep_operands, output_of
from .reading import Block, Function, Instruction, Refused, read, split
from .rules import OWN, Code, rule_of, strong
from .saving import Saving, slot

DROPPED = ("llvm.lifetime", "llvm.stacksave", "llvm.stackrestore")  # the arena has no end of a life
FULL = 3  # the status of a workspace that is too small; 0 is a value, RAISED and UNDEFINED stand in runtime.py
PARAMETERS = ("ptr noalias %value", "ptr noalias %g", "ptr noalias %arena", "ptr %arenaend", "i64 %delta",
              "ptr noalias %tape", "ptr %tapeend")  # fmt: skip


def adjoint(module: str, flat: str, name: str, flags: str = "reassoc nsz arcp afn ", own: bool = True) -> str:
    """A module with the function `name`: i32 (x, n, args, value, g, the five words of the workspace).

    `flags`: of the arithmetic of derivatives. `own`: whether it may use our own elementary functions.
    """
    return Adjoint(read(module, flat), name, flags, own).text()


class Adjoint:
    def __init__(self, function: Function, name: str, flags: str, own: bool):
        self.function, self.name = function, name
        self.code = Code(flags, own, itertools.count())
        self.x, self.n, self.args = function.parameters
        self.flow = Flow(function)
        self.pointers = Pointers(function, {self.x: X, self.args: ARGS}, frozenset([X]))
        self.kept = keep_operands(function, self.pointers)
        self.saving = Saving(function, self.flow, self.pointers)
        self.copies_x = self._must_copy_x()
        self.adjoints: dict[str, str] = {}  # value -> the variable of its adjoint
        self.came_from: dict[Block, str] = {}  # blocks that note where they were entered from -> the name of the note

    def _must_copy_x(self) -> bool:
        used = [a for i in self.pointers.instructions for a, t in zip(i.args, i.types) if t == "ptr"]
        mixed = any(X in (p := self.pointers.places(a)) and len(p) > 1 for a in used)
        return mixed or any(X in inside for inside in self.pointers.contents.values())

    # --- the whole ---

    def text(self) -> str:
        inner_first = sorted(self.flow.order, key=lambda b: -len(self.flow.around[b]))
        reverse = {b: self._reverse(b) for b in inner_first if b.end.op != "raise"}  # decides what is kept
        lines = self._entry()
        ends: dict[str, str] = {}  # block -> the block in which it ends, where an allocation cut it
        forward = [line for block in self.flow.order for line in self._forward(block, ends)]
        lines += [self._from_ends(line, ends) for line in forward]
        for block in self.flow.order:
            lines += reverse.get(block, [])
        lines += ["full:", f"  ret i32 {FULL}"]
        given = [
            f"{t} {'noalias readonly ' if p == self.x else ''}{self._given(p)}"
            for p, t in zip(self.function.parameters, self.function.types)
        ]
        head = f"define i32 @{self.name}({', '.join((*given, *PARAMETERS))}) noinline {{"
        body = "\n".join(lines)
        return "\n".join([head, body, "}", *declarations(self.function.module, body)]) + "\n"

    def _given(self, parameter: str) -> str:
        return f"{parameter}.given" if parameter == self.x and self.copies_x else parameter

    def _from_ends(self, line: str, ends: dict[str, str]) -> str:
        if " = phi " not in line:
            return line
        return re.sub(r"%(v\d+) \]", lambda m: f"%{ends.get(m.group(1), m.group(1))} ]", line)

    def _entry(self) -> list[str]:
        lines = ["entry:"]
        lines += [f"  {slot(v)} = alloca {kind}" for v, kind in self.saving.slots.items()]
        lines += [f"  {name} = alloca {kind}" for name, kind in self.saving.variables.items()]
        lines += [f"  {name} = alloca i64" for block, name in self.came_from.items() if not self.flow.around[block]]
        for variable in self.adjoints.values():
            lines += [f"  {variable} = alloca double", f"  store double 0.0, ptr {variable}"]
        for loop in self.flow.loops:
            lines += [f"  {loop.counter} = alloca i64", f"  store i64 0, ptr {loop.counter}"]
        largest = max(len(frame.kept) for frame in self.saving.frames.values())
        lines += [
            "  %tp = alloca ptr", "  store ptr %tape, ptr %tp", "  %bump = alloca ptr", "  %trash = alloca double",
            f"  %tapelimit = getelementptr i8, ptr %tapeend, i64 {-8 * (largest + 1)}",
            f"  %xbytes = shl i64 {self.n}, 3",
        ]  # fmt: skip
        if self.copies_x:
            lines += [
                "  %behind = add i64 %xbytes, 63", "  %room = and i64 %behind, -64",
                "  %start = getelementptr i8, ptr %arena, i64 %room", "  store ptr %start, ptr %bump",
                "  %fits = icmp ult ptr %start, %arenaend", "  br i1 %fits, label %copyx, label %full", "copyx:",
                f"  call void @llvm.memcpy.p0.p0.i64(ptr %arena, ptr {self.x}.given, i64 %xbytes, i1 false)",
                "  %xadjoint = getelementptr i8, ptr %arena, i64 %delta",
                "  call void @llvm.memset.p0.i64(ptr %xadjoint, i8 0, i64 %xbytes, i1 false)",
                f"  {self.x} = getelementptr i8, ptr %arena, i64 0",
            ]  # fmt: skip
        else:
            lines += [
                "  store ptr %arena, ptr %bump",
                "  call void @llvm.memset.p0.i64(ptr %g, i8 0, i64 %xbytes, i1 false)",
            ]
        return [*lines, f"  br label %{self.flow.order[0].name}"]

    # --- forward ---

    def _forward(self, block: Block, ends: dict[str, str]) -> list[str]:
        lines = [f"{block.name}:", *(phi.line for phi in block.phis)]
        if block.end.op == "raise":
            return [*lines, f"  ret i32 {block.end.detail}"]
        frame = self.saving.frames[block]
        if block in self.came_from:
            ways = ", ".join(f"[ {k}, %{p.name} ]" for k, p in enumerate(self.flow.before[block]))
            lines.append(f"  %from.{block.name} = phi i64 {ways}")
            if not self.flow.around[block]:
                lines.append(f"  store i64 %from.{block.name}, ptr {self.came_from[block]}")
        for phi in block.phis:
            self._keep(phi, lines)
        for i in block.body:
            if is_allocation(i):
                lines += self._allocation(i)
                ends[block.name] = f"room.{i.name[1:]}"
            elif not i.callee.startswith(DROPPED):
                lines.append(i.line)
            self._keep(i, lines)
        if frame.kept:
            lines += self._push(block, frame)
        lines += self._count(block)
        if block.end.op == "ret":
            return lines + [
                f"  store double {block.end.args[0]}, ptr %value",
                f"  %last.{block.name} = load ptr, ptr %tp",
                f"  %over.end.{block.name} = icmp ugt ptr %last.{block.name}, %tapelimit",
                f"  br i1 %over.end.{block.name}, label %full, label %r.{block.name}",
            ]
        return [*lines, block.end.line]

    def _keep(self, i: Instruction, lines: list[str]) -> None:
        if i.name in self.saving.slots:
            lines.append(f"  store {i.type} {i.name}, ptr {slot(i.name)}")

    def _allocation(self, i: Instruction) -> list[str]:
        """Take memory from the arena; its adjoints are zero."""
        u = i.name[1:]
        lines, size = [], i.args[0] if i.args else str(size_of(i.detail))
        if i.op == "alloca" and i.args:
            lines, size = [f"  %bytes.{u} = mul i64 {size}, {size_of(i.detail)}"], f"%bytes.{u}"
        lines += [
            f"  {i.name} = load ptr, ptr %bump",
            f"  %above.{u} = add i64 {size}, 63", f"  %size.{u} = and i64 %above.{u}, -64",
            f"  %end.{u} = getelementptr i8, ptr {i.name}, i64 %size.{u}", f"  store ptr %end.{u}, ptr %bump",
            f"  %last.{u} = ptrtoint ptr %arenaend to i64", f"  %at.{u} = ptrtoint ptr {i.name} to i64",
            f"  %left.{u} = sub i64 %last.{u}, %at.{u}", f"  %fits.{u} = icmp ule i64 %size.{u}, %left.{u}",
            f"  br i1 %fits.{u}, label %room.{u}, label %full", f"room.{u}:",
        ]  # fmt: skip
        if i.name in self.pointers.active_places:
            lines += [
                f"  %adjoint.{u} = getelementptr i8, ptr {i.name}, i64 %delta",
                f"  call void @llvm.memset.p0.i64(ptr %adjoint.{u}, i8 0, i64 {size}, i1 false)",
            ]
        return lines

    def _push(self, block: Block, frame) -> list[str]:
        b = block.name
        lines = [
            f"  %tp.{b} = load ptr, ptr %tp", f"  %over.{b} = icmp ugt ptr %tp.{b}, %tapelimit",
            f"  %to.{b} = select i1 %over.{b}, ptr %tapelimit, ptr %tp.{b}",
        ]  # fmt: skip
        for k, (v, (kind, _)) in enumerate(frame.kept.items()):
            if v == "from":
                v = f"%from.{b}"
            elif v.startswith("%k"):
                lines.append(f"  %old.{b} = load i64, ptr {v}")
                v = f"%old.{b}"
            elif kind == "i1":
                lines.append(f"  %bit.{b}.{k} = zext i1 {v} to i8")
                kind, v = "i8", f"%bit.{b}.{k}"
            lines += [
                f"  %place.{b}.{k} = getelementptr i8, ptr %to.{b}, i64 {8 * k}",
                f"  store {kind} {v}, ptr %place.{b}.{k}",
            ]
        size = 8 * len(frame.kept)
        return [*lines, f"  %next.{b} = getelementptr i8, ptr %tp.{b}, i64 {size}", f"  store ptr %next.{b}, ptr %tp"]

    def _count(self, block: Block) -> list[str]:
        lines = []
        for loop in self.flow.loops:
            if not loop.is_simple:
                continue
            if block is loop.entries[0]:
                lines.append(f"  store i64 0, ptr {loop.counter}")
            if block is loop.latches[0]:
                u = f"%count.{block.name}{loop.counter[1:]}"
                one = "1"
                if len(self.flow.next[block]) > 1:  # only where it goes round
                    first = block.end.labels[0] == loop.header.name
                    one = f"{u}.one"
                    lines.append(f"  {one} = select i1 {block.end.args[0]}, i64 {int(first)}, i64 {int(not first)}")
                lines += [
                    f"  {u} = load i64, ptr {loop.counter}", f"  {u}.next = add nuw i64 {u}, {one}",
                    f"  store i64 {u}.next, ptr {loop.counter}",
                ]  # fmt: skip
        return lines

    # --- reverse ---

    def _reverse(self, block: Block) -> list[str]:
        self.code = code = self.code.beside()
        self.saving.begin(block, code)
        for v, variable in self.saving.restored[block].items():
            code.add(f"store {self.saving.variables[variable]} {self.saving.value(v)}, ptr {variable}")
        if block.end.op == "ret":
            self._add(block.end.args[0], "1.0")
        for i in reversed(block.body):
            self._undo(i)
        carried = [(phi, self._take(phi.name)) for phi in block.phis if phi.name in self.pointers.active]
        tail = self._way_back(block, carried)
        for loop in self.flow.loops:
            if loop.is_simple and block is loop.entries[0] and self.flow.around[block]:
                self.saving.frames[block].keep(loop.counter, "i64", code.new())
        return [f"r.{block.name}:", *self._pop(block), *code.lines, *tail]

    def _pop(self, block: Block) -> list[str]:
        frame, b = self.saving.frames[block], block.name
        if not frame.kept:
            return []
        lines = [
            f"  %rt.{b} = load ptr, ptr %tp",
            f"  %rs.{b} = getelementptr i8, ptr %rt.{b}, i64 {-8 * len(frame.kept)}", f"  store ptr %rs.{b}, ptr %tp",
        ]  # fmt: skip
        for k, (v, (kind, name)) in enumerate(frame.kept.items()):
            lines.append(f"  %rq.{b}.{k} = getelementptr i8, ptr %rs.{b}, i64 {8 * k}")
            if kind == "i1":
                lines += [f"  {name}.b = load i8, ptr %rq.{b}.{k}", f"  {name} = trunc i8 {name}.b to i1"]
            else:
                lines.append(f"  {name} = load {kind}, ptr %rq.{b}.{k}")
            if v.startswith("%k"):
                lines.append(f"  store i64 {name}, ptr {v}")
        return lines

    def _way_back(self, block: Block, carried) -> list[str]:
        """To the block that this one was entered from, by way of an edge that gives the phis' adjoints back."""
        code, before = self.code, self.flow.before[block]
        if not before:
            if self.copies_x:
                code.add("%gx = getelementptr i8, ptr %arena, i64 %delta")
                code.add("call void @llvm.memcpy.p0.p0.i64(ptr %g, ptr %gx, i64 %xbytes, i1 false)")
            code.add("ret i32 0")
            return []
        loop = self.flow.of_header.get(block)
        edges = [self._edge(p, block, carried) for p in before]
        if len(before) == 1:
            code.add(f"br label %{edges[0][0]}")
        elif loop is not None and loop.is_simple:
            into, around = (edges[before.index(b)] for b in (loop.entries[0], loop.latches[0]))
            k = code.op(f"load i64, ptr {loop.counter}")
            code.add(f"br i1 {code.op(f'icmp eq i64 {k}, 0')}, label %{into[0]}, label %{around[0]}")
            less = code.new()
            around[1][1:1] = [f"  {less} = sub nuw i64 {k}, 1", f"  store i64 {less}, ptr {loop.counter}"]
        else:
            self.came_from[block] = f"%from.slot.{block.name}"
            if self.flow.around[block]:
                way = self.saving.frames[block].keep("from", "i64", code.new())
            else:
                way = code.op(f"load i64, ptr {self.came_from[block]}")
            rest = " ".join(f"i64 {k}, label %{label}" for k, (label, _) in enumerate(edges) if k)
            code.add(f"switch i64 {way}, label %{edges[0][0]} [{rest}]")
        return [line for _, lines in edges for line in lines]

    def _edge(self, origin: Block, block: Block, carried) -> tuple[str, list[str]]:
        outer, self.code = self.code, self.code.beside()
        for phi, w in carried:
            self._add(phi.args[phi.labels.index(origin.name)], w)
        self.code.add(f"br label %r.{origin.name}")
        lines, self.code = self.code.lines, outer
        label = f"e.{origin.name}.{block.name}"
        return label, [f"{label}:", *lines]

    # --- one instruction ---

    def _variable(self, v: str) -> str:
        return self.adjoints.setdefault(v, f"%A{v[1:]}")

    def _add(self, v: str, text: str) -> None:
        """Add to the adjoint of v."""
        if v in self.pointers.active:
            old = self.code.op(f"load double, ptr {self._variable(v)}")
            self.code.add(f"store double {self.code.sum(old, text)}, ptr {self._variable(v)}")

    def _take(self, v: str) -> str:
        """The adjoint of v, which is zero afterwards: in a loop v will be another value."""
        w = self.code.op(f"load double, ptr {self._variable(v)}")
        self.code.add(f"store double 0.0, ptr {self._variable(v)}")
        return w

    def _undo(self, i: Instruction) -> None:
        if i.op == "store":
            self._undo_store(i)
        elif i.callee.startswith(("llvm.memset", *COPIES)):
            self._undo_copy(i)
        elif is_product(i.callee):
            if self.pointers.may_be_active(output_of(i)):
                self._undo_product(i)
        elif i.name in self.pointers.active:
            w = self._take(i.name)
            if i.op == "load":
                place = self._adjoint_of(i.args[0])
                old = self.code.op(f"load double, ptr {place}")
                self.code.add(f"store double {self.code.sum(old, w)}, ptr {place}")
            else:
                self._undo_operation(i, w)

    def _undo_operation(self, i: Instruction, w: str) -> None:
        found = rule_of(i)
        if found is None:
            raise Refused(f"there is no derivative of {i.callee or i.op}", i.callee)
        rule, steep = found
        value = self.saving.value
        for k, a in enumerate(i.args):
            if a in self.pointers.active and not (i.op == "select" and k == 0):
                term = rule(self.code, w, k, lambda j: value(i.args[j]), lambda: value(i.name))
                self._add(a, strong(self.code, w, term) if steep else term)

    def _undo_store(self, i: Instruction) -> None:
        v, pointer = i.args
        if not self.pointers.holds_number(i) or not self.pointers.may_be_active(pointer):
            return
        place = self._adjoint_of(pointer)
        if v in self.pointers.active:
            w = self.code.op(f"load double, ptr {place}")
            self.code.add(f"store double 0.0, ptr {place}")
            self._add(v, w)
        else:
            self.code.add(f"store double 0.0, ptr {place}")

    def _undo_copy(self, i: Instruction) -> None:
        target, source, size = i.args[:3]
        if not self.pointers.may_be_active(target):
            return
        place, n = self._adjoint_of(target, ""), self.saving.value(size)
        if i.callee.startswith(COPIES) and self.pointers.may_be_active(source):
            self.code.add(f"call void @ad.back(ptr {place}, ptr {self._adjoint_of(source, 'null')}, i64 {n})")
        else:
            self.code.add(f"call void @llvm.memset.p0.i64(ptr {place}, i8 0, i64 {n}, i1 false)")

    def _undo_product(self, i: Instruction) -> None:
        def operand(k: int) -> str:
            return self.saving.value(self.kept.get((i, k), i.args[k]))

        def adjoint_of(k: int) -> str:
            active, elsewhere = self.pointers.may_be_active(i.args[k]), "" if i.args[k] == output_of(i) else "null"
            return self._adjoint_of(i.args[k], elsewhere) if active else "null"

        self.code.add(back(i, self.saving.value, operand, adjoint_of))

    def _adjoint_of(self, pointer: str, elsewhere: str = "%trash") -> str:
        """Where the adjoint of what a pointer points to lies; `elsewhere` where it points to what has none."""
        op, places = self.code.op, self.pointers.places(pointer)
        if places == {X} and not self.copies_x:
            return self._in_g(pointer)
        p = self.saving.value(pointer)
        shadow = op(f"getelementptr i8, ptr {p}, i64 %delta")
        if places and all(map(self.pointers.is_local, places)):
            return shadow
        if not elsewhere:
            raise Refused("it copies to one of several arrays, of which some do not hang on x")
        inside = op(f"and i1 {op(f'icmp uge ptr {p}, %arena')}, {op(f'icmp ult ptr {p}, %arenaend')}")
        return op(f"select i1 {inside}, ptr {shadow}, ptr {elsewhere}")

    def _in_g(self, pointer: str) -> str:
        op, value = self.code.op, self.saving.value
        if pointer == self.x:
            return "%g"
        d = self.function.definitions[pointer]
        if d.op == "getelementptr":
            rest = ", ".join(f"{t} {value(a)}" for t, a in zip(d.types[1:], d.args[1:]))
            return op(f"getelementptr {d.detail}, ptr {self._in_g(d.args[0])}, {rest}")
        p = op(f"ptrtoint ptr {value(pointer)} to i64")
        distance = op(f"sub i64 {p}, {op(f'ptrtoint ptr {self.x} to i64')}")
        return op(f"getelementptr i8, ptr %g, i64 {distance}")


# --- around the function -------------------------------------------------------------------------------------------

SIZES = {"double": 8, "i64": 8, "ptr": 8, "i32": 4, "float": 4, "i16": 2, "i8": 1, "i1": 1}


def size_of(kind: str) -> int:
    """Bytes of a type, at most."""
    array = re.fullmatch(r"\[(\d+) x (.*)\]", kind)
    if array:
        return int(array.group(1)) * size_of(array.group(2))
    if kind.startswith("{"):
        return sum(max(8, size_of(member)) for member in split(kind.strip("{} ")))
    return SIZES[kind]


TYPES = {
    "llvm.memcpy.p0.p0.i64": "ptr, ptr, i64, i1",
    "llvm.memmove.p0.p0.i64": "ptr, ptr, i64, i1", "llvm.memset.p0.i64": "ptr, i8, i64, i1",
    "llvm.copysign.f64": "double, double", "llvm.pow.f64": "double, double",
}  # fmt: skip


def declarations(module: str, body: str) -> list[str]:
    """The globals and declarations that a body needs, and what the module has of its own."""
    helpers = definitions(body, module) + [text for name, text in COPYING.items() if f"@ad.{name}(" in body]
    body += "\n".join(helpers)
    defined = set(re.findall(r"^(?:define|declare) [^@]*@([\w.]+)\(", "\n".join(helpers), re.M))
    lines, known = [], set()
    for line in re.findall(r"^(?:declare |@).*$", module, re.M):
        line = re.sub(r"(, ![\w.]+ ![\w.]+)+$", "", re.sub(r" #\d+", "", line))
        if "declare double @ad." in line:  # said below, with what LLVM should know of it
            continue
        name = re.search(r'@("[^"]*"|[\w.$]+)', line)
        assert name is not None
        if name.group(1) in defined:
            continue
        if line.startswith("@") or f"@{name.group(1)}(" in body:
            known.add(name.group(1))
            lines.append(line)
    for kind, name in sorted(set(re.findall(r"call (\w+) @([\w.]+)\(", body))):
        if name not in known and name not in defined:
            pure = " memory(none) nounwind speculatable willreturn" if name.removeprefix("ad.") in OWN else ""
            lines.append(f"declare {kind} @{name}({TYPES.get(name, 'double')}){pure}")
    return lines + helpers


COPYING = {  # of n bytes from s to d; s is null where what is copied has no derivative
    # The reverse: each adjoint at d goes to s, in the order in which nothing is overwritten where the two overlap.
    "back": """
define internal void @ad.back(ptr %d, ptr %s, i64 %n) alwaysinline {
start:
  %none = icmp eq ptr %s, null
  br i1 %none, label %clear, label %entry
clear:
  call void @llvm.memset.p0.i64(ptr %d, i8 0, i64 %n, i1 false)
  br label %done
entry:
  %count = lshr i64 %n, 3
  %some = icmp ugt i64 %count, 0
  %up = icmp ugt ptr %d, %s
  %last = sub i64 %count, 1
  br i1 %some, label %loop, label %done
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %k = sub i64 %last, %i
  %at = select i1 %up, i64 %i, i64 %k
  %pd = getelementptr double, ptr %d, i64 %at
  %ps = getelementptr double, ptr %s, i64 %at
  %a = load double, ptr %pd
  store double 0.0, ptr %pd
  %b = load double, ptr %ps
  %c = fadd double %a, %b
  store double %c, ptr %ps
  %j = add i64 %i, 1
  %more = icmp ult i64 %j, %count
  br i1 %more, label %loop, label %done
done:
  ret void
}
""",
    # Of tangents.
    "copied": """
define internal void @ad.copied(ptr %d, ptr %s, i64 %n) alwaysinline {
start:
  %none = icmp eq ptr %s, null
  br i1 %none, label %clear, label %copy
clear:
  call void @llvm.memset.p0.i64(ptr %d, i8 0, i64 %n, i1 false)
  br label %done
copy:
  call void @llvm.memmove.p0.p0.i64(ptr %d, ptr %s, i64 %n, i1 false)
  br label %done
done:
  ret void
}
""",
}
