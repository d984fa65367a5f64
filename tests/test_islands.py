"""Islands: what migrates, that nothing else changes, and that the answer is the same wherever they are carried out."""

import os
import signal
import sys
import time

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thalweg.kernels import Problem, objective
from thalweg.kernels.compile.structures import copied, leaves
from thalweg.kernels.rows.migration import draw_sources, emigrate, immigrate
from thalweg.kernels.run import PAUSED, RUNNING
from thalweg.orchestration import archipelago as archipelagos
from thalweg.orchestration import islands
from thalweg.orchestration.archipelago import TOPOLOGIES, Archipelago, Islands, sources_of
from thalweg.solvers import SOLVERS, StopReason, minimize
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.call import bind, describe, parse_call, start

NAMES = [name for name, solver in SOLVERS.items() if solver.points is not None]
BOX = [(-4.0, 6.0), (-3.0, 3.0), (-5.0, 1.0)]
COLUMNS = ("run", "fun", "nfev", "nit", "n_failed", "stop", "x")
SMALL = {"seed": 7, "max_evals": 1200, "options": {"population": 20}}
NEEDLE = np.array([1.25, -0.5, 0.75])


def rippled(x):
    total = 0.0
    for i in range(x.size):
        total += x[i] * x[i] - np.cos(5.0 * x[i])
    return total


def needle(x, at):
    found = True
    distance = 0.0
    for i in range(x.size):
        found = found and x[i] == at[i]
        distance += abs(x[i] - at[i])
    return -1.0 if found else 1000.0 - distance  # everything else leads away from it


def assert_same_runs(one, other):
    for column in COLUMNS:
        np.testing.assert_array_equal(one.runs[column], other.runs[column], err_msg=column)


def found(name, count=4, every=5, topology="ring", migrants=1, **changes):
    """An archipelago and the work that carries it on."""
    arguments = SMALL | changes
    call = parse_call(arguments.pop("fun", rippled), BOX, method=name, **arguments)
    work = Islands(call)
    work.prepare()
    return Archipelago(call, count, every, topology, migrants), work


def points_of(name, state):
    return SOLVERS[name].points(state)


def best_of(state):
    return state.run.now[0].best


def immigrants_of(state):
    return state.rows[0].immigrants


def assert_same_state(one, other):
    for (field, a), (_, b) in zip(leaves(one), leaves(other), strict=True):
        assert a.tobytes() == b.tobytes(), (field, a, b)


def one_epoch(islands_, work):
    for island in islands_.going():
        record = work.carry_out(island, islands_.states[island], lambda: False)
        assert record["fun"] == best_of(record["state"])
        islands_.states[island] = record["state"]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


# --- the whole ---------------------------------------------------------------------------------------------------


@pytest.fixture
def handed_out(monkeypatch):
    """No epoch is too short for threads or workers."""
    monkeypatch.setattr(sys.modules["thalweg.orchestration.island_model"], "SHORT", -1.0)


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_the_same_bits_on_any_number_of_threads(name, topology, request):
    arguments = dict(islands=3, every=15, topology=topology, method=name, **SMALL)
    here = islands(rippled, BOX, threads=2, **arguments)
    request.getfixturevalue("handed_out")
    one, two = (islands(rippled, BOX, threads=threads, **arguments) for threads in (1, 2))
    assert_same_runs(one, two)
    assert_same_runs(one, here)
    assert one.migrations == two.migrations > 0 and one.epochs == two.epochs >= 4
    assert one.fun == two.fun == one.runs["fun"].min() == rippled_at(one.x)
    assert one.nfev == 3 * 1200 and one.stop_reason == StopReason.OUT_OF_BUDGET
    spread = one.runs["spread"][np.argmin(one.runs["fun"])]
    assert np.isfinite(spread) and one.success == (spread <= 1e-8 * (1 + abs(one.fun)))


def rippled_at(x):
    return objective(rippled).bind((), np.zeros(3)).evaluate(x[None])[0]


def test_without_migration_islands_are_the_runs_of_minimize(name):
    alone = minimize(rippled, BOX, method=name, restarts=3, **SMALL)
    apart = islands(rippled, BOX, islands=3, every=10**40, method=name, threads=1, **SMALL)
    assert_same_runs(alone, apart)
    assert apart.migrations == 0 and apart.epochs == 1
    np.testing.assert_array_equal(alone.history["best"], apart.history["best"])
    together = islands(rippled, BOX, islands=3, every=5, method=name, threads=1, **SMALL)
    assert not np.array_equal(alone.runs["x"], together.runs["x"])


def test_parts_of_an_epoch_of_any_length_give_the_same_bits(name, monkeypatch):
    whole = islands(rippled, BOX, islands=3, every=20, method=name, threads=1, **SMALL)
    monkeypatch.setattr(archipelagos, "SLICE", 0.0)
    monkeypatch.setattr(Islands, "carry_out", a_few_rows)
    assert_same_runs(whole, islands(rippled, BOX, islands=3, every=20, method=name, threads=1, **SMALL))


def a_few_rows(work, unit, given, ends):
    """Instead of Islands.carry_out: seven evaluations, and no more."""
    state = copied(given)
    drivers.serial(work.call.solver)(work.bound.problem(), state, 7)
    return {"fun": float(best_of(state)), "state": state}


@pytest.mark.parametrize("form", [{"compiled": False}, {"vectorized": True}])
def test_objectives_in_python(form):
    def sphere(x):
        return (x * x).sum(axis=-1)

    fun = objective(sphere, **form)
    apart = islands(fun, BOX, islands=2, every=10**6, method="de", **SMALL)
    assert_same_runs(minimize(fun, BOX, restarts=2, method="de", **SMALL), apart)
    together = islands(fun, BOX, islands=2, every=10, method="de", **SMALL)
    assert together.threads == 1 and together.objective.startswith("python") and together.migrations > 0


def test_a_problem_brings_its_own_bounds_and_whole_numbers_stay_whole():
    problem = Problem(fun=rippled, bounds=[(-4.5, 6.0), (-3.0, 3.0)], integrality=[True, False])
    result = islands(problem, islands=2, every=3, method="jso", threads=1, **SMALL)
    assert np.array_equal(result.runs["x"][:, 0], np.rint(result.runs["x"][:, 0]))


def test_a_target_ends_the_call_after_the_epoch_of_all():
    alone = minimize(rippled, BOX, method="de", restarts=4, **SMALL)
    target = float(np.sort(alone.runs["fun"])[0]) + 1e-3
    result = islands(rippled, BOX, islands=4, every=10**6, target=target, method="de", threads=2, **SMALL)
    assert result.success and result.stop_reason == StopReason.REACHED_TARGET and len(result.runs) == 4
    early = islands(rippled, BOX, islands=4, every=5, target=-1.0, method="de", threads=1, **SMALL)
    others = early.runs["stop"] != StopReason.REACHED_TARGET
    assert early.success and others.any()
    assert (early.runs["stop"][others] == StopReason.CANCELLED).all()
    assert set(early.runs["nit"][others]) == {5 * early.epochs}
    missed = islands(rippled, BOX, islands=2, every=5, target=-1e9, method="de", threads=1, **SMALL)
    assert not missed.success and "target was not reached" in missed.message


def test_the_clock_ends_it_and_the_best_so_far_is_returned():
    slow = objective(lambda x: float(x @ x), compiled=False)
    result = islands(slow, BOX, islands=2, every=10, max_evals=10**7, max_time=0.3, method="de", seed=1)
    assert result.stop_reason == StopReason.OUT_OF_TIME and 0.2 < result.timing["run"] < 5
    assert np.isfinite(result.fun) and 0 < result.nfev < 10**7


# --- migration ---------------------------------------------------------------------------------------------------


def test_a_planted_optimum_travels_round_the_ring(name):
    fun = objective(needle)
    call = parse_call(fun, BOX, args=(NEEDLE,), method=name, seed=1, max_evals=4000, options={"population": 12})
    work = Islands(call)
    work.prepare()
    ring = Archipelago(call, 5, 3, "ring", 1)
    ring.states[0].trial[0], ring.states[0].rows[0].given = NEEDLE, 1  # as if this island alone had been given an x0
    for epoch in range(5):
        one_epoch(ring, work)
        holders = [island for island, state in enumerate(ring.states) if best_of(state) == -1.0]
        assert holders == list(range(epoch + 1)) and ring.epochs == epoch + 1
        ring.migrate()
    assert ring.migrations >= 4


def test_an_island_that_has_ended_gives_and_takes_none(name):
    ring, work = found(name)
    one_epoch(ring, work)
    best = int(np.argmin([best_of(state) for state in ring.states]))
    ended = ring.states[best]
    ended.run.now[0].stop = StopReason.CONVERGED
    before = copied(ended)
    ring.migrate()
    assert_same_state(before, ring.states[best])
    assert best_of(ring.states[(best + 1) % 4]) == best_of(before)
    assert best not in ring.going() and len(ring.going()) == 3


def test_all_migrate_from_the_states_before(name):
    """Round the ring, points move one island at a time, whatever the order in which islands are served."""
    ring, work = found(name)
    one_epoch(ring, work)
    before = [emigrate(state, points_of(name, state), 1) for state in ring.states]
    ring.migrate()
    for island, state in enumerate(ring.states):
        x, f = before[island - 1]
        rows = np.flatnonzero((state.x == x[0]).all(axis=1))
        assert (state.f[rows] == f[0]).all()
        assert immigrants_of(state) == (rows.size > 0)
    assert sum(map(immigrants_of, ring.states)) == ring.migrations > 0


@settings(deadline=None, max_examples=60)
@given(data=st.data(), name=st.sampled_from(NAMES), arrivals=st.integers(1, 30))
def test_the_best_of_both_survive_and_the_ranks_are_right(data, name, arrivals):
    islands_, work = found(name, count=2)
    one_epoch(islands_, work)
    state = islands_.states[0]
    values = data.draw(st.lists(st.floats(-5, 60) | st.just(np.inf), min_size=arrivals, max_size=arrivals))
    f = np.sort(np.array(values))
    x = np.arange(arrivals * 3.0).reshape(arrivals, 3) / 10 - 1  # no two alike, none there already
    rows, now, populations = state.rows[0], state.run.now[0], points_of(name, state)
    now.stall = 3
    before = copied(state)
    taken = immigrate(state, populations, x, f)
    second = [(rows.second, rows.second_end)] if name == "lsrtde" else []
    assert [(held.start, held.stop) for held in populations] == [(0, rows.live), *second]
    for held in populations:
        old, new = before.f[held], state.f[held]
        limit = rows.live - 1
        np.testing.assert_array_equal(np.sort(new), np.sort(np.r_[old, f[:limit]])[: old.size])
        assert (new != old).sum() <= taken <= limit
        if hasattr(state, "order"):
            order = state.order[held]
            assert sorted(order) == list(range(held.start, held.stop)) and (np.diff(state.f[order]) >= 0).all()
    assert state.f[rows.best] == state.f[: rows.live].min()
    best = best_of(before)
    assert now.best == min(best, f[0])
    assert np.array_equal(state.run.best_x, x[0] if f[0] < best else before.run.best_x)
    assert now.stall == (0 if f[0] < best else 3)
    assert rows.immigrants == taken == immigrants_now(state, populations, x, f, taken)


def immigrants_now(state, populations, x, f, taken):
    """The count after the same points came once more: none is taken twice."""
    again = immigrate(state, populations, x[:taken], f[:taken])
    assert again == 0
    return immigrants_of(state)


def test_one_row_at_least_stays(name):
    """The adaptive methods shrink to four rows: migrants must not become all of them."""
    islands_, work = found(name, count=2)
    one_epoch(islands_, work)
    state = islands_.states[0]
    rows = int(state.rows[0].live)
    best = state.f[:rows].min()
    x, f = np.arange(90.0).reshape(30, 3) / 30 - 2, np.arange(-90.0, -60.0)
    assert immigrate(state, points_of(name, state), x, f) == rows - 1
    assert state.f[:rows].max() == best and best_of(state) == -90.0


def test_each_source_sends_its_best(name):
    """Every point of every source is offered: the others' best, from best to worst."""
    for migrants in (1, 2):
        full, work = found(name, count=4, topology="fully_connected", migrants=migrants)
        one_epoch(full, work)
        before = [emigrate(state, points_of(name, state), migrants) for state in full.states]
        expected = []
        for island, state in enumerate(full.states):
            x, f = (np.concatenate(parts) for parts in zip(*(before[:island] + before[island + 1 :])))
            best = np.argsort(f, kind="stable")
            assert f.size == 3 * migrants
            expected.append(immigrate(copied(state), points_of(name, state), x[best], f[best]))
        full.migrate()
        assert [immigrants_of(state) for state in full.states] == expected
        assert max(expected) > migrants


def test_sources():
    assert sources_of("ring", 4, 1, 1) == [[3], [0], [1], [2]]
    assert sources_of("fully_connected", 3, 1, 1) == [[1, 2], [0, 2], [0, 1]]
    drawn = np.array([sources_of("random", 6, 2**64 - 1, epoch) for epoch in range(2000)])[:, :, 0]
    assert (drawn != np.arange(6)).all()
    for island in range(6):
        share = np.bincount(drawn[:, island], minlength=6) / 2000
        np.testing.assert_allclose(np.delete(share, island), 0.2, atol=0.05)
    assert sources_of("random", 2, 5, 3) == [[1], [0]]
    again = np.empty(6, dtype=np.int64)
    draw_sources(np.uint64(2**64 - 1), np.int64(7), again)
    np.testing.assert_array_equal(again, drawn[7])


# --- pauses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SOLVERS)
def test_a_pause_is_at_its_iteration_and_changes_nothing(name):
    solver = SOLVERS[name]
    options = SMALL["options"] if solver.rows is not None else None
    call = parse_call(rippled, BOX, method=name, **(SMALL | {"options": options}))
    bound = bind(call)
    whole, paused, parallel = (start(call, 0, bound) for _ in range(3))
    while whole.stop == RUNNING:
        whole.step()
    for iteration in (1, 7, 8) if whole.best[3] > 8 else (1, 2):  # Newton's methods are soon at their end
        paused.state.run.now[0].pause_at = parallel.state.run.now[0].pause_at = iteration
        while paused.stop == RUNNING:
            paused.step()
        if solver.rows is not None:
            drivers.parallel(solver)(bound.problem(), parallel.state, 10**9)
        for run in (paused, parallel) if solver.rows is not None else (paused,):
            assert run.stop == PAUSED and run.state.run.now[0].iteration == iteration
            run.state.run.now[0].stop = RUNNING
    paused.state.run.now[0].pause_at = 0
    while paused.stop == RUNNING:
        paused.step()
    assert paused.best[0] == whole.best[0] and np.array_equal(paused.best[1], whole.best[1])
    assert paused.best[2:] == whole.best[2:]


def test_an_end_counts_before_a_pause():
    call = parse_call(rippled, BOX, method="de", seed=1, max_evals=100, options={"population": 20})
    run = start(call, 0, bind(call))
    run.state.run.now[0].pause_at = 5
    while run.stop == RUNNING:
        run.step()
    assert run.stop == StopReason.OUT_OF_BUDGET


# --- faults ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [1, 5, 9])
def test_interrupted_islands_go_on_to_the_same_bits(parts, tmp_path, monkeypatch):
    arguments = dict(islands=3, every=7, topology="random", method="lsrtde", threads=1, **SMALL)
    whole = islands(rippled, BOX, **arguments)
    path = tmp_path / "islands.npz"
    carry_out, count = Islands.carry_out, 0

    def interrupted(work, unit, given, ends):
        nonlocal count
        count += 1
        if count > parts:
            os.kill(os.getpid(), signal.SIGINT)
            while not ends():
                time.sleep(0.001)
        return carry_out(work, unit, given, ends)

    with monkeypatch.context() as patch:
        patch.setattr(Islands, "carry_out", interrupted)
        cut = islands(rippled, BOX, checkpoint=path, **arguments)
    assert cut.stop_reason == StopReason.INTERRUPTED and not cut.success and cut.nfev < whole.nfev
    assert (cut.runs["stop"] == StopReason.INTERRUPTED).all()
    resumed = islands(rippled, BOX, checkpoint=path, **(arguments | {"seed": None}))
    assert_same_runs(whole, resumed)
    assert (resumed.migrations, resumed.epochs, resumed.seed) == (whole.migrations, whole.epochs, whole.seed)
    assert_same_runs(whole, islands(rippled, BOX, checkpoint=path, **arguments))  # nothing was left to do
    for change in ({"every": 8}, {"islands": 4}, {"topology": "ring"}, {"migrants": 2}, {"max_evals": 1300}):
        with pytest.raises(ValueError, match="belongs to another run"):
            islands(rippled, BOX, checkpoint=path, **(arguments | change))
    with pytest.raises(ValueError, match="belongs to another run"):
        minimize(rippled, BOX, checkpoint=path, method="lsrtde", **SMALL)


def test_an_island_that_fails_has_ended_and_the_others_go_on(monkeypatch):
    carry_out = Islands.carry_out

    def failing(work, unit, given, ends):
        if unit == 1 and given.run.now[0].iteration >= 10:
            raise OSError("no licence")
        return carry_out(work, unit, given, ends)

    monkeypatch.setattr(Islands, "carry_out", failing)
    result = islands(rippled, BOX, islands=3, every=5, method="de", threads=1, retries=1, **SMALL)
    assert "1 of 3 islands ended early: 1 raised" in result.message
    (failure,) = result.failures
    assert failure["unit"] == 1 and failure["attempts"] == 2 and "no licence" in failure["error"]
    assert result.runs["stop"].tolist() == [StopReason.OUT_OF_BUDGET, StopReason.RAISED, StopReason.OUT_OF_BUDGET]
    assert result.runs["nit"][1] == 10 and result.runs["nfev"][0] == 1200


def test_where_every_island_fails_at_once_it_is_said_why():
    def broken(x):
        if x[0] > -100.0:
            raise ZeroDivisionError("broken")
        return x[0]

    fun = objective(broken, check=False)
    with pytest.raises(RuntimeError, match="broken") as caught:
        islands(fun, BOX, islands=2, method="de", threads=1, retries=0, **SMALL)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"islands": 1}, "islands: got 1, expected at least 2"),
        ({"every": 0}, "every: got 0, expected at least 1"),
        ({"migrants": 0}, "migrants: got 0, expected at least 1"),
        ({"migrants": 20}, "migrants: got 20, expected fewer than 20, the size of a population"),
        ({"topology": "star"}, "topology: got 'star', expected one of ring, fully_connected, random"),
        ({"topology": ["ring"]}, "topology: got .*, expected one of"),
        ({"method": "random_search"}, "method: random_search keeps no population .* expected one of de, lshade"),
        ({"max_time": 0}, "max_time: got 0"),
        ({"checkpoint": "no/such/folder/file"}, "checkpoint: got"),
    ],
)
def test_what_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        islands(rippled, BOX, **({"method": "de"} | SMALL | change))


@pytest.mark.parametrize("change", [{"islands": 2.5}, {"every": "often"}, {"migrants": None}, {"checkpoint": 3}])
def test_what_is_of_the_wrong_type(change):
    with pytest.raises(TypeError, match=next(iter(change))):
        islands(rippled, BOX, **({"method": "de"} | SMALL | change))


# --- the way to a worker -----------------------------------------------------------------------------------------


def test_a_call_arrives_with_the_same_bits(name):
    shift = np.arange(3.0)
    arguments = dict(args=(shift,), method=name, integrality=[0, 1, 0], x0=[0.5, 1.0, 0.5], **SMALL)
    call = parse_call(lambda x, shift: ((x - shift) ** 2).sum(), BOX, **arguments)
    arrived = cloudpickle.loads(cloudpickle.dumps(call))
    assert arrived.solver is call.solver and describe(arrived, bind(arrived)) == describe(call, bind(call))
    here, there = start(call, 2, bind(call)), start(arrived, 2, bind(arrived))
    assert_same_state(here.state, there.state)
    for run in (here, there):
        while run.stop == RUNNING:
            run.step()
    assert_same_state(here.state, there.state)


@pytest.fixture(scope="module")
def client():
    from thalweg.orchestration import cluster

    with cluster(workers=2) as client:
        yield client


@pytest.mark.parametrize("method", ["de", "lsrtde"])
def test_the_same_bits_on_worker_processes(client, handed_out, method):
    arguments = dict(islands=3, every=15, topology="random", method=method, **SMALL)
    here = islands(rippled, BOX, threads=1, **arguments)
    there = islands(rippled, BOX, client=client, **arguments)
    assert_same_runs(here, there)
    assert there.migrations == here.migrations > 0 and there.workers == 2


def test_the_same_bits_when_a_worker_is_killed(client, tmp_path):
    mark = tmp_path / "killed"

    def deadly(x):
        if x[0] > 4.0 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return float(x @ x)

    fun = objective(deadly, compiled=False, check=False)
    arguments = dict(islands=3, every=4, method="de", **(SMALL | {"max_evals": 400}))
    there = islands(fun, BOX, client=client, **arguments)
    assert mark.exists() and not there.failures
    assert_same_runs(islands(fun, BOX, threads=1, **arguments), there)


def test_progress_tells_evaluations_and_epochs(capsys):
    result = islands(rippled, BOX, islands=2, every=5, method="de", threads=1, progress=True, **SMALL)
    shown = capsys.readouterr().err
    assert "evaluations 2,400 of 2,400 (100 %)" in shown and f"best {result.fun:.10g}" in shown and result.epochs == 12
