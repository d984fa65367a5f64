"""Loops of an objective as the vector unit likes them: what LLVM is told of them before it makes vectors.

Whole vectors. LLVM runs a loop over 30 terms as one round of sixteen, three of four and two terms by themselves, and
each of these loops loads its constants anew. A loop that asks for sines, cosines or tangents is run by whole vectors
instead, of which the last one is masked.
Loops of exp or log would gain as much at 30 terms, but lose at one and at 200.

One look at eight numbers. Whether cos needs the C library's, LLVM asks number by number, which is a third of the loop.
So far_cos and its kin (numbers/elementary.py) have vector forms, that are declared while vectors are made, and then
defined, inlined: one look at the mask, and a call that is seldom made.

An aligned stack. What a loop has no register for lies there, and comes back from the cache only (20 ns) where a vector
lies across two of its lines.

30-D Rastrigin: 117 to 78 ns; at 5 variables 33 to 27, at one 15 to 24.
"""

from __future__ import annotations

import re
from typing import Any

from llvmlite import binding

WIDTHS = (2, 4, 8)  # of the vectors that far functions are asked for
KEPT = "thalweg_forms"  # a variable that holds far functions and their forms while nothing calls them
BLOCK = re.compile(r'^("[^"]*"|[-\w.$]+):', re.M)
LABEL = re.compile(r'label %("[^"]*"|[-\w.$]+)')
ASKS = re.compile(r"call [^\n]*@thalweg_(?:sin|cos|tan)\(")
BODY = re.compile(r"^(define [^\n]*\n)(.*?)^}$", re.M | re.S)
ATTRIBUTES = re.compile(r" (?=#\d+ |\{\n)")  # where those of a function stand
FAR = re.compile(r"^define [^\n]*double @(thalweg_(?:sin|cos|tan))\(", re.M)


def mark_loops(text: str) -> str:
    """The text of a module, whose innermost loops that ask are to be run by whole vectors, one at a time."""
    free = 1 + max((int(n) for n in re.findall(r"^!(\d+) = ", text, re.M)), default=-1)
    wishes = [f"!{free}", f"!{free + 1}"]
    notes = [
        f'{wishes[0]} = !{{!"llvm.loop.vectorize.predicate.enable", i1 true}}',
        f'{wishes[1]} = !{{!"llvm.loop.interleave.count", i32 1}}',
    ]

    def marked(branch: str) -> str:
        own = f"!{free + len(notes)}"
        notes.append(f"{own} = distinct !{{{own}, {wishes[0]}, {wishes[1]}}}")
        return branch.split(", !llvm.loop")[0] + f", !llvm.loop {own}"

    def in_body(match) -> str:
        blocks = _blocks(match[2])
        latches = _latches(blocks) if ASKS.search(match[2]) else []
        if not latches:
            return match[0]
        for latch in latches:
            head, _, branch = blocks[latch].rstrip("\n").rpartition("\n")
            blocks[latch] = f"{head}\n{marked(branch)}\n"
        return ATTRIBUTES.sub(' "stackrealign" ', match[1], count=1) + "".join(blocks.values()) + "}"

    return BODY.sub(in_body, text) + "\n".join(["", *notes, ""])


def _blocks(body: str) -> dict[str, str]:
    """The texts of the blocks of a function by their labels, in order; "" is an entry without one."""
    places = [(m.start(), m[1]) for m in BLOCK.finditer(body)]
    if not places or places[0][0] > 0:
        places.insert(0, (0, ""))
    ends = [start for start, _ in places[1:]] + [len(body)]
    return {label: body[start:end] for (start, label), end in zip(places, ends, strict=True)}


def _latches(blocks: dict[str, str]) -> list[str]:
    """The blocks that close an innermost loop that asks for a sine, a cosine or a tangent."""
    before: dict[str, list[str]] = {label: [] for label in blocks}
    place = {label: k for k, label in enumerate(blocks)}
    closing: dict[str, list[str]] = {}
    for label, code in blocks.items():
        for following in dict.fromkeys(LABEL.findall(code)):
            before[following].append(label)
            if place[following] <= place[label]:
                closing.setdefault(following, []).append(label)
    entry = next(iter(blocks))
    found = []
    for header, latches in closing.items():
        loop, waiting = {header}, list(latches)
        while waiting:
            label = waiting.pop()
            if label not in loop:
                loop.add(label)
                waiting += before[label]
        inner = all(other == header or other not in loop for other in closing)
        asks = any(ASKS.search(blocks[label]) for label in loop)
        if inner and asks and len(latches) == 1 and entry not in loop:  # else it is a branch to an earlier block
            found += latches
    return found


# --- vector forms of far functions --------------------------------------------------------------------------------


def vector_names(symbol: str) -> str:
    """What LLVM is told of the vector forms of a function: their masks come last."""
    return ",".join(f"_ZGV_LLVM_M{w}v_{symbol}({symbol}_{w})" for w in WIDTHS)


DECLARATION = "declare <{w} x double> @{symbol}_{w}(<{w} x double>, <{w} x i1>) nounwind willreturn memory(none)\n"
DEFINITION = """
define linkonce_odr <{w} x double> @{symbol}_{w}(<{w} x double> %x, <{w} x i1> %mask) alwaysinline nounwind {{
  %any = call i1 @llvm.vector.reduce.or.v{w}i1(<{w} x i1> %mask)
  br i1 %any, label %far, label %near, !prof !0
far:
  %values = call <{w} x double> @{symbol}_each_{w}(<{w} x double> %x, <{w} x i1> %mask)
  ret <{w} x double> %values
near:
  ret <{w} x double> zeroinitializer
}}
define linkonce_odr <{w} x double> @{symbol}_each_{w}(<{w} x double> %x, <{w} x i1> %mask) cold noinline nounwind {{
entry:
  br label %loop
loop:
  %k = phi i32 [0, %entry], [%next, %after]
  %values = phi <{w} x double> [zeroinitializer, %entry], [%new, %after]
  %on = extractelement <{w} x i1> %mask, i32 %k
  br i1 %on, label %ask, label %after
ask:
  %number = extractelement <{w} x double> %x, i32 %k
  %value = call double @{symbol}(double %number)
  %with = insertelement <{w} x double> %values, double %value, i32 %k
  br label %after
after:
  %new = phi <{w} x double> [%values, %loop], [%with, %ask]
  %next = add i32 %k, 1
  %done = icmp eq i32 %next, {w}
  br i1 %done, label %end, label %loop
end:
  ret <{w} x double> %new
}}
"""
SELDOM = '!0 = !{!"branch_weights", i32 1, i32 100000}\n'


def prepared(module: Any) -> tuple[Any, list[str]]:
    """The module of an adapter before its loops become vectors, and the far functions that it has."""
    text = mark_loops(str(module))
    symbols = sorted(set(FAR.findall(text)))
    if symbols:
        forms = symbols + [f"{symbol}_{w}" for symbol in symbols for w in WIDTHS]
        text += "".join(DECLARATION.format(symbol=symbol, w=w) for symbol in symbols for w in WIDTHS)
        text += f"@{KEPT} = global [{len(forms)} x ptr] [{', '.join(f'ptr @{form}' for form in forms)}]\n"
    try:
        ready = binding.parse_assembly(text)
    except RuntimeError:  # of an LLVM whose text is another one: the loops stay as they are
        return module, []
    ready.name = module.name
    return ready, symbols


def define_forms(module: Any, symbols: list[str], builder: Any) -> None:
    """Once the loops are vectors: the forms that these call, inlined."""
    if not symbols:
        return
    module.get_global_variable(KEPT).linkage = "internal"
    definitions = "".join(DEFINITION.format(symbol=symbol, w=w) for symbol in symbols for w in WIDTHS)
    declarations = "".join(f"declare double @{symbol}(double)\n" for symbol in symbols)
    declarations += "".join(f"declare i1 @llvm.vector.reduce.or.v{w}i1(<{w} x i1>)\n" for w in WIDTHS)
    module.link_in(binding.parse_assembly(definitions + declarations + SELDOM))
    passes: Any = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_always_inliner_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, builder)
