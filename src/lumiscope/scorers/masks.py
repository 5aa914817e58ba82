"""Scores from annotations: whether a concept is anywhere in an image."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.concepts import OTHER
from lumiscope.errors import ImageError, ScorerError
from lumiscope.images import Annotations, numbers_in, open_annotations
from lumiscope.progress import Track, silent
from lumiscope.scorers.concept_scores import ConceptScores, first, require_words
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.specs import Change

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet

WORLD = "world"


@dataclass(frozen=True, eq=False)
class MaskScorer:
    """1 where a concept covers at least one pixel of an image, in whatever kind of label map, else 0.

    A concept is only known to be absent where the kinds that it belongs to are annotated: an image that lacks one is
    an error, not a 0.
    """

    name: str
    annotations: Annotations

    @functools.cached_property
    def words(self) -> tuple[str, ...]:
        """Every annotated word, once."""
        return tuple(dict.fromkeys(self.annotations.words))

    @functools.cached_property
    def categories(self) -> tuple[str, ...]:
        """The kind of each word as a category; of a word of several kinds the first that is one."""
        category_of: dict[str, str] = {}
        for word, category in zip(self.annotations.words, self.annotations.categories, strict=True):
            if category_of.get(word, OTHER) == OTHER:
                category_of[word] = category
        return tuple(category_of[word] for word in self.words)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the annotated concepts; what is annotated on an image is in its `image_key`."""
        return hashlib.sha256(f"masks {self.annotations.concepts_fingerprint}".encode()).hexdigest()

    def image_key(self, item: ImageItem) -> str:
        """The digest of the image's label maps."""
        return self.annotations.digest(item)

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError for words that are not annotated, and images without the annotations that they need."""
        advice = "Use the annotated concepts (the default), or a scorer that takes any words."
        require_words(concepts.words, self.words, self.name, advice)
        wanted = set(concepts.words)
        kinds = {
            kind for kind, word in zip(self.annotations.kinds, self.annotations.words, strict=True) if word in wanted
        }
        try:
            self.annotations.check(images)
            lacking = {item.name: kinds - set(self.annotations.annotated_kinds(item)) for item in images}
        except ImageError as error:
            raise ScorerError(f"{self.name}: {error}") from error
        bare = [name for name, missing in lacking.items() if missing]
        if bare:
            counts = Counter(kind for missing in lacking.values() for kind in missing)
            by_kind = ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items()))
            raise ScorerError(
                f"{self.name}: {len(bare)} of {len(lacking)} images lack annotations ({by_kind}): {first(bare)}. "
                "It is not known whether a concept of that kind is there: add their label maps (all 0 where nothing of "
                "the kind is there), leave these images out, or name concepts of other kinds only"
            )

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score 0 or 1. Raises ScorerError as `check` does, and for label maps that cannot be used."""
        self.check(images, concepts)
        columns = self._columns(concepts.words)
        values = np.zeros((len(images), len(concepts.words)), np.float32)
        for row, item in enumerate(track(images, "concept scores of images", len(images))):
            try:
                maps = self.annotations.label_maps(item)
            except ImageError as error:
                raise ScorerError(f"{self.name}: {error}") from error
            for kind, labels in maps.items():
                known = columns.get(kind, {})
                values[row, [known[number] for number in numbers_in(labels) if number in known]] = 1
        return ConceptScores(values, tuple(concepts.words))

    def _columns(self, words: Sequence[str]) -> dict[str, dict[int, int]]:
        """Kind -> number -> column, of the wanted words."""
        column_of = {word: column for column, word in enumerate(words)}
        annotated = self.annotations.words
        return {
            kind: {n: column_of[annotated[index]] for n, index in numbers.items() if annotated[index] in column_of}
            for kind, numbers in self.annotations.numbers.items()
        }


def _folder(rest: str, change: Change) -> str:
    return rest if rest == WORLD else change(rest)


@scorer_scheme("masks", form="masks[:FOLDER]", title="annotated pixels", bare=True, paths=_folder)
def load_masks(rest: str) -> MaskScorer:
    """Return the scorer by the annotations in the folder `rest`; nothing, or "world": by the world's own.

    Raises ScorerError if there are no annotations in that folder; see `lumiscope.images.open_annotations`.
    """
    name = f"masks:{rest}" if rest else "masks"
    try:
        return MaskScorer(name, open_annotations(rest if rest not in ("", WORLD) else None))
    except ImageError as error:
        raise ScorerError(f"{name}: {error}") from error
