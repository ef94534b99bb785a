"""The hand-made cases, as fixtures: a test module cannot import its neighbour under importlib mode."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    """The module sample.py."""
    return _neighbour("sample")


@pytest.fixture(scope="session")
def corpus() -> ModuleType:
    """The module secret_corpus.py."""
    return _neighbour("secret_corpus")


def _neighbour(stem: str) -> ModuleType:
    name = f"report_{stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{stem}.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
