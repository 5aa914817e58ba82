"""Scores from a file: what another scorer, or people, said about known images."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import ScorerError
from lumiscope.files import reason_of, refuse_odd_entry, refuse_size
from lumiscope.images import composed
from lumiscope.progress import Track, silent
from lumiscope.scorers.concept_scores import ConceptScores, first, require_finite, require_words
from lumiscope.scorers.registry import scorer_scheme
from lumiscope.specs import one_path
from lumiscope.store import content_key
from lumiscope.types import FloatArray

if TYPE_CHECKING:
    from lumiscope.concepts import ConceptSet
    from lumiscope.images import ImageItem, ImageSet

MOST_BYTES = 2**32  # of one array in memory: the scores of a million images on a thousand concepts
ARRAYS = ("scores", "images", "concepts")
FORMAT = "a table is an .npz with `scores` (images × concepts, numbers), `images` and `concepts` (text)"


@dataclass(frozen=True, eq=False)
class TableScorer:
    """Scores read from an .npz file.

    `scores`: (D, K), as stored. `image_names`: D unique names. `words`: K unique concepts.
    """

    name: str
    scores: NDArray[np.number[Any]]
    image_names: tuple[str, ...]
    words: tuple[str, ...]

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the table's content; how the file was packed does not matter."""
        facts = [self.image_names, self.words, self.scores.dtype.str, self.scores.shape]
        digest = hashlib.sha256(json.dumps(facts).encode())
        digest.update(np.ascontiguousarray(self.scores).tobytes())
        return digest.hexdigest()

    @property
    def categories(self) -> None:
        """A table does not say what its words are."""
        return

    def image_key(self, item: ImageItem) -> str:
        """File name and id, by which the row is found."""
        return content_key([item.path.name, item.id])

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        """Raise ScorerError for images or concepts that the table lacks, and for two images that would share a row."""
        self._rows(images)
        self._columns(concepts.words)

    def score(self, images: ImageSet, concepts: ConceptSet, *, track: Track = silent) -> ConceptScores:
        """Look the images and concepts up; the table may hold more of both, in any order.

        An image is found by its file name with ending (`x.JPEG`) or else by its id (`x`). Raises ScorerError for
        images or concepts that the table lacks, two images that would share a row, and scores that are not finite.
        """
        rows = self._rows(images)
        columns = self._columns(concepts.words)
        with np.errstate(over="ignore"):
            values: FloatArray = self.scores[np.ix_(rows, columns)].astype(np.float32)
        names, advice = [self.image_names[row] for row in rows], "Mend the table or leave these out."
        require_finite(values, names, concepts.words, self.name, advice)
        return ConceptScores(values, tuple(concepts.words))

    def _rows(self, images: ImageSet) -> list[int]:
        row_of = {composed(name): row for row, name in enumerate(self.image_names)}
        items_with_rows = [(item, row_of.get(composed(item.path.name), row_of.get(item.id))) for item in images]
        missing = [item.path.name for item, row in items_with_rows if row is None]
        if missing:
            raise ScorerError(
                f"{self.name} has no scores for {len(missing)} of {len(items_with_rows)} images: {first(missing)}. Its "
                f"{len(self.image_names)} images are named like {first(self.image_names[:2])}. Leave these images "
                "out, or use a scorer that looks at pixels (open_clip:ARCH/PRETRAINED)."
            )
        rows = [row for _, row in items_with_rows if row is not None]
        shared = [self.image_names[row] for row in _repeated(rows)]
        if shared:
            raise ScorerError(
                f"{self.name}: several images have the same file name, so their scores cannot be told apart: "
                f"{first(shared)}. Rename them, or name them by their ids in the table."
            )
        return rows

    def _columns(self, words: Sequence[str]) -> list[int]:
        column_of = {word: column for column, word in enumerate(self.words)}
        require_words(
            words,
            self.words,
            self.name,
            "Use the table's own concepts (the default), or a scorer that takes any words.",
        )
        return [column_of[word] for word in words]


@scorer_scheme("table", form="table:FILE.npz", title="a table of scores", paths=one_path)
def load_table(rest: str) -> TableScorer:
    """Read the .npz file `rest`. Raises ScorerError if it is missing, damaged or not a table of scores."""
    path = Path(rest).expanduser()
    arrays = _read(path)
    scores, images, concepts = (arrays[name] for name in ARRAYS)
    if scores.ndim != 2 or images.ndim != 1 or concepts.ndim != 1 or scores.shape != (images.size, concepts.size):
        raise ScorerError(
            f"{path}: `scores` must be (images, concepts); got scores {scores.shape}, images {images.shape} and "
            f"concepts {concepts.shape}"
        )
    if scores.dtype.kind not in "fiub":
        raise ScorerError(f"{path}: `scores` must be real numbers; got {scores.dtype}. {FORMAT}.")
    for name in ("images", "concepts"):
        if arrays[name].dtype.kind != "U":
            raise ScorerError(f"{path}: `{name}` must be unicode text; got {arrays[name].dtype}. {FORMAT}.")
        repeated = _repeated(arrays[name].tolist())
        if repeated:
            raise ScorerError(f"{path}: `{name}` must be unique; these are there more than once: {first(repeated)}")
    return TableScorer(f"table:{rest}", scores, tuple(images.tolist()), tuple(concepts.tolist()))


def _read(path: Path) -> dict[str, NDArray[Any]]:
    if not path.exists():
        raise ScorerError(f"there is no score table {path}; {FORMAT}")
    try:
        refuse_odd_entry(path)
        _refuse_size(path)
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in ARRAYS if name not in archive]
            if missing:
                raise ScorerError(
                    f"{path} lacks {', '.join(missing)}; it has {', '.join(archive) or 'nothing'}. {FORMAT}."
                )
            return {name: archive[name] for name in ARRAYS}
    # A lone .npy array is no context manager (TypeError); object arrays and other bytes are a ValueError; packed in a
    # way that Python does not know, a NotImplementedError or, encrypted, a RuntimeError.
    except (OSError, EOFError, TypeError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ScorerError(
            f"{path} cannot be read as a score table ({reason_of(error)}); {FORMAT}, without objects"
        ) from error


def _refuse_size(path: Path) -> None:
    """Errors: `OSError` for an archive whose arrays would take more memory than a table may, however small it is."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            refuse_size(path, member.file_size, MOST_BYTES)
            with archive.open(member) as file:
                refuse_size(path, _array_bytes(file), MOST_BYTES)


def _array_bytes(file: IO[bytes]) -> int:
    """How many bytes an array in a .npy file takes, as its head says. Errors: `ValueError` where it has none."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    return math.prod(shape) * kind.itemsize


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
