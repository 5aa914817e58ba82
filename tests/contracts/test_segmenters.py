"""Every segmenter keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope.attribution.regions.segmenters import SEGMENTERS
from lumiscope.testing import SEGMENTER_CHECKS, segmenter_case

PAGE = (Path(__file__).parents[2] / "docs" / "lime.md").read_text()


@pytest.mark.parametrize("check", SEGMENTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(SEGMENTERS))
def test_segmenter(name, check):
    check(segmenter_case(name))


@pytest.mark.parametrize("name", list(SEGMENTERS))
def test_segmenter_is_documented(name):
    assert f"`{name}`" in PAGE
