"""Local searches before and after a global method, from the same budget: a multistart first, a polish at the end.

A smooth objective with few valleys is solved by a few local searches that cost next to nothing, one with a narrow
curved valley by a global method whose best point a local one follows down. Each arm is a session of its own, with the
exact gradient of the objective; the best of all is the answer, and the result says which arm found it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ...kernels.calling.checking import NotDifferentiable
from ...kernels.calling.objective import CompiledObjective
from ..contract import UNLIMITED
from ..registry import SOLVERS
from .call import Call, bind
from .preparing import make_session
from .result import Result
from .settings import Plan
from .stop_reason import StopReason

LOCAL = "l_bfgs_b"
WORTH = 1000  # evaluations for each variable: a shorter run is left to its method, unless a polish is asked for
STARTS = 100  # of the first arm, for each variable, at most
FIRST, LAST = 0.1, 0.05  # shares of the budget that the multistart and the polish may take
EXACT = {"gtol": 1e-9, "ftol": 1e-15}  # a polish goes to the end of what doubles can tell


class Arms:
    """What is carried out beside the session of a global method.

    Parameters
    ----------
    call : Call
        Of the global method, with the whole budget.
    bound : CompiledObjective
        With the gradient in `bound.derivatives`.
    first : bool
        Whether a multistart comes first.
    """

    def __init__(self, call: Call, bound: CompiledObjective, first: bool):
        self.whole, self.bound, self.first = call, bound, first
        self.results: list[tuple[str, Result]] = []
        self.session: Any = None  # of the last local searches

    def begin(self, plan: Plan) -> Call:
        """Carry out the multistart; the call of the global method, with what is left for it."""
        budget, n = self.whole.limits.max_evals, self.whole.problem.dimension
        if self.first:
            most = 100 + 20 * n  # evaluations of a start, as a portfolio measured it that begins so
            starts = int(min(STARTS * n, FIRST * budget / most))
            x0 = self.whole.problem.x0
            middle = 0.5 * (self.whole.problem.lower + self.whole.problem.upper)
            if starts > 0:
                share = None if plan.max_time is None else FIRST * plan.max_time
                self._search("multistart", middle if x0 is None else x0[0], most, starts, plan, share)
        left = budget - self.spent - self.reserve
        return dataclasses.replace(self.whole, limits=dataclasses.replace(self.whole.limits, max_evals=max(left, 1)))

    def end(self, result: Result, plan: Plan) -> Result:
        """The best of all arms, polished, from the result of the global method, or of the first arm if that was all."""
        if not self.reached:
            self.results.append((self.whole.solver.name, result))
        best = self._best()
        stopped = result.stop_reason in BROKEN or best.stop_reason is StopReason.REACHED_TARGET
        if not stopped and np.isfinite(best.fun):
            self._search("polish", best.x, self.reserve, 1, plan, None)
        return self._told(result)

    @property
    def spent(self) -> int:
        return sum(result.nfev for _, result in self.results)

    @property
    def reserve(self) -> int:
        """Evaluations that are kept for the polish."""
        return int(min(LAST * self.whole.limits.max_evals, 1000 + 50 * self.whole.problem.dimension))

    @property
    def reached(self) -> bool:
        """Whether an arm has reached the target."""
        return any(result.stop_reason is StopReason.REACHED_TARGET for _, result in self.results)

    def _best(self) -> Result:
        return min((result for _, result in self.results), key=lambda result: result.fun)

    def _search(self, name: str, x: np.ndarray, evaluations: int, starts: int, plan: Plan, seconds) -> None:
        """Local searches from x, and from points of the box."""
        solver, problem = SOLVERS[LOCAL], dataclasses.replace(self.whole.problem, x0=x)
        limits = dataclasses.replace(
            self.whole.limits, max_evals=max(evaluations, 1), max_iterations=0, ftol=-1.0, patience=0
        )
        options = solver.Options(**(EXACT if name == "polish" else {}))
        call = Call(problem, solver, options, limits, self.whole.seed)
        self.session = make_session(call, self.bound, dataclasses.replace(plan, runs=starts, max_time=seconds))
        self.session.carry_out()
        self.results.append((name, self.session.summarise()))

    def _told(self, result: Result) -> Result:
        """The result of the global method, with what the other arms found and took."""
        name, best = min(self.results, key=lambda arm: arm[1].fun)
        arms = [
            {"arm": arm, "method": LOCAL if arm in ("multistart", "polish") else arm, "fun": found.fun,
             "nfev": found.nfev, "runs": len(found.runs), "seconds": float(found.runs["seconds"].sum())}
            for arm, found in self.results
        ]  # fmt: skip
        spent = self.spent
        result.update(arms=arms, arm=name, nfev=spent)
        if best.fun < result.fun:
            said = f"{SAID[name]} ({best.nfev:,} evaluations): {result.fun:.10g} became {best.fun:.10g}."
            result.update({key: best[key] for key in ("x", "fun", *GRADIENT) if key in best})
            if best.success and result.stop_reason not in BROKEN:
                result.update({key: best[key] for key in ("success", "status", "stop_reason", "message")})
            result["message"] = f"{result.message} {said}"
        history = result.get("history")
        before = self.results[0][1]
        if history is not None and len(self.results) > 1:
            offset = 0 if before is result else before.nfev
            history["evaluations"] = np.append(history["evaluations"] + offset, spent)
            history["best"] = np.append(history["best"], result.fun)
        return result


GRADIENT = ("jac", "njev", "optimality")
SAID = {
    "multistart": "A local search before it found the best",
    "polish": "A local search from the best point went on",
}
BROKEN = (StopReason.OUT_OF_TIME, StopReason.CALLBACK, StopReason.INTERRUPTED)


def arms_of(call: Call, bound: Any, plan: Plan, polish: bool | str, chosen: bool) -> Arms | None:
    """The local searches around a global method; None: there are none.

    chosen: the method was chosen by "auto", which has them where they are worth their compilation.

    Raises
    ------
    NotDifferentiable, ValueError
        Where a polish is asked for and cannot be had.
    """
    if polish is False or (polish == "auto" and not chosen) or "gradient" in call.solver.asks:
        return None
    asked, problem = polish is True, call.problem
    why = _why_not(call, bound, plan)
    if not asked and (why or call.limits.max_evals < WORTH * problem.dimension):
        return None
    if why:
        raise ValueError(f"polish: got True, expected False: {why}")
    try:
        derived = bind(dataclasses.replace(call, solver=SOLVERS[LOCAL]))
    except NotDifferentiable:
        if asked:
            raise
        return None
    assert isinstance(derived, CompiledObjective)
    return Arms(call, derived, first=chosen and not asked)


def _why_not(call: Call, bound: Any, plan: Plan) -> str:
    if plan.device != "cpu":
        return "there are no local searches on a GPU"
    if call.problem.integrality.any():
        return "whole numbers have no gradient"
    if not isinstance(bound, CompiledObjective) or bound.form is None:
        return "an objective that is not compiled has no automatic gradient"
    if call.limits.max_evals >= UNLIMITED:
        return "without max_evals there is no budget to take it from"
    if plan.runs != 1:
        return "it belongs to a single run"
    return ""
