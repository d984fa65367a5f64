"""No derivative: a flat function as one that returns a status and takes its memory from an arena, for a GPU.

Local arrays are taken from the front of the arena one after the other and never freed. What fails ends the function
with its code, and so does an arena that is too small.
"""

from __future__ import annotations

import re

from .adjoint import FULL

FUNCTION = re.compile(r"^define ([^\n]*)@flat\((.*?)\)[^\n()]*\{\n(.*?)^\}", re.S | re.M)
LABEL = re.compile(r'^("[^"]*"|[-a-zA-Z$._0-9]+):')
ALLOCATION = re.compile(r"^  (%\S+) = (?:tail )?call [^@]*@ad\.alloc\(i64 (?:noundef )?([^)]+)\)")
ERROR = re.compile(r"^  (?:tail )?call void @ad\.raise\(i32 (?:noundef )?(\d+)\)")

# Bytes of an allocation are rounded up to 64, so that what comes next begins at a multiple of that, too.
ROOM = """\
  {p} = load ptr, ptr %bump
  %above.{k} = add i64 {size}, 63
  %size.{k} = and i64 %above.{k}, -64
  %next.{k} = getelementptr i8, ptr {p}, i64 %size.{k}
  store ptr %next.{k}, ptr %bump
  %last.{k} = ptrtoint ptr %end to i64
  %at.{k} = ptrtoint ptr {p} to i64
  %left.{k} = sub i64 %last.{k}, %at.{k}
  %fits.{k} = icmp ule i64 %size.{k}, %left.{k}
  br i1 %fits.{k}, label %room.{k}, label %full
room.{k}:"""


def plain(module: str, symbol: str) -> str:
    """The module with i32 @symbol(the parameters of `flat`, value, arena, its end) in place of its function `flat`.

    value: of a function that returns one, where it goes; else null. The status is as of `adjoint`.
    """
    found = FUNCTION.search(module)
    assert found is not None, "a flat function"
    _, parameters, body = found.groups()
    lines, ends = _body(body)
    for k, line in enumerate(lines):
        if " = phi " in line:
            lines[k] = re.sub(r", (%[^\s\]]+) \]", lambda m: f", {ends.get(m.group(1), m.group(1))} ]", line)
    head = f"define i32 @{symbol}({parameters}, ptr noalias %value, ptr noalias %arena, ptr %end) {{"
    made = "\n".join([head, *lines, "full:", f"  ret i32 {FULL}", "}"])
    around = module[: found.start()] + made + module[found.end() :]
    return re.sub(r"^declare [^@]*@ad\.(alloc|raise)\([^\n]*$", "", around, flags=re.M)


def _body(body: str) -> tuple[list[str], dict[str, str]]:
    """The lines of the new function; of blocks that an allocation cut, the one in which each ends."""
    first: list[str] = []  # of the entry: where LLVM looks for what stands on the stack
    lines: list[str] = []
    ends: dict[str, str] = {}
    block, over = "", False
    for line in body.splitlines():
        if label := LABEL.match(line):
            block, over = f"%{label.group(1)}", False
            lines.append(line)
        elif over or not line.strip():
            continue
        elif taken := ALLOCATION.match(line):
            k = sum(" = load ptr, ptr %bump" in other for other in lines)
            lines.append(ROOM.format(k=k, p=taken.group(1), size=taken.group(2)))
            ends[block] = f"%room.{k}"
        elif (error := ERROR.match(line)) or line.startswith("  unreachable"):
            lines.append(f"  ret i32 {error.group(1) if error else 1}")
            over = True
        elif returned := re.match(r"^  ret double (\S+?)(,.*)?$", line):
            lines += [f"  store double {returned.group(1)}, ptr %value", "  ret i32 0"]
        elif line.startswith("  ret void"):
            lines.append("  ret i32 0")
        elif re.match(r"^  %\S+ = alloca [^,]+(, align \d+)?$", line):
            first.append(line)
        else:
            lines.append(line)
    start = LABEL.match(lines[0])
    assert start is not None, "blocks have names"
    return ["start:", *first, "  %bump = alloca ptr", "  store ptr %arena, ptr %bump",
            f"  br label %{start.group(1)}", *lines], ends  # fmt: skip
