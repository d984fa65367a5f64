"""How doors read a call: a box or a point second, names of methods and arguments of other libraries."""

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds

import thalweg as tw
from thalweg.solvers.driving import method_names, reading
from thalweg.solvers.driving.foreign import FOR_METHOD, REFUSED, TAKEN
from thalweg.solvers.driving.method_names import ALIASES, INSTEAD, find_method
from thalweg.solvers.driving.reading import in_our_words, is_point

from .by_path import load_file

BOX = [(-5.0, 5.0), (-5.0, 5.0)]
START = [1.0, 2.0]
CALL = {"seed": 1, "max_evals": 300}


def shifted(x, a, b):
    return (x[0] - a) ** 2 + (x[1] - b) ** 2


def bowl(x):
    return x[0] ** 2 + x[1] ** 2


# --- a box or a point -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (BOX, False), (np.array(BOX), False), (((0, 1), (0, 1)), False), ([(0, None), (None, 1)], False),
        ([(0, 1), (0, 1, 2)], False), (Bounds([0, 0], [1, 1]), False), (None, False), ([], False), ("box", False),
        (START, True), (np.array(START), True), ((1, 2), True), (range(3), True), (3, True), (2.5, True),
        (np.float64(1.0), True), (np.array(1.0), True), ([1], True), ([[1.0, 2.0]], False),
    ],
)  # fmt: skip
def test_one_dimension_of_numbers_is_a_point_all_else_a_box(domain, expected):
    assert is_point(domain) is expected


def test_what_follows_a_box_is_x0_then_args():
    by_name = tw.minimize(shifted, bounds=BOX, x0=START, args=(1.0, 2.0), **CALL)
    assert tw.minimize(shifted, BOX, START, (1.0, 2.0), **CALL).fun == by_name.fun
    assert tw.minimize(fun=shifted, domain=BOX, x0=START, args=(1.0, 2.0), **CALL).fun == by_name.fun
    assert tw.minimize(shifted, None, START, (1.0, 2.0), bounds=BOX, **CALL).fun == by_name.fun


def test_what_follows_a_point_is_args_then_method():
    by_name = tw.minimize(shifted, x0=START, args=(1.0, 2.0), method="nelder_mead", **CALL)
    assert by_name.method == "nelder_mead"
    for given in ((START, (1.0, 2.0)), (START, (1.0, 2.0), "Nelder-Mead"), (np.array(START), (1.0, 2.0), "auto")):
        assert tw.minimize(shifted, *given, **CALL).fun == by_name.fun
    boxed = tw.minimize(shifted, START, (1.0, 2.0), bounds=BOX, **CALL)
    assert boxed.method == "portfolio" and boxed.fun == tw.minimize(shifted, BOX, START, (1.0, 2.0), **CALL).fun


def test_args_that_are_no_tuple_are_one_argument():
    centre = np.array([1.0, 2.0])
    found = tw.minimize(lambda x, c: ((x - c) ** 2).sum(), np.zeros(2), centre)
    np.testing.assert_allclose(found.x, centre, atol=1e-6)
    assert tw.minimize(lambda x: (x[0] - 2) ** 2, 0.5).x.shape == (1,)
    assert tw.minimize(lambda x: (x[0] - 2) ** 2, x0=0.5).x.shape == (1,)


def test_all_doors_read_alike():
    many = tw.restarts(shifted, START, (1.0, 2.0), "Nelder-Mead", num_retries=3, seed=1, maxfev=200)
    assert many.method == "nelder_mead" and len(many.runs) == 3
    apart = tw.islands(bowl, BOX, method="Differential Evolution", islands=2, random_state=1, n_gen=30, popsize=5)
    assert apart.options["population"] == 10 and set(apart.runs["nit"]) == {30}
    asked = tw.Optimizer("Nelder-Mead", START, seed=1, maxiter=5)
    while not asked.done:
        asked.tell([bowl(x) for x in asked.ask()])
    assert asked.method == "nelder_mead" and asked.result().nit == 5
    assert tw.Optimizer("L-SHADE", domain=BOX, seed=1).method == "lshade"


@pytest.mark.parametrize(
    ("positional", "named", "words"),
    [
        ((bowl, BOX), {"bounds": BOX}, "bounds: minimize got it twice"),
        ((bowl, START), {"x0": START}, "x0: minimize got it twice"),
        ((bowl, BOX, START), {"x0": START}, "x0: minimize got it twice"),
        ((bowl, START, ()), {"args": ()}, "args: minimize got it twice"),
        ((bowl, START, (), "auto"), {"method": "de"}, "method: minimize got it twice"),
        ((bowl, START, (), "auto", None), {}, "5 arguments without names, expected at most 4: fun, x0, args, method"),
        ((bowl, BOX, START, (), "de"), {}, "expected at most 4: fun, bounds, x0, args"),
        ((), {"bounds": BOX}, "missing 1 required positional argument: 'fun'"),
        ((bowl, BOX), {"maxiter": 5, "max_iters": 5}, "maxiter: it means the same as max_iters"),
        ((bowl, BOX), {"maxiter": 5, "n_gen": 5}, "n_gen: it means the same as max_iters"),
        ((bowl, BOX), {"maxiter": 5, "options": {"maxiter": 5}}, "maxiter: it means the same as max_iters"),
        ((bowl, BOX), {"domain": BOX}, "bounds: minimize got it twice"),
        ((bowl, BOX), {"lb": [0, 0], "ub": [1, 1]}, "lb: it stands beside bounds="),
        ((bowl, BOX), {"maxitr": 5}, "unknown argument 'maxitr'; did you mean 'maxiter'"),
        ((bowl, BOX), {"bogus": None}, "unknown argument 'bogus'$"),
        ((bowl,), {"lb": [0, 0]}, "bounds: got one end"),
    ],
)
def test_what_is_said_twice_or_is_unknown_is_named(positional, named, words):
    with pytest.raises(TypeError, match=words):
        tw.minimize(*positional, **named)


def test_a_door_refuses_what_only_another_has():
    with pytest.raises(TypeError, match="timeout: Optimizer has no such argument, which would be max_time"):
        tw.Optimizer("de", BOX, timeout=3.0)
    with pytest.raises(TypeError, match="num_retries: islands has no such argument"):
        tw.islands(bowl, BOX, num_retries=3)


# --- names of methods -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spelling", "name"), [(s, name) for name, all_of in ALIASES.items() for s in (name, *all_of)])
def test_every_alias_is_its_method_or_is_refused(spelling, name):
    for written in (spelling, spelling.upper(), spelling.replace("_", "-"), spelling.replace("-", " ")):
        if name in tw.SOLVERS:
            assert find_method(written) is tw.SOLVERS[name]
        else:
            with pytest.raises(ValueError, match=f"{name} is not here; write method='lshade'"):
                find_method(written)


@pytest.mark.parametrize(
    ("spelling", "reason"), [(name, reason) for reason, names in INSTEAD.items() for name in names]
)
def test_every_other_name_is_refused_with_what_to_write(spelling, reason):
    with pytest.raises(ValueError) as caught:
        tw.minimize(bowl, BOX, method=spelling)
    message = str(caught.value)
    assert repr(spelling) in message and reason in message and "did you mean" not in message


def test_no_name_stands_for_two_things():
    plain = [method_names.plain(name) for names in (*ALIASES.values(), *INSTEAD.values()) for name in names]
    own = {method_names.plain(name) for name in tw.SOLVERS}
    aliases = {method_names.plain(spelling) for spellings in ALIASES.values() for spelling in spellings}
    assert set(method_names.REFUSED).isdisjoint(own | aliases) and set(tw.SOLVERS) <= set(ALIASES)
    assert len(set(method_names.REFUSED)) + len(aliases) <= len(plain)


@pytest.mark.parametrize(
    ("written", "meant"),
    [("lsade", "lshade"), ("nelder-maed", "nelder_mead"), ("diferential_evolution", "de"), ("atuo", None),
     ("psa", None), ("gso", None), ("bogus", None), ("jsos", "jso")],
)  # fmt: skip
def test_only_a_typo_is_told_a_name(written, meant):
    with pytest.raises(ValueError, match=f"did you mean '{meant}'" if meant else "does not exist[.] There are"):
        find_method(written)


def test_a_solver_may_stand_for_its_name():
    by_name, by_solver = (tw.minimize(bowl, BOX, method=m, **CALL) for m in ("de", tw.SOLVERS["de"]))
    assert by_name.fun == by_solver.fun and by_solver.method == "de"
    with pytest.raises(TypeError, match="method: got float, expected a name or a Solver"):
        tw.minimize(bowl, BOX, method=1.0)


# --- arguments --------------------------------------------------------------------------------------------------------

VALUES = {  # of foreign arguments that are no whole numbers
    "seed": 7, "lb": [-5, -5], "ub": [5, 5], "xl": [-5, -5], "xu": [5, 5], "guess": [1, 2], "strategy": "best1exp",
    "mutation": 0.7, "recombination": 0.8, "tol": 1e-3, "xatol": 1e-3, "fatol": 1e-3, "xtol": 1e-3,
    "initial_simplex": [[0, 0], [1, 0], [0, 1]], "minimizer_kwargs": {"method": "Nelder-Mead"},
}  # fmt: skip
OWN = {
    "minimize": ("method", "bounds", "x0", "seed", "restarts", "threads", "max_evals", "max_iters", "max_time",
                 "target", "ftol", "patience", "progress", "options"),
    "restarts": ("method", "bounds", "runs"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_every_argument_that_is_taken_arrives(name):
    taken = TAKEN[name]
    method = taken.methods[0] if taken.methods else "lshade"
    if method not in tw.SOLVERS:
        with pytest.raises(ValueError, match=f"{name}: got 3 with method='lshade'"):
            tw.minimize(bowl, BOX, method="lshade", **{name: 3})
        return
    own = frozenset(OWN["restarts" if taken.to == ("runs",) else "minimize"])
    other_end = {"lb": "ub", "ub": "lb", "xl": "xu", "xu": "xl"}.get(name)
    given = {other_end: VALUES[other_end]} if other_end else {"bounds": BOX}
    words = in_our_words("minimize", own, {"method": method, **given, name: VALUES.get(name, 3)})
    for target in taken.to:
        place, _, part = target.partition(".")
        assert (part in words[place]) if place == "options" else place in words
    assert name not in words or name in own
    if taken.methods:
        with pytest.raises(ValueError, match=rf"{name}: got .* with method='lshade'; .*(write|leave)"):
            tw.minimize(bowl, BOX, method="lshade", **{name: VALUES.get(name, 3)})


@pytest.mark.parametrize("name", REFUSED)
def test_every_argument_that_is_refused_says_what_to_write(name):
    for harmless in (None, *REFUSED[name].harmless):
        words = in_our_words("minimize", frozenset(OWN["minimize"]), {"bounds": BOX, name: harmless})
        assert words == {"bounds": BOX}
    with pytest.raises(ValueError) as caught:
        tw.minimize(bowl, BOX, **{name: "something"})
    message = str(caught.value)
    assert message.startswith(f"{name}: got") and any(word in message for word in ("write", "leave", "has", "add"))


def test_what_popsize_means():
    for method, rows in (("differential_evolution", 14), ("de", 14)):
        assert tw.minimize(bowl, BOX, method=method, popsize=7, seed=1, maxiter=3).options["population"] == rows
    assert ("popsize", "cma_es") in FOR_METHOD
    for method in ("auto", "lshade"):
        with pytest.raises(ValueError, match=r"popsize: .* a multiple of D in SciPy, a number of points in pycma"):
            tw.minimize(bowl, BOX, method=method, popsize=7)


def test_what_the_first_step_of_cma_means():
    """A share of the box's width here, a step in pycma, a share of half the width in fcmaes."""
    for name, domain, share in (
        ("sigma0", {"bounds": BOX}, 0.05), ("input_sigma", {"bounds": BOX}, 0.25), ("sigma0", {"x0": START}, 0.5),
        ("sigma0", {"fun": tw.Problem(fun=bowl, bounds=BOX)}, 0.05), ("sigma0", {"lb": [0, 0], "ub": [5, 5]}, 0.1),
    ):  # fmt: skip
        taken = TAKEN[name]
        assert taken.methods == ("cma_es",) and taken.to == ("options.sigma",) and taken.value is not None
        ours = dict(domain)
        if "lb" in ours:
            ours = {"bounds": {"lower": ours["lb"], "upper": ours["ub"]}}
        assert taken.value(name, 0.5, lambda ours=ours: reading._box(ours)) == share
    with pytest.raises(ValueError, match=r"sigma0: got 0.5 for bounds of several widths"):
        TAKEN["sigma0"].value("sigma0", 0.5, lambda: reading._box({"bounds": [(0, 1), (0, 2)]}))


def test_what_tol_means():
    found = tw.minimize(bowl, START, method="Nelder-Mead", tol=1e-3)
    assert found.options["xtol"] == 1e-3 and found.nfev < tw.minimize(bowl, START, method="Nelder-Mead").nfev
    early = tw.minimize(bowl, BOX, method="de", tol=0.1, seed=1)
    assert early.stop_reason is tw.StopReason.CONVERGED and early.nfev < 5000
    with pytest.raises(ValueError, match=r"xatol: got 0.001 with method='de'; write method='nelder_mead'"):
        tw.minimize(bowl, BOX, method="de", options={"xatol": 1e-3})


def test_options_hold_scipys_limits_beside_those_of_the_method():
    found = tw.minimize(bowl, BOX, method="de", seed=1, options={"maxiter": 4, "disp": False, "population": 12})
    assert found.nit == 4 and found.nfev == 48
    with pytest.raises(ValueError, match="options: de has no option 'populaton'; did you mean 'population'"):
        tw.minimize(bowl, BOX, method="de", options={"populaton": 12})


@pytest.mark.parametrize("method", ["lshade", "de"])
def test_generators_give_a_seed(method):
    call = {"method": method, "max_evals": 200}
    drawn = tw.minimize(bowl, BOX, rng=np.random.default_rng(5), **call)
    assert drawn.seed == tw.minimize(bowl, BOX, seed=np.random.default_rng(5), **call).seed
    assert drawn.fun == tw.minimize(bowl, BOX, seed=drawn.seed, **call).fun
    assert tw.minimize(bowl, BOX, random_state=np.random.RandomState(5), **call).seed < 2**31


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mutation": (0.5, 1), "method": "de"}, "mutation: got .* de draws no weight anew"),
        ({"strategy": "rand2bin", "method": "de"}, "strategy: got 'rand2bin', expected one of rand1bin"),
        ({"jac": "2-point", "method": "de"}, "jac: de uses no gradient; leave it out"),
        ({"polish": "sometimes"}, "polish: got 'sometimes', expected True, False or 'auto'"),
        ({"updating": "immediate"}, "updating: got 'immediate'; write updating='deferred'"),
        ({"init": "sobol"}, "init: got 'sobol'; write init='random'"),
        ({"vectorized": True}, r"vectorized: got True; write objective\(f, vectorized=True\)"),
        ({"constraints": {"type": "eq"}}, "constraints: got .* still to come; add a penalty"),
        ({"options": {"gtol": 1e-6}}, "jso has no option 'gtol'"),
    ],
)
def test_values_that_mean_something_else_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        tw.minimize(bowl, BOX, **arguments)


# --- docs -------------------------------------------------------------------------------------------------------------


def test_the_page_on_coming_from_other_libraries_has_these_tables():
    docs = Path(__file__).parents[1] / "docs"
    page = load_file(docs / "coming_from.py").page()
    assert (docs / "coming-from.md").read_text("utf-8") == page, "python docs/coming_from.py writes it anew"


def test_points_without_volume_are_no_simplex():
    with pytest.raises(ValueError, match=r"x0: got 3 points that span no volume.*write bounds="):
        tw.minimize(bowl, x0=[(-5, 5)] * 3, method="nelder_mead")
    with pytest.raises(ValueError, match=r"x0: got 3 points, expected one.*write bounds="):
        tw.minimize(bowl, x0=[(-5, 5)] * 3)


def test_none_is_a_method_left_out_and_own_arguments_may_stand_in_options():
    words = {"seed": 3, "maxfevals": np.inf, "verb_disp": 0}
    first = tw.minimize(bowl, BOX, method=None, options={"seed": 3, "max_evals": 500})
    second = tw.minimize(bowl, BOX, seed=3, max_evals=500)
    assert first.fun == second.fun and first.seed == 3
    assert tw.minimize(bowl, BOX, options=words, max_iters=5).seed == 3
    with pytest.raises(TypeError, match="seed: it is given twice"):
        tw.minimize(bowl, BOX, seed=1, options={"seed": 3})
    with pytest.raises(ValueError, match="nelder_mead has no option 'population'"):
        tw.minimize(bowl, BOX, method="nelder_mead", pop_size=10)
