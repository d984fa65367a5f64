"""The lessons: every number that a page states, and that each script draws its picture."""

import importlib
import math
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw

LESSONS = Path(__file__).parents[1] / "examples" / "lessons"
NAMES = sorted(file.stem for file in LESSONS.glob("*.md") if file.stem != "README")
if not hasattr(tw, "grad"):  # until it is public
    NAMES.remove("derivatives")


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """The scripts import each other as those of one folder."""
    monkeypatch.syspath_prepend(str(LESSONS))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(LESSONS)):
            del sys.modules[name]


def lesson(name):
    return importlib.import_module(name)


def size_of(png):
    """(width, height), as the header of the file says."""
    return struct.unpack(">II", png.read_bytes()[16:24])


def test_parabola():
    descend = lesson("parabola").descend
    assert descend(0.1, 25) == pytest.approx(5 * 0.8 ** np.arange(26), rel=1e-9)
    assert descend(0.1, 25)[-1] == pytest.approx(0.01889, rel=1e-3)
    assert f"{descend(0.1, 50)[-1]:.3e}" == "7.136e-05"
    assert abs(descend(0.5, 1)[-1]) < 1e-9
    assert descend(1.0, 8) == pytest.approx([5.0, -5.0] * 4 + [5.0])
    assert abs(descend(1.05, 50)[-1]) == pytest.approx(5 * 1.1**50)


@pytest.mark.skipif(not hasattr(tw, "grad"), reason="until it is public")
def test_derivatives():
    script = lesson("derivatives")
    rules = {script.product: script.product_rule, script.chain: script.chain_rule, script.sigmoid: script.sigmoid_slope}
    for f, rule in rules.items():
        for x in (-2.0, 0.0, 0.5, script.AT):
            assert script.automatic(f, x) == pytest.approx(rule(x), rel=1e-13, abs=1e-15)
    slope = script.product_rule(script.AT)
    assert f"{slope:.5f}" == "2.95732"
    steps = 10.0 ** -np.arange(1, 16)
    forward, central = script.errors(script.product, slope, steps).T
    curvature = (2 - 1.3**2) * math.sin(1.3) + 4 * 1.3 * math.cos(1.3)
    assert forward[:5] == pytest.approx(abs(curvature) / 2 * steps[:5], rel=0.15)  # h f'' / 2
    assert central[:3] == pytest.approx(central[0] * 100.0 ** -np.arange(3), rel=0.01)  # in h²
    assert steps[forward.argmin()] == pytest.approx(1e-8) and forward.min() < 3e-8
    assert 1e-6 <= steps[central.argmin()] <= 1.1e-5 and central.min() < 1e-9
    assert (forward[-3:] > 1e-4).all() and (central[-3:] > 1e-4).all()
    assert script.sigmoid_slope(0.0) == 0.25 and script.sigmoid_slope(9.0) < 2e-4


def test_paraboloid():
    script = lesson("paraboloid")
    points, values = script.descend(script.paraboloid)
    assert points == pytest.approx(np.outer(0.95 ** np.arange(101), [2.9, -2.9]), rel=1e-9)
    assert f"{points[-1, 0]:.4f}" == "0.0172" and f"{values[-1]:.1e}" == "5.9e-04"
    stretched, _ = script.descend(script.stretched, 20)
    assert stretched == pytest.approx(np.transpose([2.9 * 0.95 ** np.arange(21), -2.9 * 0.5 ** np.arange(21)]))


def test_rosenbrock_valley():
    script = lesson("rosenbrock_valley")
    assert script.largest_stable_step() == pytest.approx(2 / 1001.6, rel=1e-4)
    for thrown_out in (script.plain(0.01, 1000), script.heavy(0.01, 1000)):
        points, values = thrown_out
        assert len(points) == 6 and values[-1] > 1e170
    assert script.plain(0.01, 1)[0][1] == pytest.approx([0.1 + 1.214, 3.0 - 5.98])
    fun, start = script.rosenbrock, script.START
    ended = tw.minimize(fun, start, method="gradient_descent", max_iters=1000, options={"step": 0.01})
    assert not ended.success and ended.message.startswith("The values grow without end")

    _, plain = script.plain(0.001, 3000)
    _, heavy = script.heavy(0.001, 3000)
    assert plain[1000] == pytest.approx(0.012, rel=0.05) and heavy[1000] == pytest.approx(0.0023, rel=0.05)
    assert plain[3000] == pytest.approx(0.003, rel=0.2) and heavy[3000] == pytest.approx(6e-7, rel=0.2)
    alone, momentum = script.normalised(1000), script.normalised(1000, 0.8)
    assert np.linalg.norm(np.diff(alone[0], axis=0), axis=1) == pytest.approx(0.01)
    assert alone[1].min() == pytest.approx(0.06, rel=0.1)
    near, late = np.linalg.norm(momentum[0] - 1, axis=1), momentum[1][-100:]
    assert near.min() < 0.02 and late.max() > 0.01  # it comes near, and does not stay
    falling = script.lowest(script.normalised(1000, 0.8, "1/sqrt(t)"))
    assert falling[-1] == pytest.approx(6e-5, rel=0.5)


def test_newton():
    script = lesson("newton")
    points = script.newton(3.0, 7)
    assert points == pytest.approx(script.formula(3.0, 7), abs=1e-11)
    table = re.findall(r"\| (\d) \| ([\d.]+) \|", (LESSONS / "newton.md").read_text("utf-8"))
    assert [int(k) for k, _ in table] == list(range(7))
    for k, written in table:
        digits = len(written.partition(".")[2])
        assert f"{points[int(k)]:.{digits}f}" == (written if digits else f"{int(written)}")
    distances = abs(points - 4 / 3)
    assert all(after < before**2 for before, after in zip(distances[2:5], distances[3:6]))
    assert abs(script.formula(0.5, 8)[-1]) < 1e-6
    assert tw.minimize_scalar(script.cubic, method="newton", x0=0.5).x == pytest.approx(4 / 3)
    descent = abs(script.descent(3.0, 30) - 4 / 3)
    assert descent[2:] / descent[1:-1] == pytest.approx(0.6, abs=0.06)  # 1 - 0.1 f''(4/3)


def test_side_by_side():
    script = lesson("side_by_side")
    values = {method: script.descend(method)[1] for method in script.METHODS}
    assert values["momentum"][-20:].min() < 1e-12
    assert values["rmsprop"][-20:] == pytest.approx(0.01, rel=0.2)
    assert values["adam"][-1] == pytest.approx(1e-9, rel=0.2)
    assert values["gradient_descent"][-1] == pytest.approx(2e-3, rel=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_pictures(name, tmp_path):
    """Drawn anew, of the size of the one beside the page, with a title and names of its axes."""
    pytest.importorskip("matplotlib")
    script, walking = lesson(name), lesson("walking")
    seen = []

    def draw(left, right):
        script.draw(left, right)
        seen.extend([left, right])

    walking.picture(draw, tmp_path / "drawn.png")
    for axes in seen:
        assert axes.get_title() and axes.get_xlabel() and axes.get_ylabel()
    committed = LESSONS / f"{name}.png"
    assert size_of(tmp_path / "drawn.png") == size_of(committed)
    assert committed.stat().st_size < 60_000
    page = (LESSONS / f"{name}.md").read_text("utf-8")
    assert f"]({name}.png)" in page and f"({name}.md)" in (LESSONS / "README.md").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_code_of_the_pages_runs(name):
    for code in re.findall(r"```python\n(.*?)```", (LESSONS / f"{name}.md").read_text("utf-8"), re.DOTALL):
        scope: dict = {}
        exec(code, scope)
        assert (
            math.isfinite(scope["result"].fun)
            if "result" in scope
            else scope["slope"]([1.3]) == pytest.approx(2.9573243)
        )
