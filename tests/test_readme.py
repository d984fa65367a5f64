"""What the README prints runs as it is printed: all its Python in order, in one session."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_snippets_run_as_printed(tmp_path):
    session = tmp_path / "session.py"
    session.write_text("\n".join(SNIPPETS) + "\nprint(best.fun < 1e-8, found.point['penalty'], problem.dimension)\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, str(session)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[2.5 1.3 0.1 7. ]") and done.stdout.endswith("True l2 2\n")
    assert (tmp_path / "fit.jsonl").exists()


def test_the_file_with_a_problem_is_one(tmp_path):
    (text,) = [snippet for snippet in SNIPPETS if "problem = tw.Problem" in snippet]
    (tmp_path / "valley.py").write_text(text)
    run = "thalweg run valley.py --quiet --json --max-evals 4000 --seed 1".split()
    done = subprocess.run(
        [sys.executable, "-m", *run],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True,
        timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"x"' in done.stdout
