"""Grid and random search: every point, the same answer however it is found, journals, what is refused and failed."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from thalweg.kernels import Problem, objective
from thalweg.orchestration import choice, grid_search, integer, log_uniform, random_search, read_journal, uniform, when

SPACE = {"C": log_uniform(1e-4, 1e4), "penalty": ["l1", "l2"], "steps": integer(1, 9)}


def loss(C, penalty, steps):
    return abs(math.log10(C)) + (penalty == "l1") + (steps - 4) ** 2


def sphere(x, centre):
    return ((x - centre) ** 2).sum()


def answer(found):
    return found.fun, found.index, found.point, found.nfev


def test_a_grid_is_searched_whole():
    space = {"a": [3, 1, 2], "b": ["x", "y"], "c": uniform(0, 1)}
    seen = []

    def train(a, b, c):
        seen.append((a, b, c))
        return a + (b == "x") + abs(c - 0.5)

    found = grid_search(train, space, levels=5)
    assert seen == list(itertools.product([3, 1, 2], ["x", "y"], [0.0, 0.25, 0.5, 0.75, 1.0]))
    assert found.point == {"a": 1, "b": "y", "c": 0.5} and found.fun == 1.0 and seen[found.index] == (1, "y", 0.5)
    assert found.nfev == 30 and found.success
    assert list(zip(*(found.table[name] for name in "abc"), strict=True)) == seen
    assert found.table["fun"][found.index] == min(found.table["fun"]) == found.fun


def test_of_equal_values_the_first_point_wins():
    assert grid_search(lambda a: a // 2, {"a": [5, 4, 1, 0]}, threads=2).index == 2


def test_conditional_variables_are_passed_where_they_exist():
    def train(kernel, gamma=None):
        return 5.0 if kernel == "linear" else gamma

    found = grid_search(train, {"kernel": ["linear", "rbf"], "gamma": when("kernel", "rbf", choice([3.0, 2.0]))})
    assert found.nfev == 3 and found.point == {"kernel": "rbf", "gamma": 2.0}
    assert found.table["gamma"] == [None, 3.0, 2.0]


def test_dicts_side_by_side_and_distributions():
    found = grid_search(lambda a=0, b=0: a + b, [{"a": [3, 4]}, {"b": [5, 1]}])
    assert found.point == {"b": 1} and found.index == 3
    drawn = random_search(lambda a: -a, {"a": stats.norm(10.0, 1.0)}, points=200, seed=3)
    assert 8 < np.mean(drawn.table["a"]) < 12


@pytest.mark.parametrize("sampling", ["random", "sobol", "lhs"])
def test_point_k_is_the_same_on_any_thread(sampling):
    one = random_search(loss, SPACE, points=600, sampling=sampling, seed=5)
    two = random_search(loss, SPACE, points=600, sampling=sampling, seed=5, threads=3)
    assert answer(one) == answer(two) and one.table["C"] == two.table["C"] and one.table["fun"] == two.table["fun"]
    other = random_search(loss, SPACE, points=600, sampling=sampling, seed=6)
    assert other.table["C"] != one.table["C"]
    assert min(one.table["steps"]) == 1 and max(one.table["steps"]) == 9
    assert set(one.table["penalty"]) == {"l1", "l2"} and all(1e-4 <= C <= 1e4 for C in one.table["C"])


def test_a_latin_hypercube_has_one_point_in_each_slice():
    found = random_search(lambda u: u, {"u": uniform(0, 1)}, points=64, sampling="lhs", seed=1)
    assert sorted(int(64 * u) for u in found.table["u"]) == list(range(64))


def test_a_compiled_grid_agrees_with_numpy():
    levels = np.linspace(-2, 2, 17)
    found = grid_search(objective(sphere), [(-2, 2)] * 3, levels=17, args=(0.6,))
    values = sum(np.meshgrid(*[(levels - 0.6) ** 2] * 3, indexing="ij"))
    assert found.index == values.argmin() and found.fun == pytest.approx(values.min(), rel=1e-14)
    assert found.x.tolist() == [0.5] * 3 and found.nfev == 17**3 and list(found.point) == ["x0", "x1", "x2"]


def test_a_compiled_search_has_the_same_bits_on_threads_and_of_a_problem():
    problem = Problem(fun=sphere, bounds=[(-2, 2)] * 3, args=(0.6,), names=["a", "b", "c"])
    one = random_search(problem, points=5000, seed=4, threads=1)
    two = random_search(objective(sphere), [(-2, 2)] * 3, args=0.6, points=5000, seed=4, threads=2)
    assert one.fun == two.fun and one.index == two.index and (one.x == two.x).all()
    assert list(one.point) == ["a", "b", "c"] and one.nfev == 5000


def test_a_huge_grid_begins_at_once():
    found = grid_search(objective(sphere), [(-2, 2)] * 4, levels=1000, args=(0.6,), max_time=0.5)
    assert found.stop_reason.name == "OUT_OF_TIME" and 0 < found.nfev < 10**12


def test_a_target_ends_a_search_at_the_first_point():
    for threads in (1, 3):
        found = grid_search(lambda a: -a, {"a": range(1000)}, target=-40, threads=threads)
        assert found.index == 40 and found.nfev == 41 and found.success
    assert not grid_search(lambda a: a, {"a": [1, 2]}, target=0).success


@pytest.mark.parametrize("sampling", ["random", "sobol"])
def test_a_journal_with_fewer_points_is_extended(tmp_path, sampling):
    journal, whole = tmp_path / "search.jsonl", random_search(loss, SPACE, points=90, sampling=sampling, seed=2)
    calls = []

    def counted(C, penalty, steps):
        calls.append(C)
        return loss(C, penalty, steps)

    random_search(counted, SPACE, points=30, sampling=sampling, seed=2, journal=journal)
    calls.clear()
    found = random_search(counted, SPACE, points=90, sampling=sampling, seed=2, journal=journal)
    assert len(calls) == 60 and answer(found) == answer(whole) and found.table["C"] == whole.table["C"]


def test_a_call_without_a_journal_looks_at_no_data(tmp_path):
    looked = []

    class Data(dict):
        def __reduce_ex__(self, protocol):
            looked.append(protocol)
            return super().__reduce_ex__(protocol)

    data = Data(b=1)
    assert grid_search(lambda a: a + data["b"], {"a": [3, 1]}).fun == 2 and not looked
    grid_search(lambda a: a + data["b"], {"a": [3, 1]}, journal=tmp_path / "search.jsonl")
    assert looked and read_journal(tmp_path / "search.jsonl")[1][1]["point"] == {"a": 1}


def test_a_journal_of_another_function_or_space_is_refused(tmp_path):
    journal = tmp_path / "search.jsonl"
    random_search(loss, SPACE, points=5, seed=2, journal=journal)
    with pytest.raises(ValueError, match="function"):
        random_search(lambda C, penalty, steps: C, SPACE, points=5, seed=2, journal=journal)
    with pytest.raises(ValueError, match="space"):
        random_search(loss, SPACE | {"C": log_uniform(1e-3, 1e4)}, points=5, seed=2, journal=journal)


def test_the_journal_of_a_compiled_search_is_extended(tmp_path):
    journal, box = tmp_path / "search.jsonl", [(-2, 2)] * 3
    random_search(objective(sphere), box, args=(0.1,), points=3000, seed=2, journal=journal)
    found = random_search(objective(sphere), box, args=(0.1,), points=9001, seed=2, journal=journal)
    whole = random_search(objective(sphere), box, args=(0.1,), points=9001, seed=2)
    assert (found.fun, found.index, found.nfev) == (whole.fun, whole.index, 9001)


def test_a_target_that_the_journal_holds_already(tmp_path):
    settings = {"target": 2.0, "journal": tmp_path / "search.jsonl"}
    found = grid_search(lambda a: abs(a - 5.0), {"a": range(100)}, **settings)
    again = grid_search(lambda a: abs(a - 5.0), {"a": range(100)}, **settings)
    assert found.index == again.index == 3 and again.success and found.table["fun"] == again.table["fun"]


def test_what_raises_and_what_is_no_number(tmp_path):
    def train(a):
        if a == 2:
            raise ArithmeticError("no two")
        return math.nan if a == 3 else float(a)

    found = grid_search(train, {"a": [2, 3, 4]}, retries=1)
    assert found.point == {"a": 4} and found.n_failed == 1
    (failure,) = found.failures
    assert failure["unit"] == 0 and failure["attempts"] == 2 and "{'a': 2}" in failure["error"]
    with pytest.raises(RuntimeError, match="all 2 came to nothing"):
        grid_search(lambda a: "text", {"a": [1, 2]}, retries=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: random_search(loss, SPACE, points=0), "points: got 0"),
        (lambda: random_search(loss, SPACE, sampling="halton"), "sampling: got 'halton'"),
        (lambda: grid_search(loss, SPACE), "C"),
        (lambda: grid_search(loss, {"C": []}), "C"),
        (lambda: grid_search(3, SPACE), "fun: got int"),
        (lambda: grid_search(loss, [(0, 1)], levels=3), "space: got bounds"),
        (lambda: grid_search(loss, {"fun": [1]}), "space: got the name 'fun'"),
        (lambda: grid_search(lambda a, b: a, {"a": [1]}), r"fun: got a function of \(a, b\)"),
        (lambda: grid_search(lambda a: a, {"a": [1], "b": [1]}), r"fun: got a function of \(a\)"),
        (lambda: grid_search(loss, {f"v{k}": range(100) for k in range(10)}), "space: got a grid of 2"),
        (lambda: grid_search(loss, {"C": [1]}, args=(1,)), "args: "),
        (lambda: grid_search(loss, {"C": [1]}, device="cuda"), "device: got 'cuda'"),
        (lambda: grid_search(objective(sphere), {"a": ["red"]}), "a"),
        (lambda: grid_search(Problem(fun=sphere, bounds=[(0, 1)]), [(0, 1)]), "space, args"),
    ],
)
def test_refused(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()


def test_a_hopeless_search_ends_early():
    calls = []

    def broken(a):
        calls.append(a)
        raise NameError("undefined_name")

    with pytest.raises(RuntimeError, match=r"the first \d+ came to nothing: \d+ raised"):
        grid_search(broken, {"a": range(100_000)}, retries=0)
    assert len(calls) < 50_000
