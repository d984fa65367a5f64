"""kernels <- solvers <- orchestration, never back."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "solvers", "orchestration")
FILES = sorted(str(file.relative_to(ROOT)) for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))


def _modules(source: str, file: str) -> list[list[str]]:
    """What a file imports from, its relative imports resolved."""
    package = ("thalweg", *Path(file).parts[:-1])
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            stem = [*base, *(node.module or "").split(".")] if node.module else [*base]
            modules += [[*stem, alias.name] for alias in node.names]
    return modules


def imported_layers(source: str, file: str) -> set[str]:
    """The layers that a file imports from."""
    modules = _modules(source, file)
    return {module[1] for module in modules if module[0] == "thalweg" and module[1:] and module[1] in LAYERS}


def imported_modules(source: str, file: str) -> set[str]:
    """The modules below thalweg that a file imports from, dotted."""
    return {".".join(module[1:]) for module in _modules(source, file) if module[0] == "thalweg"}


@pytest.mark.parametrize("file", FILES)
def test_imports_only_from_its_own_layer_and_those_below(file):
    allowed = LAYERS[: LAYERS.index(Path(file).parts[0]) + 1]
    assert imported_layers((ROOT / file).read_text("utf-8"), file) <= set(allowed)


@pytest.mark.parametrize(
    "source",
    [
        "from ...solvers import x",
        "from ... import solvers",
        "import thalweg.solvers.x",
        "def f():\n from thalweg.solvers import x",
    ],
)
def test_every_form_of_import_is_seen(source):
    assert imported_layers(source, "kernels/functions/file.py") == {"solvers"}


# Inside solvers: doors -> driving -> registry -> families -> contract.
FLOORS = ("contract", "family", "registry", "driving", "door")


def floor_of(module: str) -> int:
    """The floor of a module below thalweg.solvers, by its first name."""
    first = module.split(".")[0]
    if first in ("contract", "registry", "driving"):
        return FLOORS.index(first)
    if first == "estimators":
        return FLOORS.index("door")
    return FLOORS.index("family" if (ROOT / "solvers" / first).is_dir() else "door")


@pytest.mark.parametrize("file", [file for file in FILES if file.startswith("solvers/") and "__init__" not in file])
def test_solvers_import_only_from_their_own_floor_and_those_below(file):
    own = floor_of(file.removeprefix("solvers/").removesuffix(".py").replace("/", "."))
    for module in imported_modules((ROOT / file).read_text("utf-8"), file):
        if module.startswith("solvers.") and file != "solvers/contract.py":  # which looks a name up where it arrives
            assert floor_of(module.removeprefix("solvers.")) <= own, f"{file} imports {module}"


PUBLIC = {  # import paths that documents name
    "thalweg.kernels": ("Minimum", "Objective", "Problem", "objective"),
    "thalweg.kernels.random": ("uniform", "normal", "cauchy", "integer", "permutation", "run_key"),
    "thalweg.kernels.elementary": ("sin", "cos", "tan", "exp", "expm1", "log", "log1p", "tanh"),
    "thalweg.kernels.functions": ("problem",),
    "thalweg.solvers": ("SOLVERS", "Optimizer", "Result", "StopReason", "minimize", "register"),
    "thalweg.orchestration": (
        "choice", "cluster", "grid_search", "integer", "islands", "log_integer", "log_uniform", "random_search",
        "read_journal", "restarts", "uniform", "when",
    ),
}  # fmt: skip


@pytest.mark.parametrize("module", PUBLIC)
def test_documented_import_paths_keep_working(module):
    found = importlib.import_module(module)
    assert all(hasattr(found, name) for name in PUBLIC[module])
