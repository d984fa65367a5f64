"""What a new user met: small things at the doors of the global methods."""

from __future__ import annotations

import math

import pytest

import thalweg as tw
from thalweg.solvers.driving import call as calls
from thalweg.solvers.driving.session import Session
from thalweg.solvers.driving.stop_reason import StopReason

BOX = [(-5.0, 5.0)] * 2


def waves(x):
    s = 0.0
    for v in x:
        s += v * v - 10 * math.cos(2 * math.pi * v) + 10
    return s


def test_a_polish_that_finds_nothing_lower_still_tells_that_the_point_is_a_minimum():
    """The walks of parallel_tempering have no measure of convergence; the gradient at their best point is one."""
    point = [0.0, 0.0]
    found = tw.minimize(waves, BOX, point, method="parallel_tempering", seed=1, max_evals=2_000, polish=True)
    assert found.fun == 0.0 and found.arm == "parallel_tempering" and found.optimality == 0.0
    assert found.success and found.stop_reason == StopReason.GRADIENT_SMALL == found.status
    assert found.message.endswith("A local search from the best point found nothing lower (1 evaluation).")


def test_what_a_state_nests_is_compiled_before_the_time_runs(monkeypatch):
    order, link, carry_out = [], calls.drivers.link, Session.carry_out
    monkeypatch.setattr(calls.drivers, "link", lambda *given: order.append("link") or link(*given))
    monkeypatch.setattr(Session, "carry_out", lambda session: order.append("run") or carry_out(session))
    tw.minimize(waves, BOX, method="basin_hopping", seed=1, max_evals=100)
    assert order[:2] == ["link", "run"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"method": "pso", "omega": 0.7}, "omega: got 0.7; write options=.*'inertia': W"),
        (
            {"method": "pso", "variant": "clpso"},
            "variant: got 'clpso'; it is an option: write options={'variant'",
        ),
        ({"method": "pso", "max_vel": 0.5}, "max_vel: got 0.5; velocities of pso have no limit"),
        ({"method": "pso", "options": {"inertia": 0.5}}, "inertia: got 0.5, expected it beside variant='inertia'"),
        ({"method": "sga", "mutation": "gaussian"}, "mutation: got 'gaussian', expected one of polynomial"),
        ({"method": "sga", "selection": "roulette"}, "selection: got 'roulette'; it is an option: write"),
        ({"method": "ga", "eta_c": 1.0}, "eta_c: got 1.0; write options=.*'crossover_eta': ETA"),
        ({"method": "direct", "eps": 1e-3}, "eps: got 0.001; .* direct chooses its rectangles without it"),
    ],
)
def test_what_others_call_the_parts_of_swarms_and_genes(call, words):
    with pytest.raises((ValueError, TypeError), match=words):
        tw.minimize(waves, BOX, seed=1, max_evals=100, **call)
