"""With NUMBA_DISABLE_JIT there is no compiler: one sentence says so, and what to do, wherever it is met."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from thalweg.kernels import objective

FORMS = {
    "the environment": "import thalweg as tw; tw.minimize(lambda x: x[0] ** 2, [(-1, 1)])",
    "an objective in Python": "import thalweg as tw; tw.minimize(tw.objective(abs, compiled=False), [(-1, 1)])",
    "the module itself": "from thalweg.kernels import objective",
}


def last_line(code: str, **environment) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=120
    )
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("form", FORMS)
def test_switched_off_by_the_environment(form):
    line = last_line(FORMS[form], NUMBA_DISABLE_JIT="1")
    assert "NUMBA_DISABLE_JIT is set" in line and "compiled=False" in line


def test_the_command_line_says_it_in_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "thalweg", "solvers"],
        capture_output=True, text=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("Error: NUMBA_DISABLE_JIT is set") and done.stderr.count("\n") == 1


def test_switched_off_before_the_import():
    line = last_line(
        "import numba; numba.config.DISABLE_JIT = 1; import thalweg as tw; tw.minimize", NUMBA_DISABLE_JIT="0"
    )
    assert "NUMBA_DISABLE_JIT is set" in line


def test_switched_off_later(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(RuntimeError, match="NUMBA_DISABLE_JIT is set"):
        objective(lambda x: x[0] + 123.25).bind((), np.ones(2))
