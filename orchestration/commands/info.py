"""`thalweg info`: what a report of a problem needs to say of the machine and the installation."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

import llvmlite.binding

from ...kernels.compile import cache, jit
from ...kernels.compile.files import fault
from ...kernels.compile.jit import available_threads
from .warm import cache_size

TOLD = ("sse4.2", "avx", "avx2", "fma", "avx512f", "avx512dq", "avx512vl", "neon", "sve", "sve2")  # vector units


def describe() -> Iterator[tuple[str, str]]:
    """Names and texts, line by line. Nothing here raises: it is run where something is wrong already."""
    yield "thalweg", f"{version('thalweg')}, from {Path(__file__).parents[2]}"
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()}), {platform.platform()}"
    for name in ("numba", "llvmlite", "numpy", "scipy", "dask", "distributed", "tbb", "numba-cuda"):
        yield name, version(name)
    yield "threading layer", jit.threading_layer()
    yield "cores", f"{os.cpu_count()}, of which {available_threads()} are used"
    yield "CPU", f"{llvmlite.binding.get_host_cpu_name()}, {cpu_features()}"
    yield "GPU", gpu()
    yield "cache", compiled_code()


def version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def compiled_code() -> str:
    folder = cache.folder()
    if folder is None:
        return "none: this user has no home; THALWEG_CACHE_DIR may name a folder"
    if reason := fault(folder):
        return f"{folder}, which is not used: {reason}"
    files, size = cache_size()
    return f"{folder}, {files} files, {size / 2**20:.1f} MB (at most {cache.LIMIT // 2**20})"


def cpu_features() -> str:
    try:
        features = llvmlite.binding.get_host_cpu_features()
    except RuntimeError:  # LLVM does not know this system
        return "features unknown"
    return " ".join(name for name in TOLD if features.get(name)) or "no vector unit known"


def gpu() -> str:
    """What numba-cuda finds; a driver may be missing, too old or broken in ways of its own."""
    if version("numba-cuda") == "not installed":
        return "none used: numba-cuda is not installed (extras cuda12, cuda13)"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from numba import cuda

            if not cuda.is_available():
                return "none found by numba-cuda"
            devices = [device.name for device in cuda.gpus]
        return ", ".join(name.decode() if isinstance(name, bytes) else str(name) for name in devices)
    except Exception as error:
        return f"none: {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
