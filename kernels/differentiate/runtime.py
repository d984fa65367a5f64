"""What Numba's runtime and its errors become in a function that is to be differentiated, as LLVM text.

memory    `ad.alloc`: one opaque allocation. An array is its data behind a header of 64 bytes, as in Numba: at 24 the
          address of the data, and at 32 the size of a list, which may grow. Nothing is counted, nothing freed
errors    `ad.raise`, which never returns, in place of a code that every caller hands on. So an error is the end of
          a block, and no part of the arithmetic
"""

from __future__ import annotations

import re

ALLOC = (
    'declare noalias nonnull align 32 ptr @ad.alloc(i64) nounwind willreturn allockind("alloc,uninitialized") '
    'allocsize(0) memory(inaccessiblemem: readwrite) "alloc-family"="ad"'
)
RAISE = "declare void @ad.raise(i32) cold noreturn nounwind memory(inaccessiblemem: write)"

_ARRAY = """define internal ptr @{name}({parameters}) alwaysinline {{
  %m = add i64 %n, 64
  %p = call ptr @ad.alloc(i64 %m)
  %d = getelementptr i8, ptr %p, i64 64
  %q = getelementptr i8, ptr %p, i64 24
  store ptr %d, ptr %q
  ret ptr %p
}}"""
_LIST = _ARRAY.replace("  ret ptr %p", "  %z = getelementptr i8, ptr %p, i64 32\n  store i64 %n, ptr %z\n  ret ptr %p")
_NOTHING = "define internal void @{name}({parameters}) alwaysinline {{\n  ret void\n}}"
_DATA = """define internal ptr @{name}({parameters}) alwaysinline {{
  %q = getelementptr i8, ptr %a, i64 24
  %d = load ptr, ptr %q
  ret ptr %d
}}"""
_PLAIN = """define internal ptr @{name}({parameters}) alwaysinline {{
  %p = call ptr @ad.alloc(i64 %n)
  ret ptr %p
}}"""
_GROW = """define internal ptr @{name}({parameters}) alwaysinline {{
  %q = getelementptr i8, ptr %a, i64 24
  %z = getelementptr i8, ptr %a, i64 32
  %old = load ptr, ptr %q
  %size = load i64, ptr %z
  %c = icmp ult i64 %size, %n
  %k = select i1 %c, i64 %size, i64 %n
  %d = call ptr @ad.alloc(i64 %n)
  call void @llvm.memcpy.p0.p0.i64(ptr %d, ptr %old, i64 %k, i1 false)
  store ptr %d, ptr %q
  store i64 %n, ptr %z
  ret ptr %d
}}"""

RUNTIME = {  # name: (its parameters, what it becomes)
    "NRT_incref": ("ptr %a", _NOTHING),
    "NRT_decref": ("ptr %a", _NOTHING),
    "NRT_Free": ("ptr %a", _NOTHING),
    "NRT_MemInfo_varsize_free": ("ptr %a, ptr %b", _NOTHING),
    "NRT_MemInfo_data_fast": ("ptr %a", _DATA),
    "NRT_MemInfo_alloc": ("i64 %n", _ARRAY),
    "NRT_MemInfo_alloc_aligned": ("i64 %n, i32 %a", _ARRAY),
    "NRT_MemInfo_alloc_safe_aligned": ("i64 %n, i32 %a", _ARRAY),
    "NRT_MemInfo_new_varsize": ("i64 %n", _LIST),
    "NRT_MemInfo_new_varsize_dtor": ("i64 %n, ptr %dtor", _LIST),
    "NRT_Allocate": ("i64 %n", _PLAIN),
    "NRT_MemInfo_varsize_realloc": ("ptr %a, i64 %n", _GROW),
}

# --- errors --------------------------------------------------------------------------------------------------------

RAISED, UNDEFINED = (
    1,
    2,
)  # what `ad.raise` is told: an exception; what Python calls undefined (compile/python_numbers.py)
_CODES = {"1": RAISED, "-1": RAISED, "-4": UNDEFINED}  # of Numba's calling convention; -2 and -3 are no errors


def replaced(text: str) -> str:
    """The module with this runtime in place of Numba's, errors and all."""
    lines: list[str] = []
    used: set[str] = set()
    dropping = False
    for line in text.splitlines():
        if dropping:
            dropping = not line.startswith("}")
            continue
        if line.startswith(("define", "declare")):
            name = re.search(r'@"?([^"(]+)"?\(', line)
            if name and name.group(1) in RUNTIME:
                used.add(name.group(1))
                dropping = line.startswith("define")
                continue
        elif line.startswith("  ret i32 ") and line[10:] in _CODES:
            lines += [f"  call void @ad.raise(i32 {_CODES[line[10:]]})", "  unreachable"]
            continue
        lines.append(line)
    lines += [made.format(name=name, parameters=given) for name, (given, made) in RUNTIME.items() if name in used]
    if _GROW in (RUNTIME[name][1] for name in used) and "@llvm.memcpy.p0.p0.i64" not in text:
        lines.append("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
    return "\n".join([*lines, ALLOC, RAISE])
