"""Concept scores of the probing images: once for each image, scorer and concept set, through the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lumiscope.columns import Columns, columns_from
from lumiscope.concepts import ConceptSet
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, ImageSet
from lumiscope.progress import Track, silent
from lumiscope.scorers import EmbeddingScorer, Scorer, largest_cosines, require_finite
from lumiscope.store import Collection, Store, content_key
from lumiscope.study import concept_vectors
from lumiscope.study.concept_vectors import ConceptVectors
from lumiscope.types import FloatArray

VERSION = 1  # of what is kept here: scores of another version are never read
SHARD = 512  # images, at most
SHARD_BYTES = 2**25
ADVICE = "Use another scorer, or leave that image or concept out."


def scores_version() -> list[int]:
    """What is raised whenever scores, or the vectors that some are made of, are computed otherwise."""
    return [VERSION, concept_vectors.VERSION]


def stored_scores(
    scorer: Scorer, images: ImageSet, concepts: ConceptSet, *, store: Store | None = None, track: Track = silent
) -> Columns:
    """The (D, K) float32 scores of `images` on `concepts`, all finite: an array while small, else a temporary file.

    `store`: where scores are kept, and the vectors of images and words of scorers that embed them; None: nowhere. What
    is kept is found by its content: by the scorer's fingerprint, the words, and what the scorer looks at in each image.
    So probing sets share the rows of the images that they share, and with the same images a new list of concepts costs
    no more than its words. Images are scored a shard at a time; a run that was stopped goes on with the next one.

    Errors: `ScorerError` for images or concepts that the scorer cannot score, and for scores that are not finite;
    `UsageError` without images or without concepts.
    """
    if not len(images) or not len(concepts):
        raise UsageError(
            f"expected at least one probing image and one concept; got {len(images)} images, {len(concepts)} concepts"
        )
    scorer.check(images, concepts)
    keys = [scorer.image_key(item) for item in images]
    shards = _shards(keys, len(concepts))
    item_of = dict(zip(keys, images, strict=True))
    if store is None:
        return columns_from(_computed(scorer, item_of, shards, concepts, None, track), len(images))
    scope = {"scorer": scorer.fingerprint, "words": content_key(list(concepts.words)), "version": scores_version()}
    kept = store.collection("concept_scores", scope)
    missing = _shards(kept.missing(dict.fromkeys(keys)), len(concepts))
    made = _computed(scorer, item_of, missing, concepts, store, track)
    for shard, values in zip(missing, made, strict=True):
        kept.put({key: {"values": row} for key, row in zip(shard, values, strict=True)})
    return columns_from((_gathered(kept, shard) for shard in shards), len(images), store.root)


def _shards(keys: Sequence[str], num_concepts: int) -> list[Sequence[str]]:
    """Many images each, but no more than fill SHARD_BYTES with their scores."""
    size = max(1, min(SHARD, SHARD_BYTES // (4 * num_concepts)))
    return [keys[at : at + size] for at in range(0, len(keys), size)]


def _computed(
    scorer: Scorer,
    item_of: Mapping[str, ImageItem],
    shards: Sequence[Sequence[str]],
    concepts: ConceptSet,
    store: Store | None,
    track: Track,
) -> Iterator[FloatArray]:
    """The scores of the images of each shard of keys: (n, K). Nothing is loaded where there are no shards."""
    if not shards:
        return
    vectors = ConceptVectors(scorer, store) if isinstance(scorer, EmbeddingScorer) else None
    words = vectors.words(concepts.words, track) if vectors else None
    for shard in track(shards, "concept scores of images", len(shards)):
        items = tuple(item_of[key] for key in shard)
        if vectors is not None and words is not None:
            values = largest_cosines(vectors.images(shard, items), words)
        else:
            values = scorer.score(ImageSet(items, scorer.name), concepts).values
        require_finite(values, [item.name for item in items], concepts.words, scorer.name, ADVICE)
        yield values


def _gathered(kept: Collection, keys: Sequence[str]) -> FloatArray:
    found = kept.get_all(keys)
    return np.stack([found[key]["values"] for key in keys])
