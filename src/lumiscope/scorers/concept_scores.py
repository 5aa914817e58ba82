"""How much each concept is in each image, and what gives such scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from lumiscope.errors import ScorerError, nearest
from lumiscope.progress import Track, silent
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet

SHOWN = 5


@dataclass(frozen=True)
class ConceptScores:
    """Concept scores of D images and K concepts.

    `values`: (D, K) float32, finite, higher = the concept is more in the image. `words`: the K concepts.
    """

    values: FloatArray
    words: tuple[str, ...]


class Scorer(Protocol):
    """Something that says how much each concept is in each image, of every image by itself.

    `name`: its spec, as the user gave it. `fingerprint`: hash of all that the scores depend on besides the images and
    the concepts. `words`: the concepts it is limited to, None if it takes any words. `categories`: the category of each
    of `words` where the scorer knows it, else None.
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

    @property
    def categories(self) -> tuple[str, ...] | None:
        """One of `lumiscope.concepts.CATEGORIES` for each of `words`; None where the scorer knows none."""
        ...

    def image_key(self, item: ImageItem) -> str:
        """A text that is the same for two images exactly where their scores are the same for whatever is in them."""
        ...

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError where `images` or `concepts` cannot be scored, as far as that costs little to know."""
        ...

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score every image on every concept, in the order of both. Raises ScorerError."""
        ...


def require_finite(values: FloatArray, images: Sequence[str], words: Sequence[str], scorer: str, advice: str) -> None:
    """Raise ScorerError that names the first image and concept whose score, of (D, K) `values`, is not finite.

    `images`: D names. `words`: K. `scorer`: who gave the scores. `advice`: how that can be mended, a sentence.
    """
    if np.isfinite(values).all():
        return
    bad = np.argwhere(~np.isfinite(values))
    row, column = bad[0]
    raise ScorerError(
        f"{scorer}: {len(bad)} scores are not finite numbers; the first is {values[row, column]} for image "
        f"{images[row]!r} and concept {words[column]!r}. {advice}"
    )


def require_words(words: Sequence[str], known: Sequence[str], scorer: str, advice: str) -> None:
    """Raise ScorerError that names those of `words` that are not `known` to `scorer`, with near ones and `advice`."""
    held = set(known)
    missing = [word for word in words if word not in held]
    if missing:
        near = nearest(missing[0], known)
        raise ScorerError(
            f"{scorer} has no scores for {len(missing)} of {len(words)} concepts: {first(missing)}. "
            + (f"Nearest to {missing[0]!r}: {', '.join(near)}. " if near else "")
            + advice
        )


def first(names: Sequence[str]) -> str:
    """The first few of `names` for a message, in quotes."""
    return ", ".join(repr(name) for name in names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
