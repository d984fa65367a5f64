"""A local search after a global method, from its best point and from the same budget: a polish.

A narrow curved valley, which a population creeps along, is followed down with the exact gradient of the objective. The
best of both is the answer, and the result says which arm found it, as that of the portfolio does.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ...kernels.calling.checking import NotDifferentiable
from ...kernels.calling.objective import CompiledObjective
from ..contract import UNLIMITED
from ..registry import SOLVERS
from .call import WORTH, Call, bind
from .preparing import make_session
from .result import Result
from .settings import Plan
from .stop_reason import StopReason
from .telling import counted

LOCAL = "l_bfgs_b"
LAST = 0.05  # share of the budget that the polish may take
EXACT = {"gtol": 1e-9, "ftol": 1e-15}  # it goes to the end of what doubles can tell


class Polish:
    """What follows the session of a global method.

    Parameters
    ----------
    call : Call
        Of the global method, with the whole budget.
    bound : CompiledObjective
        With the gradient in `bound.derivatives`.
    """

    def __init__(self, call: Call, bound: CompiledObjective):
        budget = call.limits.max_evals
        self.reserve = int(min(LAST * budget, 1000 + 50 * call.problem.dimension))  # evaluations
        self.bound = bound
        limits = dataclasses.replace(call.limits, max_evals=max(budget - self.reserve, 1))
        self.call = dataclasses.replace(call, limits=limits)  # of the global method, with what is left for it

    def end(self, result: Result, plan: Plan) -> Result:
        """The result of the global method, polished."""
        arms = result.get("arms") or [_arm(self.call.solver.name, self.call.solver.name, result)]
        result.update(arms=arms, arm=result.get("arm", self.call.solver.name))
        stopped = result.stop_reason in (*BROKEN, StopReason.REACHED_TARGET)
        if stopped or self.reserve < 1 or not np.isfinite(result.fun):
            return result
        solver, problem = SOLVERS[LOCAL], dataclasses.replace(self.call.problem, x0=result.x)
        limits = dataclasses.replace(self.call.limits, max_evals=self.reserve, max_iterations=0, ftol=-1.0, patience=0)
        call = Call(problem, solver, solver.Options(**EXACT), limits, self.call.seed)
        session = make_session(call, self.bound, dataclasses.replace(plan, runs=1, max_time=None))
        session.carry_out()
        found = session.summarise()
        spent = result.nfev + found.nfev
        arms.append(_arm("polish", LOCAL, found))
        result.update(nfev=spent)
        took = counted(found.nfev, "evaluation")
        if found.fun < result.fun:
            said = f"A local search from the best point went on ({took}): {result.fun:.10g} became {found.fun:.10g}."
            result.update({key: found[key] for key in ("x", "fun")}, arm="polish")
        else:
            said = f"A local search from the best point found nothing lower ({took})."
        if np.array_equal(found.x, result.x):  # what is known of its point is known of the answer
            result["message"] = f"{found.message if found.success else result.message} {said}"
            result.update({key: found[key] for key in GRADIENT if key in found})
            if found.success:
                result.update({key: found[key] for key in ("success", "status", "stop_reason")})
        history = result.get("history")
        if history is not None:
            history["evaluations"] = np.append(history["evaluations"], spent)
            history["best"] = np.append(history["best"], result.fun)
        return result


def _arm(name: str, method: str, result: Result) -> dict[str, Any]:
    return {"arm": name, "method": method, "fun": result.fun, "nfev": result.nfev, "runs": len(result.runs)}


GRADIENT = ("jac", "njev", "optimality")
BROKEN = (StopReason.OUT_OF_TIME, StopReason.CALLBACK, StopReason.INTERRUPTED)


def polish_of(call: Call, bound: Any, plan: Plan, polish: bool | str, chosen: bool) -> Polish | None:
    """The local search after a global method; None: there is none.

    chosen: the method was chosen by "auto", which polishes where that is worth its compilation; the portfolio has
    local searches of its own.

    Raises
    ------
    NotDifferentiable, ValueError
        Where a polish is asked for and cannot be had.
    """
    if polish is False or "gradient" in call.solver.asks:
        return None
    asked, problem = polish is True, call.problem
    if not asked and (not chosen or call.solver.rows is None):
        return None
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
    return Polish(call, derived)


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
