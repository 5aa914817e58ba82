"""Every mask rule keeps the contract of `lumiscope.testing`, and is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lumiscope.agreement import MASK_RULES
from lumiscope.testing import MASK_RULE_CHECKS, mask_rule_case

PAGE = (Path(__file__).parents[2] / "docs" / "methods.md").read_text()


@pytest.mark.parametrize("check", MASK_RULE_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", list(MASK_RULES))
def test_mask_rule(name, check):
    check(mask_rule_case(name))


@pytest.mark.parametrize("name", list(MASK_RULES))
def test_mask_rule_is_documented(name):
    assert re.search(rf"^\| `{name}[:`]", PAGE, re.MULTILINE)
