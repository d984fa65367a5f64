"""Small wrong changes of the engine's mathematics, each of which the tests against the transcriptions must notice.

`python tests/mutations.py` tries all of mutations.txt (20 minutes), `python tests/mutations.py jSO` those whose name
contains this. test_mutations.py tries the starred ones.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
PACKAGE = HERE.parent
ELSEWHERE = {"portfolio": ("test_portfolio.py", "searches_come or what_is_separable")}  # whose tests, and which


class Mutation(NamedTuple):
    name: str
    solver: str  # whose tests are run
    file: str
    old: str  # found exactly once in the file
    new: str
    marked: bool  # tried by the marked tests


def read(text: str) -> list[Mutation]:
    """The changes listed in mutations.txt."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    files = dict(line.split(" = ") for line in lines if re.fullmatch(r"[A-Z_]+ = \S+", line))
    lines = lines[len(files) :]
    found = []
    for head, old, new in zip(lines[::3], lines[1::3], lines[2::3], strict=True):
        match = re.fullmatch(r"(\*?)(.+) \[(\w+), ([A-Z_]+)\]", head)
        if match is None or not old.startswith("- ") or not new.startswith("+ "):
            raise ValueError(f"mutations.txt: cannot read {head!r}, {old!r}, {new!r}")
        found.append(Mutation(match[2], match[3], files[match[4]], old[2:], new[2:], match[1] == "*"))
    return found


MUTATIONS = read((HERE / "mutations.txt").read_text("utf-8"))

RUN = """
import sys, pytest, thalweg.kernels, thalweg.solvers
assert thalweg.kernels.__file__.startswith(sys.argv[1]) and thalweg.solvers.__file__.startswith(sys.argv[1])
sys.exit(pytest.main(sys.argv[2:]))
"""


def copied(package: Path, folder: Path) -> Path:
    """A copy of the engine, under the name it is imported by, and of the tests that are to notice."""
    copy = folder / "thalweg"
    for layer in ("kernels", "solvers", "orchestration"):
        shutil.copytree(package / layer, copy / layer, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(HERE / "reference", copy / "tests" / "reference", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("test_reference.py", "conftest.py", *(file for file, _ in ELSEWHERE.values())):
        if (HERE / name).exists():
            shutil.copy(HERE / name, copy / "tests")
    for name in ("pyproject.toml", "__init__.py"):
        shutil.copy(package / name, copy)
    return copy


def mutate(package: Path, mutation: Mutation) -> None:
    file = package / mutation.file
    text = file.read_text("utf-8")
    if (found := text.count(mutation.old)) != 1:
        raise ValueError(f"{mutation.name}: found {found} times in {mutation.file}, expected once: {mutation.old!r}")
    file.write_text(text.replace(mutation.old, mutation.new))


def notices(mutation: Mutation | None, package: Path, cache: Path) -> bool:
    """Whether a test fails with this mutation; None: with the engine as it is, of whose tests a few are run.

    cache: the folder of compiled code. All mutations may share it: a file is found there by its content, so that of the
    engine only that part is compiled anew which the mutation changes.

    Raises
    ------
    RuntimeError
        If the tests did not run, or failed for another reason than a wrong number.
    """
    file, only = "test_reference.py", "each_iteration and defaults"
    if mutation is not None:
        of_solver = f"(each_iteration or begins) and ([{mutation.solver}- or -{mutation.solver}])"
        file, only = ELSEWHERE.get(mutation.solver, (file, of_solver))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        copy = copied(package.resolve(), folder)
        if mutation is not None:
            mutate(copy, mutation)
        arguments = [f"tests/{file}", "-x", "-q", "-p", "no:cacheprovider", "--tb=short", "-k", only]
        environment = os.environ | {"PYTHONPATH": str(folder), "THALWEG_CACHE_DIR": str(cache)}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(folder), *arguments],
            cwd=copy, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
    if done.returncode == 0:
        return False
    if done.returncode == 1 and re.search(r"^E +assert |AssertionError", done.stdout, re.MULTILINE):
        return True
    raise RuntimeError(f"{mutation}: the tests did not run\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="parts of names; none: all")
    parser.add_argument("--package", type=Path, default=PACKAGE)
    parser.add_argument("--marked", action="store_true", help="those that the marked tests try")
    arguments = parser.parse_args()
    chosen = [m for m in MUTATIONS if not arguments.names or any(part in m.name for part in arguments.names)]
    chosen = [m for m in chosen if m.marked or not arguments.marked]
    survived = []
    with tempfile.TemporaryDirectory() as cache:
        for mutation in chosen:
            killed = notices(mutation, arguments.package, Path(cache))
            print("killed  " if killed else "SURVIVED", mutation.name, flush=True)
            survived += [] if killed else [mutation.name]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} killed")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
