"""Values of a space that can change: each point is called with its own, and journal and table keep what they were."""

import functools
import json
import math
import types

import numpy as np
import pytest

from thalweg.orchestration import cluster, grid_search, random_search
from thalweg.orchestration.spaces import parse_space, when
from thalweg.orchestration.spaces.copies import own, why_shared


class Estimator:
    """As scikit-learn's: settings that are set, and a repr that shows them."""

    def __init__(self, C=1.0, inner=None):
        self.C, self.inner = C, inner

    def __repr__(self):
        return f"Estimator({self.C!r}, {self.inner!r})"


def grow(layers, width):
    """Always 1 for a fresh list."""
    layers.append(width)
    return len(layers)


def sink(weights, by):
    weights -= by
    return float(weights.sum())


def merge(settings, key):
    settings[key] = settings.get(key, 0) + 1
    return len(settings)


def train(model, C):
    model.C = C
    if model.inner is not None:
        model.inner.C += C
    return abs(model.C - 1.0) + (0.0 if model.inner is None else model.inner.C)


CASES = [
    (grow, {"layers": [[]], "width": [1, 2, 3]}, [1, 1, 1]),
    (sink, {"weights": [np.ones(3)], "by": [1.0, 2.0, 3.0]}, [0.0, -3.0, -6.0]),
    (merge, {"settings": [{}], "key": ["a", "b", "c"]}, [1, 1, 1]),
    (grow, {"layers": [([],)[0], [0]], "width": when("layers", [[], [0]], [1])}, [1, 2]),
    (lambda pair, width: grow(pair[0], width), {"pair": [([], "a tuple that holds a list")], "width": [1, 2]}, [1, 1]),
    (train, {"model": [Estimator(), Estimator(inner=Estimator(0.0))], "C": [1.0, 3.0]}, [0.0, 2.0, 1.0, 5.0]),
]


@pytest.mark.parametrize("function, space, values", CASES, ids=lambda part: getattr(part, "__name__", None))
@pytest.mark.parametrize("threads", [1, 2])
def test_no_point_finds_what_another_left(function, space, values, threads):
    before = repr(space)
    assert grid_search(function, space, threads=threads).table["fun"] == values
    assert repr(space) == before


def test_on_the_workers_of_a_client_too():
    with cluster(workers=1) as client:
        assert grid_search(grow, CASES[0][1], client=client).table["fun"] == [1, 1, 1]
        assert grid_search(train, CASES[-1][1], client=client).table["fun"] == [0.0, 2.0, 1.0, 5.0]


def test_the_journal_and_the_table_say_what_a_value_was_and_the_same_call_goes_on(tmp_path):
    path, space = tmp_path / "s.jsonl", {"model": [Estimator()], "C": [0.5, 1.0, 7.0]}
    first = grid_search(train, space, journal=path)
    told = [json.loads(line)["point"] for line in path.read_text().splitlines()[1:]]
    assert [point["model"] for point in told] == ["Estimator(1.0, None)"] * 3
    assert list(map(repr, first.table["model"])) == ["Estimator(1.0, None)"] * 3
    first.point["model"].C = 9.0  # the answer's is its own, too
    again = grid_search(train, space, journal=path)
    assert again.resumed == 3 and again.table["fun"] == first.table["fun"] == [0.5, 0.0, 6.0]


def test_the_same_random_numbers_for_each_point():
    """A generator is a value that changes with every draw."""
    space = {"rng": [np.random.default_rng(1)], "shift": [0.0, 0.0, 0.0]}
    found = grid_search(lambda rng, shift: rng.random() + shift, space).table["fun"]
    assert found == [np.random.default_rng(1).random()] * 3


def test_estimators_of_scikit_learn():
    """Also those that were fitted, with nested parameters, as in a Pipeline."""
    svm = pytest.importorskip("sklearn.svm")
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    pipeline = Pipeline([("scale", StandardScaler()), ("clf", svm.SVC())])

    def score(pipeline, C):
        before = pipeline.get_params()["clf__C"]
        pipeline.set_params(clf__C=C)
        return before + hasattr(pipeline, "fitted_") * 100

    assert grid_search(score, {"pipeline": [pipeline], "C": [3.0, 5.0]}).table["fun"] == [1.0, 1.0]


def test_what_cannot_change_is_passed_on_as_it_is():
    for value in (1, 2.5, "text", b"b", None, math.sin, int, math, len, functools.reduce, (1, ("a", None)), object()):
        assert own(value) is value and why_shared(value) is None
    mark = object()
    assert grid_search(lambda mode: float(mode is not mark), {"mode": [1, mark]}).point["mode"] is mark


def test_an_array_that_is_read_only_stays_so():
    fixed = np.ones(2)
    fixed.flags.writeable = False
    with pytest.raises(RuntimeError, match="read-only"):
        grid_search(sink, {"weights": [fixed], "by": [1.0]})


def test_what_has_no_copy_is_said_and_the_journal_keeps_what_it_was(tmp_path):
    class Connection(types.SimpleNamespace):
        def __deepcopy__(self, memo):
            raise TypeError("cannot copy a connection")

    def use(connection, by):
        connection.count += by
        return connection.count

    path = tmp_path / "s.jsonl"
    with pytest.warns(RuntimeWarning, match=r"space: 'connection' has the value .*cannot copy a connection"):
        found = grid_search(use, {"connection": [Connection(count=0)], "by": [1, 1]}, journal=path)
    assert found.table["fun"] == [1, 2]
    told = [json.loads(line)["point"]["connection"] for line in path.read_text().splitlines()[1:]]
    assert [text[-8:] for text in told] == ["count=0)", "count=1)"]  # before each call


@pytest.mark.parametrize(
    "given, expected",
    [
        ((1, 10), r"uniform\(1, 10\), integer\(1, 10\), or choice\(\[1, 10\]\)"),
        ((0.5, 0.1), r"uniform\(0.1, 0.5\), integer\(low, high\), or choice\(\[0.1, 0.5\]\)"),
        ((np.float64(0.1), 2), r"uniform\(0.1, 2\)"),
        (when("kernel", "rbf", (1, 2)), r"uniform\(1, 2\)"),
        ((1e-3, 1e2, "log-uniform"), r"log_uniform\(0.001, 100.0\), log_integer"),
        ((1, 5, "uniform"), r"uniform\(1, 5\)"),
    ],
)
def test_a_tuple_of_two_numbers_may_be_an_interval(given, expected):
    """scikit-optimize, Ax and SciPy read one; two choices would be searched without a word."""
    space = {"kernel": ["linear", "rbf"], "C": given}
    for search in (grid_search, random_search):
        with pytest.raises(ValueError, match=r"space: 'C': got the tuple .* expected .*" + expected):
            search(lambda **point: 0.0, [{"kernel": ["rbf"]}, space])


def test_tuples_that_are_no_interval_are_choices():
    for given in ((1, 10, 100), ("a", "b"), (True, False), (None, 5), ((1, 2), (3, 4)), [1, 10], np.array([1, 10])):
        assert parse_space({"a": given}).size == len(given)
