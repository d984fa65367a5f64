"""Journals that are damaged, edited or no files: refused by one sentence with file and line, or resumed rightly."""

import json
import math
import os

import numpy as np
import pytest

from thalweg.kernels.calling.objective import objective
from thalweg.orchestration import grid_search, random_search, restarts
from thalweg.orchestration.journal import saved_header

BOX = [(-2.0, 3.0)] * 2


def sphere(x):
    return (x * x).sum()


def loss(a, b):
    return abs(a - 2) + abs(b - 1)


CALLS = {
    "restarts": lambda path: restarts(
        sphere, BOX, runs=6, method="de", max_evals=100, seed=1, journal=path, threads=1
    ),
    "coordinated": lambda path: restarts(
        sphere, BOX, runs=6, coordinated=True, round_size=3, max_evals=100, seed=1, journal=path, threads=1
    ),
    "points": lambda path: grid_search(loss, {"a": [1, 2, 3], "b": [0, 1]}, journal=path),
    "blocks": lambda path: random_search(objective(sphere), BOX, points=6, seed=1, journal=path, threads=1),
}  # fmt: skip
VALUES = [None, "text", "0.5", True, [], [1.0], {}, -1, 2.5, math.nan, 10**400, [None], ["a", "b"]]


def answer(result):
    return result.fun, np.array(result.get("x", 0.0)).tolist(), result.nfev, str(result.get("table", {}).get("fun"))


@pytest.fixture(scope="module", params=sorted(CALLS))
def written(request, tmp_path_factory):
    """(the call, the path, the lines of the journal, the answer)."""
    path = tmp_path_factory.mktemp("written") / "s.jsonl"
    found = CALLS[request.param](path)
    return CALLS[request.param], path, path.read_text().splitlines(), answer(found)


def right_or_refused(call, path, lines, wanted, line):
    path.write_text("\n".join(lines) + "\n")
    try:
        assert answer(call(path)) == wanted
    except ValueError as error:
        text = str(error)
        assert text.startswith("journal: ") and str(path) in text and "\n" not in text
        assert f"line {line} is" in text or line == 1
        return True
    return False


def test_a_field_of_another_kind_or_none_at_all(written):
    call, path, lines, wanted = written
    refused = count = 0
    entry = json.loads(lines[2])
    for name in entry.keys() - {"point", "worker", "time"}:
        lost = {key: value for key, value in entry.items() if key != name}
        changes = [lost, *(entry | {name: value} for value in VALUES if value != entry[name])]
        for changed in changes:
            with_it = [*lines[:2], json.dumps(changed), *lines[3:]]
            plausible = type(changed.get(name)) in (int, float)
            if (plausible and 0 <= changed[name] < 2**63) or (name == "fun" and changed.get(name) == -1):
                continue  # a number like any other, which nobody can tell from the one there was
            count += 1
            refused += right_or_refused(call, path, with_it, wanted, 3)
    assert count > 40 and refused == count


def test_values_of_another_length_or_not_numbers(written):
    call, path, lines, wanted = written
    entry = json.loads(lines[1])
    if "x" not in entry:
        pytest.skip("its records hold no x")
    for x in ([], [0.0], [0.0] * 3, [0.0, "1"], [[0.0], [1.0]], [True, 0.0]):
        assert right_or_refused(call, path, [lines[0], json.dumps(entry | {"x": x}), *lines[2:]], wanted, 2)


def test_lines_that_are_deleted_doubled_shuffled_or_cut(written):
    call, path, lines, wanted = written
    random = np.random.default_rng(1)
    for _ in range(10):
        kept = [line for line in lines[1:] if random.random() < 0.6]
        others = [*kept, *random.permutation(kept).tolist()]
        assert not right_or_refused(call, path, [lines[0], *others], wanted, 0)
    whole = "\n".join(lines) + "\n"
    for size in random.integers(len(lines[0]) + 1, len(whole), 10).tolist():
        path.write_text(whole[:size])
        assert answer(call(path)) == wanted
    path.write_text(whole)


def test_bytes_that_are_turned_or_overwritten(written):
    """80 files: the line is named, or the answer is right, or one digit of it is another, which no reader can tell."""
    call, path, lines, _ = written
    whole, random = ("\n".join(lines) + "\n").encode(), np.random.default_rng(1)
    for k in range(80):
        damaged = bytearray(whole)
        at = int(random.integers(len(whole)))
        damaged[at : at + 1 + k % 8] = random.bytes(1 + k % 8)
        path.write_bytes(damaged)
        try:
            call(path)
        except (ValueError, TypeError) as error:
            assert str(error).startswith("journal: ") and str(path) in str(error), error
    path.write_bytes(whole)


def test_headers_that_were_edited(written):
    call, path, lines, wanted = written
    header = json.loads(lines[0])["header"]
    for name in header:
        if name in ("started", "resumed"):
            continue
        for value in VALUES:
            if value == header[name] or (name == "units" and (value is None or value == -1)):
                continue
            edited = [json.dumps({"header": header | {name: value}}), *lines[1:]]
            assert right_or_refused(call, path, edited, wanted, 1), (name, value)


def test_a_seed_that_was_edited_is_not_taken_for_the_callers(tmp_path):
    path = tmp_path / "s.jsonl"
    first = random_search(loss, {"a": [1.0, 2.0], "b": [0.5]}, points=2, journal=path)
    text = path.read_text()
    for seed in ("-1", '"1"', str(2**64), "1.5", "true", "null"):
        path.write_text(text.replace(f'"seed": {first.seed}', f'"seed": {seed}', 1))
        assert saved_header(path) == {}
        with pytest.raises(ValueError, match=r"journal: .*s\.jsonl, line 1 is damaged or was edited: its seed is"):
            random_search(loss, {"a": [1.0, 2.0], "b": [0.5]}, points=2, journal=path)


@pytest.mark.parametrize("content", [b"\x00" * 4096, b"\x93NUMPY", b"[" * 100_000 + b"\n", b"PK\x03\x04\n\n", b"\n\n"])
def test_binary_garbage(content, tmp_path):
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no journal"):
        CALLS["points"](path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["folder", "pipe", "long", "nul", "device"])
def test_paths_that_are_no_file_are_refused_and_do_not_hang(kind, tmp_path):
    path = {
        "folder": tmp_path, "pipe": tmp_path / "pipe", "long": tmp_path / ("a" * 300), "nul": "a\0b",
        "device": os.devnull,
    }[kind]  # fmt: skip
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"journal: got .*, expected"):
        CALLS["points"](path)
