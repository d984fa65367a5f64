"""What pip installs is what the tree holds."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("kernels", "solvers", "orchestration")
FACE = ("__init__.py", "__main__.py", "py.typed")  # of the package, which the root is
MODULES = {file.relative_to(ROOT).as_posix() for layer in LAYERS for file in (ROOT / layer).rglob("*.py")}


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    """A wheel and an sdist, built from a copy: a build leaves folders behind."""
    pytest.importorskip("setuptools", minversion="77", reason="pip install -e '.[test]' brings it")
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in (*LAYERS, "tests", "bench", "examples", "docs", ".ci"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "MANIFEST.in", *FACE):
        shutil.copy(ROOT / name, source)
    for target in ("wheel", "sdist"):
        build = f"from setuptools import build_meta; build_meta.build_{target}({str(out)!r})"
        done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return out


def test_pyproject_lists_every_folder_that_holds_modules():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
    folders = {f"thalweg.{Path(file).parent.as_posix().replace('/', '.')}" for file in MODULES}
    assert sorted(listed) == sorted({"thalweg", *folders})


def test_the_wheel_holds_the_modules_of_the_tree_and_nothing_else(dist):
    with zipfile.ZipFile(next(dist.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if ".dist-info/" not in name]
        information = "".join(wheel.read(n).decode() for n in wheel.namelist() if n.endswith(("METADATA", ".txt")))
    typed = {f"thalweg/{layer}/py.typed" for layer in LAYERS}
    assert sorted(names) == sorted({f"thalweg/{file}" for file in (*MODULES, *FACE)} | typed)
    assert "thalweg.orchestration.cli:main" in information
    assert str(ROOT) not in information
    assert "file:" not in information


@pytest.mark.parametrize("folder", ["tests", "bench", "examples", "docs"])
def test_the_sdist_holds_what_a_packager_needs(dist, folder):
    with tarfile.open(next(dist.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    expected = {
        f.relative_to(ROOT).as_posix() for end in ("py", "md", "dat", "csv") for f in (ROOT / folder).rglob(f"*.{end}")
    }
    assert expected <= names
    assert {"LICENSE", "CHANGELOG.md", "README.md", *FACE} <= names
