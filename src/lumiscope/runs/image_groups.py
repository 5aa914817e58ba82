"""Which images belong together: those of one class are alike, so that each class counts as one witness."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from lumiscope.runs.tables.images import ImageRow

FEWEST = 10  # classes; with fewer, what is said is of images of just these classes, and each image counts


@dataclass(frozen=True)
class ImageGroups:
    """`classes`: image -> its class, where that is known."""

    classes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, images: Iterable[ImageRow]) -> Self:
        """By the labels of a run's images."""
        return cls({row.image: row.class_name for row in images if row.class_name})

    def __call__(self, images: Iterable[str]) -> list[str]:
        """What is averaged over images counts so: by class where there are at least 10; else each image by itself."""
        names = list(images)
        labels = self.labels(names)
        return labels if len(set(labels)) >= FEWEST else names

    def labels(self, images: Iterable[str]) -> list[str]:
        """What pairs images anew counts so: by class, however few there are, as images change places within it, too."""
        return [f"class {self.classes[image]}" if image in self.classes else f"image {image}" for image in images]

    @property
    def few(self) -> int:
        """How many classes there are, where several images share one and yet each image counts; else 0."""
        classes = len(set(self.classes.values()))
        return classes if classes < min(FEWEST, len(self.classes)) else 0

    def witnesses(self, images: Iterable[str]) -> int:
        """How many observations these images are."""
        return len(set(self(images)))
