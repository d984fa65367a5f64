"""Many runs: restarts, islands, grid and random search, on this machine or on a Dask cluster."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .execution.cluster import cluster
    from .island_model import islands
    from .journal import read_journal
    from .multistart import restarts
    from .search import grid_search, random_search
    from .spaces import choice, integer, log_integer, log_uniform, uniform, when

__all__ = [
    "choice",
    "cluster",
    "grid_search",
    "integer",
    "islands",
    "log_integer",
    "log_uniform",
    "random_search",
    "read_journal",
    "restarts",
    "uniform",
    "when",
]

MODULES = {
    "cluster": "execution.cluster",
    "grid_search": "search",
    "islands": "island_model",
    "random_search": "search",
    "read_journal": "journal",
    "restarts": "multistart",
}


if not TYPE_CHECKING:  # or checkers would believe in any name

    def __getattr__(name: str) -> Any:
        """Load a name when it is first asked for: the command line is in this package and answers `--help` at once."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f".{MODULES.get(name, 'spaces')}", __name__), name)
        return value
