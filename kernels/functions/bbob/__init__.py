"""The 24 noiseless functions of the BBOB test bed, with the instances of COCO (numbbo.github.io).

>>> from thalweg.kernels.functions.bbob import bbob
>>> bbob(8, dimension=5).minimum.fun
149.15

Equal to COCO's values within 10^-9, by the same generator. Hansen, Finck, Ros and Auger, "Real-parameter black-box
optimization benchmarking 2009: noiseless functions definitions", INRIA research report 6829.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ...problem import Minimum, Problem
from . import ill_conditioned, moderate, multimodal, separable, weak
from .draws import Draws


class Entry(NamedTuple):
    name: str
    fun: Callable  # fun(x, *args) -> float, plain Python that Numba compiles; all instances share its machine code
    data: Callable  # data(draws) -> x_opt (D,), the args before f_opt


FUNCTIONS = {
    1: Entry("sphere", separable.sphere, separable.sphere_data),
    2: Entry("separable ellipsoid", separable.ellipsoid_separable, separable.ellipsoid_separable_data),
    3: Entry("separable Rastrigin", separable.rastrigin_separable, separable.rastrigin_separable_data),
    4: Entry("Büche-Rastrigin", separable.bueche_rastrigin, separable.bueche_rastrigin_data),
    5: Entry("linear slope", separable.linear_slope, separable.linear_slope_data),
    6: Entry("attractive sector", moderate.attractive_sector, moderate.attractive_sector_data),
    7: Entry("step ellipsoid", moderate.step_ellipsoid, moderate.step_ellipsoid_data),
    8: Entry("Rosenbrock", moderate.rosenbrock, moderate.rosenbrock_data),
    9: Entry("rotated Rosenbrock", moderate.rosenbrock_rotated, moderate.rosenbrock_rotated_data),
    10: Entry("ellipsoid", ill_conditioned.ellipsoid, ill_conditioned.ellipsoid_data),
    11: Entry("discus", ill_conditioned.discus, ill_conditioned.discus_data),
    12: Entry("bent cigar", ill_conditioned.bent_cigar, ill_conditioned.bent_cigar_data),
    13: Entry("sharp ridge", ill_conditioned.sharp_ridge, ill_conditioned.sharp_ridge_data),
    14: Entry("different powers", ill_conditioned.different_powers, ill_conditioned.different_powers_data),
    15: Entry("Rastrigin", multimodal.rastrigin, multimodal.rastrigin_data),
    16: Entry("Weierstrass", multimodal.weierstrass, multimodal.weierstrass_data),
    17: Entry("Schaffers F7", multimodal.schaffers, multimodal.schaffers_data),
    18: Entry("Schaffers F7, ill-conditioned", multimodal.schaffers, multimodal.schaffers_ill_conditioned_data),
    19: Entry("Griewank-Rosenbrock", multimodal.griewank_rosenbrock, multimodal.griewank_rosenbrock_data),
    20: Entry("Schwefel", weak.schwefel, weak.schwefel_data),
    21: Entry("Gallagher, 101 peaks", weak.gallagher, weak.gallagher_data),
    22: Entry("Gallagher, 21 peaks", weak.gallagher, weak.gallagher_21_data),
    23: Entry("Katsuura", weak.katsuura, weak.katsuura_data),
    24: Entry("Lunacek bi-Rastrigin", weak.lunacek, weak.lunacek_data),
}
REFERENCE = "Hansen, Finck, Ros and Auger, INRIA RR-6829 (2009)"


def bbob(function: int, dimension: int, instance: int = 1) -> Problem:
    """A function of BBOB as what `minimize` takes: formula, its data as args, the box [-5, 5], the minimum.

    Parameters
    ----------
    function : int
        1 to 24, a key of `FUNCTIONS`.
    dimension : int
        2 or more. COCO's own suite has 2, 3, 5, 10, 20 and 40; its generator is followed beyond.
    instance : int, default 1
        1 or more: the place and the value of the minimum, and the rotations.

    Returns
    -------
    Problem
        Derivatives are automatic, and hold where the function has them. An arg that is called by none of the paper's
        letters is memory for an evaluation.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.

    Examples
    --------
    >>> import thalweg as tw
    >>> from thalweg.kernels.functions.bbob import bbob
    >>> sphere = bbob(1, dimension=3, instance=2)
    >>> result = tw.minimize(sphere, method="l_bfgs_b", x0=[0.0, 0.0, 0.0])
    >>> bool(abs(result.fun - sphere.minimum.fun) < 1e-8)
    True
    """
    function = _whole("function", function, 1, 24)
    dimension = _whole("dimension", dimension, 2)
    instance = _whole("instance", instance, 1)
    name, fun, data = FUNCTIONS[function]
    draws = Draws(function, dimension, instance)
    x_opt, args = data(draws)
    return Problem(
        fun=fun,
        bounds=np.tile((-5.0, 5.0), (dimension, 1)),
        args=(*args, draws.f_opt),
        minimum=Minimum(x_opt.copy(), draws.f_opt),
        reference=f"{REFERENCE}, f{function}: {name}",
    )


def _whole(name: str, value, low: int, high: int | None = None) -> int:
    expected = f"a whole number from {low} to {high}" if high else f"a whole number of at least {low}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: got {value!r}, expected {expected}")
    number = operator.index(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name}: got {number}, expected {expected}")
    return number
