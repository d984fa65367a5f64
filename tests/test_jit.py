"""The cache of compiled code, in fresh processes; the threading layer; threads and processes that compile at once."""

import importlib.metadata
import os
import subprocess
import sys
import textwrap
import threading
import types as python_types
from contextlib import nullcontext

import numpy as np
import pytest
from numba import njit, prange, types

from thalweg.kernels.compile import cache, jit
from thalweg.kernels.compile import fingerprint as content
from thalweg.kernels.compile.cache import ContentCache
from thalweg.kernels.compile.fingerprint import fingerprint
from thalweg.kernels.compile.jit import compile_for, kernel, relaxed

END = "\nfrom thalweg.kernels.compile.cache import ContentCache\nprint(ContentCache.hits, ContentCache.misses)"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def start(code, cwd=None, **environment):
    """A fresh process that runs the code, typed into it as into a shell."""
    path = os.pathsep.join(filter(None, [str(cwd or ""), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **environment},
    )
    assert process.stdin is not None
    process.stdin.write(textwrap.dedent(code) + END)
    process.stdin.close()
    process.stdin = None
    return process


def finish(process):
    """What it printed; the last line is hits and misses of the cache."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err[-2000:]
    return out.splitlines()


def run(code, cwd=None, **environment):
    return finish(start(code, cwd, **environment))


# --- hits and misses ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_an_edit_elsewhere_recompiles_what_depends_on_it_and_nothing_else(tmp_path, folder):
    (tmp_path / "main_thalweg.py").write_text(
        "import helpers_thalweg\nfrom thalweg.kernels.compile.jit import kernel\n"
        "@kernel\ndef dependent(x):\n    return helpers_thalweg.shift(x) * 2\n"
        "@kernel\ndef independent(x):\n    return x * 3\n"
    )
    helpers = tmp_path / "helpers_thalweg.py"
    source = "from thalweg.kernels.compile.jit import kernel\nSTEP = 1.0\n@kernel\ndef shift(x):\n    return x + STEP\n"
    code = "from main_thalweg import *\nprint(dependent(1.0), independent(1.0))"
    helpers.write_text(source)
    assert run(code, tmp_path) == ["4.0 3.0", "0 3"]
    assert run(code, tmp_path) == ["4.0 3.0", "2 0"]
    helpers.write_text(source.replace("x + STEP", "x + STEP + 99"))
    assert run(code, tmp_path) == ["202.0 3.0", "1 2"]
    helpers.write_text("# a comment moves the lines and changes nothing\n\n" + source.replace("1.0", "5.0"))
    assert run(code, tmp_path) == ["12.0 3.0", "1 2"]
    helpers.write_text(source)  # back again: the first files are still right
    assert run(code, tmp_path) == ["4.0 3.0", "2 0"]


def test_closures_and_functions_typed_into_a_shell_are_cached(folder):
    code = """
        import numpy as np
        from thalweg.kernels.compile.jit import kernel
        def make(c, table):
            def f(x):
                return x * c + table[1]
            return kernel(f)

        print(make(2.0, np.arange(3.0))(1.0), make(3.0, np.arange(3.0))(1.0), make(2.0, np.ones(3) * 7)(1.0))
        space = {"kernel": kernel}
        exec("@kernel\\ndef g(x):\\n    return -x", space)
        print(space["g"](1.0))
    """
    assert run(code) == ["3.0 4.0 9.0", "-1.0", "0 4"]
    assert run(code) == ["3.0 4.0 9.0", "-1.0", "4 0"]


@pytest.mark.slow
def test_functions_compiled_in_different_processes_are_not_mixed_up(folder):
    """Numba numbers its symbols by order of compilation: these two have the same name and number."""
    code = """
        import math, sys
        from thalweg.kernels.compile.jit import kernel
        def make(c):
            @kernel
            def helper(u):
                s = 0.0
                for k in range(int(u) + 2):  # too long to be inlined
                    s = math.sin(s * k) * c if s > 10.0 else s + math.exp(math.cos(s) + c / (k + 1))
                return s + c
            @kernel
            def f(x):
                return helper(x) + helper(2 * x) * helper(3 * x) + helper(x - 1)
            return f, f.py_func.__closure__[0].cell_contents.py_func
        def show(c):
            f, plain = make(c)
            found = f(3.0)
            again = f.overloads[f.signatures[0]]
            expected = plain(3.0) + plain(6.0) * plain(9.0) + plain(2.0)
            print(abs(found - expected) < 1e-9)
            return lambda: again.library.get_pointer_to_function(again.fndesc.llvm_func_name)

    """
    code = textwrap.dedent(code)
    assert run(code + "show(1.0)")[0] == "True"
    assert run(code + "show(2.0)")[0] == "True"
    lines = run(code + "a = show(1.0)\nbefore = a()\nb = show(2.0)\nprint(a() == before != b())")
    assert lines == ["True", "True", "True", "2 0"]


def test_a_dispatcher_passed_as_an_argument_is_never_mixed_up_and_its_caller_never_read_again(folder):
    code = """
        from thalweg.kernels.compile.jit import kernel
        call = kernel(lambda f, x: f(x))
        print(call(kernel(lambda x: x + 1.0), 1.0), call(kernel(lambda x: x + 2.0), 1.0))
        add = kernel(lambda x: x + 1.0)
        for _ in range(9):
            call(add, 1.0)
    """
    assert run(code) == ["2.0 3.0", "1 5"]  # the second `add` is the first
    assert run(code) == ["2.0 3.0", "3 3"]


@pytest.mark.slow
def test_a_parallel_kernel_inside_another_comes_back_from_the_disk(folder):
    """Its caller is compiled again where it is read itself, and then read, too: Numba's code for threads was lost."""
    code = """
        import numpy as np
        from numba import prange
        from thalweg.kernels.compile.jit import kernel
        def spread(x):
            for i in prange(x.size):
                x[i] = 2.0 * x[i] + i
        spread = kernel(spread, parallel=True, inner=True)
        @kernel
        def total(x):
            spread(x)
            return x.sum() + SHIFT

        print(total(np.ones(100)))
    """
    found = [run(f"SHIFT = {shift}\n" + textwrap.dedent(code))[0] for shift in (1.0, 2.0, 2.0)]
    assert found == ["5151.0", "5152.0", "5152.0"]


def test_functions_that_call_themselves_or_each_other(folder):
    code = """
        from thalweg.kernels.compile.jit import kernel
        @kernel
        def factorial(n):
            return 1.0 if n <= 1 else n * factorial(n - 1)

        @kernel
        def even(n):
            return True if n == 0 else odd(n - 1)

        @kernel
        def odd(n):
            return False if n == 0 else even(n - 1)

        @kernel
        def both(n):
            return factorial(5) if even(n) else 0.0

        print(factorial(5), both(4))
    """
    for _ in range(2):
        assert run(code)[0] == "120.0 120.0"


def test_options_and_settings_are_part_of_the_key(folder):
    def f(x):
        s = 0.0
        for i in prange(x.size):
            s += x[i]
        return s

    variants = [kernel, relaxed, kernel(parallel=True), kernel(flags=frozenset({"reassoc"})), kernel(inner=True)]
    dispatchers = [compile_for(make(f), (types.float64[::1],)) for make in variants]
    assert len({fingerprint(d) for d in dispatchers}) == len(variants) == len(list(folder.glob("*.nbc")))
    assert fingerprint(kernel(parallel=True)(f)) == fingerprint(dispatchers[2])  # Numba empties its dict of `parallel`


@pytest.mark.slow
def test_versions_and_cpu_settings_are_part_of_the_key(folder, monkeypatch):
    def files():
        compile_for(kernel(lambda x: x + 1.0), (types.float64,))
        return len(list(folder.glob("*.nbc")))

    assert files() == 1
    assert files() == 1
    monkeypatch.setitem(cache.VERSIONS, "numba", "0")
    assert files() == 2
    monkeypatch.setattr(cache.config, "OPT", 1)
    assert files() == 3
    code = "from thalweg.kernels.compile.jit import kernel\nprint(kernel(lambda x: x + 1.0)(1.0))"
    assert [run(code)[-1] for _ in range(2)] == ["0 1", "1 0"]
    assert run(code, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")[-1] == "0 1"


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "number", 2.0),
        lambda m: setattr(m, "flag", 1),  # True == 1, and compiles to something else
        lambda m: m.array.__setitem__(0, 9.0),
        lambda m: setattr(m, "array", m.array.astype(np.float32)),
        lambda m: setattr(m, "text", "b"),
        lambda m: setattr(m, "helper", lambda x: x + 2),
        lambda m: setattr(m, "compiled", njit(fastmath={"nsz"})(lambda x: x)),
        lambda m: setattr(m, "compiled", njit(lambda x: x - 1)),
        lambda m: setattr(m.inner, "deep", 8),
        lambda m: setattr(m, "pair", (1, 2.0)),
    ],
)
def test_every_change_of_what_a_function_refers_to_shows(change):
    m = python_types.ModuleType("user_module_thalweg")
    m.inner = python_types.ModuleType("user_module_thalweg.inner")
    m.number, m.flag, m.array, m.text, m.pair, m.inner.deep = 1.0, True, np.arange(3.0), "a", (1, 2), 7
    m.helper, m.compiled, m.inner.back = (lambda x: x + 1), njit(lambda x: x), m

    def f(x):
        return m.number, m.flag, m.array, m.text, m.helper(x), m.compiled(x), m.inner.deep, m.pair, m.inner.back

    before = fingerprint(f)
    assert fingerprint(f) == before
    change(m)
    assert fingerprint(f) != before


def test_library_functions_count_by_version_and_a_users_module_of_their_name_does_not(monkeypatch):
    assert content.of_library("math") and content.of_library("numpy.linalg") and content.of_library("builtins")
    assert not content.of_library("__main__") and not content.of_library("user_module")
    mine = python_types.ModuleType("queue")
    mine.__file__ = os.path.join("somewhere", "queue.py")
    monkeypatch.setitem(sys.modules, "queue", mine)
    assert not content.of_library("queue.Queue")


def test_types_that_print_alike_are_told_apart():
    from collections import namedtuple

    a, b = namedtuple("State", "x y"), namedtuple("State", "y x")
    text = [content.type_text(types.NamedTuple([types.float64, types.float64], cls)) for cls in (a, b)]
    assert text[0] != text[1]


# --- the folder --------------------------------------------------------------------------------------------------


def test_a_torn_file_is_compiled_anew(folder):
    for damage in (lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"\x80nonsense" + b):
        assert compile_for(kernel(lambda x: x + 41.0), (types.float64,))(1.0) == 42.0
        (file,) = folder.glob("*.nbc")
        file.write_bytes(damage(file.read_bytes()))
        misses = ContentCache.misses
        assert kernel(lambda x: x + 41.0)(1.0) == 42.0
        assert ContentCache.misses == misses + 1
        hits = ContentCache.hits
        assert kernel(lambda x: x + 41.0)(1.0) == 42.0
        assert ContentCache.hits == hits + 1
        file.unlink()


def test_the_folder_is_bounded_and_the_least_recently_used_goes_first(folder):
    folder.mkdir()
    for k in range(10):
        (folder / f"f-{k}.nbc").write_bytes(b"x" * 100)
        os.utime(folder / f"f-{k}.nbc", (1000 + k, 1000 + k))
    (folder / "other.txt").write_text("not ours")
    cache.touch(folder / "f-0.nbc")
    cache.bound_folder(300)
    assert sorted(p.name for p in folder.iterdir()) == ["f-0.nbc", "f-8.nbc", "f-9.nbc", "other.txt"]


def test_a_hit_marks_the_file_as_used(folder):
    kernel(lambda x: x + 43.0)(1.0)
    (file,) = folder.glob("*.nbc")
    os.utime(file, (1000, 1000))
    kernel(lambda x: x + 43.0)(1.0)
    assert file.stat().st_mtime > 1000


def test_writing_bounds_the_folder(folder, monkeypatch):
    called = []
    monkeypatch.setattr(cache, "bound_folder", lambda: called.append(1))
    monkeypatch.setattr(ContentCache, "unbounded", cache.LIMIT)
    kernel(lambda x: x + 44.0)(1.0)
    kernel(lambda x: x + 45.0)(1.0)
    assert len(called) == 1  # not after every file: looking through the folder costs more than compiling


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert kernel(lambda x: x + 46.0)(1.0) == 47.0


def test_the_folder_is_the_users_unless_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("THALWEG_CACHE_DIR", str(tmp_path))
    assert cache.folder() == tmp_path
    monkeypatch.delenv("THALWEG_CACHE_DIR")
    assert cache.folder().name == "thalweg"
    if sys.platform.startswith("linux"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache.folder() == tmp_path / "thalweg"


# --- at once -----------------------------------------------------------------------------------------------------


def test_threads_that_compile_at_once(folder):
    shared = kernel(lambda x: x * 3.0)
    made, found = [], []

    @jit.once
    def make(k):
        made.append(k)
        return kernel(lambda x: x + k)

    def work(k):
        found.append((shared(2.0), make(k)(1.0), make(7)(1.0)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(6.0, 1.0 + k, 8.0) for k in range(4)]
    assert sorted(made) == [0, 1, 2, 3, 7]


@pytest.mark.slow
def test_processes_that_compile_at_once(folder):
    code = "from thalweg.kernels.compile.jit import kernel\nprint(kernel(lambda x: x / 7.0)(14.0))"
    assert [finish(p)[0] for p in [start(code) for _ in range(3)]] == ["2.0"] * 3
    assert run(code) == ["2.0", "1 0"]
    assert len(list(folder.iterdir())) == 1  # and no temporary file


# --- threading layers --------------------------------------------------------------------------------------------

LAYER = """
    import os, threading
    {before}
    import numpy as np
    from numba import prange
    from thalweg.kernels.compile.jit import kernel, parallel_region, threading_layer

    def f(x):
        s = 0.0
        for i in prange(x.size):
            s += x[i]
        return s
    f = kernel(f, parallel=True)
    layer = threading_layer()
    def work():
        for _ in range(20):
            with parallel_region():
                assert f(np.ones(100)) == 100.0

    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads: t.start()
    for t in threads: t.join()
    import numba
    print(layer, numba.threading_layer(), os.environ["OMP_WAIT_POLICY"], type(parallel_region()).__name__)
"""
NO_TBB = """
    import importlib.metadata
    def none(name, find=importlib.metadata.distribution):
        if name == "tbb": raise importlib.metadata.PackageNotFoundError(name)
        return find(name)
    importlib.metadata.distribution = none
"""


def has_tbb():
    try:
        return bool(importlib.metadata.distribution("tbb"))
    except importlib.metadata.PackageNotFoundError:
        return False


def layer(before="", **environment):
    """What is chosen, what runs, the wait policy and the guard, after three threads ran in parallel at once."""
    return run(LAYER.replace("{before}", textwrap.dedent(before).replace("\n", "\n    ")), **environment)[0].split()


def test_tbb_is_taken_where_it_is_installed(folder):
    if not has_tbb():
        pytest.skip("tbb is not installed")
    assert layer() == ["tbb", "tbb", "passive", nullcontext.__name__]


@pytest.mark.skipif(sys.platform != "linux", reason="Numba's wheels for other systems may have no OpenMP")
def test_openmp_is_taken_without_tbb(folder):
    assert layer(NO_TBB) == ["omp", "omp", "passive", nullcontext.__name__]


def test_workqueue_is_held_by_a_lock(folder):
    assert layer(NUMBA_THREADING_LAYER="workqueue") == ["workqueue", "workqueue", "passive", "RLock"]


def test_the_users_choice_of_layer_and_wait_policy_stands(folder):
    assert layer(NUMBA_THREADING_LAYER="omp", OMP_WAIT_POLICY="active")[::2] == ["omp", "active"]


def test_a_layer_that_already_runs_is_the_one(folder):
    before = """
        import numba, numpy
        numba.config.THREADING_LAYER = "workqueue"
        numba.njit(parallel=True)(lambda x: x + 1)(numpy.ones(9))
    """
    assert layer(before) == ["workqueue", "workqueue", "passive", "RLock"]
