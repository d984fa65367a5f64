"""`import thalweg as tw`: what it offers, what it loads, and that nothing is loaded twice under another name."""

import ast
import doctest
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import thalweg as tw

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "solvers", "orchestration")
FACE = ("__init__.py", "__main__.py", "py.typed", "pyproject.toml")


def loaded_by(statement: str) -> set[str]:
    """The modules that a fresh process has afterwards."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_the_import_alone_loads_nothing_else_of_ours_and_no_compiler():
    loaded = loaded_by("import thalweg as tw")
    assert {name for name in loaded if name.startswith("thalweg")} == {"thalweg"}
    assert loaded.isdisjoint({"numba", "numpy", "scipy", "dask", "rich", "importlib.metadata"})


def test_minimize_loads_no_more_than_the_solvers():
    assert loaded_by("import thalweg as tw; tw.minimize") == loaded_by("import thalweg.solvers")


def test_all_names_are_there_and_listed():
    assert set(tw.__all__) <= set(dir(tw)) and len(set(tw.__all__)) == len(tw.__all__)
    for name in tw.__all__:
        assert getattr(tw, name) is not None
    with pytest.raises(AttributeError, match="module 'thalweg' has no attribute 'minimise'"):
        _ = tw.minimise


def test_names_are_those_of_the_layers():
    from thalweg import kernels, orchestration, solvers
    from thalweg.kernels import functions

    for name in tw.__all__:
        homes = [layer for layer in (kernels, solvers, orchestration) if name in layer.__all__]
        if homes:
            assert getattr(tw, name) is getattr(homes[0], name) and len(homes) == 1
    assert tw.functions is functions and tw.solvers is solvers
    assert set(solvers.__all__) | set(orchestration.__all__) <= set(tw.__all__)


def test_editors_see_the_same_names():
    """Type checkers read the imports under TYPE_CHECKING, programs __getattr__."""
    tree = ast.parse((ROOT / "__init__.py").read_text("utf-8"))
    block, _ = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname or alias.name for node in imports for alias in node.names}
    seen |= {node.target.id for node in block.body if isinstance(node, ast.AnnAssign)}
    assert seen == set(tw.__all__)


def test_the_package_is_the_command_line():
    done = subprocess.run([sys.executable, "-m", "thalweg", "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "minimise" in done.stdout.lower()


@pytest.mark.parametrize("name", sorted({*tw.__all__, "thalweg"} - {"StopReason", "SOLVERS", "Result", "__version__"}))
def test_examples_of_the_public_names(name):
    value = tw if name == "thalweg" else getattr(tw, name)
    for example in doctest.DocTestFinder(recurse=False).find(value, name, globs={}):
        assert not doctest.DocTestRunner(verbose=False).run(example).failed


def twice() -> list[str]:
    """Modules of ours that are loaded under a name that is not theirs."""
    found = []
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and any(Path(file).resolve().is_relative_to(ROOT / layer) for layer in LAYERS):
            found += [name] * (not name.startswith("thalweg."))
    return found


def test_nothing_is_loaded_twice_here():
    tw.minimize
    assert not twice()


PROBE = """
import sys
from pathlib import Path

import thalweg as tw
from .beside import ROOT


def test_one_of_each():
    tw.minimize, tw.restarts, tw.functions
    assert Path(tw.__file__).resolve().parent == ROOT
    files = {name: Path(m.__file__).resolve() for name, m in sys.modules.items() if getattr(m, "__file__", None)}
    ours = {name for name, file in files.items() if any(file.is_relative_to(ROOT / layer) for layer in LAYERS)}
    assert len(ours) > 20 and all(name.startswith("thalweg.") for name in ours), ours
"""


@pytest.mark.parametrize("command", [["pytest"], ["python", "-m", "pytest"]], ids=" ".join)
def test_pytest_from_a_clone_whose_name_is_no_identifier(tmp_path, command):
    clone, beside = tmp_path / "my-clone", tmp_path / "beside"
    (clone / "tests").mkdir(parents=True)
    beside.mkdir()
    for name in LAYERS:
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FACE:
        shutil.copy(ROOT / name, clone)
    (beside / "thalweg").symlink_to(clone)  # in place of the installation
    (clone / "tests" / "beside.py").write_text(f"from pathlib import Path\n\nROOT = Path({str(clone)!r}).resolve()\n")
    (clone / "tests" / "test_probe.py").write_text(f"LAYERS = {LAYERS}\n{PROBE}")
    folder = Path(sys.executable).parent
    runner = [sys.executable, *command[1:]] if command[0] == "python" else [str(folder / "pytest")]
    environment = {"PYTHONPATH": str(beside), "PATH": str(folder)}
    done = subprocess.run(
        [*runner, "-p", "no:cacheprovider"], cwd=clone, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and "1 passed" in done.stdout, done.stdout + done.stderr
