"""The process of a local cluster: run as a program by cluster.py, and loaded by each worker as a Dask preload."""

from __future__ import annotations

import atexit
import contextlib
import json
import multiprocessing
import os
import pickle
import sys
from pathlib import Path

LOADED = ["distributed", "distributed.nanny", "thalweg.orchestration.execution.worker"]


def dask_setup(worker) -> None:
    """In each worker. Forked ones would share one state of NumPy's global generator, and draw the same numbers."""
    import numpy

    numpy.random.seed()  # noqa: NPY002


def main() -> None:
    sys.path[:] = pickle.load(sys.stdin.buffer)
    method = fork_server() if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"

    import dask.config
    from distributed import LocalCluster, utils

    utils._forkserver_preload_set = True  # else Dask would import pandas here to have it forked
    options = pickle.load(sys.stdin.buffer)
    dask.config.set(
        {
            "distributed.worker.multiprocessing-method": method,
            "distributed.worker.profile.enabled": options["dashboard"],  # interrupts Python code 100 times a second
        }
    )
    try:
        cluster = LocalCluster(
            n_workers=options["workers"],
            threads_per_worker=1,
            memory_limit=options["memory_limit"],
            security=options["security"],
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": options["dashboard"]},
            preload=["thalweg.orchestration.execution.cluster_process"],
            silence_logs=False,  # levels are set in the environment, before logging is configured
        )
    except Exception as error:
        tell(options["answer"], {"error": f"{type(error).__name__}: {error}"})
        return
    tell(options["answer"], {"address": cluster.scheduler_address, "dashboard": options["dashboard"] and has_bokeh()})
    sys.stdin.buffer.read(1)  # until the other end says so, or is gone
    cluster.close()


def fork_server() -> str:
    """Start the process that workers are forked from. It loads what they need once, while this one does the same."""
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload(LOADED)
    forkserver.ensure_running()
    return "forkserver"


def has_bokeh() -> bool:
    try:
        import distributed.dashboard.scheduler  # noqa: F401
    except ImportError:
        return False
    return True


def tell(path: str, message: dict) -> None:
    """Write all of it at once: the reader waits for the file to be there."""
    part = Path(path + ".part")
    with contextlib.suppress(FileNotFoundError):  # nobody waits any more
        part.write_text(json.dumps(message), "utf-8")
        part.replace(path)


if __name__ == "__main__":
    with contextlib.suppress(EOFError):  # whoever started it has changed its mind
        main()
    atexit._run_exitfuncs()
    os._exit(0)  # the rest of an orderly end takes Python a third of a second
