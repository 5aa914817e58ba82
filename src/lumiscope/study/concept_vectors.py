"""The vectors of images and of words, of scorers that embed them: through the store where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lumiscope.images import ImageItem
from lumiscope.progress import Track
from lumiscope.scorers import EmbeddingScorer
from lumiscope.store import Collection, Store, content_key
from lumiscope.types import FloatArray

VERSION = 1  # of what is kept here: vectors of another version are never read


class ConceptVectors:
    """Vectors of one scorer. `store`: where they are kept, found by content; None: nowhere."""

    def __init__(self, scorer: EmbeddingScorer, store: Store | None) -> None:
        self._scorer = scorer
        self._images: Collection | None = None
        self._words: Collection | None = None
        if store is not None:
            image_scope = {"scorer": scorer.image_fingerprint, "version": VERSION}
            self._images = store.collection("image_vectors", image_scope)
            self._words = store.collection("word_vectors", {"scorer": scorer.fingerprint, "version": VERSION})

    def words(self, words: Sequence[str], track: Track) -> FloatArray:
        """(K, E): a vector for each word; what the store lacks is embedded a batch at a time."""
        if self._words is None:
            return self._scorer.word_vectors(words, track=track)
        key_of = {word: content_key(word) for word in words}
        missing = [word for word, key in key_of.items() if key not in self._words]
        size = self._scorer.word_batch
        batches = [missing[at : at + size] for at in range(0, len(missing), size)]
        made: dict[str, FloatArray] = {}
        for batch in track(batches, "embedding concepts", len(batches)):
            vectors = {key_of[word]: row for word, row in zip(batch, self._scorer.embed_words(batch), strict=True)}
            _keep(self._words, vectors)
            made |= vectors
        found = self._words.get_all(key for key in key_of.values() if key not in made)
        return np.stack([made[key] if key in made else found[key]["values"] for key in key_of.values()])

    def images(self, keys: Sequence[str], items: Sequence[ImageItem]) -> list[FloatArray]:
        """(m, E): the vectors of each of `items`; what the store lacks under its key is embedded and kept."""
        if self._images is None:
            return self._scorer.embed_images(items)
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in self._images}
        made = dict(zip(missing, self._scorer.embed_images(list(missing.values())), strict=True))
        _keep(self._images, made)
        found = self._images.get_all(key for key in keys if key not in made)
        return [made[key] if key in made else found[key]["values"] for key in keys]


def _keep(kept: Collection, vectors: Mapping[str, FloatArray]) -> None:
    # What is not finite becomes an error when it is used, and must not outlive it.
    finite = {key: {"values": values} for key, values in vectors.items() if np.isfinite(values).all()}
    if finite:
        kept.put(finite)
