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


def test_optimisers(tmp_path, monkeypatch):
    """A small form: what the page says of the kinds of methods, with one of each."""
    optimisers = script("optimisers")
    kept = {name: optimisers.METHODS[name] for name in ("gradient descent", "L-BFGS", "Adam")}
    monkeypatch.setattr(optimisers, "METHODS", kept)
    total = optimisers.data(rows=4000)
    X, y = total.source.X.x, total.source.y
    w = np.linspace(-1, 1, 20)
    by_hand = np.logaddexp(0, -y * (X @ w)).mean() + 0.5e-4 * w @ w
    assert total(w) == pytest.approx(by_hand, rel=1e-12)
    found = {name: optimisers.run(total, arguments, epochs=40) for name, (arguments, _) in kept.items()}
    least = tw.minimize(total, method="l_bfgs_b", options={"gtol": 1e-9}).fun
    for rows in found.values():
        assert rows[0, 2] == pytest.approx(np.log(2)) and rows[-1, 0] <= 40 and (np.diff(rows[:, 1]) >= 0).all()
    above = {name: np.interp([5, 38], rows[:, 0], rows[:, 2] - least) for name, rows in found.items()}
    assert above["Adam"][0] < min(above["L-BFGS"][0], above["gradient descent"][0])  # ahead at first
    assert above["L-BFGS"][1] < 1e-4 < 0.05 < above["gradient descent"][1]
    check_picture("optimisers", optimisers.drawing(found, least), tmp_path)


def test_penalty_path(tmp_path):
    paths = script("penalty_path")
    X, y, c = paths.data()
    n, true = len(y), list(paths.TRUE)
    penalties, coefficients = paths.lasso(X, y)
    pulls = X.T @ (y[:, None] - X @ coefficients) / n  # of the columns: as strong as the penalty where w is not 0
    inside = coefficients != 0
    assert abs(abs(pulls) - penalties)[inside].max() < 1e-4 and (abs(pulls) - penalties)[~inside].max() < 1e-4
    assert penalties[0] == pytest.approx(abs(X.T @ y).max() / n) and not inside[:, 0].any()
    assert paths.entered(coefficients)[:4] == true and inside[:, -1].sum() == 22
    at = abs(penalties / penalties[0] - 0.05).argmin()
    assert inside[:, at].sum() == 11
    assert [f"{value:.2f}" for value in coefficients[true, at]] == ["1.83", "-1.23", "0.74", "-0.31"]

    penalties, coefficients = paths.logistic(X, c, steps=15)
    assert not coefficients[:, 0].any()
    order = paths.entered(coefficients)
    assert order[:2] == true[:2] and sum(j not in true for j in order[: order.index(true[2])]) >= 2
    for k in (5, 14):
        w, penalty = coefficients[:, k], penalties[k]
        model = tw.LogisticRegression(l1_ratio=1.0, C=1 / penalty, tol=1e-7, max_iter=1000).fit(X, c)
        assert model.coef_[0] == pytest.approx(w, abs=1e-4)  # the way to it does not matter
        pull = X.T @ (c - model.predict_proba(X)[:, 1])
        assert abs(pull).max() < penalty * (1 + 1e-3)
        assert abs(abs(pull[w != 0]) - penalty).max() < penalty * 1e-3
    check_picture("penalty_path", paths.draw, tmp_path)


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("curves", lambda scope: scope["area"] == 0.75),
        ("optimisers", lambda scope: scope["result"].epochs == 5 and scope["result"].fun < 0.6),
        ("penalty_path", lambda scope: (scope["coefficients"][:, 50] != 0).nonzero()[0].tolist() == [0, 3]),
    ],
)
def test_code_of_the_pages_runs(name, shows):
    for code in re.findall(r"```python\n(.*?)```", page(name), re.DOTALL):
        scope: dict = {}
        exec(code, scope)
        assert shows(scope)


def test_code_of_the_guide_runs():
    guide = (EXAMPLES.parent / "docs" / "learning.md").read_text("utf-8")
    scope: dict = {}
    for code in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        exec(code, scope)
    assert scope["exact"].success and scope["exact"].fun < scope["trained"].fun < scope["exact"].fun + 0.01
    assert len(scope["trained"].history["training"]) == 5
    assert scope["share"] > 0.75
