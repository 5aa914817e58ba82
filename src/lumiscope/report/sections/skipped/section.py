"""What is not in the results."""

from __future__ import annotations

from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import ExplanationRow, SkippedRow


@section("skipped", title="Skipped", order=70)
def skipped(page: Page) -> list[SkippedRow]:
    """What was left out, then the explanations that came out undefined."""
    undefined = [
        SkippedRow(
            what="undefined explanation",
            name=f"{page.method_title(row.method)} of {row.image} in {row.model}",
            reason=row.undefined,
        )
        for row in page.run.rows(ExplanationRow)
        if row.undefined
    ]
    return [*page.run.rows(SkippedRow), *undefined]
