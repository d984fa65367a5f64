"""Random search in a finite space draws no point twice, in the order in which independent draws would meet them."""

import collections
import itertools
import math

import numpy as np
import pytest

from thalweg import Problem
from thalweg.kernels.calling.objective import objective
from thalweg.orchestration import cluster, integer, log_integer, random_search, uniform, when
from thalweg.orchestration.spaces import distinct, parse_space

CONDITIONAL = {"kernel": ["linear", "rbf"], "gamma": when("kernel", "rbf", [1, 2, 3]), "n": log_integer(1, 4)}
SPACES = {
    "lists": {"a": [1, 2, 3], "b": [0, 1]},
    "integers": {"a": integer(-2, 2), "b": range(3)},
    "conditional": CONDITIONAL,
    "several": [{"a": [1, 2]}, {"a": [3], "b": [4, 5, 6]}],
}


def note(**point):
    return 0.0


def rows(found):
    names = [name for name in found.table if name not in ("index", "fun", "seconds")]
    return list(zip(*(found.table[name] for name in names)))


@pytest.mark.parametrize("name", SPACES)
@pytest.mark.parametrize("points", [1, 4, 100])
def test_no_point_comes_twice_and_more_points_begin_with_the_same(name, points):
    space = SPACES[name]
    size = parse_space(space).size
    found = rows(random_search(note, space, points=points, seed=2))
    assert len(set(found)) == len(found) == min(points, size)
    everything = random_search(note, space, points=size, seed=2)
    assert found == rows(everything)[:points] and everything.message == "All points are done."
    wanted = [tuple(parse_space(space).grid_point(k).get(n) for n in parse_space(space).names) for k in range(size)]
    assert collections.Counter(rows(everything)) == collections.Counter(wanted)
    assert rows(random_search(note, space, points=points, seed=2, threads=3)) == found


def test_the_message_says_that_there_are_no_more():
    message = random_search(note, SPACES["lists"], points=20, seed=1).message
    assert message == "All points are done: the space has 6 points, fewer than the 20 asked for."
    assert "has 1 point, fewer" in random_search(note, {"a": [1]}, points=2, seed=1).message


def test_the_chances_are_those_of_draws_without_replacement():
    """The first and the second point of 4,000 seeds against the law by enumeration (chi-squared, 11 and 131 cells)."""
    space = parse_space(CONDITIONAL)
    weights = distinct.likelihoods(space.branches, space.grid)
    shares = {n: math.log((n + 1) / n) / math.log(5) for n in range(1, 5)}
    expected = [
        shares[point["n"]] / 2 / (3 if point["kernel"] == "rbf" else 1)
        for point in map(space.grid_point, range(space.size))
    ]
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    assert math.isclose(weights.sum(), 1.0)
    orders = np.array([space.order(seed)[:2] for seed in range(4000)])
    pairs = np.zeros((space.size, space.size))
    np.add.at(pairs, tuple(orders.T), 1)
    law = np.outer(weights / (1 - weights), weights)
    np.fill_diagonal(law, 0.0)
    first, whole = 4000 * weights, 4000 * law[law > 0]
    assert ((pairs.sum(axis=1) - first) ** 2 / first).sum() < 40  # 15 degrees of freedom: 37.7 at 0.1 %
    assert ((pairs[law > 0] - whole) ** 2 / whole).sum() < 315  # 239: 311 at 0.1 %


def test_likelihoods_are_those_of_the_draws():
    """What `random_point` gives in 20,000 draws."""
    for given in SPACES.values():
        space = parse_space(given)
        weights = distinct.likelihoods(space.branches, space.grid)
        keys = [tuple(sorted(space.grid_point(k).items())) for k in range(space.size)]
        draws = np.random.default_rng(1).random((20_000, space.slots))
        counts = collections.Counter(tuple(sorted(space.random_point(u).items())) for u in draws)
        np.testing.assert_allclose([counts[key] / 20_000 for key in keys], weights, atol=0.015)


@pytest.mark.parametrize("vectorized", [False, True])
def test_compiled_searches_too(vectorized):
    """A box of whole numbers, and lists: every point once, with the values of the same search in Python."""
    space = {"a": integer(-3, 3), "b": [0.5, 2.0, 8.0], "n": log_integer(1, 5)}
    fun = (lambda x: (x - 1).prod(axis=1)) if vectorized else (lambda x: (x[0] - 1) * (x[1] - 1) * (x[2] - 1))
    found = random_search(objective(fun, vectorized=vectorized), space, points=500, seed=3)
    points = itertools.product(range(-3, 4), [0.5, 2.0, 8.0], range(1, 6))
    values = [math.prod(v - 1 for v in point) for point in points]
    assert found.fun == min(values) and found.nfev == 105 and "the space has 105 points" in found.message
    plain = random_search(lambda a, b, n: (a - 1) * (b - 1) * (n - 1), space, points=500, seed=3)
    assert (found.fun, found.index, list(found.x)) == (plain.fun, plain.index, list(plain.point.values()))


def test_a_problem_of_whole_numbers():
    seen = []

    def fun(x):
        seen.append(tuple(x))
        return float(x.sum())

    problem = Problem(fun=objective(fun, compiled=False), bounds=[(0, 2), (0, 3)], integrality=[True, True])
    found = random_search(problem, points=12, seed=1)
    assert found.fun == 0.0 and set(itertools.product(range(3), range(4))) <= set(seen) and found.nfev == 12


def test_a_journal_is_extended_and_the_workers_of_a_client_have_the_same_points(tmp_path):
    path, space = tmp_path / "s.jsonl", SPACES["conditional"]
    whole = rows(random_search(note, space, points=16, seed=4))
    random_search(note, space, points=5, seed=4, journal=path)
    found = random_search(note, space, points=16, seed=4, journal=path)
    assert rows(found) == whole and found.resumed == 5
    with cluster(workers=1) as client:
        assert rows(random_search(note, space, points=16, seed=4, client=client)) == whole


def test_where_it_ends():
    """Spaces with a real number, and those of more than 2**20 points, are drawn from independently."""
    assert not parse_space({"a": [1, 2], "b": uniform(0, 1)}).small
    assert parse_space({"a": range(2**20)}).small and not parse_space({"a": range(2**20 + 1)}).small
    assert not parse_space({"a": integer(0, 2**53), "b": integer(0, 2**53)}).small
    assert not parse_space({f"x{k}": [0, 1] for k in range(3000)}).small
    many = parse_space({f"x{k}": [0] if k else [1, 2, 3] for k in range(3000)})
    assert sorted(many.order(1).tolist()) == [0, 1, 2]
    order = parse_space({"a": range(2**20)}).order(1)
    assert np.array_equal(np.sort(order), np.arange(2**20))


def test_random_orders_are_uniform_where_the_space_is():
    orders = collections.Counter(tuple(parse_space({"a": [0, 1, 2]}).order(seed).tolist()) for seed in range(3000))
    assert len(orders) == 6 and all(abs(count - 500) < 100 for count in orders.values())
