"""Every sentence of the summary links to the tables that it was computed from."""

from __future__ import annotations

import pytest

from lumiscope.report.registry import SECTIONS
from lumiscope.runs import (
    TABLES,
    AuditRow,
    ConceptCountRow,
    ControlRow,
    FindingRow,
    JudgementRow,
    LowLevelRow,
    PredictionRow,
    UnitRow,
    table_of,
)

NAMES = (
    "judgements, predictions",
    "units, low_level",
    "layers, controls, concept_counts",
    "findings",
    "audit",
    "stranger",
)
SECTION_OF = {
    "judgements": "summary",
    "predictions": "summary",
    "findings": "summary",
    **dict.fromkeys(("units", "low_level", "layers", "controls", "concept_counts"), "dissection"),
    "audit": "table-audit",
    "stranger": "table-stranger",
}


def test_a_link_leads_to_where_a_table_is_shown_or_named(fakes, read, tmp_path) -> None:
    """No section of this run shows the audit, nor the table of a stranger: both are named at the end of the page."""
    run = fakes.fake_run(tmp_path)
    names = iter(NAMES)
    run.tables[FindingRow] = (run.tables[FindingRow] * len(NAMES))[: len(NAMES)]
    run.change(FindingRow, lambda row: {"tables": next(names)})
    page = read(run)
    for table, anchor in SECTION_OF.items():
        assert f'<a href="#{anchor}">{table}</a>' in page.source, table
    assert {link["href"][1:] for link in page.of("a")} <= {attributes.get("id") for _, attributes in page.elements}
    assert f"tables/audit.parquet beside this file: {table_of(AuditRow).doc}" in page.text
    assert "tables/stranger.parquet beside this file" in page.text


def test_tables_that_sections_show_are_not_named_again(page) -> None:
    assert "Further tables of findings" not in page.text


@pytest.mark.parametrize(
    "row", [JudgementRow, PredictionRow, FindingRow, UnitRow, ControlRow, LowLevelRow, ConceptCountRow]
)
def test_sections_say_what_they_show(row) -> None:
    assert table_of(row).name in TABLES
    assert any(row in (*section.needs, *section.shows) for section in SECTIONS.values())
