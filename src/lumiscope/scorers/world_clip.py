"""Scores from the world's own image-text model: cosine of image and text embedding."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.errors import ScorerError, UnknownNameError, WeightsError
from lumiscope.images import Geometry
from lumiscope.progress import Track, silent
from lumiscope.scorers.concept_scores import ConceptScores
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.types import ByteArray
from lumiscope.world import SIZE, WORDS

if TYPE_CHECKING:
    import torch

    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageSet
    from lumiscope.world.clip import WorldClip

TEMPLATES = ("{}", "a photo of a {}", "a picture with a {}", "a drawing of the {}")
IMAGE_BATCH = 32


@dataclass(frozen=True)
class WorldClipScorer:
    """Cosine similarity of the embeddings of the world's image-text model.

    `templates`: prompts with {} for the concept; the embeddings of several are averaged. `folder`: where its weights
    are; None: in the package. They are read when they are first needed.
    """

    name: str = "world:clip"
    templates: tuple[str, ...] = TEMPLATES
    folder: Path | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Every scene, object, part, colour and texture of the world."""
        return tuple(dict.fromkeys(word for words in WORDS.values() for word in words))

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the weights and the templates."""
        digest = hashlib.sha256(json.dumps(self.templates).encode())
        for key, value in sorted(self._model.state_dict().items()):
            digest.update(key.encode() + value.numpy().tobytes())
        return digest.hexdigest()

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Score by cosine, in [-1, 1]. Raises ScorerError for words that the world does not have."""
        import torch

        starts = range(0, len(images), IMAGE_BATCH)
        with torch.inference_mode():
            texts = self._embed_texts(concepts.words)
            rows = [
                self._embed_images(
                    [images[index].pixels for index in range(start, min(start + IMAGE_BATCH, len(images)))]
                )
                @ texts.T
                for start in track(starts, "concept scores of images", len(starts))
            ]
            values = torch.cat(rows) if rows else torch.empty(0, len(texts))
        return ConceptScores(values.numpy(), tuple(concepts.words))

    def _embed_images(self, pictures: Sequence[ByteArray]) -> torch.Tensor:
        """(B, E): embeddings of pictures of any size, seen as the world's other models see them."""
        from lumiscope.world.networks import normalised

        geometry = Geometry((SIZE, SIZE))
        return self._model.embed_images(normalised(np.stack([geometry.view(pixels).pixels for pixels in pictures])))

    def _embed_texts(self, words: Sequence[str]) -> torch.Tensor:
        """(K, E): the mean over the templates of each word's embedding, of length 1."""
        import torch

        from lumiscope.world.text import tokenise

        tokenise(words)  # a word that the world does not have is named alone, without the prompt around it
        prompts = [[template.format(word) for word in words] for template in self.templates]
        each = [self._model.embed_texts(torch.from_numpy(tokenise(texts))) for texts in prompts]
        return torch.nn.functional.normalize(torch.stack(each).mean(0), dim=1)

    @functools.cached_property
    def _model(self) -> WorldClip:
        import torch

        from lumiscope.world.clip import WorldClip
        from lumiscope.world.pretrained import WEIGHTS, load_weights

        with torch.random.fork_rng(devices=[]):
            model = WorldClip()
        try:
            load_weights(model, "clip", self.folder or WEIGHTS)
        except WeightsError as error:
            raise ScorerError(f"{self.name}: {error}") from error
        return model.eval()


@scorer_scheme("world")
def load_world(rest: str) -> WorldClipScorer:
    """Return the scorer `world:clip`, the only one of the world."""
    if rest != "clip":
        raise UnknownNameError("scorer of the world", rest, ["clip"])
    return WorldClipScorer()
