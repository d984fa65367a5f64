"""Passes over data compile for a GPU of compute capability 9.0, link with what they ask, and spill nothing."""

import math
import re
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba_cuda")

from thalweg.kernels import objective
from thalweg.kernels.calling import asking
from thalweg.kernels.calling.of_number import objective_of_number
from thalweg.kernels.compile.jit import inlined
from thalweg.kernels.cuda.objective import of_engine
from thalweg.kernels.cuda.passes import (
    Askers,
    fold,
    kernel_of_general,
    kernel_of_linear,
    loss_of_engine,
    loss_of_user,
)
from thalweg.kernels.cuda.questions import answers, symbol_of
from thalweg.kernels.cuda.shim import library_text
from thalweg.kernels.differentiate.device import library_in, ptx_of
from thalweg.kernels.elementary import exp, log1p

CAPABILITY = (9, 0)
X, Y, WHOLE, ROOM = np.ones((9, 4)), np.zeros(9), np.arange(9), np.zeros((9, 16))
ASKERS = Askers(0, 0, ROOM, 0, ROOM, 0, 0, 0, WHOLE)
OF_LINEAR = X, Y, Y, WHOLE, 0, 9, np.zeros(5), ASKERS, ROOM, ROOM, WHOLE
OF_GENERAL = Y, WHOLE, 0, 9, np.zeros(5), ASKERS, ROOM, WHOLE


@pytest.fixture(autouse=True)
def compiler(compiles_without_gpu):
    compiles_without_gpu(CAPABILITY)


@inlined
def logistic(z, y):
    e = exp(-abs(z))
    return log1p(e) + max(z, 0.0) - y * z, (1.0 if z > 0 else e) / (1.0 + e) - y


def of_user(z, y):
    return math.log1p(math.exp(-abs(z))) + abs(z) ** y + math.erf(z)


def general(w, x, y):
    return (np.sum(w * x) - y) ** 2


def linked(kernel, given, bound: Any = None):
    """(registers, bytes spilled) of a kernel and the loss that it asks, as ptxas reports them."""
    from numba import cuda
    from numba.cuda.typing.typeof import typeof

    core = pytest.importorskip("cuda.core")
    ptx, _ = cuda.compile_ptx(kernel, tuple(map(typeof, given)), cc=CAPABILITY)
    texts = [ptx]
    if bound is not None:
        texts.append(ptx_of(bound, "gradient", symbol_of("gradient"), "sm_90", library=True))
        texts += [library_text(name, CAPABILITY) for name in library_in(texts[1])]
    options = core.LinkerOptions(arch="sm_90", ptxas_options=["-v"])
    linker = core.Linker(*(core.ObjectCode.from_ptx(text.encode()) for text in texts), options=options)
    assert linker.link("cubin").code
    log = linker.get_info_log()
    return int(re.findall(r"Used (\d+) registers", log)[0]), sum(map(int, re.findall(r"(\d+) bytes spill", log)))


@pytest.mark.parametrize("x", [X, X.astype(np.float32)], ids=["double", "single"])
def test_a_loss_of_the_engine(x, record_property):
    registers, spilled = linked(kernel_of_linear(loss_of_engine(of_engine(logistic))), (x, *OF_LINEAR[1:]))
    record_property("registers", registers)
    assert spilled == 0 and registers <= 128  # so that two blocks of 256 threads fit


def test_losses_of_the_users_link_with_the_passes():
    ask = answers(False)[asking.value_and_gradient]
    bound = objective_of_number(of_user).bind((0.0,), np.zeros(1))
    linked(kernel_of_linear(loss_of_user(ask)), OF_LINEAR, bound)
    linked(kernel_of_general(ask), OF_GENERAL, objective(general).bind((X[0], 0.0), np.zeros(4)))


def test_the_sums_of_blocks():
    assert linked(fold, (ROOM, Y))[1] == 0
