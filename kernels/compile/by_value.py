"""Pickling the user's own modules by value, for processes that cannot import them.

cloudpickle sends a function of an importable module by name. That is right for installed packages, and wrong for a
module that lies beside the user's script."""

from __future__ import annotations

import contextlib
import importlib.metadata
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

from .code_hash import installed


def dumps(value: Any) -> bytes:
    """`value` as bytes, with the user's own modules by value."""
    import cloudpickle

    with _by_value(_own_modules()):
        return cloudpickle.dumps(value)


@contextlib.contextmanager
def _by_value(modules: list[ModuleType]) -> Iterator[None]:
    import cloudpickle

    known = cloudpickle.list_registry_pickle_by_value()
    fresh = [module for module in modules if module.__name__ not in known]
    for module in fresh:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in fresh:
            cloudpickle.unregister_pickle_by_value(module)


def _own_modules() -> list[ModuleType]:
    """Loaded modules that belong neither to Python nor to an installed distribution."""
    found = [
        module
        for name, module in list(sys.modules.items())
        if isinstance(module, ModuleType) and module.__name__ == name != "__main__" and hasattr(module, "__file__")
        if not installed(name)
    ]
    in_place = _distributed() if found else {}
    return [module for module in found if module.__name__.partition(".")[0] not in in_place]


@cache
def _distributed():
    """Names of packages that came with a distribution, also those installed in place; half a second."""
    return importlib.metadata.packages_distributions()
