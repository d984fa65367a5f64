"""Test functions with known minima. `problem("rastrigin", 30)` is what `minimize` takes.

>>> from thalweg.kernels.functions import problem
>>> problem("goldstein_price").minimum.fun
3.0
"""

from __future__ import annotations

import difflib

from ..problem import Problem
from . import bowls, flats, multimodal, plane, plane_waves, separable, tabulated, valleys
from .bowls import bent_cigar, discus, ellipsoid, schwefel_1_2, sphere, trid, zakharov
from .definition import TestFunction
from .flats import different_powers, quartic, schwefel_2_21, schwefel_2_22, step
from .multimodal import ackley, griewank, salomon, schaffer_f6, schaffer_f7
from .plane import beale, bohachevsky, booth, goldstein_price, himmelblau, matyas, six_hump_camel, three_hump_camel
from .plane_waves import branin, bukin_6, cross_in_tray, drop_wave, easom, eggholder, mccormick
from .separable import alpine_1, levy, michalewicz, rastrigin, schwefel, styblinski_tang
from .tabulated import hartmann_3, hartmann_6, shekel
from .valleys import colville, dixon_price, perm, powell, rosenbrock

paraboloid = sphere

FUNCTIONS: dict[str, TestFunction] = {
    entry.name: entry
    for module in (bowls, flats, valleys, separable, multimodal, plane, plane_waves, tabulated)
    for entry in vars(module).values()
    if isinstance(entry, TestFunction)
}
ALIASES = {"paraboloid": "sphere", "wood": "colville"}


def problem(name: str, dimension: int | None = None, args: tuple | None = None) -> Problem:
    """A test function as a `Problem`: box, arguments, gradient, known minimum and reference.

    Parameters
    ----------
    name : str
        A key of `FUNCTIONS`, or of `ALIASES`.
    dimension : int, optional
        How many variables; by default the only number the function has, or 10 (powell: 12).
    args : tuple, optional
        In place of the published ones, e.g. `(1.0, 10.0)` for a shallower rosenbrock.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> from thalweg.kernels.functions import problem
    >>> problem("styblinski_tang", 3).bounds.tolist()
    [[-5.0, 5.0], [-5.0, 5.0], [-5.0, 5.0]]
    """
    return find(name).problem(dimension, args)


def find(name: str) -> TestFunction:
    """The entry of a name; one that is not there is refused with the nearest that is."""
    if not isinstance(name, str):
        raise TypeError(f"name: got {type(name).__name__}, expected the name of a test function")
    key = ALIASES.get(name, name)
    if key not in FUNCTIONS:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), [*FUNCTIONS, *ALIASES], n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(FUNCTIONS)}"
        raise ValueError(f"name: got {name!r}, which is no test function; {hint}")
    return FUNCTIONS[key]


__all__ = [
    "ALIASES",
    "FUNCTIONS",
    "TestFunction",
    "ackley",
    "alpine_1",
    "beale",
    "bent_cigar",
    "bohachevsky",
    "booth",
    "branin",
    "bukin_6",
    "colville",
    "cross_in_tray",
    "different_powers",
    "discus",
    "dixon_price",
    "drop_wave",
    "easom",
    "eggholder",
    "ellipsoid",
    "find",
    "goldstein_price",
    "griewank",
    "hartmann_3",
    "hartmann_6",
    "himmelblau",
    "levy",
    "matyas",
    "mccormick",
    "michalewicz",
    "paraboloid",
    "perm",
    "powell",
    "problem",
    "quartic",
    "rastrigin",
    "rosenbrock",
    "salomon",
    "schaffer_f6",
    "schaffer_f7",
    "schwefel",
    "schwefel_1_2",
    "schwefel_2_21",
    "schwefel_2_22",
    "shekel",
    "six_hump_camel",
    "sphere",
    "step",
    "styblinski_tang",
    "three_hump_camel",
    "trid",
    "zakharov",
]
