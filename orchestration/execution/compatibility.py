"""Whether the workers of a client are fit for our work: the same versions as here, and one CPU model.

Results are repeatable for one set of versions and one CPU model (docs/design.md)."""

from __future__ import annotations

import sys
import warnings
from typing import Any
from weakref import WeakKeyDictionary

PACKAGES = ("thalweg", "numba", "llvmlite", "numpy", "scipy")  # what the bits of a result hang on
WAIT = 30.0  # seconds for a cluster that is just starting
SHOWN = 3  # workers or CPU features named in a message


def check_workers(client, timeout: float = WAIT) -> dict[str, dict[str, Any]]:
    """Ask every worker what it has; refuse other versions than here, and warn of other CPU models.

    Parameters
    ----------
    client : distributed.Client
        Connected and synchronous.
    timeout : float, default 30
        Seconds to wait for the first worker.

    Returns
    -------
    dict
        By the address of a worker: `python`, each of the PACKAGES, `cpu` (LLVM's name) and `features`.

    Raises
    ------
    TypeError
        If `client` is not a synchronous distributed.Client.
    RuntimeError
        If it is closed, has no workers, or has workers with other versions.
    """
    _check_client(client)
    known = _checked.get(client)
    if known is not None and known.keys() >= client.nthreads().keys() != set():
        return known
    _wait_for_worker(client, timeout)
    here, workers = describe(PACKAGES), _ask(client)
    if not workers:
        raise RuntimeError(f"client: none of the workers of {_address(client)} answered, expected at least one")
    _compare_versions(here, workers)
    _compare_cpus(here, workers)
    _checked[client] = workers
    return workers


_checked: WeakKeyDictionary[Any, dict[str, dict[str, Any]]] = WeakKeyDictionary()  # by client: workers that fit


def describe(packages) -> dict[str, Any]:
    """Versions and CPU of the process that it runs in. Pickled by value: it must not use what stands around it."""
    import importlib.metadata
    import platform

    found: dict[str, Any] = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    try:
        import llvmlite.binding as llvm

        return found | {"cpu": llvm.get_host_cpu_name(), "features": llvm.get_host_cpu_features().flatten()}
    except (ImportError, RuntimeError):  # RuntimeError: LLVM does not know this system's features
        return found | {"cpu": platform.machine(), "features": ""}


def _ask(client) -> dict[str, dict[str, Any]]:
    import cloudpickle

    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)  # a worker without thalweg is to answer, too
    try:
        return client.run(describe, PACKAGES, on_error="ignore")  # an error: the worker has just gone
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def _check_client(client) -> None:
    from distributed import Client

    if not isinstance(client, Client):
        raise TypeError(
            f"client: got {type(client).__name__}, expected a distributed.Client (of a cluster: cluster.get_client())"
        )
    if client._asynchronous:
        raise TypeError(
            "client: got one with asynchronous=True, expected a synchronous one: this call waits for results"
        )
    if client.status != "running":
        raise RuntimeError(f"client: its connection to {_address(client)} is {client.status!r}, expected 'running'")


def _wait_for_worker(client, timeout: float) -> None:
    try:
        client.wait_for_workers(1, timeout=timeout)
    except TimeoutError:
        raise RuntimeError(
            f"client: no worker joined {_address(client)} within {timeout:g} s, expected at least one. Are its jobs "
            "still queued? client.wait_for_workers(1) waits as long as it takes"
        ) from None


def _compare_versions(here: dict, workers: dict[str, dict]) -> None:
    other = {}
    for address, there in workers.items():
        names = [name for name in ("python", *PACKAGES) if there[name] != here[name]]
        if names:
            other[address] = ", ".join(f"{name} {there[name] or 'not installed'} (here {here[name]})" for name in names)
    if other:
        shown = "; ".join(f"{address} has {text}" for address, text in list(other.items())[:SHOWN])
        raise RuntimeError(
            f"client: {len(other)} of {len(workers)} workers differ from this process: {shown}. "
            "Install the same versions there, or start this process in the environment of the workers"
        )


def _compare_cpus(here: dict, workers: dict[str, dict]) -> None:
    other = {}
    for address, there in workers.items():
        if (there["cpu"], there["features"]) != (here["cpu"], here["features"]):
            other[address] = _difference(here, there)
    if other:
        address, difference = next(iter(other.items()))
        warnings.warn(
            f"client: {len(other)} of {len(workers)} workers have another CPU than this process ({here['cpu']}): "
            f"{address} has {difference}. Results are repeatable, to the last bit, on one CPU model only",
            stacklevel=4,
        )


def _difference(here: dict, there: dict) -> str:
    if there["cpu"] != here["cpu"]:
        return there["cpu"]
    features = sorted(set(there["features"].split(",")) - set(here["features"].split(",")))
    return f"{there['cpu']} with {', '.join(features[:SHOWN])}" + (" ..." if len(features) > SHOWN else "")


def _address(client) -> str:
    return client.scheduler.address if client.scheduler is not None else "its scheduler"
