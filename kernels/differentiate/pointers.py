"""What each pointer may point to, and which numbers carry derivatives.

A place is one piece of memory: `x`, `args` (the arguments and all that they lead to), `constant`, or an allocation,
under the name of its instruction. `?` is a pointer of which nothing is known. A pointer that is loaded from a place is
any of those that are stored there.

A number is active if it may hang on x: what is computed from an active number, or loaded from an active place. A place
is active once an active number is stored there.
"""

from __future__ import annotations

from .products import is_product, output_of
from .reading import Function, Instruction, Refused
from .rules import FLAT, function_of

X, ARGS, CONSTANT, UNKNOWN = "x", "args", "constant", "?"
NOWHERE: frozenset[str] = frozenset()
FOLLOWED = {"phi", "select", "getelementptr", "inttoptr", "ptrtoint", "add", "sub", "freeze", "and", "or", "mul", "shl"}
COPIES = ("llvm.memcpy", "llvm.memmove")
# Calls that carry no derivatives: they read and write shapes, or nothing.
INERT = ("numba_attempt_nocopy_reshape", "llvm.lifetime", "llvm.stack", "llvm.assume", "llvm.experimental.noalias",
         "llvm.donothing")  # fmt: skip


class Pointers:
    """`given`: places of the parameters, by name. `active`: those of them that carry derivatives.

    `checked`: the function is a derivative of one in which nobody computes with the bits of doubles. In its memory
    there are whole numbers and doubles side by side, which here could not be told apart.
    """

    def __init__(self, function: Function, given: dict[str, str], active: frozenset[str], checked: bool = False):
        self.function = function
        self.instructions = [i for block in function.blocks for i in block.all]
        self.parameters = {name: frozenset([place]) for name, place in given.items()}
        self._places: dict[str, frozenset[str]] = dict(self.parameters)
        self.allocations = [i.name for i in self.instructions if is_allocation(i)]
        self.given = frozenset(given.values())
        self.settled = False
        self._find_places()
        self.settled = True
        self._find_words()
        self.active_places = set(active)
        self.active: set[str] = set()
        self._find_active()
        self._refuse(set() if checked else self._tainted())

    # --- places ---

    def places(self, value: str) -> frozenset[str]:
        if value.startswith("%"):
            return self._places.get(value, NOWHERE)
        return frozenset([CONSTANT]) if "@" in value else NOWHERE

    def _find_places(self) -> None:
        self.contents: dict[str, frozenset[str]] = {ARGS: frozenset([ARGS]), CONSTANT: frozenset([CONSTANT])}
        changed = True
        while changed:
            changed = False
            for i in self.instructions:
                if i.op == "store" and i.types[0] in ("ptr", "i64"):
                    changed |= self._put(i.args[1], self.places(i.args[0]))
                elif i.callee.startswith(COPIES):
                    changed |= self._put(i.args[0], self._inside(i.args[1]))
                elif i.name and i.type in ("ptr", "i64"):
                    found = self.places(i.name) | self._places_of(i)
                    if found != self.places(i.name):
                        self._places[i.name], changed = found, True

    def _put(self, pointer: str, stored: frozenset[str]) -> bool:
        """Note what is stored where a pointer points to; whether that is new."""
        new = False
        for place in self.reached(pointer) if stored else ():
            before = self.contents.get(place, NOWHERE)
            self.contents[place] = before | stored
            new |= self.contents[place] != before
        return new

    def _inside(self, pointer: str) -> frozenset[str]:
        """Places of the pointers that stand where a pointer points to."""
        return NOWHERE.union(*(self.contents.get(place, NOWHERE) for place in self.reached(pointer)))

    def _places_of(self, i: Instruction) -> frozenset[str]:
        if is_allocation(i):
            return frozenset([i.name])
        if i.op == "load":
            return self._inside(i.args[0])
        if i.op in FOLLOWED:
            sources = {"select": i.args[1:], "getelementptr": i.args[:1]}.get(i.op, i.args)
            found = NOWHERE.union(*map(self.places, sources))
            lost = i.op == "inttoptr" and not found and i.args[0].startswith("%")
            return frozenset([UNKNOWN]) if lost else found
        return frozenset([UNKNOWN]) if i.op == "call" and i.type == "ptr" else NOWHERE

    def is_local(self, place: str) -> bool:
        return place not in (ARGS, CONSTANT, UNKNOWN)

    def may_change(self, place: str) -> bool:
        """Whether what stands there may be written to."""
        return place not in (ARGS, CONSTANT, X)

    def may_be_active(self, pointer: str) -> bool:
        return not self.active_places.isdisjoint(self.reached(pointer))

    def reached(self, pointer: str) -> set[str]:
        """The places of a pointer; all allocations and parameters where nothing is known of it."""
        found = set(self.places(pointer))
        if self.settled and not found and pointer.startswith("%"):
            found = {UNKNOWN}
        return found | set(self.allocations) | self.given if UNKNOWN in found else found

    # --- what carries derivatives ---

    def _find_words(self) -> None:
        """64-bit words that may be doubles, as LLVM carries them at times: they come from places that hold doubles."""
        self.holding = {X} & self.given
        self.moved: set[str] = set()
        changed = True
        while changed:
            before = len(self.holding), len(self.moved)
            for i in self.instructions:
                if i.op in ("load", "store"):
                    if "double" in (i.type, *i.types) or (i.op == "store" and i.args[0] in self.moved):
                        self.holding |= self.reached(i.args[-1])
                    elif i.type == "i64" and not self.holding.isdisjoint(self.reached(i.args[0])):
                        self.moved.add(i.name)
                elif i.callee.startswith(COPIES):
                    ends = self.reached(i.args[0]) | self.reached(i.args[1])
                    if not self.holding.isdisjoint(ends):
                        self.holding |= ends
                elif i.type == "i64" and (
                    i.op == "bitcast" or (i.op in ("phi", "select", "freeze") and not self.moved.isdisjoint(i.args))
                ):
                    self.moved.add(i.name)
            changed = before != (len(self.holding), len(self.moved))

    def is_number(self, i: Instruction) -> bool:
        """Whether an instruction makes what may carry a derivative."""
        return i.type in ("double", "float") or i.name in self.moved

    def holds_number(self, store: Instruction) -> bool:
        return store.types[0] in ("double", "float") or store.args[0] in self.moved

    def _find_active(self) -> None:
        changed = True
        while changed:
            before = len(self.active), len(self.active_places)
            for i in self.instructions:
                if i.name and self.is_number(i) and i.name not in self.active and self._is_active(i):
                    self.active.add(i.name)
                self._spread(i)
            changed = before != (len(self.active), len(self.active_places))

    def _is_active(self, i: Instruction) -> bool:
        if i.op == "load":
            return self.may_be_active(i.args[0])
        if i.op in ("sitofp", "uitofp") or (i.op == "call" and function_of(i.callee) in FLAT):
            return False
        return any(a in self.active for a in (i.args[1:] if i.op == "select" else i.args))

    def _spread(self, i: Instruction) -> None:
        """Places that an instruction makes active; all that one pointer may reach are so together."""
        if i.op == "store" and (i.args[0] in self.active or (self.holds_number(i) and self.may_be_active(i.args[1]))):
            self._activate(i.args[1])
        elif i.op == "load" and i.name in self.active:
            self._activate(i.args[0])
        elif i.callee.startswith(COPIES) and (self.may_be_active(i.args[0]) or self.may_be_active(i.args[1])):
            self._activate(i.args[0])
            if self.may_be_active(i.args[1]):
                self._activate(i.args[1])
        elif is_product(i.callee):
            pointers = [a for a, t in zip(i.args, i.types) if t == "ptr"]
            if any(map(self.may_be_active, pointers)):
                self._activate(output_of(i))

    def _activate(self, pointer: str) -> None:
        self.active_places |= {place for place in self.reached(pointer) if self.is_local(place)}

    # --- what has no derivative ---

    def _refuse(self, tainted: set[str]) -> None:
        for i in self.instructions:
            if i.op == "call":
                self._refuse_call(i)
            if i.type == "float" and i.name in self.active:
                raise Refused("numbers of 32 bits (float32) hang on x")
            if i.op == "bitcast" and i.type == "double" and i.args[0] in tainted:
                raise Refused("it computes with the bits of a number that hangs on x")
            if i.op == "store":
                place = self.places(i.args[1])
                if i.args[0] in tainted and not self.holding.isdisjoint(self.reached(i.args[1])):
                    raise Refused("it computes with the bits of a number that hangs on x")
                if i.args[0] in self.active and not any(map(self.is_local, self.reached(i.args[1]))):
                    raise Refused(f"it writes into {'an argument' if ARGS in place else 'a constant'}")

    def _refuse_call(self, i: Instruction) -> None:
        known = is_allocation(i) or is_product(i.callee) or i.callee.startswith((*INERT, *COPIES, "llvm.memset"))
        if not known and not (
            function_of(i.callee) or (i.type.startswith(("i", "{")) and i.callee.startswith("llvm."))
        ):
            raise Refused(f"the call of {i.callee}", i.callee)

    def _tainted(self) -> set[str]:
        """Whole numbers made from the bits of active numbers."""
        mixed: set[str] = set()
        tainted = self._bits(mixed)
        while (found := self._mixed(tainted)) != mixed:
            mixed, tainted = found, self._bits(found)
        return tainted

    def _mixed(self, tainted: set[str]) -> set[str]:
        """Places that hold whole numbers beside doubles, as the lists of Numba do, which begin with their lengths."""
        stores = [i for i in self.instructions if i.op == "store" and i.types[0] == "i64" and i.args[0] != "0"]
        whole = [i for i in stores if i.args[0] not in tainted and i.args[0] not in self.moved]
        return set().union(*(self.reached(i.args[1]) for i in whole)) - {X}

    def _bits(self, mixed: set[str]) -> set[str]:
        """Whole numbers made from the bits of active numbers, other than those that only move.

        What is loaded from one of the `mixed` places and then computed with is a whole number by itself.
        """
        whole = {i.name for i in self.instructions if i.op == "load" and self.reached(i.args[0]) & mixed}
        found: set[str] = set()
        changed = True
        while changed:
            before = len(found)
            for i in self.instructions:
                if i.type.startswith("i") and i.type != "i1" and i.op not in ("load", "fptosi", "fptoui", "bitcast"):
                    bits = any(a in self.moved and a in self.active and a not in whole for a in i.args)
                    if any(a in found for a in i.args) or (bits and i.name not in self.moved):
                        found.add(i.name)
            changed = before != len(found)
        return found


def is_allocation(i: Instruction) -> bool:
    return i.callee == "ad.alloc" or i.op == "alloca"
