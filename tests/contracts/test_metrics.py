"""Every trust metric keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

import trust.references  # noqa: F401 - registers the references
from lumiscope.testing import METRIC_CHECKS, METRIC_REFERENCES, metric_case
from lumiscope.trust import METRICS

PAGE = (Path(__file__).parents[2] / "docs" / "trust.md").read_text()


@pytest.mark.parametrize("check", METRIC_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(METRICS))
def test_metric(name, check):
    check(metric_case(name))


def test_every_reference_is_of_a_metric():
    assert set(METRIC_REFERENCES) == set(METRICS)


@pytest.mark.parametrize("name", list(METRICS))
def test_metric_is_documented(name):
    assert f"`{name}`" in PAGE
