"""The client of a local cluster, which ends the cluster with itself."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from distributed import Client, Security
from distributed.worker_memory import parse_memory_limit

logger = logging.getLogger(__name__)

FILES = [
    "tls_ca_file",
    *(f"tls_{role}_{kind}" for role in ("scheduler", "worker", "client") for kind in ("cert", "key")),
]


class LocalClient(Client):
    """A distributed.Client of the workers that `cluster` started."""

    def __init__(self, process, answer: dict, security: Security | None):
        self._process, self._has_dashboard = process, answer["dashboard"]
        super().__init__(answer["address"], security=security)

    def close(self, *args, **kwargs) -> None:
        try:
            super().close(*args, **kwargs)
        finally:
            self._process.stop()

    def shutdown(self) -> None:
        self.close()

    @property
    def dashboard_link(self) -> str | None:
        return super().dashboard_link if self._has_dashboard else None


def parse_tls(tls: Any) -> Security | None:
    """Credentials for all roles, checked here, where an error can be read."""
    if tls is None or tls is False:
        return None
    if tls is True:
        return _temporary()
    if isinstance(tls, dict):
        tls = _from_files(tls)
    if not isinstance(tls, Security):
        raise TypeError(
            f"tls: got {type(tls).__name__}, expected True, a dict of certificate paths or a distributed.Security"
        )
    if not tls.require_encryption:
        raise ValueError("tls: got a Security without certificates, expected require_encryption=True and its files")
    for role in ("scheduler", "worker", "client"):
        try:
            context = tls.get_connection_args(role)["ssl_context"]
        except (OSError, ValueError) as error:
            raise ValueError(f"tls: the certificate of the {role} cannot be used: {error}") from error
        if context is None:
            raise ValueError(f"tls: the {role} has no certificate, expected tls_ca_file and tls_{role}_cert")
    return tls


def _temporary() -> Security:
    try:
        return Security.temporary()
    except ImportError as error:
        raise ImportError("tls: True needs the package cryptography (pip install cryptography)") from error


def _from_files(files: dict) -> Security:
    if unknown := [name for name in files if name not in FILES]:
        raise ValueError(f"tls: got {', '.join(map(repr, unknown))}, expected paths under {', '.join(FILES)}")
    for name, path in files.items():
        if not Path(path).is_file():
            raise ValueError(f"tls: {name} is {str(path)!r}, expected the path of a file")
    return Security(require_encryption=True, **{name: str(path) for name, path in files.items()})


def parse_memory(memory_limit: Any, workers: int) -> int | None:
    """Bytes of one worker."""
    try:
        if isinstance(memory_limit, bool):
            raise TypeError
        limit = parse_memory_limit(memory_limit, 1, workers, logger=logger)
        if limit is not None and limit < 0:
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        raise ValueError(
            f"memory_limit: got {memory_limit!r}, expected 'auto', None, bytes, a fraction, or a text as '2 GiB'"
        ) from None
    return limit
