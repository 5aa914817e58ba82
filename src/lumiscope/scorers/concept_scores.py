"""How much each concept is in each image, and what gives such scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lumiscope.progress import Track, silent
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageSet


@dataclass(frozen=True)
class ConceptScores:
    """Concept scores of D images and K concepts.

    `values`: (D, K) float32, finite, higher = the concept is more in the image. `words`: the K concepts.
    """

    values: FloatArray
    words: tuple[str, ...]


class Scorer(Protocol):
    """Something that says how much each concept is in each image.

    `name`: its spec, as the user gave it. `fingerprint`: hash of all that the scores depend on besides the images and
    the concepts. `words`: the concepts it is limited to, None if it takes any words.
    """

    @property
    def name(self) -> str:
        """The spec, as the user gave it."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of all that the scores depend on besides the images and the concepts."""
        ...

    @property
    def words(self) -> tuple[str, ...] | None:
        """The concepts it is limited to; None: any words."""
        ...

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score every image on every concept, in the order of both. Raises ScorerError."""
        ...
