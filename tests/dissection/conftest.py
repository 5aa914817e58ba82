"""Shared by the tests of this folder."""

from __future__ import annotations

import pytest

import dissection.reference  # noqa: F401 - registers the references
from lumiscope.testing import SIMILARITY_REFERENCES


@pytest.fixture(scope="session")
def references():
    """The slow references by name."""
    return SIMILARITY_REFERENCES
