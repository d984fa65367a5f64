"""The NIST problems of bench/nist.py and examples/eckerle4.py say what NIST's files say."""

import re
from pathlib import Path

import numpy as np
import pytest

from thalweg.kernels.compile.jit import relaxed

from .by_path import load_file

ROOT = Path(__file__).parents[1]


nist = load_file(ROOT / "bench" / "nist.py")


def test_there_is_a_model_for_each_file():
    assert set(nist.MODELS) == {file.stem for file in nist.DATA.glob("*.dat")}
    assert len(nist.MODELS) == 13


@pytest.mark.parametrize("name", nist.MODELS)
def test_the_file_is_read_whole(name):
    header = (nist.DATA / f"{name}.dat").read_text("ascii")
    data = nist.read(name)
    assert len(data.x) == len(data.y) == int(re.search(r"(\d+) Observations", header)[1])
    assert len(data.certified) == int(re.search(r"(\d+) Parameters", header)[1])
    assert data.starts.shape == (2, len(data.certified))


@pytest.mark.parametrize("name", nist.MODELS)
def test_the_certified_parameters_give_the_certified_sum(name):
    problem = nist.load(name)
    plain = problem.fun(problem.minimum.x, *problem.args)
    assert plain == pytest.approx(problem.minimum.fun, rel=1e-9)
    assert relaxed(problem.fun)(problem.minimum.x, *problem.args) == pytest.approx(problem.minimum.fun, rel=1e-9)


@pytest.mark.parametrize("name", nist.MODELS)
def test_the_starting_points_lie_in_the_box_and_are_worse(name):
    problem = nist.load(name)
    for start in (*nist.read(name).starts, problem.minimum.x):
        assert np.all((problem.lower <= start) & (start <= problem.upper))
        assert problem.fun(start, *problem.args) >= problem.minimum.fun * (1 - 1e-9)


def test_the_box_is_the_stated_one():
    assert nist.load("MGH17").bounds.tolist() == [[0, 500], [0, 1500], [-1000, 0], [0, 10], [0, 20]]


def test_digits():
    assert nist.digits(1.000001, 1.0) == pytest.approx(6)
    assert [nist.digits(value, 2.0) for value in (2.0, float("nan"), float("inf"), 50.0)] == [11, 0, 0, 0]


def test_the_example_is_eckerle4():
    example = load_file(ROOT / "examples" / "eckerle4.py").eckerle4
    problem = nist.load("Eckerle4")
    for mine, theirs in zip(example.args, problem.args, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(example.minimum.x, problem.minimum.x)
    assert example.minimum.fun == problem.minimum.fun
    assert example.fun(example.minimum.x, *example.args) == pytest.approx(example.minimum.fun, rel=1e-9)
    assert np.all(example.lower <= problem.lower) and np.all(problem.upper <= example.upper)
