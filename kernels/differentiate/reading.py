"""LLVM text as blocks of instructions, every value under a short name: %v0, %v1 ...

Only what stands in a flat function after simplification is read; all else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """What cannot be differentiated. `callee`: the function that has no derivative, if it is one."""

    def __init__(self, reason: str, callee: str = ""):
        super().__init__(reason)
        self.callee = callee


@dataclass(eq=False)
class Instruction:
    name: str  # of its result, "" if it has none
    op: str  # fadd, load, call ...
    text: str  # without the name: `fadd double %v1, %v2`
    type: str = ""  # of its result
    args: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)  # of args
    callee: str = ""
    labels: list[str] = field(default_factory=list)  # of a branch: where to; of a phi: from where
    detail: str = ""  # predicate of a comparison, what a getelementptr steps over, what an alloca holds
    block: Any = None

    @property
    def line(self) -> str:
        return f"  {self.name} = {self.text}" if self.name else f"  {self.text}"


@dataclass(eq=False)
class Block:
    name: str
    phis: list[Instruction] = field(default_factory=list)
    body: list[Instruction] = field(default_factory=list)
    end: Any = None  # an instruction: br, ret, or raise (an error; `detail` is its code)

    @property
    def all(self) -> list[Instruction]:
        return self.phis + self.body


@dataclass(eq=False)
class Function:
    parameters: list[str]
    types: list[str]
    blocks: list[Block]
    module: str  # the text around it
    definitions: dict[str, Instruction] = field(default_factory=dict)

    def name_values(self) -> None:
        self.definitions = {i.name: i for block in self.blocks for i in block.all if i.name}
        for block in self.blocks:
            for instruction in block.all:
                instruction.block = block


NAME = r'%(?:"[^"]*"|[-a-zA-Z$._0-9]+)'
VALUE = re.compile(r"%v\d+")
LABEL = re.compile(r'^("[^"]*"|[-a-zA-Z$._0-9]+):')
ATTRIBUTE = re.compile(
    r"\b(noundef|nonnull|nocapture|noalias|readonly|writeonly|readnone|immarg|signext|zeroext|returned|writable|"
    r"dead_on_unwind|captures\([^)]*\)|align \d+|dereferenceable(?:_or_null)?\(\d+\)|range\([^)]*\)|sret\([^)]*\)|"
    r"nofpclass\([^)]*\))\s*"
)
ARITHMETIC = {"fadd", "fsub", "fmul", "fdiv", "frem", "add", "sub", "mul", "sdiv", "udiv", "srem", "urem", "shl",
              "lshr", "ashr", "and", "or", "xor"}  # fmt: skip
CASTS = {"zext", "sext", "trunc", "sitofp", "uitofp", "fptosi", "fptoui", "fpext", "fptrunc", "bitcast", "ptrtoint",
         "inttoptr"}  # fmt: skip
FLAGS = {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc", "nuw", "nsw", "exact", "disjoint",
         "inbounds", "nneg", "samesign", "nusw"}  # fmt: skip


def read(module: str, name: str) -> Function:
    """The function `name` of a module."""
    found = re.search(rf'^define [^\n]*@"?{re.escape(name)}"?\((.*?)\)[^\n()]*\{{\n(.*?)^\}}', module, re.S | re.M)
    assert found is not None, name
    short: dict[str, str] = {}

    def shortened(match) -> str:
        return short.setdefault(match.group(0), f"%v{len(short)}")

    parameters = [re.sub(NAME, shortened, part) for part in split(found.group(1))]
    blocks: list[Block] = []
    for line in _lines(found.group(2)):
        label = LABEL.match(line)
        if label:
            blocks.append(Block(re.sub(NAME, shortened, f"%{label.group(1)}")[1:]))
            continue
        instruction = parse(re.sub(NAME, shortened, line.strip()))
        block = blocks[-1]
        if block.end is not None:  # an error cut the block short
            continue
        if instruction.op == "phi":
            block.phis.append(instruction)
        elif instruction.op in ("br", "ret", "raise"):
            block.end = instruction
        else:
            block.body.append(instruction)
    function = Function([p.split()[-1] for p in parameters], [p.split()[0] for p in parameters], blocks, module)
    function.name_values()
    return function


def _lines(body: str) -> list[str]:
    """A line for each instruction, without comments and metadata."""
    lines: list[str] = []
    for line in body.splitlines():
        line = re.sub(r"\s+; preds.*$", "", line) if '"' in line else re.sub(r"\s*;.*$", "", line)
        if not line.strip():
            continue
        if lines and lines[-1].count("[") > lines[-1].count("]"):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return [re.sub(r"((, ![\w.]+ ![\w.]+)+| #\d+)+$", "", line) for line in lines]


def split(text: str) -> list[str]:
    """The parts between commas, those inside brackets left alone."""
    parts, depth, start, quoted = [], 0, 0, False
    for k, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in "([{<":
            depth += 1
        elif not quoted and character in ")]}>":
            depth -= 1
        elif character == "," and depth == 0 and not quoted:
            parts.append(text[start:k].strip())
            start = k + 1
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def typed(text: str) -> tuple[str, str]:
    """`double noundef %v1` -> (double, %v1)."""
    text = ATTRIBUTE.sub("", text).strip()
    if text[0] in "[{<":
        depth = 0
        for k, character in enumerate(text):
            depth += (character in "[{<") - (character in "]}>")
            if depth == 0:
                return text[: k + 1], text[k + 1 :].strip()
    kind, _, value = text.partition(" ")
    return kind, value.strip()


def parse(line: str) -> Instruction:
    """An instruction from its text, in which all values have short names."""
    named = re.match(r"(%v\d+) = (.*)$", line)
    name, text = named.groups() if named else ("", line)
    text = re.sub(r"^(tail|musttail|notail) ", "", text)
    op, _, rest = text.partition(" ")
    words = rest.split(" ")
    while words and words[0] in FLAGS:
        words.pop(0)
    rest = " ".join(words)
    found = Instruction(name, op, text)
    if op in READERS:
        READERS[op](found, rest)
    elif op in ARITHMETIC or op == "fneg":
        first, *others = split(rest)
        found.type, value = typed(first)
        _operands(found, [(found.type, v) for v in (value, *others)])
    elif op in CASTS:
        source, _, found.type = rest.rpartition(" to ")
        _operands(found, [typed(source)])
    else:
        raise Refused(f"there is no derivative of the instruction {op}")
    return found


def _operands(found: Instruction, pairs) -> None:
    found.types, found.args = [kind for kind, _ in pairs], [value for _, value in pairs]


def _comparison(found: Instruction, rest: str) -> None:
    found.detail, _, rest = rest.removeprefix("samesign ").partition(" ")
    first, second = split(rest)
    kind, value = typed(first)
    found.type = "i1"
    _operands(found, [(kind, value), (kind, second)])


def _load(found: Instruction, rest: str) -> None:
    found.type, place, *_ = split(rest)
    if found.type.startswith(("volatile", "atomic")):
        raise Refused(f"there is no derivative of the instruction {found.text}")
    _operands(found, [typed(place)])


def _store(found: Instruction, rest: str) -> None:
    value, place, *_ = split(rest)
    if value.startswith(("volatile", "atomic")):
        raise Refused(f"there is no derivative of the instruction {found.text}")
    _operands(found, [typed(value), typed(place)])


def _step(found: Instruction, rest: str) -> None:
    found.detail, *parts = split(rest)
    found.type = "ptr"
    _operands(found, [typed(part) for part in parts])


def _phi(found: Instruction, rest: str) -> None:
    found.type = typed(rest)[0]
    pairs = re.findall(r"\[ (.*?), %(v\d+) \]", rest[len(found.type) :])
    found.labels = [label for _, label in pairs]
    _operands(found, [(found.type, value) for value, _ in pairs])


def _select(found: Instruction, rest: str) -> None:
    _operands(found, [typed(part) for part in split(rest)])
    found.type = found.types[1]


def _call(found: Instruction, rest: str) -> None:
    parts = re.match(r'(.*?)@("[^"]*"|[\w.$]+)\((.*)\)', rest)
    if parts is None:
        raise Refused("it calls a function that is not known before it runs")
    found.type, found.callee = typed(parts.group(1) + " _")[0], parts.group(2).strip('"')
    _operands(found, [typed(part) for part in split(parts.group(3))])
    if found.callee == "ad.raise":
        found.op, found.detail = "raise", found.args[0]


def _branch(found: Instruction, rest: str) -> None:
    found.labels = re.findall(r"label %(v\d+)", rest)
    if len(found.labels) == 2:
        _operands(found, [typed(split(rest)[0])])


def _return(found: Instruction, rest: str) -> None:
    if rest != "void":
        _operands(found, [typed(rest)])


def _unreachable(found: Instruction, rest: str) -> None:
    found.op, found.detail = "raise", "1"


def _freeze(found: Instruction, rest: str) -> None:
    found.type, value = typed(rest)
    _operands(found, [(found.type, value)])


def _member(found: Instruction, rest: str) -> None:
    whole, index = split(rest)
    kind, value = typed(whole)
    found.detail = index
    found.type = split(kind.strip("{} "))[int(index)]
    if found.type in ("double", "float"):
        raise Refused("there is no derivative of a structure of numbers")
    _operands(found, [(kind, value)])


def _room(found: Instruction, rest: str) -> None:
    found.type = "ptr"
    found.detail, *others = split(rest)
    _operands(found, [typed(part) for part in others if not part.startswith(("align", "addrspace"))])


READERS = {
    "icmp": _comparison, "fcmp": _comparison, "load": _load, "store": _store, "getelementptr": _step, "phi": _phi,
    "select": _select, "call": _call, "br": _branch, "ret": _return, "unreachable": _unreachable, "freeze": _freeze,
    "extractvalue": _member, "alloca": _room,
}  # fmt: skip
