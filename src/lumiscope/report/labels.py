"""Labels of images in words."""

from __future__ import annotations

from lumiscope.images import CLASS_SEPARATOR


def class_names(cell: str | None) -> tuple[str, ...]:
    """The class names in a cell of the table `images`: several where an image is labelled for several tasks."""
    return tuple(cell.split(CLASS_SEPARATOR)) if cell else ()


def label_text(cell: str | None) -> str | None:
    """The class names as a reader sees them; None where there is none."""
    return " · ".join(class_names(cell)) or None
