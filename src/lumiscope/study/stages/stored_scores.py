"""Concept scores of images: kept by what the scorer looks at in each image, the scorer and the words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from lumiscope.columns import Columns, columns_from
from lumiscope.concepts import ConceptSet
from lumiscope.errors import UsageError
from lumiscope.images import DECODERS, ImageItem, ImageSet
from lumiscope.memo import Memo
from lumiscope.progress import Track, silent
from lumiscope.scorers import EmbeddingScorer, Scorer, largest_cosines, require_finite
from lumiscope.store import content_key
from lumiscope.study.stages.concept_vectors import ConceptVectors
from lumiscope.types import FloatArray

SHARD = 512  # images, at most
SHARD_BYTES = 2**25
ADVICE = "Use another scorer, or leave that image or concept out."


class StoredScores:
    """The scores of images on concepts, all finite.

    Probing sets share the rows of the images that they share, and with the same images a new list of concepts costs no
    more than its words. Errors: `UsageError` without images or without concepts; `ScorerError` for images or concepts
    that the scorer cannot score.
    """

    def __init__(self, scorer: Scorer, images: ImageSet, concepts: ConceptSet, memo: Memo) -> None:
        if not len(images) or not len(concepts):
            raise UsageError(
                f"expected at least one probing image and one concept; got {len(images)} images, {len(concepts)} "
                "concepts"
            )
        scorer.check(images, concepts)
        self._scorer = scorer
        self._images = images
        self._concepts = concepts
        self._memo = memo
        self._keys = [scorer.image_key(item) for item in images]
        inputs = {"scorer": scorer.fingerprint, "words": content_key(list(concepts.words))}
        self._results = memo.results("concept_scores", inputs, made_by=[type(scorer), ConceptVectors, *DECODERS])

    @property
    def location(self) -> str:
        """Where they are kept: differs wherever they would be others."""
        return self._results.location

    def shards(self) -> list[list[str]]:
        """Ids of images that are scored together: many, but no more than fill SHARD_BYTES with their scores."""
        size = shard_size(len(self._concepts))
        ids = [item.id for item in self._images]
        return [ids[start : start + size] for start in range(0, len(ids), size)]

    def lacking(self) -> list[ImageItem]:
        """The first image of each key that has no scores yet."""
        item_of = dict(zip(reversed(self._keys), reversed(self._images), strict=True))
        return [item_of[key] for key in self._results.missing(dict.fromkeys(self._keys))]

    def compute(self, track: Track = silent) -> None:
        """Score the images that have no scores yet and keep them as one shard. Errors: `ScorerError`."""
        items = self.lacking()
        if not items:
            return
        keys = [self._scorer.image_key(item) for item in items]
        if isinstance(self._scorer, EmbeddingScorer):
            vectors = ConceptVectors(self._scorer, self._memo)
            words = vectors.words(self._concepts.words, track)
            values = largest_cosines(vectors.images(keys, items), words)
        else:
            values = self._scorer.score(ImageSet(tuple(items), self._scorer.name), self._concepts).values
        names = [item.name for item in items]
        require_finite(values, names, self._concepts.words, self._scorer.name, ADVICE)
        self._results.put({key: {"values": row} for key, row in zip(keys, values, strict=True)})

    def columns(self) -> Columns:
        """(D, K) float32: an array while small, else a temporary file."""
        return columns_from(self._blocks(), len(self._images), self._memo.folder)

    def _blocks(self) -> Iterator[FloatArray]:
        size = shard_size(len(self._concepts))
        for start in range(0, len(self._keys), size):
            keys = self._keys[start : start + size]
            rows = self._results.get_all(keys)
            yield np.stack([rows[key]["values"] for key in keys])


def shard_size(num_concepts: int) -> int:
    """How many images are scored together."""
    return max(1, min(SHARD, SHARD_BYTES // (4 * num_concepts)))
