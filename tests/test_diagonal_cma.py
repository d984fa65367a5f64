"""CMA-ES with a diagonal covariance matrix (sep-CMA). Its steps: test_reference.py."""

from typing import Any

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels.compile.structures import leaves
from thalweg.kernels.functions.multimodal import ackley
from thalweg.kernels.functions.valleys import rosenbrock
from thalweg.solvers.driving.call import begin, parse_call

DIAGONAL = {"covariance": "diagonal"}


def ellipsoid(x):
    total, n = 0.0, len(x)
    for i in range(n):
        total += 10.0 ** (6.0 * i / (n - 1)) * x[i] * x[i]
    return total


def test_scales_of_separate_variables_are_learnt_in_a_fraction_of_the_evaluations():
    found = {
        kind: tw.minimize(
            ellipsoid, x0=[2.0] * 30, method="cma_es", seed=1, target=1e-8, options={"covariance": kind, "sigma": 1.0}
        )
        for kind in ("full", "diagonal")
    }
    assert all(result.fun <= 1e-8 for result in found.values())
    assert found["diagonal"].nfev < 0.4 * found["full"].nfev


def test_memory_grows_with_the_number_of_variables():
    call = parse_call(ellipsoid, [(-1.0, 1.0)] * 1000, method="cma_es", options=DIAGONAL | {"restart": "none"})
    sizes = {name: array.nbytes for name, array in leaves(begin(call, 0))}
    rows = 4 + 20  # 4 + 3 ln(1000)
    assert max(sizes.values()) <= 8 * rows * 1000 and sum(sizes.values()) < 1e6  # a full matrix has 8 MB


def test_what_is_no_form_of_the_matrix_is_refused():
    with pytest.raises(ValueError, match="covariance: got 'sparse', expected one of full, diagonal"):
        tw.minimize(ellipsoid, [(-1.0, 1.0)] * 2, method="cma_es", options={"covariance": "sparse"})


@pytest.mark.parametrize("name", ["CMA_diagonal", "use_separable_cma"])
def test_what_others_call_it(name):
    given: dict[str, Any] = {name: True}
    with pytest.raises((TypeError, ValueError), match=rf"{name}: .*options={{'covariance': 'diagonal'}}"):
        tw.minimize(ellipsoid, [(-1.0, 1.0)] * 2, method="cma_es", **given)


def valley(x, shift):
    return rosenbrock(x - shift + 1.0)


def waves(x, shift):
    return ackley(x - shift)


@pytest.mark.parametrize(("fun", "half", "below"), [(valley, 5.0, 300.0), (waves, 32.0, 0.1)])
def test_auto_has_a_diagonal_in_many_variables(fun, half, below):
    """250 of them: L-SHADE is at 1e3 and 3 after this."""
    shift = np.random.default_rng(1).uniform(-0.6 * half, 0.6 * half, 250)
    found = tw.minimize(
        fun, [(-half, half)] * 250, args=(shift,), seed=1, target=1e-8, max_evals=125_000, jac="2-point"
    )
    assert found.method == "portfolio" and found.fun < below
