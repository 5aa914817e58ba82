"""Makes the slow references importable under pytest's importlib mode, where tests are no package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def references():
    spec = importlib.util.spec_from_file_location("dissection_reference", Path(__file__).with_name("reference.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.REFERENCES
