"""A list of whole numbers that is given a float: Python's list holds it, Numba's would cut it off without a word.

Numba's lists are of one type, that of what they are made with. `append` makes it wider; `best[0] = 0.5` does not.
"""

from __future__ import annotations

from typing import Any

from numba.core import errors, ir, types
from numba.core.compiler_machinery import AnalysisPass, register_pass

NARROW = (types.Integer, types.Boolean)


@register_pass(mutates_CFG=False, analysis_only=True)
class RefuseCuts(AnalysisPass):
    """Raises where an item of a list would lose what is assigned to it."""

    _name = "thalweg_refuse_cuts"

    def __init__(self):
        super().__init__()

    def run_pass(self, state: Any) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        for block in state.func_ir.blocks.values():
            for kind in (ir.SetItem, ir.StaticSetItem):
                for store in block.find_insts(kind):
                    target, value = state.typemap[store.target.name], state.typemap[store.value.name]
                    if isinstance(target, types.List) and _is_cut(target.dtype, value):
                        raise errors.TypingError(
                            f"a list of {target.dtype} cuts off the {value} that is assigned to it (make it of floats, "
                            "as in [0.0] * n)",
                            loc=store.loc,
                        )
        return False


def _is_cut(item: Any, value: Any) -> bool:
    if isinstance(item, types.Boolean):
        return isinstance(value, types.Integer | types.Float | types.Complex)
    return isinstance(item, NARROW) and isinstance(value, types.Float | types.Complex)
