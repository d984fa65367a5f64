"""CMA-ES: the eigensolver, the fold into the box, the ends of inner runs, and what a user gets."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from thalweg.kernels.compile.jit import kernel
from thalweg.kernels.numbers.linear_algebra import dot, eigensystem, sum_rows
from thalweg.kernels.rows import bounds, covariance, inner_runs, whole_numbers
from thalweg.solvers import SOLVERS, Optimizer, StopReason, minimize
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.driving.call import begin, parse_call

from .reference.cma_es import folded, unfolded

FEW = settings(max_examples=150, deadline=None)
EXTREMES = [0.0, 1.0, -1.0, 1e-300, 1e300, 1e-160, 3.0, 1e150]

# --- linear algebra -----------------------------------------------------------------------------------------------


def decomposed(matrix):
    n = len(matrix)
    values, vectors = np.zeros(n), np.zeros((n, n))
    found = eigensystem(np.ascontiguousarray(matrix), values, vectors, np.zeros((n + 3, n)))
    return found, values, vectors


def assert_eigensystem(matrix):
    """Backward stable, as LAPACK is: small against the largest entry."""
    with np.errstate(all="ignore"):
        matrix = np.tril(matrix) + np.tril(matrix, -1).T
    n, size = len(matrix), abs(matrix).max()
    found, values, vectors = decomposed(matrix)
    assert found
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(n), atol=1e-14 * (n + 5))
    if size > 0.0:
        again = (vectors.T * (values / size)) @ vectors
        np.testing.assert_allclose(again, matrix / size, atol=1e-14 * (n + 5))
        np.testing.assert_allclose(np.sort(values / size), np.linalg.eigvalsh(matrix / size), atol=1e-14 * (n + 5))
    else:
        assert (values == 0.0).all()


square = st.integers(1, 9).map(lambda n: (n, n))


@FEW
@given(hnp.arrays(float, square, elements=st.floats(-1.0, 1.0)))
def test_any_symmetric_matrix(matrix):
    assert_eigensystem(matrix)


@FEW
@given(hnp.arrays(float, square, elements=st.sampled_from(EXTREMES) | st.floats(-1e300, 1e300)))
def test_a_matrix_of_any_scale(matrix):
    assert_eigensystem(matrix)


@FEW
@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from([1e-300, 1.0, 1e300]))
def test_equal_eigenvalues(n, seed, kinds, scale):
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    assert_eigensystem(scale * ((basis * rng.integers(0, kinds, n)) @ basis.T))


@pytest.mark.parametrize("n", [1, 2, 5, 30, 100])
def test_zero_unit_and_graded_matrices(n):
    for matrix in (np.zeros((n, n)), np.eye(n), np.diag(10.0 ** -np.arange(n)), np.ones((n, n))):
        assert_eigensystem(matrix)


@FEW
@given(hnp.arrays(float, square, elements=st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf])))
def test_what_is_no_number_is_refused_and_does_not_hang(matrix):
    found, _, _ = decomposed(matrix)
    assert found == np.isfinite(np.tril(matrix)).all()


def test_sums():
    compiled_dot, compiled_rows = kernel(lambda a, b, n: dot(a, b, n)), kernel(lambda f, m, n, o: sum_rows(f, m, n, o))
    rng = np.random.default_rng(1)
    for n in range(40):
        a, b, matrix, out = (
            rng.normal(size=n + 1),
            rng.normal(size=n + 1),
            rng.normal(size=(n + 1, n + 1)),
            np.ones(n + 1),
        )
        assert compiled_dot(a, b, n) == pytest.approx(a[:n] @ b[:n], rel=1e-13, abs=1e-13)
        compiled_rows(a, matrix, n, out)
        np.testing.assert_allclose(out[:n], a[:n] @ matrix[:n, :n], atol=1e-13)
        assert out[n] == 1.0


# --- the box ------------------------------------------------------------------------------------------------------

into_box = kernel(lambda y, low, high, below, above: bounds.into_box(y, low, high, below, above))
out_of_box = kernel(lambda x, low, high, below, above: bounds.out_of_box(x, low, high, below, above))
ends = st.floats(-1e6, 1e6) | st.sampled_from([-np.inf, np.inf, 0.0, 1e-300])


class Sides:
    """The bounds of one variable."""

    def __init__(self, one, other):
        self.lower, self.upper = np.array([min(one, other)]), np.array([max(one, other)])
        margins = bounds.margins(self.lower, self.upper)
        self.whole = np.zeros(1, dtype=bool)
        self.all = (float(self.lower[0]), float(self.upper[0]), float(margins[0, 0]), float(margins[1, 0]))


@st.composite
def sides(draw):
    one, other = draw(ends), draw(ends)
    if one == other and math.isinf(one):
        other = 0.0
    return Sides(one, other)


@FEW
@given(sides(), st.floats(-1e6, 1e6) | st.sampled_from([1e300, -1e300, np.inf, -np.inf, np.nan]))
def test_every_point_stands_for_one_in_the_box(box, y):
    low, high, below, above = box.all
    x = into_box(y, *box.all)
    if math.isfinite(low) or math.isfinite(high) or math.isfinite(y):
        assert low <= x <= high
    if low + below <= y <= high - above:
        assert x == y


@FEW
@given(sides(), st.floats(-3.0, 3.0))
def test_the_fold_is_that_of_its_description(box, share):
    low, high, *_ = box.all
    if high - low < 1e-9:
        assert into_box(share, *box.all) == pytest.approx(low, abs=1e-9)
        return
    width = high - low if math.isfinite(high - low) else 10.0
    y = (low if math.isfinite(low) else high if math.isfinite(high) else 0.0) + share * width
    expected = folded(box, [y])[0]
    near = 1e-12 * max(abs(y), width, *(abs(end) for end in (low, high) if math.isfinite(end)))
    assert into_box(y, *box.all) == pytest.approx(expected, rel=1e-12, abs=near)


@FEW
@given(sides(), st.floats(0.0, 1.0))
def test_each_point_of_the_box_is_reached(box, share):
    low, high, *_ = box.all
    assume(high == low or high - low > 1e-100)  # squares of less are 0
    width = high - low if math.isfinite(high - low) else 3.0
    x = low + share * width if math.isfinite(low) else high - share * width if math.isfinite(high) else share
    x = min(max(x, low), high)
    y = out_of_box(x, *box.all)
    assert y == pytest.approx(unfolded(box, [x])[0], rel=1e-12, abs=1e-300)
    assert into_box(y, *box.all) == pytest.approx(x, rel=1e-12, abs=1e-12 * max(width, abs(x)))


@FEW
@given(st.floats(-50.0, 50.0), st.floats(0.1, 10.0), st.integers(-40, 40))
def test_the_fold_repeats_itself(y, width, periods):
    box = Sides(-1.0, width - 1.0)
    period = 2.0 * (width + box.all[2] + box.all[3])
    assert into_box(y + periods * period, *box.all) == pytest.approx(into_box(y, *box.all), abs=1e-9)


def test_the_fold_is_smooth():
    box = Sides(-1.0, 3.0)
    y = np.linspace(-9.0, 11.0, 20001)
    x = np.array([into_box(v, *box.all) for v in y])
    slope = np.diff(x) / np.diff(y)
    assert abs(slope).max() <= 1.0 + 1e-9 and abs(np.diff(slope)).max() < 3 * (y[1] - y[0]) / (2 * box.all[2])


# --- whole numbers ------------------------------------------------------------------------------------------------


def test_quantiles_of_the_normal_distribution():
    compiled = kernel(lambda p: whole_numbers.reach(p))
    for probability in (0.5, 0.49, 0.25, 0.1, 0.01, 1e-3, 1e-6, 1e-12):
        assert compiled(probability) == pytest.approx(-NormalDist().inv_cdf(probability), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("mean", [-0.5, -0.4, 0.3, 1.0, 2.2, 2.5, 2.9, 4.0, 4.5])
@pytest.mark.parametrize("deviation", [1e-6, 0.05, 0.3, 2.0])
def test_no_neighbour_of_a_whole_number_dies_out(mean, deviation):
    """Hamano et al.: at least alpha = 1 / (lambda D) beside a number at a bound, alpha / 2 on each side of another."""
    state = state_of(population=10)
    state.box.lower[0], state.box.upper[0], state.box.integer[0], state.inner[0].whole = 0.0, 4.0, 1.0, 1
    state.mean[0], state.scale[0], state.own[0].sigma = mean, deviation, 1.0
    inner_runs.keep_margin(state)
    marginal = NormalDist(state.mean[0], max(state.scale[0], 1e-300))
    at = min(max(math.floor(mean + 0.5), 0.0), 4.0)
    below, above = marginal.cdf(at - 0.5), 1.0 - marginal.cdf(at + 0.5)
    assert below >= (1 / 60) * (1 - 1e-9) or at == 0.0
    assert above >= (1 / 60) * (1 - 1e-9) or at == 4.0
    assert max(below, above) >= (1 / 30) * (1 - 1e-9) or 0.0 < at < 4.0
    assert state.scale[1] == 2.0 and state.mean[1] == 0.0  # nothing happens to the others


def test_whole_numbers_far_from_the_best_draw_no_steps_without_end():
    """Cut off at the bounds, samples in the corners would."""
    target = np.array([6.0, 7.0, 0.0, 1.0, 6.0, 6.0, 4.0, 0.0, 7.0, 4.0])

    def bent(x):
        total, sum_before = 0.0, 0.0
        for i in range(x.size):
            sum_before += x[i] - target[i]
            total += sum_before * sum_before
        return total

    result = minimize(
        bent, [(0, 7)] * 10, integrality=True, method="cma_es", seed=1, max_evals=50_000, target=0.0,
        options={"population": 50},
    )  # fmt: skip
    assert result.fun == 0.0


# --- ends of inner runs -------------------------------------------------------------------------------------------


def state_of(dimension=3, **options):
    call = parse_call(lambda x: x[0], [(-1.0, 1.0)] * dimension, method="cma_es", seed=1, options=options)
    state = begin(call, 0)
    inner_runs.begin(state, options["population"], 0.3, inner_runs.UNLIMITED)
    return state


@pytest.mark.parametrize(("ratio", "sound"), [(0.99, True), (1.01, False), (-1.0, False), (np.nan, False)])
def test_a_covariance_matrix_beyond_a_condition_of_1e14_is_given_up(ratio, sound):
    state = state_of(population=10)
    state.own[0].generation = 10
    state.covariance[:] = np.diag([1e14 * ratio, 1.0, 1.0])
    assert covariance.decompose(state) == sound and state.own[0].decomposed == 10


def test_an_inner_run_ends_after_as_many_generations_as_pycma_allows():
    for dimension, population in ((3, 10), (10, 7), (1, 100)):
        state = state_of(dimension, population=population)
        most = 100 + 150 * (dimension + 3) ** 2 / math.sqrt(population)
        for generation in (math.ceil(most) - 1, math.ceil(most)):
            state.own[0].generation = generation
            assert inner_runs.has_failed(state) == (generation >= most)


@pytest.mark.parametrize("regime", [inner_runs.NONE, inner_runs.IPOP, inner_runs.BIPOP])
def test_arrays_are_as_large_as_the_budget_allows_populations_to_be(regime):
    assert inner_runs.largest_population(10, 10**9, regime) == (10 if regime == inner_runs.NONE else 5120)
    assert inner_runs.largest_population(10, 20, regime) == 10
    for budget in (21, 60, 61, 1000, 10**5):
        population = inner_runs.largest_population(10, budget, regime)
        assert population == 10 or 2 * (population - 10) < budget  # two generations of each size before


def test_the_memory_of_a_large_problem_is_bounded():
    solver = SOLVERS["cma_es"]
    call = parse_call(lambda x: x[0], [(-1.0, 1.0)] * 200, method="cma_es", seed=1)
    state = solver.init(call.problem, solver.Options(), Limits(2_000_000), Key(1, 0))
    assert sum(array.nbytes for array in (state.step, state.trial)) < 2**25


# --- what a user gets ---------------------------------------------------------------------------------------------


def rosenbrock(x):
    total = 0.0
    for i in range(len(x) - 1):
        total += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return total


def rastrigin(x):
    total = 10.0 * len(x)
    for i in range(len(x)):
        total += x[i] * x[i] - 10.0 * math.cos(2.0 * math.pi * x[i])
    return total


def tilted(x):
    """Lowest at the corner (-1, -1, ...)."""
    total = 0.0
    for i in range(len(x)):
        total += (i + 3.0) * x[i] + x[i] * x[i]
    return total


def test_a_solved_problem_is_a_success_also_when_the_budget_is_spent_on_restarts():
    result = minimize(rosenbrock, [(-5.0, 10.0)] * 5, method="cma_es", seed=1, max_evals=20_000)
    assert result.fun < 1e-10 and result.stop_reason == StopReason.OUT_OF_BUDGET and result.success
    assert result.runs["spread"][0] < 1e-8
    short = minimize(rosenbrock, [(-5.0, 10.0)] * 5, method="cma_es", seed=1, max_evals=500)
    assert not short.success and "still differ" in short.message


def test_without_restarts_it_ends_where_it_has_converged():
    result = minimize(rosenbrock, x0=[-1.0] * 5, method="cma_es", seed=1, options={"restart": "none"})
    assert result.stop_reason == StopReason.CONVERGED and result.success and result.fun < 1e-10
    endless = minimize(lambda x: x[0], x0=[-1.0] * 5, method="cma_es", seed=1, options={"restart": "none"})
    assert endless.stop_reason == StopReason.ENDED and not endless.success and "not converged" in endless.message


def test_restarts_solve_what_one_run_does_not():
    solved = [
        minimize(rastrigin, [(-5.12, 5.12)] * 5, method="cma_es", seed=s, max_evals=100_000, target=1e-8, threads=1)
        for s in range(5)
    ]
    assert all(result.success for result in solved) and max(result.nfev for result in solved) > 10_000


@pytest.mark.parametrize("upper", [2.0, 1e6, None])
@pytest.mark.parametrize("x0", [0.5, -1.0])
def test_a_minimum_at_a_corner(upper, x0):
    result = minimize(tilted, [(-1.0, upper)] * 6, [x0] * 6, method="cma_es", seed=1, options={"restart": "none"})
    np.testing.assert_allclose(result.x, -1.0, atol=1e-8)
    assert result.success and result.fun == pytest.approx(tilted(np.full(6, -1.0)), abs=1e-8)


@pytest.mark.parametrize("sigma", [1e-3, 20.0])
def test_steps_far_from_the_box_stay_in_it(sigma):
    optimizer = Optimizer("cma_es", [(-1.0, 2.0), (3.0, 3.0), (0.0, 1e-3)], seed=1, options={"sigma": sigma})
    for _ in range(30):
        x = optimizer.ask()
        assert ((x >= [-1.0, 3.0, 0.0]) & (x <= [2.0, 3.0, 1e-3])).all()
        optimizer.tell((x**2).sum(axis=1))


def test_the_first_run_begins_at_x0_others_where_they_draw():
    box, x0 = [(-1.0, 1.0)] * 2, [0.25, -0.5]
    means = []
    for run in range(3):
        optimizer = Optimizer("cma_es", box, x0=x0, seed=1, run=run)
        assert (optimizer.ask() == [x0]).all()
        optimizer.tell([1.0])
        means.append(optimizer.state.mean.copy())
    assert (means[0] == x0).all() and len({tuple(mean) for mean in means}) == 3


def test_several_points_give_their_best_as_a_beginning():
    optimizer = Optimizer("cma_es", [(-1.0, 1.0)] * 2, x0=[[0.0, 0.5], [0.25, 0.25], [0.5, 0.0]], seed=1)
    assert len(optimizer.ask()) == 3
    optimizer.tell([2.0, 1.0, 3.0])
    assert (optimizer.state.mean == [0.25, 0.25]).all()


def test_units_do_not_matter():
    """A power of two is exact: the same steps, whatever the unit of x."""
    first, scaled = (
        minimize(lambda x, s=s: rosenbrock(x / s), [(-s, 2.0 * s)] * 3, method="cma_es", seed=1, max_evals=2000)
        for s in (1.0, 2.0**-30)
    )
    np.testing.assert_array_equal(first.x, 2.0**30 * scaled.x)
