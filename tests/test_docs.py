"""Docs are tests: what exists is documented, and what is documented exists."""

from __future__ import annotations

import re
from pathlib import Path

from lumiscope.agreement import MASK_RULES
from lumiscope.attribution import METHODS
from lumiscope.cli.command import COMMANDS
from lumiscope.dissection import SIMILARITIES
from lumiscope.models import SOURCES
from lumiscope.scorers import SCORERS
from lumiscope.study import SCHEMAS, load_study

ROOT = Path(__file__).parents[1]
METHODS_PAGE = (ROOT / "docs" / "methods.md").read_text()
README = (ROOT / "README.md").read_text()


def test_every_method_similarity_rule_and_scorer_is_documented() -> None:
    for name in (*METHODS, *SIMILARITIES):
        assert f"`{name}`" in METHODS_PAGE, name
    for name in MASK_RULES:
        assert re.search(rf"^\| `{name}[:`]", METHODS_PAGE, re.MULTILINE), name
    for scheme in SCORERS:
        assert f"`{scheme}:" in METHODS_PAGE, scheme


def test_every_command_and_source_is_in_the_readme() -> None:
    for name in COMMANDS:
        assert f"`{name}`" in README or f"lumiscope {name}" in README, name
    for scheme in SOURCES:
        assert f"{scheme}:" in README, scheme


def test_every_table_is_documented() -> None:
    runs = (ROOT / "docs" / "runs.md").read_text()
    for name in SCHEMAS:
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
