"""Which images belong together: those of one class are alike, so that each class counts as one witness."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lumiscope.runs import ImageRow
from lumiscope.study.findings.claim import Rows

FEWEST = 10  # classes; with fewer the sentences are about images of just these classes, and each image counts

Groups = Callable[[Iterable[str]], list[str]]
"""Images -> the label of the group of each."""


def groups_of(tables: Rows) -> Groups:
    """The class of each image where several of at least 10 classes share one; else each image is by itself."""
    classes = {row.image: row.class_name for row in tables.rows(ImageRow) if row.class_name}

    def groups(images: Iterable[str]) -> list[str]:
        names = list(images)
        labels = [f"class {classes[image]}" if image in classes else f"image {image}" for image in names]
        return labels if len(set(labels)) >= FEWEST else names

    return groups


def witnesses(groups: Groups, images: Iterable[str]) -> int:
    """How many observations images are that belong together so."""
    return len(set(groups(images)))
