"""`cluster`: a Dask cluster on the cores of this machine.

The scheduler and the parents of the workers live in a process of their own (cluster_process.py). So a script needs no
`if __name__ == "__main__":`, workers do not import it again, their environment is set before anything is loaded and
leaves this process's as it is, and no computation here keeps the scheduler from answering."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...solvers.driving.settings import count_of

if TYPE_CHECKING:
    from distributed import Client

PROGRAM = Path(__file__).with_name("cluster_process.py")
# One thread for each worker, whatever its libraries would start.
ENVIRONMENT = {
    **dict.fromkeys(("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "OMP_WAIT_POLICY": "passive",
}
# Where the user has not set them: what Dask sets for its workers, and silence, as results say what failed.
DEFAULTS = {
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "PYTHONHASHSEED": "6640",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "500ms",  # looked at every 20 ms, its event loops take 2 % of two cores
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # what a worker takes along comes back at once (workers.py)
    "DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1h",  # a worker that is just being replaced is not lost
}
WARNINGS = "ignore:resource_tracker:UserWarning"  # of what a killed worker held; it is freed
TICK = 0.01  # seconds between looks for the answer
PATIENCE = 3.0  # seconds that workers at work are given to end


def cluster(
    workers: int | None = None, *, memory_limit: Any = "auto", tls: Any = None, dashboard: bool = False
) -> Client:
    """Start worker processes on this machine, with one thread each, and connect to them.

    Parameters
    ----------
    workers : int, optional
        Default: one for each core this process may use.
    memory_limit : str, int, float or None, default "auto"
        Of one worker: bytes, a text as "2 GiB", or a fraction of the memory. A worker that exceeds 95 % of it is
        replaced. "auto": an equal share for each; None: no limit.
    tls : bool, dict or distributed.Security, optional
        True encrypts all connections and admits nobody else, with a certificate made for this cluster (needs the
        package `cryptography`). A dict has the paths of certificates by the names of `distributed.Security`:
        `tls_ca_file`, `tls_scheduler_cert`, `tls_scheduler_key`, and likewise for `worker` and `client`.
        Without it any user of this machine can run code through the cluster, under your name.
    dashboard : bool, default False
        Serve Dask's dashboard, at `client.dashboard_link` (None where the package `bokeh` is not installed).

    Returns
    -------
    distributed.Client
        Connected, as soon as all workers are there. It ends the workers at the end of a `with` block, at `close()`, and
        with this process. Everything listens on the loopback only.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is expected.
    ImportError
        If `tls=True` and `cryptography` is not installed.
    RuntimeError
        If the workers do not start, with the reason.

    Examples
    --------
    >>> from thalweg.orchestration import cluster
    >>> with cluster(workers=2) as client:
    ...     client.submit(pow, 2, 10).result()
    1024
    """
    workers = count_of("workers", workers)
    if not isinstance(dashboard, bool):
        raise TypeError(f"dashboard: got {dashboard!r}, expected True or False")
    process = Process()  # it loads its modules while this one does
    try:
        from . import local_client

        security = local_client.parse_tls(tls)
        options = {"workers": workers, "memory_limit": local_client.parse_memory(memory_limit, workers)}
        answer = process.ask(options | {"security": security, "dashboard": dashboard})
        return local_client.LocalClient(process, answer, security)
    except BaseException:
        process.stop()
        raise


class Process:
    """The process that holds a cluster. It ends when its standard input does, so it cannot outlive this process."""

    def __init__(self):
        warnings = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), WARNINGS]))
        self.popen = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            env={**DEFAULTS, **os.environ, **ENVIRONMENT, "PYTHONWARNINGS": warnings},
            start_new_session=True,  # Ctrl-C is for this process alone
        )
        self.patience = 0.0
        self._send(sys.path)

    def ask(self, options: dict) -> dict:
        """Have the cluster started; its address."""
        self.patience = PATIENCE
        with tempfile.TemporaryDirectory(prefix="thalweg-") as folder:
            answer = Path(folder, "answer")
            self._send(options | {"answer": str(answer)})
            while not answer.exists():
                if self.popen.poll() is not None:
                    raise RuntimeError(f"cluster: its process ended with exit status {self.popen.returncode}")
                time.sleep(TICK)
            found = json.loads(answer.read_text("utf-8"))
        if "error" in found:
            raise RuntimeError(f"cluster: the workers did not start: {found['error']}")
        return found

    def stop(self) -> None:
        """End it and its workers; what is still at work after PATIENCE is killed."""
        assert self.popen.stdin is not None
        if self.popen.stdin.closed:
            return
        self._send(None)  # a child forked from this process may hold the pipe open
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.close()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.popen.wait(self.patience)
        finally:
            self._kill()

    def _kill(self) -> None:
        if self.popen.poll() is not None:
            return
        if hasattr(os, "killpg"):
            os.killpg(self.popen.pid, signal.SIGKILL)  # its workers, too
        self.popen.kill()
        self.popen.wait()

    def _send(self, message) -> None:
        assert self.popen.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, and `ask` says so
            self.popen.stdin.write(pickle.dumps(message))
            self.popen.stdin.flush()
