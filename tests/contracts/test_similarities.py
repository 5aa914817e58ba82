"""Every similarity keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

import dissection.reference  # noqa: F401 - registers the references
from lumiscope.dissection import SIMILARITIES
from lumiscope.testing import SIMILARITY_CHECKS, SIMILARITY_REFERENCES, similarity_case

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()


@pytest.mark.parametrize("check", SIMILARITY_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(SIMILARITIES))
def test_similarity(name, check):
    check(similarity_case(name))


def test_every_reference_is_of_a_similarity():
    assert set(SIMILARITY_REFERENCES) == set(SIMILARITIES)


@pytest.mark.parametrize("name", list(SIMILARITIES))
def test_similarity_is_documented(name):
    assert f"`{name}`" in PAGE
