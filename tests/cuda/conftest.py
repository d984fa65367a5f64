"""What the tests of the device run on: the simulator, if NUMBA_ENABLE_CUDASIM=1 asks for it, else an NVIDIA GPU."""

import pytest


@pytest.fixture(scope="session")
def simulated():
    """Whether it is the simulator; skips the test where there is neither. On a GPU sums are rounded in another way."""
    pytest.importorskip("numba_cuda")
    from thalweg.kernels.cuda import shim

    try:
        shim.require_gpu()
    except RuntimeError:
        pytest.skip("neither a GPU nor the simulator (NUMBA_ENABLE_CUDASIM=1)")
    return shim.SIMULATED


@pytest.fixture
def only_simulated(simulated):
    if not simulated:
        pytest.skip("plays the part of the device: NUMBA_ENABLE_CUDASIM=1")


@pytest.fixture(scope="session")
def close(simulated):
    """How closely values agree with the CPU's. A GPU rounds a product and a sum at once."""
    return {"rtol": 1e-12, "atol": 1e-300} if simulated else {"rtol": 1e-9, "atol": 1e-9}


@pytest.fixture
def compiles_without_gpu(monkeypatch):
    """compiles(capability): numba-cuda asks for the current device when it compiles a function: tell it of one."""
    from thalweg.kernels.cuda.shim import SIMULATED

    if SIMULATED:
        pytest.skip("the simulator compiles nothing")
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv.nvvm import NVVM

    try:
        NVVM()
    except Exception as error:
        pytest.skip(f"no NVVM, which the extras cuda12 and cuda13 bring: {error}")

    def compiles(capability):
        device = type("Device", (), {"compute_capability": capability})
        monkeypatch.setattr(dispatcher, "get_current_device", lambda: device)

    return compiles
