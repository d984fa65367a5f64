"""kernels <- solvers <- orchestration, never back."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "solvers", "orchestration")
FILES = sorted(str(file.relative_to(ROOT)) for layer in LAYERS for file in (ROOT / layer).rglob("*.py"))


def imported_layers(source: str, file: str) -> set[str]:
    """The layers that a file imports from, its relative imports resolved."""
    package = ("thalweg", *Path(file).parts[:-1])
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            stem = [*base, *(node.module or "").split(".")] if node.module else [*base]
            modules += [[*stem, alias.name] for alias in node.names]
    return {module[1] for module in modules if module[0] == "thalweg" and module[1:] and module[1] in LAYERS}


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
