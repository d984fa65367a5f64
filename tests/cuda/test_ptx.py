"""Every kernel compiles for a GPU of compute capability 9.0, without a GPU; registers and spills are asked of ptxas."""

import math
import re

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from thalweg.kernels import Problem, objective, search
from thalweg.kernels.compile.structures import mapped
from thalweg.solvers import SOLVERS
from thalweg.solvers.contract import Key, Limits

CAPABILITY = (9, 0)
MOST_REGISTERS = 168  # 65536 per multiprocessor: two blocks of 192 threads


@pytest.fixture(autouse=True)
def compiler(compiles_without_gpu):
    compiles_without_gpu(CAPABILITY)


def rastrigin(x):
    total = 0.0
    for j in range(x.size):
        total += x[j] * x[j] - 10.0 * math.cos(2.0 * math.pi * x[j]) + 10.0
    return total


def model(x, data, weights, scale, pair):
    x[0] = x[0] * scale
    total = np.sqrt(abs(x[0])) + np.floor(x[1]) + pair[0] * pair[1] + max(x[0], 1.0) ** 2.5
    for k in range(data.size):
        total += weights[k, 0] * np.exp(-data[k]) * math.sin(x[1]) + np.log1p(abs(x[0])) + math.tanh(x[1])
    return total if total < 1e6 else math.nan


def picky(x):
    if x[0] > 0.5:
        raise ValueError("too large")
    return x[0]


def compile_ptx(kernel, *values):
    from numba import cuda
    from numba.cuda.typing.typeof import typeof

    ptx, _ = cuda.compile_ptx(kernel.py_func, tuple(typeof(value) for value in values), cc=CAPABILITY)
    return ptx


def resources(ptx):
    """(registers, bytes spilled) as ptxas reports them."""
    core = pytest.importorskip("cuda.core")
    options = core.LinkerOptions(arch="sm_90", ptxas_options=["-v"])
    linker = core.Linker(core.ObjectCode.from_ptx(ptx.encode()), options=options)
    linker.link("cubin")
    log = linker.get_info_log()
    spills = [int(n) for n in re.findall(r"(\d+) bytes spill", log)]
    return int(re.findall(r"Used (\d+) registers", log)[0]), sum(spills)


def states_of(solver, function):
    problem = Problem(fun=function, bounds=[(-5, 5)] * 30)
    state = solver.init(problem, solver.Options(population=8), Limits(400), Key(1, 0))
    return mapped(lambda array: array[None], state)


@pytest.mark.parametrize("name", [name for name, solver in SOLVERS.items() if solver.rows and solver.on_gpu])
def test_the_kernels_of_a_solver_compile_and_spill_nothing(name, record_property):
    from thalweg.kernels.cuda.generation import kernel_of_runs, kernels_of_rows, make_stages
    from thalweg.kernels.cuda.objective import function_of

    solver, function = SOLVERS[name], objective(rastrigin)
    stages = make_stages(solver, function_of(function.bind((), np.full(30, 0.1)), 30))
    states, args = states_of(solver, function), (0.0,)
    kernels = {"runs": compile_ptx(kernel_of_runs(solver.State, stages, 256), states, args, 1, 1)}
    for k, (kernel, takes_args, _) in enumerate(kernels_of_rows(solver.State, stages, 512)):
        kernels[f"{k} {kernel.py_func.__name__}"] = compile_ptx(kernel, states, *([args] * takes_args))
    for label, ptx in kernels.items():
        registers, spilled = resources(ptx)
        record_property(label, registers)
        assert spilled == 0 and registers <= MOST_REGISTERS, label


@pytest.mark.parametrize("precise", [True, False])
@pytest.mark.parametrize(
    ("function", "args"),
    [(rastrigin, ()), (model, (np.arange(3), np.ones((3, 2), np.float32), 2.0, (1, 0.5))), (picky, ())],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_objective_compiles(function, args, precise):
    from thalweg.kernels.cuda.generation import kernel_of_values
    from thalweg.kernels.cuda.objective import function_of

    bound = objective(function, precise=precise).bind(args, np.full(2, 0.1))
    points, values = np.zeros((4, 2)), np.zeros(4)
    ptx = compile_ptx(kernel_of_values(function_of(bound, 2)), points, values, bound.args or (0.0,))
    assert ".entry" in ptx


@pytest.mark.parametrize("mode", [search.GRID, search.RANDOM, search.GIVEN])
@pytest.mark.parametrize("dimension", [4, 30])
def test_the_kernel_of_a_search_compiles_and_spills_nothing(mode, dimension, record_property):
    from thalweg.kernels.cuda.objective import function_of
    from thalweg.kernels.cuda.search import kernel_of_ranges

    call = function_of(objective(rastrigin).bind((), np.full(dimension, 0.1)), dimension)
    ends, tables = np.ones(dimension), np.arange(dimension + 1)
    space = search.Space(tables[1:], ends, ends, ends, tables)
    arguments = space, np.uint64(1), ends[None], (0.0,), 0, 1, 1, ends, np.zeros((3, dimension), dtype=np.int64)
    registers, spilled = resources(compile_ptx(kernel_of_ranges(call, mode, dimension, 128), *arguments))
    record_property("registers", registers)
    assert spilled == 0 and registers <= MOST_REGISTERS


def test_what_cuda_cannot_compile_says_what_to_do():
    from thalweg.kernels.calling.objective import CompilationError
    from thalweg.kernels.cuda.generation import kernel_of_values
    from thalweg.kernels.cuda.launches import compiled_once
    from thalweg.kernels.cuda.objective import function_of

    bound = objective(lambda x: np.sort(x)[0]).bind((), np.full(2, 0.1))

    def build():
        return compile_ptx(kernel_of_values(function_of(bound, 2)), np.zeros((4, 2)), np.zeros(4), (0.0,))

    with pytest.raises(CompilationError, match="cannot compile"):
        compiled_once(("test",), bound, 2, build)
