"""Files of compiled code are pickles and machine code: none is loaded that is not whole, or that others may write.

Whatever is wrong with them or with their folder costs the cache, never the run.
"""

from __future__ import annotations

import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import warnings

import pytest
from numba.core import types

from thalweg.kernels.compile import cache, files, waiting
from thalweg.kernels.compile.cache import ContentCache
from thalweg.kernels.compile.jit import kernel
from thalweg.orchestration.commands import info

pytestmark = pytest.mark.skipif(os.name != "posix", reason="who owns a file is asked on POSIX systems only")
AS_ROOT = os.name == "posix" and os.geteuid() == 0
STRANGER = 12345  # a user's number that is nobody's here


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder of compiled code that is not there yet."""
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(files, "_said", set())
    return tmp_path / "cache"


def add_one():
    return kernel(lambda x: x + 1.0)


def misses(calls: int = 1) -> int:
    """How many of the calls found no file. Each gives the right answer."""
    before = ContentCache.misses
    for _ in range(calls):
        assert add_one()(1.5) == 2.5
    return ContentCache.misses - before


def said(calls: int = 2) -> list[str]:
    """What is said while a function is compiled anew each time."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        assert misses(calls) == calls
    return [str(warning.message) for warning in heard]


# --- damage ------------------------------------------------------------------------------------------------------


def damaged(content: bytes, chance: random.Random) -> bytes:
    """The content with one thing wrong with it."""
    place = chance.randrange(len(content))
    kind = chance.choice(("bit", "bit", "byte", "cut", "cut in front", "more", "zeros", "swapped"))
    if kind == "cut":
        return content[:place]
    if kind == "cut in front":
        return content[place + 1 :]
    if kind == "more":
        return content + bytes(chance.randrange(1, 100))
    changed = bytearray(content)
    if kind == "bit":
        changed[place] ^= 1 << chance.randrange(8)
    elif kind == "byte":
        changed[place] = (changed[place] + chance.randrange(1, 256)) % 256
    elif kind == "zeros":
        changed[place : place + 512] = bytes(len(changed[place : place + 512]))
    else:
        changed[:] = changed[place:] + changed[:place]
    return bytes(changed)


def test_two_hundred_damages_are_misses(folder):
    """A flipped bit in machine code can crash every process that loads it, or give a wrong answer."""
    add_one()(1.5)
    (path,) = folder.iterdir()
    content, chance, tried = path.read_bytes(), random.Random(13), 0
    signature = (types.float64,)

    def load():
        again = add_one()
        return again._cache.load_overload(signature, again.targetctx)

    assert load() is not None
    while tried < 200:
        changed = damaged(content, chance)
        if changed != content:
            path.write_bytes(changed)
            assert load() is None, f"damage {tried}"
            tried += 1
    path.write_bytes(content)
    assert load() is not None


def test_files_of_another_name_or_form_are_misses_and_replaced(folder):
    """Whole files under a wrong key would be another function."""
    add_one()(1.5)
    (path,) = folder.iterdir()
    good = path.read_bytes()
    kernel(lambda x: x - 1.0)(1.5)
    (other,) = set(folder.iterdir()) - {path}
    head = len(files.HEAD) + files.DIGEST
    for content in (other.read_bytes(), good[head:], b"", files.HEAD, good[:head], b"\x80\x04N."):
        path.write_bytes(content)
        assert misses(2) == 1  # the second finds the new file
        assert files.read(path) is not None
    assert misses() == 0


FIFTY = """
import sys
from thalweg.kernels.compile.cache import ContentCache
from thalweg.kernels.compile.jit import kernel
from thalweg.orchestration.commands import info

def shifted(k):
    return kernel(lambda x: x + k)

for k in range(50):
    assert shifted(k)(2.0) == 2.0 + k, k
print(ContentCache.hits, ContentCache.misses)
"""
MINIMIZE = """
from thalweg.kernels.compile.cache import ContentCache
from thalweg.solvers import minimize

found = minimize(lambda x: (x[0] - 1.0) ** 2 + (x[1] + 2.0) ** 2, [(-5.0, 5.0)] * 2,
                 method="nelder_mead", seed=1, max_evals=2000)
assert found.fun < 1e-12 and abs(found.x[0] - 1.0) < 1e-6 and abs(found.x[1] + 2.0) < 1e-6, found
print(ContentCache.hits, ContentCache.misses)
"""


def process(code: str, **options) -> list[int]:
    """Hits and misses of a fresh process that runs the code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{done.returncode}: {done.stderr[-2000:]}"
    return [int(word) for word in done.stdout.split()]


def test_fifty_damaged_files_in_a_new_process(folder):
    """The right answers, each from code that was compiled anew, and kept."""
    assert process(FIFTY) == [0, 50]
    chance = random.Random(17)
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        path.write_bytes(damaged(content, chance) if chance.random() < 0.9 else b"")
    assert process(FIFTY) == [0, 50]
    assert process(FIFTY) == [50, 0]


@pytest.mark.parametrize("processes", [4, pytest.param(50, marks=pytest.mark.long)])
def test_processes_with_one_damaged_file_each(folder, processes):
    """End to end: the files that a minimize reads, in turn."""
    hits, missed = process(MINIMIZE)
    assert hits == 0 and missed >= 3
    chance = random.Random(19)
    for number in range(processes):
        path = sorted(folder.glob("*.nbc"))[number % missed]
        content = path.read_bytes()
        while (changed := damaged(content, chance)) == content:
            pass
        path.write_bytes(changed)
        assert process(MINIMIZE) == [missed - 1, 1]


# --- in the place of a file ----------------------------------------------------------------------------------------


def test_what_is_no_file_is_a_miss_and_nothing_waits_for_it(folder):
    """A pipe that nobody writes to would hold the run for ever."""
    assert misses() == 1
    (path,) = folder.iterdir()
    for put, remove in (
        (os.mkfifo, os.unlink),
        (os.mkdir, os.rmdir),
        (lambda p: os.symlink("/dev/zero", p), os.unlink),
        (lambda p: os.symlink(str(folder / "nowhere"), p), os.unlink),
    ):
        path.unlink(missing_ok=True)
        put(path)
        assert misses() == 1
        if path.is_dir():
            remove(path)
        else:
            assert path.is_file() and not path.is_symlink()  # replaced
            assert misses() == 0


def test_a_link_to_a_good_file_is_not_followed(folder, tmp_path):
    """What it leads to may stand where others write."""
    misses()
    (path,) = folder.iterdir()
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert misses(2) == 1 and not path.is_symlink()


def test_a_file_that_others_may_write_is_made_anew_and_said(folder):
    misses()
    (path,) = folder.iterdir()
    path.chmod(0o660)
    with pytest.warns(RuntimeWarning, match=r"\.nbc is not loaded: other users may write to it"):
        assert misses(2) == 1
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not AS_ROOT, reason="only root gives files away")
def test_a_file_of_another_user_is_made_anew_and_said(folder):
    misses()
    (path,) = folder.iterdir()
    os.chown(path, STRANGER, -1)
    with pytest.warns(RuntimeWarning, match=r"\.nbc is not loaded: another user owns it"):
        assert misses(2) == 1
    assert path.stat().st_uid == 0


# --- the folder ----------------------------------------------------------------------------------------------------


def test_folders_and_files_are_for_this_user_alone(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        with waiting.explained("this", 1):
            assert misses() == 1
            (mark,) = (tmp_path / "a" / "b").glob("*.wait")
            assert mark.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    (path,) = (tmp_path / "a" / "b").iterdir()
    for place in (tmp_path / "a", tmp_path / "a" / "b"):
        assert place.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o775])
def test_a_folder_that_others_may_write_is_not_used_and_that_is_said_once(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    (heard,) = said()
    assert heard.startswith(f"the cache of compiled code, {folder}: other users may write to it (chmod go-w")
    assert heard.endswith("THALWEG_CACHE_DIR may name another folder")
    assert not list(folder.iterdir())  # nor marks of what is waited for


def test_code_in_a_folder_that_was_opened_to_others_is_not_loaded(folder):
    misses()
    folder.chmod(0o722)
    assert len(said()) == 1


def test_a_folder_in_a_sticky_one_is_ours(tmp_path, monkeypatch):
    """As /tmp is."""
    (tmp_path / "sticky").mkdir()
    (tmp_path / "sticky").chmod(0o1777)
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "sticky" / "mine"))
    assert misses(3) == 1


@pytest.mark.skipif(not AS_ROOT, reason="only root gives folders away")
def test_a_folder_of_another_user_is_not_used(folder):
    misses()
    os.chown(folder, STRANGER, -1)
    (heard,) = said()
    assert "another user owns it" in heard


def test_what_is_no_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for place, reason in (
        ("file", "it is no folder"),
        ("pipe", "it is no folder"),
        ("dangling", "it cannot be made"),
        ("file/below", "it cannot be reached"),
        ("pipe/below", "it cannot be reached"),
        ("x" * 300, "it cannot be reached"),
        ("x/" * 3000, "it cannot be reached"),
    ):
        monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / place))
        (heard,) = said()
        assert reason in heard


def test_a_path_with_nul(tmp_path, monkeypatch):
    """No environment holds one; a home folder from elsewhere may."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "a\0b")
    (heard,) = said()
    assert "it cannot be reached" in heard
    assert cache.stored() == []


def test_no_home(monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("THALWEG_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pathlib.Path, "home", nowhere)
    (heard,) = said()
    assert heard.startswith("the cache of compiled code: this user has no home folder.")
    assert cache.folder() is None and cache.stored() == []
    cache.bound_folder()


def test_warnings_that_are_errors_do_not_end_the_run(folder, capsys):
    folder.mkdir()
    folder.chmod(0o777)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert misses(2) == 2
    assert capsys.readouterr().err.count("other users may write to it") == 1


def test_a_full_disk(folder):
    """A limit on the size of files: a write fails in its middle, and leaves nothing behind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        (heard,) = said()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "nothing can be written there (File too large)" in heard
    assert not list(folder.iterdir())
    assert misses(2) == 1


@pytest.fixture
def another_user():
    """The tests go on as a user who is not root, whom permissions concern, with a folder of compiled code of theirs."""
    misses()  # whatever it imports, only root may be able to read
    with tempfile.TemporaryDirectory() as made:
        os.environ["THALWEG_CACHE_DIR"] = made
        if AS_ROOT:
            os.chown(made, STRANGER, -1)
            os.seteuid(STRANGER)
        yield pathlib.Path(made)
        if AS_ROOT:
            os.seteuid(0)
        os.chmod(made, 0o700)


def test_a_folder_that_may_only_be_read(another_user):
    """What is there is used, the rest is compiled anew, and that is said."""
    assert misses(2) == 1
    another_user.chmod(0o500)
    assert misses(2) == 0
    with pytest.warns(RuntimeWarning, match=r"nothing can be written there \(Permission denied\)"):
        for _ in range(2):
            assert kernel(lambda x: x + 2.0)(1.0) == 3.0
    assert len(list(another_user.iterdir())) == 1


def test_a_folder_that_may_not_be_read(another_user):
    another_user.chmod(0o000)
    (heard,) = said()
    assert "nothing can be written there" in heard


def test_a_home_that_may_not_be_written(another_user, monkeypatch):
    another_user.chmod(0o500)
    monkeypatch.delenv("THALWEG_CACHE_DIR")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pathlib.Path, "home", lambda: another_user)
    (heard,) = said()
    assert "it cannot be made (Permission denied)" in heard


@pytest.mark.skipif(not AS_ROOT, reason="only root takes another user's place")
def test_what_root_owns_is_trusted(another_user):
    """Root may do anything: such a folder was filled for all users of a machine."""
    assert misses() == 1
    (path,) = another_user.iterdir()
    os.seteuid(0)
    os.chown(path, 0, 0)
    os.chown(another_user, 0, 0)
    path.chmod(0o644)
    another_user.chmod(0o755)
    os.seteuid(STRANGER)
    assert misses(2) == 0


def test_info_says_why_a_folder_is_not_used(folder, monkeypatch):
    """It is run where something is wrong."""
    folder.mkdir()
    folder.chmod(0o777)
    assert info.compiled_code() == f"{folder}, which is not used: other users may write to it (chmod go-w ends that)"
    folder.chmod(0o700)
    assert misses() == 1
    assert info.compiled_code().startswith(f"{folder}, 1 files, 0.0 MB")
    monkeypatch.setattr(cache, "folder", lambda: None)
    monkeypatch.setattr(info.cache, "folder", lambda: None)
    assert info.compiled_code().startswith("none: this user has no home")


def test_marks_of_the_first_wait_that_are_no_marks(folder, capsys):
    """Another process left nonsense, or a pipe, in the place of its number."""
    folder.mkdir()
    mark = folder / "f-0.wait"
    for content in (b"\xff\xfe", b"9" * 40, b"", b"9" * 5000):
        mark.write_bytes(content)
        with waiting.explained("this", 7):
            waiting.announce(folder / "f-0.nbc")
    mark.unlink()
    os.mkfifo(mark)
    with waiting.explained("this", 7):
        waiting.announce(folder / "f-0.nbc")
    os.utime(mark, (0, 0))
    with waiting.explained("that", 7):
        waiting.announce(folder / "f-0.nbc")
    assert "compiling that" in capsys.readouterr().err
