"""The table `skipped`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("skipped", "each image or mask that was left out, with the reason")
class SkippedRow:
    """Something that is not in the results."""

    what: str = column("image, mask, probing image or probing mask")
    name: str = column("what the user knows it by")
    reason: str = column("why, in words")
