"""The examples of learning: the numbers that a page states, and that each script draws its picture."""

import importlib
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tw

EXAMPLES = Path(__file__).parents[1] / "examples"
LEARNING = EXAMPLES / "learning"


@pytest.fixture(autouse=True)
def scripts(monkeypatch):
    """The scripts import each other as those of one folder, and the lessons' pictures."""
    monkeypatch.syspath_prepend(str(LEARNING))
    path, before = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(EXAMPLES)):
            del sys.modules[name]


def script(name):
    return importlib.import_module(name)


def page(name):
    return (LEARNING / f"{name}.md").read_text("utf-8")


def rows_of_table(text):
    """The numbers of each row that holds nothing else."""
    rows = re.findall(r"^\| ([\d.e-]+(?: \| [\d.e-]+)+) \|$", text, re.MULTILINE)
    return [row.split(" | ") for row in rows]


def size_of(png):
    """(width, height), as the header of the file says."""
    return struct.unpack(">II", png.read_bytes()[16:24])


def check_picture(name, draw, tmp_path):
    """Drawn anew, of the size of the one beside the page, with a title and names of its axes."""
    pytest.importorskip("matplotlib")
    seen = []

    def both(left, right):
        draw(left, right)
        seen.extend([left, right])

    script("drawing").picture(both, tmp_path / "drawn.png")
    for axes in seen:
        assert axes.get_title() and axes.get_xlabel() and axes.get_ylabel()
    committed = LEARNING / f"{name}.png"
    assert size_of(tmp_path / "drawn.png") == size_of(committed) and committed.stat().st_size < 60_000
    assert f"]({name}.png)" in page(name) and f"({name}.md)" in (LEARNING / "README.md").read_text("utf-8")


def test_curves(tmp_path):
    curves = script("curves")
    assert f"{curves.AREA:.4f}" == "0.8413" and "0.8413" in page("curves")
    found = {}
    for share in curves.SHARES:
        y, scores = curves.sample(share)
        assert abs(tw.metrics.roc_auc_score(y, scores) - curves.AREA) < 3 * 0.4 / np.sqrt(y.sum())
        assert abs(y.mean() - share) < 0.01 and abs(scores.mean() - share) < 0.01
        precision, recall, _ = tw.metrics.precision_recall_curve(y, scores)
        found[share] = precision[abs(recall - 0.5).argmin()], tw.metrics.average_precision_score(y, scores)
    assert [f"{value:.2f}" for value in found[0.5] + found[0.05]] == ["0.87", "0.84", "0.26", "0.30"]
    written = rows_of_table(page("curves"))
    assert len(written) == 3
    for row, numbers in zip(written, curves.table(*curves.sample(0.05))):
        assert float(row[0]) == numbers[0] and row[1:] == [f"{number:.3f}" for number in numbers[1:]]
    check_picture("curves", curves.draw, tmp_path)


@pytest.mark.parametrize("name", ["curves"])
def test_code_of_the_pages_runs(name):
    for code in re.findall(r"```python\n(.*?)```", page(name), re.DOTALL):
        scope: dict = {}
        exec(code, scope)
        assert scope["area"] == 0.75
