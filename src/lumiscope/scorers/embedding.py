"""Scorers that embed images and words apart: the score is the cosine of two vectors."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.progress import Track, silent
from lumiscope.scorers.concept_scores import ConceptScores
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet


class EmbeddingScorer(ABC):
    """A `Scorer` whose images and words become vectors of length 1, so that either side is computed once.

    An image has one vector or several, such as one for each of its class names: the largest cosine counts.
    `image_batch`: how many images are embedded at once; `word_batch`: how many words.
    """

    name: str
    image_batch: int = 32
    word_batch: int = 256

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Hex SHA-256 of all that the scores depend on besides the images and the concepts."""

    @property
    @abstractmethod
    def image_fingerprint(self) -> str:
        """Hex SHA-256 of all that the vectors of images depend on besides the images: prompts do not matter to them."""

    @property
    def words(self) -> tuple[str, ...] | None:
        """None: any words."""
        return None

    @property
    def categories(self) -> tuple[str, ...] | None:
        """None: to be looked up."""
        return None

    @abstractmethod
    def embed_images(self, images: Sequence[ImageItem]) -> list[FloatArray]:
        """For each image (m, E) float32, its m >= 1 vectors of length 1. Raises ScorerError."""

    @abstractmethod
    def embed_words(self, words: Sequence[str]) -> FloatArray:
        """(K, E) float32, vectors of length 1. Raises ScorerError."""

    def image_key(self, item: ImageItem) -> str:
        """The digest of the image: its pixels are looked at."""
        return item.sha256

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Any image can be embedded, and any word."""
        return

    def word_vectors(self, words: Sequence[str], *, track: Track = silent) -> FloatArray:
        """`embed_words` a batch at a time; words that this scorer has embedded before are not embedded again."""
        missing = [word for word in dict.fromkeys(words) if word not in self._known_words]
        starts = range(0, len(missing), self.word_batch)
        for start in track(starts, "embedding concepts", len(starts)):
            batch = missing[start : start + self.word_batch]
            self._known_words.update(zip(batch, self.embed_words(batch), strict=True))
        return np.stack([self._known_words[word] for word in words])

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score by cosine, in [-1, 1]. Raises ScorerError."""
        self.check(images, concepts)
        words = tuple(concepts.words)
        vectors = self.word_vectors(words, track=track)
        starts = range(0, len(images), self.image_batch)
        values = np.empty((len(images), len(words)), np.float32)
        for start in track(starts, "concept scores of images", len(starts)):
            batch = [images[index] for index in range(start, min(start + self.image_batch, len(images)))]
            values[start : start + len(batch)] = largest_cosines(self.embed_images(batch), vectors)
        return ConceptScores(values, words)

    @functools.cached_property
    def _known_words(self) -> dict[str, FloatArray]:
        return {}


def largest_cosines(images: Sequence[FloatArray], words: FloatArray) -> FloatArray:
    """(D, K): for every image the largest product of one of its vectors, (m, E), with each of `words`, (K, E)."""
    if not images:
        return np.empty((0, len(words)), np.float32)
    starts = np.cumsum([0, *(len(vectors) for vectors in images[:-1])])
    products = np.concatenate(images) @ words.T
    return np.maximum.reduceat(products, starts, axis=0) if len(products) > len(images) else products
