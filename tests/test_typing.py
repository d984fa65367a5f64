"""What editors know of the doors is what the doors take."""

import inspect
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

import thalweg as tw
from thalweg.solvers.driving import signatures
from thalweg.solvers.driving.foreign import REFUSED, TAKEN
from thalweg.solvers.driving.method_names import ALIASES, Method

ROOT = Path(__file__).parents[1]
PACKAGE = ("kernels", "solvers", "orchestration", "__init__.py", "__main__.py", "py.typed")
BY_PLACE = {"self", "fun", "bounds", "x0", "args", "method"}


def test_the_methods_that_editors_know_are_those_that_are_taken():
    assert set(get_args(Method)) == {"auto", *ALIASES, *(name for names in ALIASES.values() for name in names)}
    assert set(tw.SOLVERS) <= set(ALIASES)


def test_the_arguments_of_others_that_editors_know_are_those_that_are_taken():
    known = signatures.Foreign.__optional_keys__
    assert set(TAKEN) - {"runs", "restarts"} <= known
    assert known - set(TAKEN) == {"updating", "init", "vectorized", "constraints"} <= set(REFUSED)


@pytest.mark.parametrize(
    ("door", "settings"),
    [
        (tw.minimize, signatures.MinimizeSettings),
        (tw.restarts, signatures.RestartsSettings),
        (tw.islands, signatures.IslandsSettings),
        (tw.Optimizer.__init__, signatures.OptimizerSettings),
    ],
)
def test_editors_know_the_arguments_of_each_door(door, settings):
    own = set(inspect.signature(door).parameters) - BY_PLACE
    if door is tw.Optimizer.__init__:
        own -= {"seed", "options"}
    assert own <= settings.__optional_keys__
    assert settings.__optional_keys__ - own <= set(TAKEN) | set(REFUSED)


# --- basedpyright -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder in which a type checker finds the package; it does not see an editable installation."""
    pytest.importorskip("basedpyright", reason="pip install -e '.[test]' brings it")
    folder = tmp_path_factory.mktemp("installed")
    (folder / "thalweg").mkdir()
    for name in PACKAGE:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / "thalweg" / name)
    return folder


def checked(folder, *arguments):
    program = Path(sys.executable).parent / "basedpyright"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [str(program), "--outputjson", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    return json.loads(done.stdout)


GOOD = """
import numpy as np
import thalweg as tw

def f(x, *args) -> float: ...

box = [(0, 1), (0, None)]
tw.minimize(f, box)
tw.minimize(f, np.array([[0, 1], [0, 2]]), [0.5, 0.5], (1.0,), seed=1, method="L-SHADE", max_iters=10)
tw.minimize(f, [1.0, 2.0], (1.0,), "Nelder-Mead", tol=1e-8, options={"maxiter": 10})
tw.minimize(f, x0=np.zeros(3), bounds=box, method=tw.SOLVERS["de"])
tw.minimize(f, box, method="differential_evolution", popsize=15, polish=False, rng=np.random.default_rng(1))
tw.minimize(tw.Problem(fun=f, bounds=box), restarts=10, target=1e-3)
tw.restarts(f, box, runs=10, coordinated=True)
tw.islands(f, box, islands=4, topology="ring")
tw.grid_search(f, {"a": [1, 2], "b": tw.uniform(0.0, 1.0)}, levels=3)
tw.random_search(tw.objective(f), box, points=100, sampling="sobol")
result = tw.minimize(f, box)
value: float = result.fun + result.x[0]
text: str = result.to_json() + result.message
optimizer = tw.Optimizer("jso", box, seed=1)
optimizer.tell(optimizer.ask().sum(axis=1))
"""
BAD = {
    'tw.minimize(f, box, method="bogus")': "bogus",
    'tw.minimize(f, [1.0, 2.0], (), "bogus")': "bogus",
    "tw.minimize(f, box, [0.5, 0.5], unknown=1)": "No overloads",
    "tw.minimize(f, box, polish=3)": "No overloads",
    'tw.minimize(f, box, max_evals="many")': "max_evals",
    "tw.restarts(f, box, unknown=1)": "No overloads",
    'tw.islands(f, box, topology="star")': "topology",
    'tw.Optimizer("bogus", box)': "bogus",
    "result.fun.lower()": "lower",
    "tw.minimise(f, box)": "minimise",
}


@pytest.mark.slow
def test_an_editor_reports_what_is_wrong_and_nothing_else(installed):
    (installed / "calls.py").write_text(GOOD + "\n".join(BAD) + "\n")
    told = checked(installed, "--level", "error", "calls.py")["generalDiagnostics"]
    lines = [d for d in told if "reportUnused" not in d.get("rule", "")]
    first = len(GOOD.splitlines())
    found = {d["range"]["start"]["line"] - first for d in lines}
    assert found == set(range(len(BAD))), "\n".join(f"{d['range']['start']['line']}: {d['message']}" for d in lines)
    for k, words in enumerate(BAD.values()):
        assert any(words in d["message"] for d in lines if d["range"]["start"]["line"] - first == k)


def derives_from_scikit_learn(symbol) -> bool:
    """An estimator of whose class all is known but its bases, as scikit-learn ships no types; members count apart."""
    inherited = ("Type of base class", "Type of metaclass unknown")
    estimator = symbol["category"] == "class" and symbol["name"].startswith("thalweg.solvers.estimators.")
    return estimator and all(told["message"].startswith(inherited) for told in symbol["diagnostics"])


@pytest.mark.slow
def test_all_public_names_have_known_types(installed):
    """As `basedpyright --verifytypes thalweg --ignoreexternal` has it, of what is in __all__."""
    told = checked(installed, "--verifytypes", "thalweg", "--ignoreexternal")["typeCompleteness"]["symbols"]
    names = {"thalweg.solvers.registry.SOLVERS", "thalweg.__version__"}
    for name in tw.__all__:
        value = getattr(tw, name)
        if not isinstance(value, ModuleType | dict | str):
            names.add(f"{value.__module__}.{value.__name__}")
    of_ours = {s["name"]: s for s in told if any(s["name"] == n or s["name"].startswith(f"{n}.") for n in names)}
    unknown = {
        name
        for name, s in of_ours.items()
        if (not s["isTypeKnown"] or s["isTypeAmbiguous"]) and not derives_from_scikit_learn(s)
    }
    assert len(of_ours) > 100 and not unknown
