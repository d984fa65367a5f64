"""What every solver of the registry must do: a new one is tested the moment its line is there.

The tests of all take `name`; those that concern a generation as a whole take `rows`.
"""

import dataclasses
import pickle

import numpy as np
import pytest

from thalweg.kernels import objective
from thalweg.kernels.compile.structures import leaves
from thalweg.kernels.elementary import sin
from thalweg.kernels.run import RUNNING
from thalweg.solvers import SOLVERS, Optimizer, StopReason, minimize
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import begin, bind, parse_call, start
from thalweg.solvers.driving.result import CONVERGED
from thalweg.solvers.population.differential_evolution import STRATEGIES

NAMES = list(SOLVERS)
WITH_ROWS = [name for name, solver in SOLVERS.items() if solver.rows is not None]
SMOOTH = {name for name, solver in SOLVERS.items() if "gradient" in solver.asks}
ACCURACY = dict.fromkeys(SMOOTH, 1e-10) | {
    "random_search": 0.2,
    "simulated_annealing": 1e-7,
    "direct": 1e-9,
    "parallel_tempering": 1e-9,
    "tabu": 1e-9,
}  # of 20,000 evaluations
LOCAL = {"nelder_mead"} | SMOOTH  # begins at x0, sees no further, and ends where it has converged
ENDS = LOCAL | {"direct", "cr_fm_nes"}  # by a test of its own
WITHOUT_CHANCE = {"direct", "portfolio"}  # one run is like the other; the opening of a portfolio draws next to nothing
# steps for objectives of the size of 1, where those of the paper are for neural networks
STEPS = {
    "adagrad": {"step": 1.0}, "adam": {"step": 0.1}, "adamw": {"step": 0.1, "weight_decay": 0.0},
    "rmsprop": {"step": 0.1, "schedule": "cosine"},
}  # fmt: skip
# by gradients where these are found, not where values are told
VALUES = {"basin_hopping": {"local": "pattern"}, "dual_annealing": {"local": "pattern"}}
BOX = [(-4.0, 6.0), (-3.0, 3.0), (-5.0, 1.0)]


def shifted_sphere(x):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - 0.5 * i) ** 2
    return total


def rippled(x):
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i] - np.cos(5.0 * x[i])
    return total


def gradient_of_sphere(x):
    return np.array([2.0 * (x[i] - 0.5 * i) for i in range(x.size)])


def gradient_of_rippled(x):
    return 2.0 * x + 5.0 * np.sin(5.0 * x)


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture(params=WITH_ROWS)
def rows(request):
    return request.param


def option_names(name):
    return [field.name for field in dataclasses.fields(SOLVERS[name].Options)]


def small_options(name, population=20):
    """A population small enough that a short run has many generations, where there is one."""
    return {"population": population} if "population" in option_names(name) else (STEPS | VALUES).get(name, {})


def derivative(name, gradient):
    """The arguments of a method that uses gradients."""
    return {"jac": gradient} if name in SMOOTH else {}


def has_converged(result):
    """What `success` stands for where there is no target."""
    best = result.runs[np.lexsort((result.runs["run"], result.runs["fun"]))[0]]
    return best["stop"] in CONVERGED or best["spread"] <= 1e-8 * (1 + abs(result.fun)) < np.inf


def assert_spent(name, result, budget):
    """The budget to the evaluation, but where a method has converged, or its population has become one point."""
    collapses = SOLVERS[name].rows is not None and SOLVERS[name].converges
    if (name in ENDS and result.stop_reason in CONVERGED) or (collapses and result.stop_reason == StopReason.COLLAPSED):
        assert 0 < result.nfev <= budget
    elif SOLVERS[name].asks & {
        "product",
        "hessian",
    }:  # by differences of gradients: the last may cost more than is left
        assert budget <= result.nfev <= budget + 6 and result.stop_reason == StopReason.OUT_OF_BUDGET
    else:
        assert result.nfev == budget and result.stop_reason == StopReason.OUT_OF_BUDGET


def fresh(name, max_evals=1200, seed=7, run=0):
    """A problem, and the state of a run of it that has not begun."""
    call = parse_call(
        rippled, BOX, method=name, seed=seed, max_evals=max_evals, options=small_options(name),
        **derivative(name, gradient_of_rippled),
    )  # fmt: skip
    return bind(call).problem(), begin(call, run)


def assert_same_bits(one, other):
    for (field, a), (_, b) in zip(leaves(one), leaves(other), strict=True):
        assert field in ("scratch", "bends") or a.tobytes() == b.tobytes(), (field, a, b)


def test_finds_the_minimum_of_a_bowl(name):
    more = derivative(name, gradient_of_sphere) | {"options": STEPS.get(name)}
    result = minimize(shifted_sphere, [(-5, 5)] * 3, method=name, seed=1, max_evals=20_000, **more)
    accuracy = ACCURACY.get(name, 1e-12)
    assert result.success == has_converged(result) == (SOLVERS[name].converges or name in ENDS)
    assert result.fun < accuracy
    np.testing.assert_allclose(result.x, [0.0, 0.5, 1.0], atol=2 * np.sqrt(accuracy))
    assert_spent(name, result, 20_000)
    assert result.history["evaluations"][-1] <= result.nfev


def test_same_seed_same_bits_and_other_seeds_differ(name):
    first, again, other = (minimize(rippled, BOX, method=name, seed=s, max_evals=2000) for s in (3, 3, 4))
    assert first.fun == again.fun and np.array_equal(first.x, again.x)
    assert np.array_equal(first.x, other.x) == (name in WITHOUT_CHANCE)


def test_candidates_stay_in_the_box_and_whole_numbers_are_whole(name):
    seen, whole = [], SOLVERS[name].integers

    def note(x):
        seen.append(x.copy())
        return (x**2).sum()

    box = [(-1.5, 2.5), (0.25, 0.25), (-3.7, 4.2)]
    result = minimize(
        objective(note, compiled=False), box, method=name, seed=2, max_evals=600,
        integrality=[False, False, whole], options=small_options(name), target=-1.0,
    )  # fmt: skip
    x = np.array(seen)
    assert_spent(name, result, 600)
    assert len(x) == result.nfev and any(np.array_equal(result.x, point) for point in x)
    assert (x >= np.array([-1.5, 0.25, -3.0 if whole else -3.7])).all()
    assert (x <= np.array([2.5, 0.25, 4.0 if whole else 4.2])).all()
    assert np.array_equal(x[:, 2], np.rint(x[:, 2])) or not whole


def test_whole_numbers_of_the_initial_sample_have_equal_shares(rows):
    if not SOLVERS[rows].integers:
        with pytest.raises(ValueError, match=f"integrality: {rows} takes no whole numbers"):
            Optimizer(rows, [(1, 3)] * 4, integrality=True)
        return
    first = Optimizer(rows, [(1, 3)] * 4, seed=5, integrality=True, options={"population": 3000}, max_evals=9000).ask()
    if len(first) == 1:  # it begins at one point: those of many runs
        runs = [Optimizer(rows, [(1, 3)] * 4, seed=5, run=run, integrality=True, max_evals=9) for run in range(1000)]
        first = np.vstack([optimizer.ask() for optimizer in runs])
    counts = np.unique(first, return_counts=True)[1] / first.size
    np.testing.assert_allclose(counts, 1 / 3, atol=0.02)


def test_any_chunk_length_gives_the_same_bits(name):
    problem, whole = fresh(name)
    advance = drivers.serial(SOLVERS[name])
    advance(problem, whole, 10**9)
    ends = (*CONVERGED, StopReason.ENDED) if name in ENDS else ()
    assert whole.run.now[0].stop in (StopReason.OUT_OF_BUDGET, *ends)
    for evaluations in (1, 7, 64):
        _, pieces = fresh(name)
        while pieces.run.now[0].stop == RUNNING:
            advance(problem, pieces, evaluations)
        assert_same_bits(whole, pieces)


def test_rows_on_several_threads_give_the_same_bits(rows):
    problem, serial = fresh(rows)
    _, parallel = fresh(rows)
    drivers.serial(SOLVERS[rows])(problem, serial, 10**9)
    drivers.parallel(SOLVERS[rows])(problem, parallel, 10**9)
    assert_same_bits(serial, parallel)


def telling(name):
    """Tells an optimizer of `rippled` what it asks for."""
    bound = objective(rippled).bind((), np.zeros(3))

    def tell(optimizer, x):
        gradients = {"gradients": 2.0 * x + 5.0 * np.vectorize(sin)(5.0 * x)} if name in SMOOTH else {}
        optimizer.tell(bound.evaluate(x), **gradients)

    return tell


def is_refused(name):
    """Whether the method asks for what nobody can tell it, and says so."""
    if not SOLVERS[name].asks & {"product", "hessian"}:
        return False
    with pytest.raises(ValueError, match=f"{name} asks for .* Hessian, which nobody can tell it"):
        Optimizer(name, BOX)
    return True


def test_ask_and_tell_gives_the_same_bits_also_when_pickled(name):
    if is_refused(name):
        return
    tell, more = telling(name), derivative(name, gradient_of_rippled)
    whole = minimize(rippled, BOX, method=name, seed=7, max_evals=1200, options=small_options(name), **more)
    optimizer = Optimizer(name, BOX, seed=7, max_evals=1200, options=small_options(name))
    while not optimizer.done:
        x = optimizer.ask()
        assert np.array_equal(x, optimizer.ask())
        optimizer = pickle.loads(pickle.dumps(optimizer))
        tell(optimizer, x)
    result = optimizer.result()
    assert result.fun == whole.fun and np.array_equal(result.x, whole.x) and result.nfev == whole.nfev
    np.testing.assert_array_equal(result.history["best"], whole.history["best"])


def test_restarts_do_not_depend_on_threads_or_order(name):
    common = dict(method=name, seed=11, max_evals=800)
    one = minimize(rippled, BOX, restarts=5, threads=1, **common)
    two = minimize(rippled, BOX, restarts=5, threads=2, **common)
    for column in ("run", "fun", "nfev", "nit", "stop", "x"):
        np.testing.assert_array_equal(one.runs[column], two.runs[column])
    assert one.fun == two.fun == one.runs["fun"].min() and two.threads == 2
    call = parse_call(rippled, BOX, **common)
    alone = start(call, 3, bind(call))
    while alone.stop == RUNNING:
        alone.step()
    assert alone.best[0] == one.runs["fun"][3] and np.array_equal(alone.best[1], one.runs["x"][3])


def test_a_run_of_ask_and_tell_is_a_restart(name):
    if is_refused(name):
        return
    more, tell = derivative(name, gradient_of_rippled), telling(name)
    common = dict(method=name, seed=11, max_evals=800, options=VALUES.get(name))
    expected = minimize(rippled, BOX, restarts=4, threads=1, **common, **more).runs[3]
    alone = Optimizer(bounds=BOX, run=3, **common)
    while not alone.done:
        tell(alone, alone.ask())
    assert alone.result().fun == expected["fun"] and np.array_equal(alone.result().x, expected["x"])


def test_budget_is_kept_to_the_evaluation(name):
    for budget in (1, 19, 20, 21, 777):
        more = derivative(name, gradient_of_rippled) | {"options": small_options(name)}
        result = minimize(rippled, BOX, method=name, seed=1, max_evals=budget, **more)
        assert_spent(name, result, budget)
        assert (
            np.isfinite(result.fun) and objective(rippled).bind((), result.x).evaluate(result.x[None])[0] == result.fun
        )


def test_stops_at_a_target(name):
    more = derivative(name, gradient_of_sphere) | {"options": STEPS.get(name)}
    result = minimize(shifted_sphere, [(-5, 5)] * 3, method=name, seed=1, target=1.0, max_evals=50_000, **more)
    assert result.stop_reason == StopReason.REACHED_TARGET and result.success
    assert result.fun <= 1.0 and result.nfev < 50_000
    missed = minimize(shifted_sphere, [(-5, 5)] * 3, method=name, seed=1, target=-1.0, max_evals=500, **more)
    assert not missed.success
    assert_spent(name, missed, 500)


def test_stops_after_generations_without_improvement(name):
    result = minimize(lambda x: 1.0 + 0.0 * x[0], BOX, method=name, seed=1, patience=5, max_evals=50_000)
    if name in SMOOTH:  # a gradient of 0 is an end
        assert result.stop_reason == StopReason.GRADIENT_SMALL and result.nfev == 1
    else:
        assert result.stop_reason == StopReason.STALLED and result.nit == 6


def test_stops_when_the_values_agree(name):
    arguments = dict(method=name, seed=1, ftol=1e-3, max_evals=50_000, options=STEPS.get(name))
    arguments |= derivative(name, gradient_of_sphere)
    if not SOLVERS[name].converges:
        with pytest.raises(ValueError, match="ftol"):
            minimize(shifted_sphere, BOX, **arguments)
        return
    result = minimize(shifted_sphere, BOX, **arguments)
    assert result.stop_reason == StopReason.CONVERGED or (name in SMOOTH and result.success)
    assert result.fun < 1e-2 or (name in SMOOTH and result.fun < 0.1)  # two values one after another


def test_starting_points_are_used(name):
    result = minimize(shifted_sphere, [(-5, 5)] * 3, [0.0, 0.5, 1.0], method=name, seed=1, max_evals=200)
    assert result.fun == 0.0 and np.array_equal(result.x, [0.0, 0.5, 1.0])
    several = [[4.0] * 3, [0.0, 0.5, 1.0]]
    if SOLVERS[name].rows is None:
        with pytest.raises(ValueError, match="x0: got 2 points, expected one"):
            minimize(shifted_sphere, [(-5, 5)] * 3, several, method=name)
    else:
        assert minimize(shifted_sphere, [(-5, 5)] * 3, several, method=name, seed=1, max_evals=200).fun == 0.0


def test_nan_counts_as_worst_and_is_counted(name):
    def broken(x):
        return np.nan if x[0] > 0.0 else shifted_sphere(x)

    start = [-1.0, 0.5, 0.0] if name in LOCAL else None
    more = derivative(name, gradient_of_sphere)
    result = minimize(broken, BOX, start, method=name, seed=1, max_evals=3000, **more)
    assert result.success == has_converged(result) and np.isfinite(result.fun)
    assert result.x[0] <= 0.0 and (0 < result.n_failed < 3000 or name in SMOOTH)
    for value in (np.nan, np.inf):
        hopeless = minimize(lambda x, value=value: value + 0.0 * x[0], BOX, method=name, seed=1, max_evals=300, **more)
        assert not hopeless.success and "finite" in hopeless.message
        assert hopeless.n_failed == (hopeless.nfev if np.isnan(value) else 0)
        assert hopeless.nfev == 300 or (name in SMOOTH and hopeless.stop_reason == StopReason.NO_DERIVATIVE)


def test_a_run_goes_on_after_an_exception_in_python(name):
    calls = []

    def moody(x, *moods):
        calls.append(x)
        if len(calls) in moods:
            raise ConnectionError(f"call {len(calls)}")
        return float(rippled(x))

    def carried_out(*moods):
        arguments = dict(method=name, seed=7, max_evals=600, options=small_options(name))
        call = parse_call(objective(moody, compiled=False), BOX, args=moods, **arguments)
        calls.clear()
        run, raised = start(call, 0, bind(call)), 0
        while run.stop == RUNNING:
            try:
                run.step()
            except ConnectionError as error:
                raised += 1
                assert np.array_equal(error.x, calls[-1]) and str(error) == f"call {len(calls)}"
        return run, raised

    (whole, none), (mended, some) = carried_out(), carried_out(1, 50, 51, 103)
    assert (none, some) == (0, 4) and whole.stop == mended.stop
    assert whole.best[0] == mended.best[0] and np.array_equal(whole.best[1], mended.best[1])
    assert whole.best[2:] == mended.best[2:] and np.array_equal(whole.state.run.history, mended.state.run.history)


def test_infinitely_good_points_are_kept(name):
    result = minimize(lambda x: -np.inf if x[0] > 0.0 else x[0], BOX, method=name, seed=1, max_evals=400)
    assert result.fun == -np.inf and result.x[0] > 0.0


def test_history_falls_and_is_bounded(name):
    result = minimize(rippled, BOX, method=name, seed=1, max_evals=20_000, options=small_options(name, 8))
    best, evaluations = result.history["best"], result.history["evaluations"]
    long = ENDS | {"basin_hopping"}  # iterations of many evaluations
    assert min(result.nit, 256) <= len(best) <= 512 < result.nit or name in long
    assert (np.diff(best) <= 0).all() and (np.diff(evaluations) > 0).all()


def test_options_are_checked(name):
    for option in option_names(name):
        with pytest.raises(TypeError, match=rf"^{option}: got \[\], expected"):
            minimize(rippled, BOX, method=name, options={option: []})
        with pytest.raises(ValueError, match=rf"no option '{option}x'; did you mean '{option}'"):
            minimize(rippled, BOX, method=name, options={f"{option}x": 3})
    with pytest.raises(ValueError, match=rf"{name} has no option '§'"):
        minimize(rippled, BOX, method=name, options={"§": 3})


def test_the_population_is_checked(rows):
    with pytest.raises(ValueError, match=r"population: got 0"):
        minimize(rippled, BOX, method=rows, options={"population": 0})
    with pytest.raises(TypeError, match=r"population: got 2.5"):
        minimize(rippled, BOX, method=rows, options={"population": 2.5})
    with pytest.raises(ValueError, match=r"no option 'populatoin'; did you mean 'population'"):
        minimize(rippled, BOX, method=rows, options={"populatoin": 3})


def test_one_variable_is_enough(name):
    more = derivative(name, lambda x: 2.0 * (x - 1.0)) | {"options": STEPS.get(name)}
    result = minimize(lambda x: (x[0] - 1.0) ** 2, [(-10, 10)], method=name, seed=1, max_evals=3000, **more)
    assert result.fun < 1e-2


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_of_differential_evolution_converges(strategy):
    options = {"strategy": strategy, "population": 40, "weight": 0.7}
    result = minimize(shifted_sphere, [(-5, 5)] * 3, method="de", seed=1, max_evals=12_000, options=options)
    assert result.fun < 1e-8


def test_solvers_take_the_given_dimension_without_a_population_option(name):
    """Defaults by dimension: each is at least 4 and falls within the budget."""
    more = derivative(name, gradient_of_sphere)
    for dimension in (1, 2, 50):
        result = minimize(shifted_sphere, [(-5, 5)] * dimension, method=name, seed=1, max_evals=2000, **more)
        assert_spent(name, result, 2000)


@pytest.mark.parametrize("name", ["lshade", "jso", "lsrtde"])
def test_the_scale_of_the_values_does_not_matter(name):
    """A power of two is exact: the same steps, whatever the unit of f."""
    first, scaled = (
        minimize(objective(lambda x, s=s: s * rippled(x), precise=True), BOX, method=name, seed=3, max_evals=4000)
        for s in (1.0, 2.0**-40)
    )
    np.testing.assert_array_equal(first.x, scaled.x)


def test_the_adaptive_family_shrinks_its_population():
    for name in ("lshade", "jso", "lsrtde"):
        problem, state = fresh(name, max_evals=4000)
        drivers.serial(SOLVERS[name])(problem, state, 10**9)
        assert state.rows[0].live == 4
        best = state.rows[0].second if name == "lsrtde" else 0  # its front forgets; its top keeps the best
        live = state.order[best : best + 4]
        assert (np.diff(state.f[live]) >= 0).all() and state.f[live[0]] == state.run.now[0].best


WORDS = {
    "de": ["strategy"], "simulated_annealing": ["schedule"], "pso": ["variant"],
    "genetic": ["selection", "crossover", "mutation"],
}  # fmt: skip


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, options in WORDS.items() for option in options])
def test_an_option_of_words_names_them(name, option):
    with pytest.raises(ValueError, match=rf"^{option}: got 'none', expected one of "):
        minimize(lambda x: x[0], [(-1, 1)], method=name, options={option: "none"})


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("pso", "population", 1), ("pso", "inertia", 1.0), ("pso", "cognitive", -0.1), ("pso", "social", -1.0),
        ("genetic", "population", 1), ("genetic", "crossover_rate", 1.5), ("genetic", "mutation_rate", -0.5),
        ("genetic", "crossover_eta", -1.0), ("genetic", "mutation_eta", -1.0), ("genetic", "elites", 100),
    ],
)  # fmt: skip
def test_an_option_out_of_range_is_refused(name, option, value):
    with pytest.raises(ValueError, match=rf"^{option}: got {value}, expected "):
        minimize(lambda x: x[0], [(-1, 1)], method=name, options={option: value})
