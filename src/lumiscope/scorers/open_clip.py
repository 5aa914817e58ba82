"""Scores from an image-text model of open_clip: cosine of image and text embedding."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumiscope.errors import ScorerError, UnknownNameError, UsageError
from lumiscope.scorers.embedding import EmbeddingScorer
from lumiscope.scorers.prompts import GAP, fill
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.specs import Change
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    import torch

    from lumiscope.images import ImageItem

LOCAL_FOLDER = "local-dir:"
WEIGHTS_FILES = (".safetensors", ".pt", ".pth", ".bin")
BARE = (GAP,)
OFFLINE = (
    "Offline, give a weights file after the slash (open_clip:ARCH//path/to/weights.safetensors), a folder with "
    "open_clip_config.json and weights (open_clip:local-dir:/path), or set HF_HUB_OFFLINE=1 and HF_HOME to a cache "
    "that has them."
)


@dataclass(frozen=True)
class OpenClipScorer(EmbeddingScorer):
    """Cosine similarity of open_clip image and text embeddings.

    `architecture`: an open_clip model name or "local-dir:PATH". `pretrained`: a weights tag or file; None with a
    folder. `templates`: prompts with {} for the concept; the embeddings of several are averaged. The default is the
    bare word, as in CLIP-Dissect (Oikarinen and Weng, 2023). `device`: where the model runs.

    The weights are read when they are first needed.
    """

    image_batch = 16

    name: str
    architecture: str
    pretrained: str | None
    templates: tuple[str, ...] = BARE
    device: str = "cpu"

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the model's name, its weights, the templates and the version of open_clip.

        Weights in files count by their bytes; those behind a tag by where open_clip says they come from, so that the
        fingerprint needs no download.
        """
        return _digest([self.image_fingerprint, self.templates])

    @functools.cached_property
    def image_fingerprint(self) -> str:
        """As `fingerprint`, without the templates."""
        import open_clip

        weights: Any = open_clip.get_pretrained_cfg(self.architecture, self.pretrained or "")
        if not weights:
            weights = {path.name: _file_digest(path) for path in self._files()}
        return _digest([self.architecture.partition(":")[0], weights, open_clip.__version__])

    def embed_images(self, images: Sequence[ImageItem]) -> list[FloatArray]:
        """One vector for each image. Raises ScorerError if the weights cannot be had or do not fit."""
        import torch
        from PIL import Image

        model, preprocess, _ = self._parts
        vectors: list[FloatArray] = []
        for start in range(0, len(images), self.image_batch):
            pictures = [Image.fromarray(item.pixels) for item in images[start : start + self.image_batch]]
            batch = torch.stack([preprocess(picture) for picture in pictures])
            with torch.inference_mode():
                vectors += [*_normalised(model.encode_image(batch.to(self.device))).cpu().numpy()[:, None]]
        return vectors

    def embed_words(self, words: Sequence[str]) -> FloatArray:
        """The mean over the templates of each word's vector, of length 1 again."""
        import torch

        model, _, tokenize = self._parts
        with torch.inference_mode():
            texts = [[fill(template, word) for word in words] for template in self.templates]
            each = [_normalised(model.encode_text(tokenize(prompts).to(self.device))) for prompts in texts]
            vectors: FloatArray = _normalised(torch.stack(each).mean(0)).cpu().numpy()
        return vectors

    @functools.cached_property
    def _parts(self) -> tuple[Any, Callable[[Any], torch.Tensor], Callable[[list[str]], torch.Tensor]]:
        """The model in eval mode, its preprocessing of a PIL image, and its tokenizer."""
        import open_clip

        from lumiscope.models import quick_hub

        tag = open_clip.get_pretrained_cfg(self.architecture, self.pretrained or "")
        try:
            with _undisturbed(), quick_hub():
                model, preprocess = open_clip.create_model_from_pretrained(
                    self.architecture,
                    self.pretrained,
                    device=self.device,
                    # open_clip only warns when a tag was trained with another activation than the model's config has.
                    force_quick_gelu=bool(tag.get("quick_gelu", False)),
                )
                tokenize = open_clip.get_tokenizer(self.architecture)
        # open_clip and what lies below it raise whatever fits them, from OSError to UnpicklingError.
        except Exception as error:
            raise ScorerError(f"{self.name}: the model cannot be loaded ({error}). {OFFLINE}") from error
        return model.float().eval(), preprocess, tokenize

    def _files(self) -> list[Path]:
        if self.pretrained is not None:
            return [Path(self.pretrained)]
        return sorted(path for path in Path(self.architecture.removeprefix(LOCAL_FOLDER)).iterdir() if path.is_file())


def _files(rest: str, change: Change) -> str:
    """local-dir:FOLDER, and ARCH/FILE where the file's ending is one of weights."""
    if rest.startswith(LOCAL_FOLDER):
        return LOCAL_FOLDER + change(rest.removeprefix(LOCAL_FOLDER))
    architecture, _, pretrained = rest.partition("/")
    return f"{architecture}/{change(pretrained)}" if Path(pretrained).suffix in WEIGHTS_FILES else rest


@scorer_scheme(
    "open_clip", form="open_clip:ARCH/PRETRAINED", title="an image-text model", takes_prompts=True, paths=_files
)
def load_open_clip(rest: str, prompts: tuple[str, ...] | None = None) -> OpenClipScorer:
    """Return the scorer for "ARCH/PRETRAINED" (split at the first slash) or "local-dir:FOLDER".

    PRETRAINED is a tag of open_clip or a file with weights. FOLDER holds `open_clip_config.json` (with `model_cfg`
    and, if wanted, `preprocess_cfg`) and a weights file, as open_clip writes for the Hugging Face hub. `prompts`: the
    templates; None: the bare word.
    Raises UnknownNameError for an unknown ARCH or tag, ScorerError for a file or folder that is not there.
    """
    name, templates = f"open_clip:{rest}", prompts or BARE
    if rest.startswith(LOCAL_FOLDER):
        folder = Path(rest.removeprefix(LOCAL_FOLDER)).expanduser()
        if not (folder / "open_clip_config.json").is_file():
            raise ScorerError(f"{name}: expected a folder with open_clip_config.json and weights; {folder} is not one")
        return OpenClipScorer(name, f"{LOCAL_FOLDER}{folder}", None, templates)
    import open_clip

    architecture, slash, pretrained = rest.partition("/")
    if architecture not in open_clip.list_models():
        raise UnknownNameError("open_clip model", architecture, open_clip.list_models())
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    if not slash or not pretrained:
        raise UsageError(
            f"{name}: weights are missing; expected open_clip:{architecture}/PRETRAINED with a file or one of "
            + (", ".join(tags) or "no tags at all")
        )
    if not open_clip.get_pretrained_cfg(architecture, pretrained):
        path = Path(pretrained).expanduser()
        if not path.is_file():
            _refuse_weights(name, architecture, pretrained, tags)
        pretrained = str(path)
    return OpenClipScorer(name, architecture, pretrained, templates)


def _refuse_weights(name: str, architecture: str, pretrained: str, tags: Sequence[str]) -> None:
    if "/" in pretrained or Path(pretrained).suffix in WEIGHTS_FILES:
        raise ScorerError(f"{name}: there is no weights file {pretrained}")
    raise UnknownNameError(
        f"weights tag of {architecture}", pretrained, tags, hint="A weights file may stand there, too."
    )


def _normalised(embedding: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.nn.functional.normalize(embedding.float(), dim=-1)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep what open_clip changes while it builds a model: torch's generator and the root logger.

    It draws initial weights that the checkpoint replaces, and logs by module functions, which install a handler on a
    root logger that has none.
    """
    import torch

    root = logging.getLogger()
    stand_in = logging.NullHandler()
    root.addHandler(stand_in)
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        root.removeHandler(stand_in)
