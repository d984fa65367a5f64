"""From `FILE[:name]` on the command line to what it holds: the file is run as a module, not as a script."""

from __future__ import annotations

import difflib
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click

from ...kernels.problem import Problem


class Refusal(click.ClickException):
    """An input that cannot be used: one or two lines for the user, exit code 2."""

    exit_code = 2


class Loaded(NamedTuple):
    problem: Any  # a Problem; for a search also a function
    name: str  # of the variable in the file
    path: Path
    space: Any = None  # of the function


def load(text: str) -> Loaded:
    """The problem that `FILE[:name]` means.

    Raises
    ------
    Refusal
        If there is no such file, it cannot be run, or it does not hold the problem.
    """
    path, name, module = _open(text)
    found = _choose(module, path, name)
    return Loaded(getattr(module, found), found, path.resolve())


def load_search(text: str) -> Loaded:
    """What `FILE[:name]` asks to search: a function beside which the file holds its `space`, or a Problem.

    Without a name it is `train` where the file holds a space, else the only Problem.

    Raises
    ------
    Refusal
        As `load`.
    """
    path, name, module = _open(text)
    name = "train" if name is None and hasattr(module, "space") else name
    value = vars(module).get(name or "")
    if not callable(value) or isinstance(value, Problem):
        if name == "train":
            raise Refusal(f"FILE: {path.name} holds a space and no function train; name one: {path.name}:NAME")
        found = _choose(module, path, name)
        return Loaded(getattr(module, found), found, path.resolve())
    if not hasattr(module, "space"):
        raise Refusal(f'FILE: {path.name} holds no space for {name}; give it one: space = {{"name": [values], ...}}')
    return Loaded(value, str(name), path.resolve(), module.space)


def _open(text: str) -> tuple[Path, str | None, ModuleType]:
    """The file, the name and the file as a module."""
    path, name = split(text)
    if path.is_dir():
        raise Refusal(f"FILE: {path} is a folder, expected a Python file")
    if not path.is_file():
        raise Refusal(f"FILE: {path} does not exist{_nearest(path.name, _siblings(path))}")
    return path, name, execute(path.resolve())


def split(text: str) -> tuple[Path, str | None]:
    """The file and the name. The colon of a Windows drive separates neither: a name follows only an existing file,
    or looks like one."""
    head, colon, tail = text.rpartition(":")
    if not colon or Path(text).exists():
        return Path(text), None
    if Path(head).is_file() or (len(head) > 1 and tail.isidentifier()):
        return Path(head), tail
    return Path(text), None


def execute(path: Path) -> ModuleType:
    """Run a file as a module under a name of its own: `__main__` blocks rest, nothing is written beside the file."""
    module = ModuleType(f"thalweg_problem_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), module.__dict__)
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise Refusal(f"FILE: {where}: {error.msg}\n    {(error.text or '').strip()}") from None
    except (Exception, SystemExit) as error:
        raise Refusal(f"FILE: {path.name} cannot be loaded:\n{traceback_within(error, {str(path)})}") from None
    return module


def traceback_within(error: BaseException, files: set[str]) -> str:
    """The traceback from the first line in one of the user's files on, with the notes of the exception."""
    shown = traceback.TracebackException.from_exception(error)
    frames = list(shown.stack)
    ours = [k for k, frame in enumerate(frames) if _is_ours(frame.filename)]
    after_ours = ours[-1] + 1 if ours else 0  # compiled code from the cache may name the file it was first typed in
    first = next((k for k, frame in enumerate(frames) if frame.filename in files), after_ours)
    frames = [frame for frame in frames[first:] if not _is_ours(frame.filename)]
    return "".join([*traceback.StackSummary.from_list(frames).format(), *shown.format_exception_only()]).rstrip()


def _is_ours(file: str) -> bool:
    package = Path(__file__).parents[2]
    return any(Path(file).is_relative_to(package / layer) for layer in ("kernels", "solvers", "orchestration"))


def _choose(module: ModuleType, path: Path, name: str | None) -> str:
    """The name of the problem: the one asked for, or the only one there is."""
    problems = dict(_problems(module))
    if name is not None:
        value = vars(module).get(name)
        if isinstance(value, Problem):
            return name
        what = f"is a {type(value).__name__}, no Problem" if name in vars(module) else "is not there"
        raise Refusal(f"name: {name!r} {what} in {path.name}{_nearest(name, problems)}{_listed(problems)}")
    if not problems:
        raise Refusal(
            f"FILE: {path.name} holds no Problem; give it one at module level:\n"
            "    problem = thalweg.Problem(fun=f, bounds=[(low, high), ...])"
        )
    if len(problems) > 1:
        what = f"{len(problems)} problems; choose one with {path.name}:NAME"
        raise Refusal(f"FILE: {path.name} holds {what}{_listed(problems)}")
    return next(iter(problems))


def _problems(module: ModuleType) -> Iterator[tuple[str, Problem]]:
    """The module-level problems, each under its first name."""
    seen = set()
    for name, value in vars(module).items():
        if isinstance(value, Problem) and id(value) not in seen and not name.startswith("_"):
            seen.add(id(value))
            yield name, value


def _listed(problems) -> str:
    return f"\n    It holds {', '.join(problems)}" if problems else ""


def _nearest(name: str, known) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _siblings(path: Path) -> list[str]:
    return [file.name for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
