"""Checkpoints that cannot be written, that are damaged or edited; and runs that go on under wider limits."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from numpy.lib.recfunctions import repack_fields

from thalweg import SOLVERS, islands, minimize
from thalweg.solvers.driving import checkpoint, hooks
from thalweg.solvers.driving.checkpoint_file import digest, read_file
from thalweg.solvers.driving.result import StopReason

BOX = [(-2.0, 3.0)] * 3


def valley(x):
    total = 0.0
    for i in range(x.size - 1):
        total += 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return total


def stop(intermediate_result):
    """In the middle of a run."""
    return intermediate_result.nfev > 100


def soon(intermediate_result):
    """In the middle of a run of a method that takes gradients."""
    return intermediate_result.nfev > 10


# --- what cannot be written ---------------------------------------------------------------------------------------


def test_a_folder_that_is_gone_at_the_end_costs_the_checkpoint_and_not_the_result(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()

    def gone(intermediate_result):
        shutil.rmtree(folder, ignore_errors=True)

    call = {"method": "de", "seed": 1, "max_evals": 100_000, "target": 1e-12}
    with pytest.warns(RuntimeWarning, match=r"checkpoint: .*run\.npz cannot be written \(.*No such file") as told:
        found = minimize(valley, BOX, checkpoint=folder / "run.npz", callback=gone, **call)
    assert len(told) == 1 and "the result is not lost" in str(told[0].message)
    whole = minimize(valley, BOX, **call)
    assert found.fun == whole.fun and found.nfev == whole.nfev


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13, "no"), MemoryError()])
def test_while_it_runs_that_is_said_once_and_once_more_at_the_end(error, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)

    def write(*_):
        raise error

    monkeypatch.setattr(checkpoint, "write_file", write)
    call = {"method": "nelder_mead", "seed": 1, "restarts": 20, "threads": 1}
    with pytest.warns(RuntimeWarning, match="cannot be written") as told:
        found = minimize(valley, BOX, checkpoint=tmp_path / "run.npz", **call)
    assert ["the run goes on" in str(warning.message) for warning in told] == [True, False]
    assert found.fun == minimize(valley, BOX, **call).fun and list(tmp_path.iterdir()) == []


def test_islands_give_their_result_too(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "write_file", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    call = {"islands": 2, "method": "de", "max_evals": 600, "seed": 1, "threads": 1}
    with pytest.warns(RuntimeWarning, match="the result is not lost"):
        found = islands(valley, BOX, checkpoint=tmp_path / "run.npz", **call)
    assert found.fun == islands(valley, BOX, **call).fun


def test_what_a_full_disk_left_half_written_is_taken_away(tmp_path):
    """The file there was stays as it was. (/dev/full is Linux's full disk; the limit on a file's size is like it.)"""
    code = """
        import resource, signal, sys
        from thalweg import minimize
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        def sphere(x):
            return (x * x).sum()
        call = {"method": "de", "seed": 1, "max_evals": 400}
        whole = minimize(sphere, [(-1, 1)] * 3, checkpoint="run.npz", **call)
        before = open("run.npz", "rb").read()
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        found = minimize(sphere, [(-1, 1)] * 3, checkpoint="run.npz", **call)
        print(found.fun == whole.fun, open("run.npz", "rb").read() == before)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert told.stdout.split() == ["True", "True"], told.stderr
    assert "RuntimeWarning: checkpoint: run.npz cannot be written ([Errno 27] File too large)" in told.stderr
    assert os.listdir(tmp_path) == ["run.npz"]


@pytest.mark.parametrize("kind", ["folder", "pipe", "long", "nul", "bytes", "device"])
def test_paths_that_are_no_file_are_refused_before_anything_runs(kind, tmp_path):
    path = {
        "folder": tmp_path, "pipe": tmp_path / "pipe", "long": tmp_path / ("a" * 300), "nul": "a\0b",
        "bytes": type("P", (), {"__fspath__": lambda self: b"x"})(), "device": os.devnull,
    }[kind]  # fmt: skip
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises((ValueError, TypeError), match=r"checkpoint: got .*, expected"):
        minimize(valley, BOX, method="de", max_evals=50, checkpoint=path)  # a pipe would hang here
    assert tmp_path.exists()


# --- what is damaged or edited ------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=sorted(SOLVERS))
def saved(request, tmp_path_factory):
    """(the call, the bytes of a checkpoint in the middle of a run, the answer of the whole run)."""
    path = tmp_path_factory.mktemp("saved") / "run.npz"
    call = {"method": request.param, "seed": 3, "max_evals": 2000}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hooks, "CALLBACK_EVERY", 0.0)
        smooth = "gradient" in SOLVERS[request.param].asks
        when = {"callback": soon, "callback_every": "generation"} if smooth else {"callback": stop}
        cut = minimize(valley, BOX, checkpoint=path, threads=1, **call, **when)
    assert cut.stop_reason == StopReason.CALLBACK
    return call, path, path.read_bytes(), minimize(valley, BOX, **call)


def content_of(path):
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def write(path, content, forged=False):
    """`forged`: with the digest that belongs to it."""
    content = dict(content)
    if forged:
        del content["digest"]
        content["digest"] = np.array(digest(content))
    with open(path, "wb") as file:
        np.savez(file, **content)


def refused(call, path, words="checkpoint: .*run.npz (is damaged|is torn|is no checkpoint)"):
    with pytest.raises(ValueError, match=words) as told:
        minimize(valley, BOX, checkpoint=path, **call)
    assert "\n" not in str(told.value)


def mutants(array, random):
    """Each array in each way."""
    yield array[: len(array) // 2] if array.ndim else array[None]
    yield np.concatenate([array, array]) if array.ndim else array[None]
    yield array[None]
    yield array.astype(np.float32) if array.dtype.kind == "f" else np.zeros(array.shape, np.float32)
    yield array.astype(array.dtype.newbyteorder())
    yield np.asfortranarray(array) if array.ndim == 2 else array.reshape(-1, 1)
    if array.dtype.kind in "if" and array.size:
        for value in (np.nan, -1, 2**62) if array.dtype.kind == "f" else (-1, -(2**63), 2**62):
            other = array.copy()
            other.flat[random.integers(array.size)] = value
            yield other
    if array.dtype.names:
        for name in array.dtype.names:
            if array.dtype[name].shape == () and len(array):
                other = array.copy()
                other[name][0] = 7_777_777_777
                yield other
        yield repack_fields(array[list(array.dtype.names[1:])])


MOST = 12


def test_every_array_in_every_way(saved, tmp_path):
    """Compiled code reads the arrays by address, and follows the rows that they name: nothing edited may reach it.

    Of a state that holds others' states, up to 150 arrays, MOST are drawn: each try writes and reads all of them."""
    call, path, whole, answer = saved
    content, random, count = content_of(path), np.random.default_rng(1), 0
    of_state = random.permutation([name for name in content if name[0].isdigit()])[:MOST]
    for name in [name for name in content if not name[0].isdigit()] + of_state.tolist():
        lost = {key: array for key, array in content.items() if key != name}
        write(path, lost)
        refused(call, path)
        found = [m for m in mutants(content[name], random) if digest({"": m}) != digest({"": content[name]})]
        for k in random.permutation(len(found))[:5] if name != "digest" else ():
            write(path, content | {name: found[k]})
            count += 1
            refused(call, path)
        for other in found if name[0].isdigit() else ():  # of the state
            if other.dtype.descr != content[name].dtype.descr or other.shape != content[name].shape:
                write(path, content | {name: other}, forged=True)  # the digest is right: the shapes still have to be
                count += 1
                refused(call, path, f"checkpoint: .* is damaged: its '{name}' is")
    path.write_bytes(whole)
    assert minimize(valley, BOX, checkpoint=path, **call).fun == answer.fun
    path.write_bytes(whole)
    assert count > 100


def test_forged_records_of_finished_runs(tmp_path):
    path, call = tmp_path / "run.npz", {"method": "de", "seed": 3, "max_evals": 200, "restarts": 3}
    whole = minimize(valley, BOX, checkpoint=path, **call)
    content = content_of(path)
    assert list(content["records"]["run"]) == [0, 1, 2]
    for field, value in {"run": -1, "stop": 77, "fun": np.nan}.items():
        records = content["records"].copy()
        records[field][1] = value
        write(path, content | {"records": records}, forged=True)
        refused(call, path)
    write(path, content | {"records": content["records"][[0, 0, 1]]}, forged=True)
    refused(call, path, "a run stands in it twice")
    write(path, content | {"extra": np.zeros(3)}, forged=True)
    refused(call, path, "it holds 'extra', which nobody asked for")
    write(path, content | {"records": content["records"][:2]}, forged=True)  # the third is carried out anew
    assert minimize(valley, BOX, checkpoint=path, **call).fun == whole.fun


def test_flipped_bytes_and_cut_files(saved):
    """40 files with one bit turned, 20 that end early: refused, or what was turned is no part of the content."""
    call, path, whole, _ = saved
    random = np.random.default_rng(2)
    for _ in range(40):
        flipped = bytearray(whole)
        flipped[random.integers(len(whole))] ^= 1 << random.integers(8)
        path.write_bytes(flipped)
        try:
            header, arrays = read_file(path)
        except ValueError:
            continue
        assert digest({"header": np.array(json.dumps(header)), **arrays}) == str(content_of(path)["digest"])
    for size in [0, 1, 4, *random.integers(5, len(whole), 5).tolist()]:
        path.write_bytes(whole[:size])
        refused(call, path)
    path.write_bytes(whole)


def test_files_that_are_none_of_ours(tmp_path):
    import pickle
    import zipfile

    class Mine:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    path, call = tmp_path / "run.npz", {"method": "de", "seed": 3, "max_evals": 200}
    minimize(valley, BOX, checkpoint=path, **call)
    content = content_of(path)
    for header in ("[]", "3", '"text"', '{"format": 5}', "{", "[" * 100_000, '{"format": "4"}'):
        write(path, content | {"header": np.array(header)}, forged=True)
        refused(call, path, "checkpoint: .*(torn or no|is no|is damaged|by another version|belongs to another run)")
    np.savez(path, **{**content, "extra": np.array([Mine()], dtype=object)})  # a pickle, which would run
    refused(call, path)
    path.write_bytes(pickle.dumps(Mine()))
    refused(call, path)
    assert not (tmp_path / "ran").exists()
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    refused(call, path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:  # 1 GB of zeros in 1 MB
        with archive.open("header.npy", "w") as member:
            for _ in range(64):
                member.write(bytes(2**20))
    refused(call, path, "it is compressed")
    claim = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000,), }"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("header.npy", claim.ljust(127) + b"\n")
    refused(call, path)


# --- wider limits -------------------------------------------------------------------------------------------------

LONGER = {"de": 4000, "random_search": 4000, "cma_es": 4000, "nelder_mead": 4000}


@pytest.mark.parametrize("method", sorted(SOLVERS))
def test_a_larger_budget_goes_on_from_a_finished_run_or_is_refused_with_the_reason(method, tmp_path):
    """De: whole generations of 30, so that the run is bit for bit the one that had the larger budget at once."""
    path, call = tmp_path / "run.npz", {"method": method, "seed": 5}
    call |= {"options": {"restart": "none"}} if method == "cma_es" else {}
    less = 12 if "gradient" in SOLVERS[method].asks else 240  # before they are at their end
    first = minimize(valley, BOX, max_evals=less, checkpoint=path, **call)
    if not SOLVERS[method].planned:
        longer = minimize(valley, BOX, max_evals=480, checkpoint=path, **call)
        assert longer.nfev > first.nfev and longer.fun <= first.fun
        if method in ("de",):
            whole = minimize(valley, BOX, max_evals=480, **call)
            assert longer.fun == whole.fun and longer.nfev == whole.nfev == 480
            assert longer.x.tobytes() == whole.x.tobytes()
            assert np.array_equal(longer.history["best"], whole.history["best"])
        again = minimize(valley, BOX, max_evals=480, checkpoint=path, **call)
        assert again.fun == longer.fun and again.nfev == longer.nfev  # and the file is that of the longer run
    else:
        with pytest.raises(ValueError, match=rf"max_evals was {less}, now 480.*{method} plans its run by max_evals"):
            minimize(valley, BOX, max_evals=480, checkpoint=path, **call)


def test_restarts_of_cma_es_are_laid_out_by_the_budget(tmp_path):
    path, call = tmp_path / "run.npz", {"method": "cma_es", "seed": 5}
    minimize(valley, BOX, max_evals=200, checkpoint=path, **call)
    with pytest.raises(ValueError, match="cma_es is laid out by them: a longer run is another one"):
        minimize(valley, BOX, max_evals=200_000, checkpoint=path, **call)


@pytest.mark.parametrize("method", ["jso", "de", "nelder_mead", "lsrtde"])
def test_a_lower_target_goes_on_with_any_method(method, tmp_path):
    """No schedule hangs on a target: the answer is that of the call that had the lower one at once."""
    path, call = tmp_path / "run.npz", {"method": method, "seed": 5, "max_evals": 6000}
    first = minimize(valley, BOX, target=0.1, checkpoint=path, **call)
    assert first.stop_reason == StopReason.REACHED_TARGET
    longer = minimize(valley, BOX, target=1e-6, checkpoint=path, **call)
    whole = minimize(valley, BOX, target=1e-6, **call)
    assert (longer.fun, longer.nfev) == (whole.fun, whole.nfev) and longer.fun <= 1e-6 and longer.nfev > first.nfev
    with pytest.raises(ValueError, match=r"target was 1e-06, now 0\.01.*may only be wider"):
        minimize(valley, BOX, target=0.01, checkpoint=path, **call)


def test_other_stops_may_be_wider_too(tmp_path):
    path, call = tmp_path / "run.npz", {"method": "de", "seed": 5, "max_evals": 3000}
    for limit, narrow, wide, reason in [
        ("ftol", 1e-1, 1e-3, StopReason.CONVERGED),
        ("patience", 1, 5, StopReason.STALLED),
        ("max_iters", 10, 20, StopReason.OUT_OF_ITERATIONS),
    ]:
        assert minimize(valley, BOX, checkpoint=path, **call, **{limit: narrow}).stop_reason == reason
        longer = minimize(valley, BOX, checkpoint=path, **call, **{limit: wide})
        whole = minimize(valley, BOX, **call, **{limit: wide})
        assert (longer.fun, longer.nfev, longer.stop_reason) == (whole.fun, whole.nfev, whole.stop_reason)
        path.unlink()


def test_more_restarts_and_a_larger_budget_of_several(tmp_path):
    path, call = tmp_path / "run.npz", {"method": "de", "seed": 5}
    minimize(valley, BOX, max_evals=300, restarts=2, checkpoint=path, **call)
    more = minimize(valley, BOX, max_evals=300, restarts=4, checkpoint=path, **call)
    assert np.array_equal(more.runs["fun"], minimize(valley, BOX, max_evals=300, restarts=4, **call).runs["fun"])
    with pytest.raises(ValueError, match="it holds run 3, and there are 3 here"):
        minimize(valley, BOX, max_evals=300, restarts=3, checkpoint=path, **call)
    with pytest.raises(ValueError, match="of several runs only the values are kept"):
        minimize(valley, BOX, max_evals=600, restarts=4, checkpoint=path, **call)


def test_islands_under_a_larger_budget(tmp_path):
    path, call = tmp_path / "run.npz", {"islands": 2, "every": 5, "method": "de", "seed": 5, "threads": 1}
    first = islands(valley, BOX, max_evals=300, checkpoint=path, **call)
    longer = islands(valley, BOX, max_evals=600, checkpoint=path, **call)
    assert longer.nfev == 1200 and longer.fun <= first.fun


def test_nothing_is_warned_of_where_all_is_well(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            minimize(valley, BOX, method="de", seed=1, max_evals=300, checkpoint=tmp_path / "run.npz")
