"""The arms of a portfolio, and the polish of a global method: what they find is kept, what they take is counted."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels.calling.checking import NotDifferentiable
from thalweg.solvers import StopReason


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


BOX = [(-5.0, 10.0)] * 6


def test_auto_solves_a_valley_that_a_population_does_not():
    """In 20 dimensions, with 1,000 evaluations for each variable, L-SHADE alone is still above 1e-3."""
    box = [(-5.0, 10.0)] * 20
    alone = tw.minimize(valley, box, method="lshade", seed=1, max_evals=20_000)
    found = tw.minimize(valley, box, seed=1, max_evals=20_000)
    assert alone.fun > 1e-3 and found.fun < 1e-9 and found.success and "arms" not in alone
    assert found.method == "portfolio" and found.derivatives == {"gradient": "automatic"} and found.arm == "descent"
    assert {"descent", "coordinates", "cma_es"} <= {arm["arm"] for arm in found.arms}
    assert found.nfev == sum(arm["nfev"] for arm in found.arms) <= 20_000
    assert found.fun == min(arm["fun"] for arm in found.arms) == pytest.approx(valley(found.x), abs=1e-15)
    assert found.history["evaluations"][-1] <= found.nfev and found.history["best"][-1] == found.fun


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    one, two = (tw.minimize(valley, BOX, seed=3, max_evals=9_000, threads=t) for t in (1, 2))
    assert one.x.tobytes() == two.x.tobytes() and one.nfev == two.nfev


def test_a_named_method_stays_itself_unless_a_polish_is_asked_for():
    named = tw.minimize(valley, BOX, method="jso", seed=1, max_evals=9_000)
    assert "arms" not in named and named.nfev == 9_000
    polished = tw.minimize(valley, BOX, method="jso", seed=1, max_evals=9_000, polish=True)
    assert [arm["arm"] for arm in polished.arms] == ["jso", "polish"] and polished.fun < min(1e-12, named.fun)
    assert polished.method == "jso" and "went on" in polished.message and polished.nfev <= 9_000


def test_a_target_that_the_first_arm_reaches_ends_the_run():
    found = tw.minimize(valley, BOX, seed=1, target=1e-3)
    assert found.stop_reason == StopReason.REACHED_TARGET and found.success and found.arm == "descent"
    assert found.nfev < 1_000 and found.history["evaluations"].max() <= found.nfev


def test_what_auto_takes_where_a_portfolio_or_its_gradients_cannot_be():
    assert "derivatives" not in tw.minimize(valley, BOX, seed=1, max_evals=1_000)  # not worth a compilation
    whole = tw.minimize(valley, BOX, seed=1, max_evals=9_000, integrality=[1, 0, 0, 0, 0, 0])
    assert whole.method == "lshade" and "arms" not in whole
    assert tw.minimize(valley, BOX, np.ones((2, 6)), seed=1, max_evals=900).method == "lshade"
    assert tw.minimize(valley, BOX, seed=1, max_evals=900, options={"population": 20}).method == "lshade"
    assert "arms" in tw.minimize(valley, BOX, seed=1, max_evals=1_000, restarts=2)

    def lowest(x):
        return np.linalg.eigvalsh(np.diag(x * x))[0]

    found = tw.minimize(lowest, [(-1, 1)] * 2, seed=1, max_evals=3_000)
    assert found.method == "portfolio" and "derivatives" not in found and found.fun < 1e-12
    with pytest.raises(NotDifferentiable, match="cannot be differentiated"):
        tw.minimize(lowest, [(-1, 1)] * 2, method="de", polish=True)


def test_from_a_point_auto_takes_gradients_where_there_are_any():
    assert tw.minimize(valley, [-1.2, 1.0]).method == "l_bfgs_b"

    def lowest(x):
        return np.linalg.eigvalsh(np.diag(x * x + 1))[0]

    assert tw.minimize(lowest, [0.5, 0.4]).method == "nelder_mead"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"polish": "no"}, "polish: got 'no', expected True, False or 'auto'"),
        ({"polish": True, "integrality": True}, "polish: got True, expected False: whole numbers have no gradient"),
        ({"polish": True, "restarts": 3}, "polish: got True, expected False: it belongs to a single run"),
        ({"polish": True, "max_iters": 5}, "polish: got True, expected False: without max_evals"),
    ],
)
def test_what_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        tw.minimize(valley, BOX, method="de", **arguments)
