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

from lumiscope.concepts import world_words
from lumiscope.errors import ScorerError, UnknownNameError, WeightsError
from lumiscope.images import Geometry
from lumiscope.scorers.embedding import EmbeddingScorer
from lumiscope.scorers.prompts import fill
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.types import FloatArray
from lumiscope.world import SIZE

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet
    from lumiscope.world import WorldClip

TEMPLATES = ("{}", "a photo of a {}", "a picture with a {}", "a drawing of the {}")


@dataclass(frozen=True)
class WorldClipScorer(EmbeddingScorer):
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
        return tuple(world_words())

    @property
    def categories(self) -> tuple[str, ...]:
        """What kind of word each is."""
        return tuple(world_words().values())

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the weights and the templates."""
        return hashlib.sha256(json.dumps([self.image_fingerprint, self.templates]).encode()).hexdigest()

    @functools.cached_property
    def image_fingerprint(self) -> str:
        """Hex SHA-256 of the weights."""
        digest = hashlib.sha256()
        for key, value in sorted(self._model.state_dict().items()):
            digest.update(key.encode() + value.numpy().tobytes())
        return digest.hexdigest()

    def embed_images(self, images: Sequence[ImageItem]) -> list[FloatArray]:
        """One vector for each image, of any size, seen as the world's other models see it."""
        import torch

        from lumiscope.world import normalised

        geometry = Geometry((SIZE, SIZE))
        vectors: list[FloatArray] = []
        for start in range(0, len(images), self.image_batch):
            views = [geometry.view(item.pixels).pixels for item in images[start : start + self.image_batch]]
            with torch.inference_mode():
                vectors += [*self._model.embed_images(normalised(np.stack(views))).numpy()[:, None]]
        return vectors

    def embed_words(self, words: Sequence[str]) -> FloatArray:
        """The mean over the templates of each word's vector. Raises ScorerError for words that the world lacks."""
        import torch

        from lumiscope.world import tokenise

        tokenise(words)  # a word that the world does not have is named alone, without the prompt around it
        prompts = [[fill(template, word) for word in words] for template in self.templates]
        with torch.inference_mode():
            each = [self._model.embed_texts(torch.from_numpy(tokenise(texts))) for texts in prompts]
            vectors: FloatArray = torch.nn.functional.normalize(torch.stack(each).mean(0), dim=1).numpy()
        return vectors

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError for words that the world does not have."""
        from lumiscope.world import tokenise

        tokenise(concepts.words)

    @functools.cached_property
    def _model(self) -> WorldClip:
        import torch

        from lumiscope.world import WEIGHTS, WorldClip, load_weights

        with torch.random.fork_rng(devices=[]):
            model = WorldClip()
        try:
            load_weights(model, "clip", self.folder or WEIGHTS)
        except WeightsError as error:
            raise ScorerError(f"{self.name}: {error}") from error
        return model.eval()


@scorer_scheme("world", form="world:clip", title="the built-in world's image-text model", takes_prompts=True)
def load_world(rest: str, prompts: tuple[str, ...] | None = None) -> WorldClipScorer:
    """Return the scorer `world:clip`, the only one of the world. `prompts`: the templates; None: its own four."""
    if rest != "clip":
        raise UnknownNameError("scorer of the world", rest, ["clip"])
    return WorldClipScorer(templates=prompts or TEMPLATES)
