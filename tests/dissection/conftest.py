"""Makes the slow references importable under pytest's importlib mode, where tests are no package."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def references(load_module):
    return load_module("dissection_reference", "dissection/reference.py").REFERENCES
