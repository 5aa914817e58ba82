"""Every attribution method keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

import attribution.references  # noqa: F401 - registers the references
from lumiscope.attribution import METHODS
from lumiscope.testing import METHOD_CHECKS, METHOD_REFERENCES, method_case

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()


@pytest.mark.parametrize("check", METHOD_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(METHODS))
def test_method(name, check):
    check(method_case(name))


def test_every_reference_is_of_a_method():
    assert set(METHOD_REFERENCES) == set(METHODS)


@pytest.mark.parametrize("name", list(METHODS))
def test_method_is_documented(name):
    assert f"`{name}`" in PAGE
