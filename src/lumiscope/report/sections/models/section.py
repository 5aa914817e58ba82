"""The models that were looked at."""

from __future__ import annotations

from lumiscope.report.page import Page
from lumiscope.report.registry import section
from lumiscope.runs import ModelRow


@section("models", title="Models", order=20, needs=(ModelRow,))
def models(page: Page) -> list[ModelRow]:
    """Each model: where it comes from, and what it sees."""
    return page.run.rows(ModelRow)
