"""Docs are tests: what exists is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

from lumiscope.runs import TABLES
from lumiscope.study import load_study

ROOT = Path(__file__).parents[1]


def test_every_table_is_documented() -> None:
    runs = (ROOT / "docs" / "runs.md").read_text()
    for name in TABLES:
        assert f"`{name}`" in runs, name


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_example_study_is_valid() -> None:
    study = load_study(ROOT / "examples" / "two-models.toml")
    study.check()
    assert [model.name for model in study.models] == ["imagenet", "birds"]


def test_no_outside_address_in_requirements() -> None:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    assert all(re.match(r"^[a-z0-9_.\[\]-]+==\S+", line) for line in lines if line and not line.startswith("#"))
