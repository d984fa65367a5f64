"""The example of recommendation: numbers that its page states, and its picture in small form."""

import importlib
import re
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PAGE = (EXAMPLES / "learning" / "recommender.md").read_text("utf-8")


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES / "learning"))
    path, before = list(sys.path), set(sys.modules)
    yield importlib.import_module("recommender")
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(EXAMPLES)):
            del sys.modules[name]


def test_numbers(script):
    fit, check, floor = script.sample()
    assert f"{fit.nnz:,} ratings to fit and {check.nnz:,} held out" in PAGE
    assert f"of {floor:.3f} stars" in PAGE and f"have {script.biases_alone(fit, check):.3f}" in PAGE
    rows = dict(re.findall(r"^\| (\d+) \| ([\d. |]+) \|$", PAGE, re.MULTILINE))
    assert sorted(map(int, rows)) == list(script.RANKS)
    for rank in (2, 4):
        told = [float(cell) for cell in rows[str(rank)].split(" | ")]
        found = [script.error(fit, check, rank, regularization=penalty)[1] for penalty in (0.003, 0.03, 0.1)]
        assert found == pytest.approx(told, abs=6e-4)
    fitted, held = script.error(fit, check, 32, regularization=0.003)
    assert (fitted, held) == pytest.approx((0.174, 0.887), abs=0.003)
    assert script.error(fit, check, solver="sgd", max_iter=30)[1] == pytest.approx(0.545, abs=6e-4)
    everything, recommended, count = script.recommended(fit, check)
    assert f"{recommended:.2f} stars, where all that was held out has {everything:.2f}" in PAGE
    assert abs(count - 1485) < 5
    told, popular = script.found_again(fit, check)
    assert f"{told:.0%}".replace("%", " %") in PAGE and f"{popular:.0%}".replace("%", " %") in PAGE


def test_picture(script, monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    small = script.sample(150, 100, 5000)
    monkeypatch.setattr(script, "sample", lambda: small)
    script.picture(script.draw, tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").stat().st_size > 5000
    assert (EXAMPLES / "learning" / "recommender.png").stat().st_size < 60_000
    assert "](recommender.png)" in PAGE


def test_code_of_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict = {}
    exec(code, scope)
    assert scope["best"][0] in (1, 2)
