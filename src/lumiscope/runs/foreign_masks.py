"""Where a true mask is no truth about a model."""

from __future__ import annotations

from collections.abc import Iterable

from lumiscope.runs.tables import JudgementRow


def models_with_foreign_masks(judgements: Iterable[JudgementRow]) -> set[str]:
    """The models for which every true mask shows something else than the label."""
    shows = [(row.model, row.mask_shows_label) for row in judgements]
    return {model for model, shown in shows if shown is False} - {model for model, shown in shows if shown}
