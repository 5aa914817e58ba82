"""The vectors of images and of words, of scorers that embed them: made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lumiscope.images import DECODERS, ImageItem
from lumiscope.memo import Memo, Results
from lumiscope.progress import Track
from lumiscope.scorers import EmbeddingScorer
from lumiscope.store import content_key
from lumiscope.types import FloatArray


class ConceptVectors:
    """Vectors of one scorer, found by content."""

    def __init__(self, scorer: EmbeddingScorer, memo: Memo) -> None:
        self._scorer = scorer
        image_inputs = {"scorer": scorer.image_fingerprint}
        self._images = memo.results("image_vectors", image_inputs, made_by=[type(scorer), *DECODERS])
        self._words = memo.results("word_vectors", {"scorer": scorer.fingerprint}, made_by=[type(scorer)])

    def words(self, words: Sequence[str], track: Track) -> FloatArray:
        """(K, E): a vector for each word; those that are not kept are embedded a batch at a time."""
        key_of = {word: content_key(word) for word in words}
        missing = [word for word, key in key_of.items() if key not in self._words]
        size = self._scorer.word_batch
        batches = [missing[start : start + size] for start in range(0, len(missing), size)]
        embedded: dict[str, FloatArray] = {}
        for batch in track(batches, "embedding concepts", len(batches)):
            vectors = {key_of[word]: row for word, row in zip(batch, self._scorer.embed_words(batch), strict=True)}
            _keep(self._words, vectors)
            embedded |= vectors
        return np.stack(_all(self._words, list(key_of.values()), embedded))

    def images(self, keys: Sequence[str], items: Sequence[ImageItem]) -> list[FloatArray]:
        """(m, E): the vectors of each of `items`; those that are not kept under their key are embedded and kept."""
        missing = {key: item for key, item in zip(keys, items, strict=True) if key not in self._images}
        embedded = dict(zip(missing, self._scorer.embed_images(list(missing.values())), strict=True))
        _keep(self._images, embedded)
        return _all(self._images, keys, embedded)


def _all(results: Results, keys: Sequence[str], embedded: Mapping[str, FloatArray]) -> list[FloatArray]:
    kept = results.get_all(key for key in keys if key not in embedded)
    return [embedded[key] if key in embedded else kept[key]["values"] for key in keys]


def _keep(results: Results, vectors: Mapping[str, FloatArray]) -> None:
    # What is not finite becomes an error when it is used, and must not outlive it.
    finite = {key: {"values": values} for key, values in vectors.items() if np.isfinite(values).all()}
    if finite:
        results.put(finite)
