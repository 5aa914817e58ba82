"""Scores from what is written about an image: cosine of its class names, or a caption, and the concept word."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.errors import ScorerError, UsageError, nearest
from lumiscope.files import MOST_SETTINGS, parse_json, read_text
from lumiscope.requirement import Requirement
from lumiscope.scorers.concept_scores import first
from lumiscope.scorers.embedding import EmbeddingScorer
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.specs import Change
from lumiscope.store import content_key
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet

COLUMN = "@"
MODULES = "modules.json"
OWN_MODULES = "sentence_transformers."
EXAMPLE = "classes:sentence-transformers/all-MiniLM-L6-v2"
OFFLINE = (
    "Offline, give a folder with such a model (classes:/path/to/all-MiniLM-L6-v2, a copy of its files on the hub), or "
    "set HF_HUB_OFFLINE=1 and HF_HOME to a cache that has it."
)


@dataclass(frozen=True)
class ClassNameScorer(EmbeddingScorer):
    """Cosine similarity of sentence embeddings of what an image is labelled with and of a concept.

    `model`: a name on the Hugging Face hub or a folder. `column`: a column of the list of images, such as its captions;
    None: the class names, of which the most similar counts. `device`: where the model runs.

    The image itself is never looked at. The weights are read when they are first needed; no code of theirs is run.
    """

    name: str
    model: str
    column: str | None = None
    device: str = "cpu"

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the model and the version of sentence-transformers.

        A folder counts by its files, a name on the hub by the name and the weights, which are loaded for it.
        """
        from sentence_transformers import __version__

        is_folder = Path(self.model).is_dir()
        return content_key([_folder_digest(Path(self.model)) if is_folder else self._weights_digest(), __version__])

    @property
    def image_fingerprint(self) -> str:
        """As `fingerprint`."""
        return self.fingerprint

    def image_key(self, item: ImageItem) -> str:
        """The digest of the texts."""
        return content_key(self._texts(item))

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError for images that nothing is written about."""
        without = [item for item in images if not self._texts(item)]
        if not without:
            return
        what = f"text in the column {self.column!r}" if self.column else "class names"
        known = dict.fromkeys(name for item in without for name in item.columns)
        near = nearest(self.column or "", known)
        ways = "give the images as a CSV list with the columns image and class_name, or name a column of it (…@caption)"
        if self.column:
            ways = f"fill that column of the list, or name one that it has: {', '.join(known) or 'it has none'}"
            ways += f" (did you mean {' or '.join(near)}?)" if near else ""
        raise ScorerError(
            f"{self.name}: {len(without)} of {len(images)} images have no {what}: "
            f"{first([item.name for item in without])}. Leave them out, or {ways}"
        )

    def embed_images(self, images: Sequence[ImageItem]) -> list[FloatArray]:
        """A vector for each text of an image; a text that several of `images` share is embedded once."""
        texts = [self._texts(item) for item in images]
        each_once = list(dict.fromkeys(text for each in texts for text in each))
        # Classes are few and come again; captions are as many as images, and would fill the memory.
        vectors = self.word_vectors(each_once) if self.column is None else self.embed_words(each_once)
        row_of = {text: row for row, text in enumerate(each_once)}
        return [vectors[[row_of[text] for text in each]] for each in texts]

    def embed_words(self, words: Sequence[str]) -> FloatArray:
        """The sentence embeddings of `words`, of length 1."""
        vectors = self._network.encode(
            list(words), batch_size=self.word_batch, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, np.float32)

    def _texts(self, item: ImageItem) -> tuple[str, ...]:
        if self.column is None:
            return item.class_names
        text = item.columns.get(self.column, "").strip()
        return (text,) if text else ()

    def _weights_digest(self) -> str:
        digest = hashlib.sha256(self.model.encode())
        for key, value in sorted(self._network.state_dict().items()):
            digest.update(key.encode() + value.float().cpu().numpy().tobytes())
        return digest.hexdigest()

    @functools.cached_property
    def _network(self) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer

        from lumiscope.models import quick_hub

        try:
            with torch.random.fork_rng(devices=[]), quick_hub(), _no_bars(Path(self.model).is_dir()):
                network = SentenceTransformer(self.model, device=self.device, trust_remote_code=False)
        # The library, and what lies below it, raise whatever fits them.
        except Exception as error:
            reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
            raise ScorerError(f"{self.name}: the model cannot be loaded ({reason}). {OFFLINE}") from error
        return network.float().eval()


def _folder(rest: str, change: Change) -> str:
    """A model that is written as a path; any other is a name on the hub."""
    return change(rest) if rest.startswith((".", "/", "~")) else rest


@scorer_scheme(
    "classes",
    form="classes:MODEL",
    title="sentence embeddings of class names or captions",
    paths=_folder,
    requires=Requirement("sentence-transformers", "sentence_transformers", "text"),
)
def load_classes(rest: str) -> ClassNameScorer:
    """Return the scorer for "MODEL" or "MODEL@COLUMN": a sentence-transformers model, by hub name or folder.

    Raises ScorerError if the folder is none of such a model, or it asks for code of its own;
    UsageError if the name or the column is empty.
    """
    name = f"classes:{rest}"
    model, at, column = rest, "", ""
    if COLUMN in rest and not Path(rest).expanduser().is_dir():  # a folder may have it in its name
        model, at, column = rest.rpartition(COLUMN)
    if not model or (at and not column.strip()):
        raise UsageError(f"{name}: expected a model and, if wanted, a column, as {EXAMPLE} or {EXAMPLE}@caption")
    folder = Path(model).expanduser()
    if folder.is_dir():
        _refuse_foreign_code(name, folder)
        model = str(folder)
    elif model.startswith((".", "/", "~")) or model.count("/") > 1:
        raise ScorerError(f"{name}: there is no folder {model}. {OFFLINE}")
    return ClassNameScorer(name, model, column.strip() or None)


def _refuse_foreign_code(name: str, folder: Path) -> None:
    """Raise ScorerError unless the folder holds a model that is made of the library's own modules."""
    try:
        listed = parse_json(read_text(folder / MODULES, MOST_SETTINGS))
        modules = [str(module["type"]) for module in listed]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScorerError(
            f"{name}: expected the folder of a sentence-transformers model, with its {MODULES}; {folder} is not one "
            f"({type(error).__name__})"
        ) from error
    foreign = [module for module in modules if not module.startswith(OWN_MODULES)]
    if foreign:
        raise ScorerError(
            f"{name}: the model brings code of its own ({first(foreign)}), which lumiscope does not run; use a model "
            "that is made of sentence-transformers' modules"
        )


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()} {content}\n".encode())
    return digest.hexdigest()


@contextmanager
def _no_bars(local: bool) -> Iterator[None]:
    """Keep the library's progress bars from a log, and from a terminal where nothing is fetched."""
    logging: Any = import_module("transformers.utils.logging")
    shown = logging.is_progress_bar_enabled()
    if local or not sys.stderr.isatty():
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
