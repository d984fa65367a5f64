"""The kernel of many small problems compiles for a GPU of compute capability 9.0 and links with what it calls."""

import math
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from thalweg import minimize_many
from thalweg.kernels import Problem, objective
from thalweg.kernels.compile.structures import mapped
from thalweg.kernels.cuda.objective import library
from thalweg.kernels.cuda.problems import Found, Given, Threads, kernel_of_problems
from thalweg.kernels.cuda.questions import answers, symbol_of
from thalweg.kernels.cuda.shim import library_text
from thalweg.kernels.differentiate.device import LIBRARY, library_in, ptx_of
from thalweg.kernels.run import RUN
from thalweg.solvers import SOLVERS
from thalweg.solvers.contract import Key, Limits
from thalweg.solvers.driving import drivers

CAPABILITY = (9, 0)
THREADS, COUNT, D = 64, 100, 2


@pytest.fixture(autouse=True)
def compiler(compiles_without_gpu):
    compiles_without_gpu(CAPABILITY)


def misfit(b, y, t):
    return np.sum((b[0] * np.exp(-b[1] * t) - y) ** 2)


def arguments_of(solver):
    """What the kernel is launched with, on the host: the types are the same."""
    problem = Problem(fun=misfit, args=(np.ones(20),) * 2, bounds=[(-5, 5)] * D, x0=np.ones(D))
    template = solver.init(problem, solver.Options(), Limits(400), Key(1, 0))
    states = mapped(lambda array: np.zeros((*array.shape, THREADS), array.dtype), template)
    whole, m = np.zeros(THREADS, np.int64), np.zeros(COUNT, np.int64)
    threads = Threads(whole, np.zeros((THREADS, 1 + 3 * D)), whole)
    given = Given(0, 0, 0, m, np.zeros((COUNT, D)), 1, 0, 0, 0, 0)
    return states, template, threads, given, Found(np.zeros(COUNT, RUN), np.zeros((COUNT, D)), m, m), 1


@pytest.mark.parametrize(
    ("method", "kinds"),
    [("nelder_mead", ["value"]), pytest.param("l_bfgs_b", ["value", "gradient"], marks=pytest.mark.slow)],
)
def test_the_kernel_compiles_and_links(method, kinds, record_property):
    from numba import cuda
    from numba.cuda.typing.typeof import typeof

    core = pytest.importorskip("cuda.core")
    solver = SOLVERS[method]
    place = drivers.placing(solver)
    solve = kernel_of_problems(solver.State, drivers.advancing(solver), place, {**library(), **answers(False)}, {})
    ptx, _ = cuda.compile_ptx(solve, tuple(map(typeof, arguments_of(solver))), cc=CAPABILITY)
    bound: Any = objective(misfit).bind((np.ones(20),) * 2, np.ones((1, D)))
    texts = [ptx, *(ptx_of(bound, kind, symbol_of(kind), "sm_90") for kind in kinds)]
    options = core.LinkerOptions(arch="sm_90", ptxas_options=["-v"])
    linker = core.Linker(*(core.ObjectCode.from_ptx(text.encode()) for text in texts), options=options)
    assert linker.link("cubin").code
    record_property("registers", re.findall(r"Used (\d+) registers", linker.get_info_log())[0])


def test_functions_of_c_are_nvidias():
    """Each of them compiles; an objective and its gradient link with those that they call."""
    core = pytest.importorskip("cuda.core")
    texts = {name: library_text(name, CAPABILITY) for name in LIBRARY}
    assert all(f") thalweg_c_{name}(" in text and ".extern" not in text for name, text in texts.items())

    def special(x):
        powers = abs(x[0]) ** x[1] + math.atan2(x[0], x[1]) + math.erf(x[0]) + np.arcsin(0.1 * x[0])
        return powers + math.sinh(x[1]) + np.log10(1 + x[0] ** 2) + np.hypot(x[0], x[1])

    bound: Any = objective(special, boundscheck=False).bind((), np.ones((1, 2)))
    made = [ptx_of(bound, kind, symbol_of(kind), "sm_90", library=True) for kind in ("value", "gradient")]
    called = set().union(*map(library_in, made))
    assert {"pow", "atan2", "erf", "asin", "sinh", "cosh", "log10", "hypot"} <= called
    made += [texts[name] for name in called]
    codes = [core.ObjectCode.from_ptx(text.encode()) for text in made]
    assert core.Linker(*codes, options=core.LinkerOptions(arch="sm_90")).link("cubin").code


def test_a_missing_gpu_is_named():
    from numba import cuda

    if cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(RuntimeError, match='device="cuda": no NVIDIA GPU with a driver is found'):
        minimize_many(misfit, [1.0, 1.0], (np.ones((3, 20)),), args=(np.ones(20),), device="cuda")
