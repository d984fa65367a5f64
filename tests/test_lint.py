"""Rules that no linter knows: Numba's options in one place, no write that Numba loses, no trace of one machine."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(
    file.relative_to(ROOT).as_posix()
    for layer in ("kernels", "solvers", "orchestration")
    for file in (ROOT / layer).rglob("*.py")
)
DECORATORS = {"jit", "njit", "generated_jit", "vectorize", "guvectorize"}


def fastmath(tree):
    """Lines that give `fastmath=True`, as a keyword or in a dict: it deletes tests for NaN."""
    for node in ast.walk(tree):
        pairs = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [(getattr(key, "value", None), value) for key, value in zip(node.keys, node.values)]
        for name, value in pairs:
            if name == "fastmath" and isinstance(value, ast.Constant) and value.value is True:
                yield value.lineno


def numba_decorators(tree):
    """Lines that reach for Numba's own decorators: only `kernel` and `relaxed` have the options and the cache."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
            if DECORATORS & {alias.name for alias in node.names}:
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in DECORATORS:
            if ast.unparse(node.value) in ("numba", "nb", "cuda", "numba.cuda"):
                yield node.lineno


def lost_writes(tree):
    """Lines in a prange body that write to an array taken out of a tuple there: Numba 0.68.1 loses them without a word.

    Seen lost: `state.f[i] = v`, and `f[i] = v` after `f = state.f` or `f, x = state` in the body. Taken out of the
    state before the loop, or written by a function that the body calls, they arrive.
    """
    for loop in ast.walk(tree):
        if not (isinstance(loop, ast.For) and isinstance(loop.iter, ast.Call)):
            continue
        if ast.unparse(loop.iter.func).split(".")[-1] != "prange":
            continue
        body = [node for statement in loop.body for node in ast.walk(statement)]
        taken = {name for node in body if isinstance(node, ast.Assign) for name in _taken_out(node)}
        for node in body:
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                base = node.value
                while isinstance(base, ast.Subscript):
                    base = base.value
                if isinstance(base, ast.Attribute) or (isinstance(base, ast.Name) and base.id in taken):
                    yield node.lineno


def _taken_out(assignment):
    """The names that an assignment binds to members of a tuple."""
    for target in assignment.targets:
        if isinstance(target, ast.Name) and isinstance(assignment.value, ast.Attribute):
            yield target.id
        elif isinstance(target, ast.Tuple) and isinstance(assignment.value, ast.Name | ast.Attribute):
            yield from (name.id for name in ast.walk(target) if isinstance(name, ast.Name))


def parse(file):
    return ast.parse((ROOT / file).read_text("utf-8"))


@pytest.mark.parametrize("file", FILES)
def test_fastmath_is_never_true(file):
    assert not list(fastmath(parse(file)))


@pytest.mark.parametrize(
    "file",
    [
        f
        for f in FILES
        # a target of its own, whose code is not optimised, is made beside the one of all kernels
        if f not in ("kernels/compile/jit.py", "kernels/differentiate/source.py") and not f.startswith("kernels/cuda/")
    ],
)
def test_numba_is_configured_in_one_place(file):
    assert not list(numba_decorators(parse(file)))


@pytest.mark.parametrize("file", FILES)
def test_no_write_in_a_prange_body_is_lost(file):
    assert not list(lost_writes(parse(file)))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (fastmath, "f = jit(fastmath=True)(g)"),
        (fastmath, "options = {'fastmath': True}"),
        (numba_decorators, "from numba import njit"),
        (numba_decorators, "import numba\n@numba.njit\ndef f(): pass"),
        (lost_writes, "for i in prange(n):\n state.f[i] = 1"),
        (lost_writes, "for i in numba.prange(n):\n if i:\n  state.x[i, 0], y = 1, 2"),
        (lost_writes, "for i in prange(n):\n state.x[i][:] += 1"),
        (lost_writes, "for i in prange(n):\n f = state.f\n f[i] = 1"),
        (lost_writes, "for i in prange(n):\n f, x = state\n x[i, 0] = 1"),
    ],
)
def test_the_rules_see_what_they_forbid(rule, source):
    assert list(rule(ast.parse(source)))


def test_the_rules_let_pass_what_works():
    source = "f = state.f\nfor i in prange(n):\n work = zeros(3)\n work[0] = 1\n f[i] = work[0]\n row(i, state)"
    assert not list(lost_writes(ast.parse(source)))


def test_no_tracked_file_names_a_machine_or_a_registry():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout")
    folders = re.compile(r"(?<![\w.~*-])/(?:home|root|work|opt|mnt|Users)/|[A-Z]:\\Users")
    hosts = re.compile(r"(?:pypi|pythonhosted|anaconda)[.]org|npmjs[.]")
    found = []
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():
            for number, line in enumerate((ROOT / name).read_text("utf-8", errors="ignore").splitlines(), 1):
                if folders.search(line) or hosts.search(line):
                    found.append(f"{name}:{number}: {line.strip()[:100]}")
    assert not found
