"""The journal: what comes back after a crash, what is refused, and what `thalweg journal` tells of it."""

import json
import math
import os
import signal
import struct
import subprocess
import sys
import time
from datetime import UTC, datetime

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thalweg.orchestration.cli import main
from thalweg.orchestration.commands.journal import _last_line
from thalweg.orchestration.journal import Journal, open_journal, read_journal, saved_header
from thalweg.orchestration.journal.differences import differences
from thalweg.orchestration.journal.json_lines import FORMAT

HEADER = {"work": "restarts", "method": "jso", "seed": 2**64 - 1, "units": 10, "versions": {"numba": "0.68"}}
NUMBERS = [0.1, -0.0, 5e-324, -2.2250738585072009e-308, sys.float_info.min, sys.float_info.max, 1e-307, 1 / 3]
PROPERTY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs flock and signals")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.jsonl"


@pytest.fixture
def no_sync(monkeypatch):
    """Hundreds of journals in one test: what the disk does with them is not what it looks at."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


def record(unit, fun=None):
    return {"unit": unit, "fun": float(unit if fun is None else fun), "x": [unit / 3, -0.0], "seconds": 0.5}


def failure(unit):
    return {"unit": unit, "failed": "raised", "error": "ValueError: no", "attempts": 3, "workers": ["a", "a", "b"]}


def write(path, *batches, **changes):
    with Journal(path, HEADER | changes) as journal:
        for batch in batches:
            journal.append(batch)


def resume(path, **changes):
    with Journal(path, HEADER | changes) as journal:
        return journal.records


def bits(value):
    return struct.pack("d", value)


# --- what is in the file -----------------------------------------------------------------------------------------


def test_a_header_then_a_line_per_entry(path):
    before = datetime.now(UTC)
    write(path, [record(3), failure(7)])
    header, first, second = map(json.loads, path.read_text("utf-8").splitlines())
    assert header["header"].items() >= HEADER.items()
    assert header["header"]["format"] == FORMAT
    for time_ in (header["header"]["started"], first.pop("time"), second.pop("time")):
        assert abs((datetime.fromisoformat(time_) - before).total_seconds()) < 60
    assert (first, second) == (record(3), failure(7))


@given(st.lists(st.floats(), min_size=1), st.text())
@PROPERTY
def test_every_float_comes_back_bit_for_bit(path, no_sync, values, text):
    path.unlink(missing_ok=True)
    write(path, [{"unit": 0, "fun": values[0], "x": values, "text": text + ' "1e-310'}])
    found = resume(path)[0]
    assert found["text"] == text + ' "1e-310'
    for was, now in zip([values[0], *values], [found["fun"], *found["x"]], strict=True):
        assert bits(was) == bits(now) or (math.isnan(was) and math.isnan(now))


def test_what_numpy_has_becomes_json(path):
    entry = {
        "unit": np.int64(0),
        "fun": np.float64(0.1),
        "x": np.array([[0.1, np.nan], [np.inf, 5e-324]]),
        "seed": np.uint64(2**64 - 1),
        "flag": np.bool_(True),
        "small": np.float32(0.1),
        "name": np.str_("a"),
        "words": np.array(["b", "c"]),
        "pair": (1, np.int8(2)),
    }
    write(path, [entry])
    found = resume(path)[0]
    assert (found["unit"], found["fun"], found["seed"], found["flag"]) == (0, 0.1, 2**64 - 1, True)
    assert np.array_equal(found["x"], entry["x"], equal_nan=True)
    assert found["small"] == float(np.float32(0.1))
    assert (found["name"], found["words"], found["pair"]) == ("a", ["b", "c"], [1, 2])


@pytest.mark.parametrize(
    "value", [{1, 2}, 1j, b"a", len, np.array([None]), np.longdouble(1), np.datetime64("2026-01-01")]
)
def test_what_json_has_no_word_for_is_refused_and_leaves_nothing(path, value):
    with Journal(path, HEADER) as journal:
        before = path.read_bytes()
        with pytest.raises(TypeError, match=r"^journal: unit 1: "):
            journal.append([record(0), {"unit": 1, "fun": 0.0, "x": value}])
        assert (path.read_bytes(), journal.records) == (before, {})
    with pytest.raises(TypeError, match=r"^journal: the header: "):
        Journal(path.with_name("other"), {"seed": value})
    assert not path.with_name("other").exists()


def test_pandas_reads_it_in_one_line(path):
    pandas = pytest.importorskip("pandas")
    values = [*NUMBERS, math.nan, math.inf, -math.inf]
    write(path, [{"unit": k, "fun": v, "x": [v], "seed": 2**64 - 1} for k, v in enumerate(values)], [failure(99)])
    write(path, [record(50)], units=60)
    table = pandas.read_json(path, lines=True, precise_float=True).dropna(subset="unit").set_index("unit")
    for unit, value in enumerate(values):
        assert table.fun[unit] == value or (math.isnan(table.fun[unit]) and math.isnan(value))
        if not math.isnan(value):
            assert bits(table.x[unit][0]) == bits(value)
    assert math.copysign(1, table.fun[1]) == -1
    assert (table.failed[99], table.fun[50]) == ("raised", 50.0)


def test_one_fsync_per_batch(path, monkeypatch):
    with Journal(path, HEADER) as journal:
        synced = []
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(file))
        journal.append([record(k) for k in range(100)])
        assert len(synced) == 1
        journal.append([])
        journal.append([record(5)])  # is there already
        assert len(synced) == 1
    assert len(path.read_bytes().splitlines()) == 101


# --- resume ------------------------------------------------------------------------------------------------------


def test_what_is_done_is_there_again(path):
    write(path, [record(0), record(2)], [record(1), failure(7), failure(8)])
    with Journal(path, HEADER) as journal:
        assert journal.records == {k: record(k) for k in range(3)}  # without the time
        assert journal.failures == {7: failure(7), 8: failure(8)}
        assert "started" in journal.header
        journal.append([record(7)])  # tried again
        assert journal.failures == {8: failure(8)}
        assert journal.records[7] == record(7)
    assert resume(path) == {k: record(k) for k in (0, 1, 2, 7)}
    assert set(read_journal(path)[2]) == {8}


def test_more_units_extend_it_and_fewer_do_not_shorten_it(path):
    write(path, [record(0)])
    write(path, [record(1)], units=20)
    write(path, [record(2)], units=5)
    header, records, _ = read_journal(path)
    assert header["units"] == 20
    assert len(header["resumed"]) == 2
    assert sorted(records) == [0, 1, 2]
    events = [json.loads(line) for line in path.read_text().splitlines() if "resumed" in line]
    assert [event["units"] for event in events] == [20, 5]
    write(path, [record(3)], units=None)  # as many as fit
    assert read_journal(path)[0]["units"] is None


def test_a_call_with_nothing_to_add_leaves_no_trace(path):
    write(path, [record(0)])
    before = path.read_bytes()
    assert resume(path, units=99) == {0: record(0)}
    assert path.read_bytes() == before


def test_of_several_entries_of_a_unit_the_last_counts_and_a_failure_undoes_no_record(path):
    write(path, [record(0, 1.0), failure(1), record(0, 2.0), failure(0)])
    _, records, failures = read_journal(path)
    assert records[0]["fun"] == 2.0
    assert set(failures) == {1}


def test_a_record_that_was_dropped_is_replaced(path):
    write(path, [record(0, 1.0)])
    with Journal(path, HEADER) as journal:
        del journal.records[0]
        journal.append([record(0, 2.0)])
    assert resume(path)[0]["fun"] == 2.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "de"}, "method was 'jso', now 'de'"),
        ({"seed": 1}, f"seed was {2**64 - 1}, now 1"),
        ({"versions": {"numba": "0.69"}}, "versions.numba was '0.68', now '0.69'"),
        ({"target": 0.5}, "target was absent, now 0.5"),
        ({"method": "de", "seed": 1}, f"method was 'jso', now 'de'; seed was {2**64 - 1}, now 1"),
    ],
)
def test_a_journal_of_another_run_is_refused(path, changes, message):
    write(path, [record(0)])
    before = path.read_bytes()
    with pytest.raises(ValueError) as error:
        Journal(path, HEADER | changes)
    assert f"journal: {path} belongs to another run: {message}. Give another path" in str(error.value)
    assert path.read_bytes() == before


def test_what_may_grow_is_the_callers_choice(path):
    with Journal(path, HEADER, extendable=("units", "seed")) as journal:
        journal.append([record(0)])
    with Journal(path, HEADER | {"seed": 1}, extendable=("units", "seed")) as journal:
        assert set(journal.records) == {0}
    with pytest.raises(ValueError, match="units was 10, now 11"):
        Journal(path, HEADER | {"units": 11}, extendable=())


def test_differences():
    assert differences({"a": math.nan, "b": [1, 2]}, {"a": math.nan, "b": [1, 2]}) == ""
    assert differences({"box": [[0, 1], [0, 2]]}, {"box": [[0, 1], [0, 3]]}) == "box[1][1] was 2, now 3"
    assert differences({"x": [1]}, {"x": [1, 2]}) == "x was [1], now [1, 2]"
    assert differences({"a": 1}, {}) == "a was 1, now absent"
    assert differences({"a": 1}, {"a": 2}, passed_over={"a"}) == ""
    assert differences(dict.fromkeys("abcdefg", 0), dict.fromkeys("abcdefg", 1)).endswith("e was 0, now 1; and 2 more")
    assert len(differences({"text": "a" * 500}, {"text": "b" * 500})) < 120


def test_a_header_is_compared_as_it_comes_back(path):
    odd = {"bounds": np.array([[0.0, 1.0]]), "target": -math.inf, "tiny": 5e-324, "pair": (1, 2), "none": math.nan}
    write(path, [record(0)], **odd)
    assert resume(path, **odd) == {0: record(0)}


# --- crashes -----------------------------------------------------------------------------------------------------

BATCHES = [[record(0), record(1)], [failure(2), record(3)], [record(2), {**record(4), "text": "ü\n\u2028"}]]
WHOLE = {k: record(k) for k in range(4)} | {4: {**record(4), "text": "ü\n\u2028"}}


@given(st.data())
@PROPERTY
def test_cut_at_any_byte_it_is_resumed_and_completed(path, no_sync, data):
    path.unlink(missing_ok=True)
    write(path, *BATCHES)
    content = path.read_bytes()
    cut = content[: data.draw(st.integers(0, len(content)))]
    path.write_bytes(cut)
    complete = [json.loads(line) for line in cut.split(b"\n")[:-1]][1:]
    expected = {entry["unit"]: WHOLE[entry["unit"]] for entry in complete if "fun" in entry}
    with Journal(path, HEADER) as journal:
        assert journal.records == expected
        journal.append([WHOLE[unit] for unit in WHOLE if unit not in expected])
        assert journal.records == WHOLE
    assert path.read_bytes().startswith(cut[: cut.rfind(b"\n") + 1])
    assert resume(path) == WHOLE
    assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_read_journal_leaves_a_torn_line_where_it_is(path):
    write(path, [record(0), record(1)])
    path.write_bytes(path.read_bytes()[:-5])
    before = path.read_bytes()
    assert set(read_journal(path)[1]) == {0}
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "garbage", [b'{"unit": 1, "fun": 0.', b"", b"[1]", b"\x00\x00", b"\xff\xfe", b'{"unit": "1"}', b'{"fun": 1.0}']
)
def test_a_garbled_line_in_the_middle_is_refused_with_its_number(path, garbage):
    write(path, [record(0), record(1), record(2)])
    lines = path.read_bytes().split(b"\n")
    lines[2] = garbage
    path.write_bytes(b"\n".join(lines))
    before = path.read_bytes()
    for open_ in (lambda: Journal(path, HEADER), lambda: read_journal(path)):
        with pytest.raises(ValueError, match="line 3 is garbled; delete this line"):
            open_()
    assert path.read_bytes() == before
    path.write_bytes(b"\n".join([*lines[:2], *lines[3:]]))
    assert set(resume(path)) == {0, 2}


@pytest.mark.parametrize(
    "content", [b"notes", b"notes\nof mine\n", b'{"a": 1}\n', b'{"header": 1}\n', b"PK\x03\x04\xff\n", b"{}", b"\n"]
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no journal"):
        Journal(path, HEADER)
    assert path.read_bytes() == content
    assert saved_header(path) == {}


@pytest.mark.parametrize("other", [FORMAT - 1, FORMAT + 1])
def test_another_format_is_refused(path, other):
    path.write_text(f'{{"header": {{"format": {other}}}}}\n')
    with pytest.raises(ValueError, match=rf"another version of thalweg \(format {other}, this one writes {FORMAT}\)"):
        Journal(path, HEADER)


def test_an_empty_file_is_a_new_journal(path):
    path.touch()
    with pytest.raises(ValueError, match="is empty"):
        read_journal(path)
    write(path, [record(0)])
    assert resume(path) == {0: record(0)}


def interrupted(monkeypatch, error):
    """A disk that takes half of what it is given, then fails."""
    write_ = os.write

    def fails(file, data):
        monkeypatch.setattr(os, "write", raises)
        return write_(file, bytes(data[: len(data) // 2]))

    def raises(file, data):
        monkeypatch.setattr(os, "write", write_)
        raise error

    monkeypatch.setattr(os, "write", fails)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_half_a_write_is_taken_back(path, monkeypatch, error):
    with Journal(path, HEADER) as journal:
        journal.append([record(0)])
        before = path.read_bytes()
        interrupted(monkeypatch, error)
        with pytest.raises(type(error)):
            journal.append([record(1), record(2)])
        assert path.read_bytes() == before
        assert set(journal.records) == {0}
        journal.append([record(3)])
    assert resume(path) == {0: record(0), 3: record(3)}


def test_a_short_write_is_no_error(path, monkeypatch):
    write_ = os.write
    with Journal(path, HEADER) as journal:
        monkeypatch.setattr(os, "write", lambda file, data: write_(file, bytes(data[:7])))
        journal.append([record(0), record(1)])
    assert resume(path) == {0: record(0), 1: record(1)}


LIMITED = """
import resource, sys
from thalweg.orchestration.journal import Journal
with Journal(sys.argv[1], {"units": 1000}) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
    try:
        for k in range(1000):
            journal.append([{"unit": k, "fun": 0.5, "x": [0.1] * 20}])
    except OSError as error:
        print(k, error, error.filename)
"""


@posix
def test_a_disk_that_is_full(path):
    """The limit on the size of a file stands in for the end of the disk: the kernel takes a part of the line."""
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    count, message = done.stdout.split(" ", 1)
    assert "journal: " in message and message.count(str(path)) == 2
    assert len(read_journal(path)[1]) == int(count) > 10
    assert path.read_bytes().endswith(b"}\n")


WRITES = """
import sys
from thalweg.orchestration.journal import Journal
with Journal(sys.argv[1], {"units": 10**9}) as journal:
    for k in range(10**9):
        journal.append([{"unit": k, "fun": k / 7, "x": [0.1] * 50}])
        print(k, flush=True)
"""


@posix
def test_a_killed_process_loses_nothing_and_frees_the_journal(path):
    writer = subprocess.Popen([sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True)
    for _ in range(20):
        writer.stdout.readline()
    with pytest.raises(RuntimeError, match=f"^journal: {path} is in use by another process"):
        Journal(path, {"units": 10**9})
    assert len(read_journal(path)[1]) >= 20  # reading is free
    writer.send_signal(signal.SIGKILL)
    said = [*range(20), *map(int, writer.communicate(timeout=60)[0].split())]
    with Journal(path, {"units": 10**9}) as journal:
        assert set(said) <= set(journal.records)
        assert all(journal.records[k]["fun"] == k / 7 for k in said)


@posix
def test_two_calls_of_one_process(path):
    with Journal(path, HEADER) as journal:
        with pytest.raises(RuntimeError, match="in use"):
            Journal(path, HEADER)
        journal.append([record(0)])
        journal.close()
        journal.close()
        assert resume(path) == {0: record(0)}


@posix
def test_a_refused_journal_is_free_again(path):
    write(path)
    with pytest.raises(ValueError):
        Journal(path, HEADER | {"seed": 1})
    assert resume(path) == {}


# --- paths and other doors ---------------------------------------------------------------------------------------


def test_paths_that_cannot_be_used(tmp_path, monkeypatch):
    missing = tmp_path / "no" / "fit.jsonl"
    with pytest.raises(FileNotFoundError) as error:
        Journal(missing, HEADER)
    assert str(missing) in str(error.value) and "journal: " in str(error.value)
    with pytest.raises(ValueError, match="expected the path of a file"):
        Journal(tmp_path, HEADER)
    with pytest.raises(TypeError, match="journal: got int, expected a path"):
        Journal(3, HEADER)
    with pytest.raises(FileNotFoundError):
        read_journal(missing)

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PermissionError, match=r"journal: Permission denied: .*fit\.jsonl"):
        Journal(tmp_path / "fit.jsonl", HEADER)


def test_open_journal(path):
    with open_journal(None, HEADER) as journal:
        assert journal is None
    with open_journal(path, HEADER) as journal:
        journal.append([record(0)])
    assert resume(path) == {0: record(0)}


def test_saved_header(path):
    assert saved_header(path) == {}
    write(path, [record(0)])
    assert saved_header(path)["seed"] == 2**64 - 1


def test_ten_thousand_records_are_resumed_in_less_than_a_second(path):
    x = np.random.default_rng(0).random((10_000, 10))
    write(path, [{**record(k), "x": x[k]} for k in range(10_000)])
    begin = time.process_time()
    found = resume(path)
    assert time.process_time() - begin < 1.0
    assert np.array_equal([found[k]["x"] for k in range(10_000)], x)


# --- the command -------------------------------------------------------------------------------------------------


def thalweg(*arguments):
    return CliRunner().invoke(main, ["journal", *map(str, arguments)])


@pytest.fixture
def told(path):
    """Of ten units six are done, on two workers; two failed."""
    batch = [{**record(k, (k - 3) ** 2), "worker": "ab"[k % 2]} for k in range(6)]
    numba = failure(9) | {"error": "Traceback:\n  \x1b[1m[red]far[/red]\x1b[0m :smile:", "workers": ["c"]}
    write(path, batch, [failure(7), numba], options={"population": None})
    write(path, [{**record(8, math.nan), "worker": "b"}], options={"population": None}, units=12)
    return path


def test_it_tells_what_ran_and_what_failed(told):
    done = thalweg(told)
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.stdout
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in done.stdout.splitlines() if line}
    assert lines["ran"] == f"restarts, method jso, seed {2**64 - 1}"
    assert lines["options"] == "population None"
    assert lines["versions"] == "numba 0.68"
    assert lines["resumed"].startswith("1 time, last 20")
    assert lines["done"] == "7 of 12"
    assert lines["time"].endswith("3.5 s of work were done")
    assert lines["best"] == "0 in unit 3"
    assert lines["x[0]"] == "1"
    assert (lines["a"], lines["b"], lines["c"]) == ("3 1.5 2", "4 2.0 1", "0 0.0 1")
    assert lines["7"] == "raised 3 a, b ValueError: no"
    assert lines["9"] == "raised 3 c [red]far[/red] :smile:"


def test_json_has_all_of_it(told):
    answer = json.loads(thalweg(told, "--json").stdout)
    assert (answer["done"], answer["total"], answer["seconds"]) == (7, 12, 3.5)
    assert answer["best"].items() >= {"unit": 3, "fun": 0.0, "x": [1.0, -0.0], "worker": "b"}.items()
    assert 0 <= answer["wall"] < 60
    assert answer["workers"][2] == {"worker": "c", "units": 0, "seconds": 0.0, "failures": 1}
    assert answer["failures"][1]["error"].startswith("Traceback:\n")
    assert answer["header"]["seed"] == 2**64 - 1


def test_wall_time_does_not_count_the_nights(path):
    day = '"2026-01-0{}T00:00:{}.000+00:00"'
    header = {"format": FORMAT, "work": "grid search", "started": json.loads(day.format(1, "00")), "units": None}
    lines = [json.dumps({"header": header}), '{"unit": 0, "fun": Infinity, "point": {"C": 0.5, "kind": "l1"}, "time": ']
    lines[1] += day.format(1, "10") + "}"
    lines += ['{"resumed": ' + day.format(3, "00") + ', "units": null}']
    lines += ['{"unit": 1, "failed": "killed", "time": ' + day.format(3, "07") + "}"]
    path.write_text("\n".join(lines) + "\n")
    answer = json.loads(thalweg(path, "--json").stdout)
    assert answer["wall"] == 17.0
    assert answer["total"] is None
    assert answer["best"]["fun"] is None  # of JSON there is no infinity
    text = thalweg(path).stdout
    for words in ("grid search", "17.0 s, in which 0.0 s of work", "inf in unit 0", "kind", "l1", "killed"):
        assert words in text


def test_nan_is_never_the_best(path):
    write(path, [record(0, math.nan), record(1, math.inf), record(2, 5.0)])
    assert json.loads(thalweg(path, "--json").stdout)["best"]["unit"] == 2


def test_the_last_line_of_an_error():
    assert _last_line({"error": "Traceback:\n  here\n\x1b[1mTypeError: no\x1b[0m\n"}) == "TypeError: no"
    assert _last_line({}) == _last_line({"error": " "}) == ""


def test_nothing_done_yet_and_long_answers(path):
    write(path)
    done = thalweg(path)
    assert done.exit_code == 0
    assert "0 of 10" in done.stdout and "best" not in done.stdout
    write(path, [{**record(0), "x": [0.5] * 100}, *map(failure, range(1, 60))])
    text = thalweg(path).stdout
    assert "60 more variables" in text and "... 19 more: --json has all" in text


@pytest.mark.parametrize("content", [None, b"notes\n", b"", b'{"header": {"format": %d}}\n{"unit"\n' % FORMAT])
def test_what_is_no_journal(path, content):
    if content is not None:
        path.write_bytes(content)
    done = thalweg(path)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert str(path) in done.stderr and len(done.stderr.splitlines()) == 1


def test_in_a_process_without_the_compiler(told):
    code = "import sys\nfrom thalweg.orchestration.cli import main\n"
    code += "main(['journal', sys.argv[1]], standalone_mode=False)\nassert 'numba' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code, str(told)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "7 of 12" in done.stdout
