"""The scorer `mine:FILE`: how much of a colour is in an image, for the colours that a file lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lumiscope.concepts import ConceptSet
from lumiscope.errors import ScorerError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.progress import Track, silent
from lumiscope.scorers import ConceptScores, scorer_scheme
from lumiscope.specs import one_path

CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class ColourScorer:
    """The mean of a colour's channel, less the mean of all; in [-1, 1]."""

    name: str
    words: tuple[str, ...]
    categories: None = None

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the words."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()

    def image_key(self, item: ImageItem) -> str:
        """The digest of the file."""
        return item.sha256

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError for words that are not in the file."""
        strange = [word for word in concepts.words if word not in self.words]
        if strange:
            raise ScorerError(f"{self.name} has no scores for {', '.join(strange)}; it knows {', '.join(self.words)}")

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score every image. Raises ScorerError as `check` does."""
        self.check(images, concepts)
        means = np.array([item.pixels.mean((0, 1)) / 255 for item in images]).reshape(len(images), 3)
        columns = [CHANNELS.index(word) for word in concepts.words]
        values = means[:, columns] - means.mean(1, keepdims=True)
        return ConceptScores(values.astype(np.float32), tuple(concepts.words))


@scorer_scheme("mine", form="mine:FILE", title="amounts of colours", paths=one_path)
def load(rest: str) -> ColourScorer:
    """Read the words. Raises ScorerError where they are no colours, or the file is missing."""
    path = Path(rest)
    if not path.is_file():
        raise ScorerError(f"mine:{rest}: there is no file {path}")
    words = tuple(path.read_text().split())
    if not set(words) <= set(CHANNELS):
        raise ScorerError(f"mine:{rest}: expected words of {', '.join(CHANNELS)}; got {', '.join(words)}")
    return ColourScorer(f"mine:{rest}", words)
