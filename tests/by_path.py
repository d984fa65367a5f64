"""Import a file by its path: its folder must not enter sys.path (bench/cuda.py would hide a package)."""

import importlib.util
import sys
from pathlib import Path


def load_file(path: Path):
    spec = importlib.util.spec_from_file_location(f"file_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
