"""Which images of a study belong together."""

from __future__ import annotations

from lumiscope.runs import ImageGroups, ImageRow
from lumiscope.study.findings.claim import Rows


def groups_of(tables: Rows) -> ImageGroups:
    """By the classes of the study's images."""
    return ImageGroups.of(tables.rows(ImageRow))
