"""Odd calls of every public name (fuzz.py), a hundred to a process."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz.py"
AT_A_TIME = 100


def faults(first: int) -> list[str]:
    """What was wrong with calls first .. first + AT_A_TIME - 1."""
    command = [sys.executable, str(FUZZ), str(first), str(AT_A_TIME)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        output, end = done.stdout, "" if done.returncode == 0 else f"the process ended with {done.returncode}"
    except subprocess.TimeoutExpired as error:
        output, end = (error.stdout or b"").decode(), "the process hung"
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"call"')]
    found = [json.dumps(line) for line in lines if line.get("fault")]
    done_calls = sum(line["state"] == "done" for line in lines)
    if end or done_calls != AT_A_TIME:
        found.append(f"{end or 'the process was silent'}, in {lines[-1] if lines else 'its beginning'}")
    return found


@pytest.mark.parametrize("first", [0, 5000])
def test_two_hundred_odd_calls(first):
    assert faults(first) == []


@pytest.mark.long
def test_ten_thousand_odd_calls():
    with ThreadPoolExecutor(2) as pool:
        assert [found for found in pool.map(faults, range(0, 10_000, AT_A_TIME)) if found] == []
