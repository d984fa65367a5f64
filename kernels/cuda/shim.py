"""The one place that imports CUDA: numba-cuda on an NVIDIA GPU, or its simulator (NUMBA_ENABLE_CUDASIM=1).

The rest of the engine uses the common subset alone: kernels, device functions, shared and local arrays, barriers,
atomics on integers. In the simulator kernels run as Python, a thread of Python for each of the device.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import threading
import warnings
from typing import Any

import numpy as np
from numba.core import config as _config

INSTALL = 'pip install "thalweg[cuda13]" (or "thalweg[cuda12]", for a driver of CUDA 12)'

if importlib.util.find_spec("numba_cuda") is None:  # Numba's built-in CUDA is deprecated and not what we test with
    raise ImportError(f'device="cuda": numba-cuda is not installed; {INSTALL}')

names: Any = vars(np)
names.setdefault("row_stack", np.vstack)  # NumPy 2.5 took it away; numba-cuda 0.30 still asks for it
with warnings.catch_warnings():  # and for a timedelta without a unit
    warnings.simplefilter("ignore", DeprecationWarning)
    from numba import cuda as _cuda

config: Any = _config
SIMULATED = bool(config.ENABLE_CUDASIM)
if SIMULATED:
    sys.setswitchinterval(1e-5)  # its scheduler spins, and would keep the interpreter 5 ms at each barrier


class _Simulator:
    """`cuda` as a thread of the simulator sees it, in every module and not only where the kernel stands."""

    def __getattr__(self, name):
        from numba.cuda.simulator.kernel import _get_kernel_context

        context: Any = _get_kernel_context()
        return _Shared(context) if name == "shared" else getattr(context or _cuda, name)


class _Shared:
    """Shared arrays, known by their line. The simulator's own, without a lock, may give two threads different ones."""

    lock = threading.Lock()

    def __init__(self, context):
        self.arrays: dict = context.__dict__.setdefault("shared_by_line", {})

    def array(self, shape, dtype) -> np.ndarray:
        frame = sys._getframe(1)
        line = frame.f_code, frame.f_lineno
        with self.lock:
            return self.arrays.setdefault(line, np.empty(shape, dtype))


cuda: Any = _Simulator() if SIMULATED else _cuda


def require_gpu() -> None:
    """RuntimeError with what to do if there is nothing to run on."""
    if SIMULATED or cuda.is_available():
        return
    reason = ""
    try:
        cuda.current_context()
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
    raise RuntimeError(
        f'device="cuda": no NVIDIA GPU with a driver is found ({reason}); use device="cpu". '
        f"The toolkit that compiles for it comes with {INSTALL}"
    )


def device_function(function):
    """A function that kernels call."""
    return function if SIMULATED else cuda.jit(device=True)(function)


def inlined_device_function(function):
    """The same, written out in what calls it."""
    return function if SIMULATED else cuda.jit(device=True, inline="always")(function)


def device_kernel(function):
    """A function to be launched on a grid."""
    return cuda.jit(_quiet(function) if SIMULATED else function)


def linked_kernel(function, texts: list[str]):
    """The same, linked with device functions that are given as PTX."""
    if SIMULATED:
        return device_kernel(function)
    return cuda.jit(link=[cuda.PTXSource(text.encode()) for text in texts])(function)


def library_text(name: str, capability: tuple[int, int] | None = None) -> str:
    """PTX of a function of C, double to double, as `thalweg_c_<name>`: NVIDIA's own.

    capability: of the GPU that it is for; by default the one in use.
    """
    from numba import types
    from numba.cuda import libdevice

    function: Any = getattr(libdevice, name)
    pair = name in ("pow", "atan2", "hypot", "fmod")
    call = (lambda x, y: function(x, y)) if pair else (lambda x: function(x))
    signature = types.float64(*[types.float64] * (1 + pair))
    text, _ = cuda.compile_ptx(
        call, signature, device=True, abi="c", abi_info={"abi_name": f"thalweg_c_{name}"},
        cc=capability or cuda.get_current_device().compute_capability,
    )  # fmt: skip
    return text


def architecture() -> str:
    """Of the GPU that is in use, as compilers call it."""
    major, minor = cuda.get_current_device().compute_capability
    return f"sm_{major}{minor}"


def configure(kernel, blocks: int, threads: int):
    """The kernel for a grid; a small one is no mistake here, whatever numba-cuda's warning says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kernel[blocks, threads]


def _quiet(function):
    """NumPy warns where 64-bit integers wrap, in each thread of the simulator anew; the device wraps without a word."""

    def guarded(*args):
        with np.errstate(all="ignore"):
            return function(*args)

    return guarded


def to_device(array: np.ndarray):
    """A copy on the device; in the simulator a copy."""
    return array.copy() if SIMULATED else cuda.to_device(array)


def room_on_device(shape: tuple[int, ...], dtype):
    """An array on the device that holds anything."""
    return np.zeros(shape, dtype) if SIMULATED else cuda.device_array(shape, dtype)


def free_bytes() -> int:
    """Of the device's memory, those that nobody uses."""
    return 2**30 if SIMULATED else int(cuda.current_context().get_memory_info()[0])


def address_of(array) -> int:
    """Where an array stands, on the device."""
    return int(array.ctypes.data if SIMULATED else array.__cuda_array_interface__["data"][0])


def repeated(array: np.ndarray, times: int):
    """Copies of an array behind each other on the device, which makes them itself; in the simulator too."""
    if SIMULATED:
        return np.repeat(array[None], times, axis=0)
    copies, made = cuda.device_array((times, *array.shape), array.dtype), 1
    copies[:1].copy_to_device(array.reshape(1, *array.shape))
    while made < times:
        more = min(made, times - made)
        copies[made : made + more].copy_to_device(copies[:more])
        made += more
    return copies


def to_host(array, out: np.ndarray) -> None:
    """Copy from the device into `out`; waits for the kernels launched before."""
    if SIMULATED and out.size:
        out[...] = array
    elif out.size:
        array.copy_to_host(out)


def device_name() -> str:
    if SIMULATED:
        return "simulator"
    name = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def versions() -> dict:
    """What a result on a GPU hangs on, beside what it hangs on everywhere."""
    return {"numba_cuda": importlib.metadata.version("numba-cuda"), "gpu": device_name()}
