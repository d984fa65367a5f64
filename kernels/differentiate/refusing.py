"""What is said of an objective that has no automatic derivative: what stands in its way, and on which line.

Lines are found by a second compilation with debug information, on failure only.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numba

from ..calling.checking import NotDifferentiable
from .reading import Refused

NAMES = {  # what a call in machine code was in the user's function
    "numba_xgesv": "np.linalg.solve", "numba_xxgetrf": "a decomposition (np.linalg.inv, np.linalg.det)",
    "numba_xxpotrf": "np.linalg.cholesky", "numba_ez_gelsd": "np.linalg.lstsq", "numba_ez_gesdd": "np.linalg.svd",
    "numba_ez_rgeev": "np.linalg.eig", "numba_ez_cgeev": "np.linalg.eig", "numba_ez_xxxevd": "np.linalg.eigh",
    "numba_ez_geqrf": "np.linalg.qr", "numba_dict": "a dict", "numba_list": "a list of numba.typed",
    "numba_get_np_random_state": "random numbers", "numba_get_py_random_state": "random numbers",
    "NRT_MemInfo_call_dtor": "a dict or a list of arrays", "numba_gil_ensure": "what only Python can do (print)",
}  # fmt: skip
NOT_THE_USERS = (str(Path(numba.__file__).parent), str(Path(__file__).parents[2]))


def refusal(refused: Refused, function, again) -> NotDifferentiable:
    """The error for the user. `again`: does it once more with debug information, and returns the LLVM text."""
    reason = str(refused)
    if refused.callee:
        named = next((name for part, name in NAMES.items() if refused.callee.startswith(part)), refused.callee)
        reason = f"there is no derivative of {named}"
    code = function.__code__
    place = _place(refused, again) or (code.co_filename, code.co_firstlineno)
    return NotDifferentiable(
        f"fun: {function.__name__} cannot be differentiated automatically: {reason}\n"
        f'File "{place[0]}", line {place[1]}\n'
        'Give its gradient as jac=, or have it found by differences: jac="2-point"'
    )


def _place(refused: Refused, again) -> tuple[str, int] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Numba's, of lines that it does not know
            return line_of(again(), refused.callee)
    except Exception:  # an error on the way to an error
        return None


def line_of(text: str, callee: str) -> tuple[str, int] | None:
    """(file, line) of the user's from which a function is called, in a flat module with debug information."""
    notes = dict(re.findall(r"^(!\d+) = (?:distinct )?(!\w+\(.*\))$", text, re.M))
    for place in re.findall(rf'call [^\n]*@"?{re.escape(callee)}"?\([^\n]*!dbg (!\d+)', text) if callee else ():
        while place:
            line, file = int(_field(notes[place], "line")), _file(place, notes)
            if not file.startswith(NOT_THE_USERS):
                return file, line
            place = _field(notes[place], "inlinedAt")
    return None


def _file(place: str, notes: dict[str, str]) -> str:
    while "file" not in (note := notes[place]) or "DISubprogram" not in note:
        place = _field(note, "scope")
    file = notes[_field(note, "file")]
    return str(Path(_field(file, "directory").strip('"')) / _field(file, "filename").strip('"'))


def _field(note: str, name: str) -> str:
    found = re.search(rf'\b{name}: ("[^"]*"|[^,)]*)', note)
    return found.group(1) if found else ""
