"""What a portfolio nests is linked when it is due: a run that ends before does without, and no answer depends on it."""

import numpy as np
import pytest

import thalweg as tw
from thalweg.kernels import nesting
from thalweg.solvers.driving import drivers
from thalweg.solvers.driving.stop_reason import StopReason

BOX = [(-5.0, 5.0)] * 3


def valley(x):
    return ((x[:-1] ** 2 - x[1:]) ** 2).sum() * 100.0 + ((1.0 - x) ** 2).sum()


def waves(x):
    z = x - np.array([0.4, -1.3, 2.2])
    return (z * z - 10.0 * np.cos(2.0 * np.pi * z) + 10.0).sum() + 0.1 * z[0] * z[1]


@pytest.fixture
def linked(monkeypatch):
    """The methods whose drivers were linked, in a process that has none yet."""
    found, link = [], drivers.link
    monkeypatch.setattr(nesting, "is_linked", lambda solver, problem: False)
    monkeypatch.setattr(drivers, "link", lambda solver, *given: found.append(solver.name) or link(solver, *given))
    return found


def test_a_run_that_ends_in_its_first_search_links_nothing(linked):
    found = tw.minimize(valley, BOX, seed=1, target=1e-8)
    assert found.fun <= 1e-8 and found.arm == "descent" and linked == []


def test_a_longer_run_links_once_and_gives_the_same_bits(linked, monkeypatch):
    late = tw.minimize(waves, BOX, seed=1, max_evals=4000)
    assert linked == ["portfolio"]
    monkeypatch.undo()
    early = tw.minimize(waves, BOX, seed=1, max_evals=4000)
    assert late.x.tobytes() == early.x.tobytes() and (late.nfev, late.nit, late.arms) == (
        early.nfev,
        early.nit,
        early.arms,
    )


def test_several_runs_link_before_they_begin(linked):
    tw.minimize(valley, BOX, seed=1, max_evals=300, restarts=2, threads=2)
    assert linked[:1] == ["portfolio"]


def test_ctrl_c_while_something_is_linked_keeps_what_was_found(monkeypatch):
    def interrupt(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(nesting, "is_linked", lambda solver, problem: False)
    monkeypatch.setattr(drivers, "link", interrupt)
    found = tw.minimize(waves, BOX, seed=1, max_evals=4000)
    assert found.stop_reason == StopReason.INTERRUPTED and 0 < found.nfev < 4000 and np.isfinite(found.fun)
