"""What a function carries (cells, defaults, `self`, partial) becomes arguments: right values, one machine code."""

import dataclasses
import functools
import math

import numpy as np
import pytest
from numba import njit
from scipy import special
from scipy.special import erf

from thalweg import cluster, minimize, restarts
from thalweg.kernels.calling.objective import CompilationError, objective

POINTS = np.random.default_rng(3).uniform(-1, 1, (6, 3))
PROBE = np.array([0.1, 0.2, 0.3])
DATA = np.array([0.5, -0.25, 1.5])


def bound(fun, args=()):
    return objective(fun).bind(args, PROBE)


def agree(fun, args=()):
    """The compiled values are those of Python, and the objective with them."""
    compiled = bound(fun, args)
    np.testing.assert_allclose(compiled.evaluate(POINTS), [fun(x.copy(), *args) for x in POINTS], rtol=1e-13)
    return compiled


def share(*functions):
    """They are right, share one machine code, and journals tell them apart."""
    found = [agree(fun) for fun in functions]
    assert len({one.address for one in found}) == 1
    assert len({one.fingerprint() for one in found}) == len(found)


# --- functions -----------------------------------------------------------------------------------------------------


def away_from(c):
    return lambda x: ((x - c) ** 2).sum()


def distance(z):
    return lambda x: abs(x[0] - z)


def polynomial(degree, weights):
    def f(x):
        total = 0.0
        for k in range(degree):
            total += weights[k] * x[k]
        return total

    return f


def scaled(a):
    return lambda y: y * a


def calls(g, c):
    return lambda x: g(x[0]) + c


def nested(a):
    def inner(y):
        return y * a

    def middle(y):
        return inner(y) + a

    return lambda x: middle(x[0]) + inner(x[1])


def with_inner_function(c):
    def f(x):
        def g(y):
            return y * c

        return g(x[0]) + sum([v * c for v in x])

    return f


def compiled_by_numba(c):
    return njit(lambda x: x[0] * c)


def of_tuple(t):
    return lambda x: t[0] * x[0] + t[1].sum()


FAMILIES = {
    "floats": [away_from(c) for c in (0.25, 0.5, np.float64(0.75))],
    "whole numbers": [away_from(c) for c in (1, 2, np.int64(3))],
    "complex": [distance(z) for z in (1j, 1 + 2j)],
    "arrays, lists": [away_from(c) for c in (DATA, [1.0, 2.0, 3.0], DATA[::-1])],
    "read-only arrays": [away_from(c) for c in (np.frombuffer(DATA.tobytes()), np.frombuffer((2 * DATA).tobytes()))],
    "bounds of loops": [polynomial(n, DATA) for n in (1, 2, 3)],
    "tuples": [of_tuple(t) for t in ((1.0, DATA), (2.0, 2 * DATA))],
    "functions with data": [calls(scaled(a), c) for a, c in ((1.0, 2.0), (3.0, 4.0))],
    "functions of functions": [nested(a) for a in (1.0, 2.0)],
    "inner functions": [with_inner_function(c) for c in (1.0, 2.0)],
    "compiled by Numba": [compiled_by_numba(c) for c in (1.0, 2.0)],
    "defaults": [(lambda x, c=c: x[0] * c) for c in (1.0, 2.0)],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_closures_that_differ_in_numbers_share_their_code(family):
    share(*FAMILIES[family])


CONSTANTS = {
    "float32": away_from(np.float32(0.1)),
    "bool": away_from(True),
    "None": (lambda c: lambda x: x[0] if c is None else x[1])(None),
    "string": (lambda s: lambda x: x[0] if s == "a" else x[1])("b"),
    "exponents": (lambda p, q: lambda x: (x**p).sum() + x[0] ** q)(2, 3.0),
    "shapes": (lambda s: lambda x: np.ones(s).sum() + x[0])((2, 3)),
    "an index of a tuple": (lambda t, k: lambda x: t[k][0] * x[0])((DATA, (1, 2)), 1),
    "an axis": (lambda k: lambda x: np.ones((2, 3)).sum(axis=k)[0] + x[0])(1),
    "a function": calls(math.sin, 1.0),
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_what_stays_a_constant(name):
    agree(CONSTANTS[name])


def test_a_function_that_calls_itself_keeps_its_constants():
    def make(c):
        def factorial(n):
            return c if n <= 0 else n * factorial(n - 1)

        return lambda x: x[0] * factorial(3)

    agree(make(2.0))
    agree(make(3.0))


def test_cells_are_read_when_the_call_begins():
    late = [lambda x: (x[0] - k) ** 2 for k in (1.0, 2.0, 3.0)]  # noqa: B023
    np.testing.assert_array_equal(bound(late[0]).evaluate(POINTS), (POINTS[:, 0] - 3.0) ** 2)

    def filled_later():
        f = lambda x: x[0] * c
        with pytest.raises(NameError, match="free variable 'c'"):
            bound(f)
        c = 2.0
        return f

    agree(filled_later())


def test_a_changed_array_or_list_is_never_stale():
    array, numbers = DATA.copy(), [1.0, 2.0, 3.0]
    for held in (array, numbers):
        f = away_from(held)
        agree(f)
        held[0] = 7.0
        agree(f)


def test_a_thousand_closures_are_quick():
    """They were compiled one by one, a fifth of a second and half a megabyte each."""
    found = [minimize(away_from(k / 1000), [(0, 2)], max_evals=40, seed=1, threads=1) for k in range(1005)]
    assert max(abs(one.x[0] - k / 1000) for k, one in enumerate(found)) < 0.6
    assert len({bound(away_from(k / 1000)).address for k in range(1005)}) == 1


def test_what_changes_things_outside_is_refused():
    def counting():
        n = 0

        def f(x):
            nonlocal n
            n += 1
            return x[0]

        return f

    def writing(a):
        def f(x):
            a[0] = x[0]
            return a.sum()

        return f

    with pytest.raises(CompilationError, match=r"changes n of the function around it .*result\.nfev"):
        bound(counting())
    kept = np.zeros(3)
    with pytest.raises(CompilationError, match="only read"):
        bound(writing(kept))


# --- parameters ----------------------------------------------------------------------------------------------------


def many(x, a, b=2.0, *, c=3.0):
    return x[0] * a + b * c


def test_keyword_only_parameters_defaults_and_partials():
    agree(many, (1.0,))
    agree(many, (1.0, 5.0))
    agree(lambda x, *, a=0.5: ((x - a) ** 2).sum())
    agree(functools.partial(many, a=2.0))
    agree(functools.partial(many, c=7.0), (1.0,))
    agree(functools.partial(functools.partial(many, c=7.0), b=1.0), (1.0,))
    agree(functools.partial(lambda a, x: x[0] * a.sum(), DATA))
    agree(functools.partial(lambda x, mode: x[0] if mode == "a" else x[1], mode="b"))
    agree(functools.partial(lambda x, g: g(x[0]), g=math.sin))
    agree(functools.partial(lambda x, g: g(x[0]), g=scaled(2.0)))
    share(*(functools.partial(many, a=a) for a in (1.0, 2.0)))


def helper(y, *, scale=2.0):
    return y * scale


def test_a_helper_with_keyword_only_parameters():
    agree(lambda x: helper(x[0]) + helper(x[1], scale=3.0))


@pytest.mark.parametrize("fun", [many, functools.partial(many, c=7.0)])
def test_too_many_arguments_are_counted(fun):
    with pytest.raises(TypeError, match="args: got 3, expected at most 2, as many is called"):
        objective(fun, check=False).bind((1.0, 2.0, 3.0))


def test_a_partial_of_unknown_names_is_refused():
    with pytest.raises(CompilationError, match="got a partial that many"):
        objective(functools.partial(many, d=7.0), check=False).bind((1.0,))


def test_a_decorated_function_is_what_its_wrapper_does():
    def twice(f):
        @functools.wraps(f)
        def wrapper(*args):
            return 2 * f(*args)

        return wrapper

    agree(twice(lambda x: x[0]))
    agree(twice(lambda x, a: x[0] * a), (3.0,))


# --- objects -------------------------------------------------------------------------------------------------------


class Model:
    scale = 3.0

    def __init__(self, data, power=2, name="a"):
        self.data, self.power, self.name, self.options = data, power, name, {"verbose": True}

    def residuals(self, x):
        return x - self.data

    @property
    def total(self):
        return self.data.sum() * self.scale

    @functools.cached_property
    def twice(self):
        return 2.0 * self.scale

    @staticmethod
    def square(v):
        return v * v

    @classmethod
    def of_class(cls, x):
        return cls.scale * x[0]

    def loss(self, x, weight=1.0):
        r, total = self.residuals(x), 0.0
        for i in range(len(r)):
            total += self.square(r[i]) ** self.power
        if self.name == "b":
            total += 1.0
        return weight * total + self.total + self.twice

    def __call__(self, x):
        return self.loss(x)

    def counting(self, x):
        self.calls = 1
        return x[0]

    def filling(self, x):
        self.data[0] = x[0]
        return self.data.sum()

    def with_options(self, x):
        return x[0] if self.options["verbose"] else 0.0


class Other(Model):
    def residuals(self, x):
        return x + self.data


@dataclasses.dataclass(frozen=True, slots=True)
class Slots:
    a: float
    w: np.ndarray

    def loss(self, x):
        return self.a * (self.w * x).sum()


class Outer:
    def __init__(self, inner, function):
        self.inner, self.function = inner, function

    def loss(self, x):
        return self.inner.loss(x) + self.function(x[0])


def takes_an_object(model, x):
    return model.loss(x) + model.scale


class Handing:
    def __init__(self, scale):
        self.scale = scale

    def loss(self, x):
        return self.scale * x[0]

    def handed(self, x):
        return takes_an_object(self, x)


OBJECTS = {
    "bound methods": [Model(c * DATA).loss for c in (1.0, 2.0)],
    "of a subclass": [Other(c * DATA).loss for c in (1.0, 2.0)],
    "callable objects": [Model(c * DATA) for c in (1.0, 2.0)],
    "slots": [Slots(c, DATA).loss for c in (1.0, 2.0)],
    "objects in cells": [(lambda m: lambda x: m.loss(x) + m.scale)(Model(c * DATA)) for c in (1.0, 2.0)],
    "methods in cells": [(lambda f: lambda x: f(x) + 1.0)(Model(c * DATA).loss) for c in (1.0, 2.0)],
    "objects in objects": [Outer(Slots(c, DATA), scaled(c)).loss for c in (1.0, 2.0)],
    "handed on": [Handing(c).handed for c in (1.0, 2.0)],
    "partials of methods": [functools.partial(Model(DATA).loss, weight=c) for c in (1.0, 2.0)],
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_one_class_share_their_code(name):
    share(*OBJECTS[name])


def test_objects_with_other_constants_have_their_own_code():
    assert agree(Model(DATA, 2).loss).address != agree(Model(DATA, 3).loss).address
    assert agree(Model(DATA, name="a").loss).address != agree(Model(DATA, name="b").loss).address
    assert agree(Model(DATA).loss).address != agree(Other(DATA).loss).address
    for function in (math.sin, np.sin, lambda y: 2 * y):
        agree(Outer(Slots(1.0, DATA), function).loss)


def test_methods_of_classes():
    agree(Model.of_class)
    agree(Model(DATA).of_class)


def test_a_changed_attribute_is_seen_by_the_next_call():
    model = Handing(2.0)
    agree(model.loss)
    model.scale = 5.0
    agree(model.loss)


def test_what_an_object_cannot_give_is_named():
    with pytest.raises(CompilationError, match="calls"):
        bound(Model(DATA).counting)
    with pytest.raises(CompilationError, match="only read"):
        bound(Model(DATA.copy()).filling)
    with pytest.raises(CompilationError, match="options"):
        bound(Model(DATA).with_options)


def test_a_method_in_many_runs_and_on_workers():
    loss, box = Slots(1.0, DATA).loss, [(-1, 1)] * 3
    serial = restarts(loss, box, runs=4, seed=1, max_evals=300, threads=1)
    threaded = restarts(loss, box, runs=4, seed=1, max_evals=300, threads=2)
    with cluster(workers=1) as client:
        sent = restarts(loss, box, runs=4, seed=1, max_evals=300, client=client)
    assert serial.fun == threaded.fun == sent.fun == pytest.approx(-np.abs(DATA).sum(), rel=0.2)
    assert sent.objective == "compiled"


def test_a_journal_of_another_object_is_not_gone_on_with(tmp_path):
    journal, settings = tmp_path / "runs.jsonl", {"runs": 2, "seed": 1, "max_evals": 100}
    first = restarts(Slots(1.0, DATA).loss, [(-1, 1)] * 3, journal=journal, **settings)
    assert restarts(Slots(1.0, DATA.copy()).loss, [(-1, 1)] * 3, journal=journal, **settings).fun == first.fun
    with pytest.raises(ValueError, match="objective"):
        restarts(Slots(2.0, DATA).loss, [(-1, 1)] * 3, journal=journal, **settings)


# --- what may be returned ------------------------------------------------------------------------------------------

RESULTS = {
    "0-d": lambda x: np.asarray((x**2).sum()),
    "(1,)": lambda x: x[:1] ** 2,
    "(1,) of whole numbers": lambda x: np.array([len(x)]),
    "an array of one, made": lambda x: np.array([x[0] + 1.0]),
}


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("name", RESULTS)
def test_arrays_of_one_number_are_numbers(name, compiled):
    fun = RESULTS[name]
    found = objective(fun, compiled=compiled).bind((), PROBE).evaluate(POINTS)
    np.testing.assert_allclose(found, [np.asarray(fun(x)).item() for x in POINTS], rtol=1e-15)


@pytest.mark.parametrize("compiled", [True, False])
def test_arrays_of_more_or_none_are_not(compiled):
    for fun in (lambda x: x**2, lambda x: x[:0], lambda x: np.ones((2, 1))):
        with pytest.raises(TypeError, match=r"returned an array of shape"):
            objective(fun, compiled=compiled).bind((), PROBE).evaluate(POINTS)
    with pytest.raises(TypeError, match="returned an array of several numbers"):
        objective(lambda x: x**2, check=False).bind().evaluate(POINTS)


def test_a_vectorised_function_without_the_flag_is_recognised():
    for fun in (lambda x: (x**2).sum(axis=1), lambda x: x[:, 0] ** 2, lambda x, a: (x @ a)[:, 0]):
        args = (np.ones((3, 2)),) if fun.__code__.co_argcount == 2 else ()
        with pytest.raises(TypeError, match=r"fun: got a function of a batch.*vectorized=True"):
            bound(fun, args)
    with pytest.raises(IndexError, match="out of bounds"):  # not one of a batch either
        bound(lambda x: x[5])


# --- compiled="auto" -----------------------------------------------------------------------------------------------


def test_auto_is_evaluated_in_python_with_one_warning():
    table = {"a": 2.0}

    def with_dict(x):
        return x[0] * table["a"]

    def run():
        return minimize(objective(with_dict, compiled="auto"), [(-1, 1)], seed=1, max_evals=60, threads=1)

    table["b"] = object()
    with pytest.warns(UserWarning, match=r"(?s)cannot compile with_dict.*evaluated in Python, as compiled='auto'"):
        result = run()
    assert result.objective == "python"
    assert run().fun == result.fun  # and no other warning
    with pytest.warns(UserWarning, match=r"args\[0\]: got a dict"):
        assert objective(lambda x, d: x[0] * d["a"], compiled="auto").bind((table,)).runs_as == "python"
    assert objective(away_from(1.0), compiled="auto").bind().runs_as == "compiled"
    with pytest.raises(CompilationError):
        objective(with_dict).bind()
    with pytest.raises(TypeError, match="compiled: got 'always', expected True, False or 'auto'"):
        objective(with_dict, compiled="always")


# --- what to write instead -----------------------------------------------------------------------------------------


def gamma_of(x):
    return special.gamma(x[0])


MESSAGES = {
    r"math\.gamma\(v\)": gamma_of,
    r"math\.lgamma\(v\)": lambda x: special.gammaln(x[0]),
    r"math\.erf\(v\)": lambda x: erf(x[0]),
    r"SciPy's own.*write it out": lambda x: special.jv(0, x[0]),
    r"astype\(np\.int64\)": lambda x: x.astype(int)[0],
    r"np\.abs\(x\)": lambda x: abs(x).sum(),
    r"write x, or x\.copy\(\)": lambda x: np.array(x).sum(),
    r"np\.linalg takes arrays of floats": lambda x: np.linalg.det([[x[0], 1.0], [1.0, x[1]]]),
    r"linalg takes arrays of floats": lambda x: np.linalg.det(np.array([[1, 2], [3, 4]])) + x[0],
    r"np\.any\(x > 0\)": lambda x: 1.0 if any(x > 0) else x[0],
    r"np\.dot\(a, b\)": lambda x: np.inner(x, x),
    r"put np\.array": lambda x: np.sum([v * v for v in x]),
    r"sum\(\[v \* v for v in x\]\)": lambda x: sum(v * v for v in x),
    r"no tolist|Loop over": lambda x: x.tolist()[0],
}


@pytest.mark.parametrize("words", MESSAGES)
def test_messages_say_what_to_write(words):
    with pytest.raises(
        CompilationError, match=rf"(?s)fun: .*{words}.*compiled=False\) \(from thalweg import objective"
    ):
        bound(MESSAGES[words])


@pytest.mark.parametrize(
    ("value", "words"), [({"a": 1.0}, "named tuple"), ("a", "functools.partial"), (math.sin, "functools.partial")]
)
def test_arguments_that_do_not_travel_say_what_to_write(value, words):
    with pytest.raises(TypeError, match=rf"args\[0\]: got an? \w+, .*{words}.*from thalweg import objective"):
        objective(lambda x, a: x[0]).bind((value,), PROBE)


# --- what is carried is only read ----------------------------------------------------------------------------------


class Sorting:
    def __init__(self, a):
        self.a = a

    def sorting(self, x):
        self.a.sort()
        return self.a[0] + x[0]

    def helper(self):
        self.a.fill(7.0)
        return self.a[0]

    def by_method(self, x):
        return self.helper() + x[0]

    @property
    def filled(self):
        self.a.fill(7.0)
        return self.a

    def by_property(self, x):
        return self.filled[0] + x[0]

    def scaled(self, x):
        x *= 2.0
        return x[0]

    def scales_x(self, x):
        return self.scaled(x) + self.a[0] + x[0]


@pytest.mark.parametrize("name", ["sorting", "by_method", "by_property"])
def test_no_array_of_an_object_is_changed(name):
    data = np.array([3.0, 1.0, 2.0])
    with pytest.raises(CompilationError, match="only read"):
        objective(getattr(Sorting(data), name), check=False).bind((), PROBE)
    np.testing.assert_array_equal(data, [3.0, 1.0, 2.0])


def test_no_array_of_a_closure_is_changed():
    data = np.array([3.0, 1.0, 2.0])

    def sorting(x):
        data.sort()
        return data[0] + x[0]

    with pytest.raises(CompilationError, match=r"only read|constant"):
        objective(sorting, check=False).bind((), PROBE)
    np.testing.assert_array_equal(data, [3.0, 1.0, 2.0])


def test_a_method_that_changes_x_gets_a_copy():
    points = POINTS.copy()
    found = bound(Sorting(DATA).scales_x).evaluate(points)
    np.testing.assert_array_equal(points, POINTS)
    np.testing.assert_allclose(found, 4.0 * POINTS[:, 0] + DATA[0])
