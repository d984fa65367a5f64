"""Compiled code from the disk belongs to no module: one that was renamed or copied is not imported for it."""

import os
import subprocess
import sys

SOURCE = """
from thalweg.kernels.compile.cache import ContentCache
from thalweg.kernels.compile.jit import kernel

print("runs:", __name__)

@kernel
def shift(x):
    if x < 0.0:
        raise ValueError("negative")
    return x + 1.5

@kernel
def twice(x):
    return shift(x) + shift(x)
"""
CALL = "import {0}; print({0}.twice(1.0), {0}.ContentCache.hits, {0}.ContentCache.misses)"


def run(module, tmp_path):
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "THALWEG_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", CALL.format(module)]
    told = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr[-2000:]
    return told.stdout.splitlines()


def test_a_copy_of_a_module_loads_its_code_and_does_not_run_it(tmp_path):
    (tmp_path / "first_thalweg.py").write_text(SOURCE)
    (tmp_path / "second_thalweg.py").write_text(SOURCE)
    assert run("first_thalweg", tmp_path) == ["runs: first_thalweg", "5.0 0 2"]
    assert run("second_thalweg", tmp_path) == ["runs: second_thalweg", "5.0 1 0"]
    (tmp_path / "first_thalweg.py").unlink()
    assert run("second_thalweg", tmp_path) == ["runs: second_thalweg", "5.0 1 0"]
