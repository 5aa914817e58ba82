"""Segments of views: cut once, kept in the store; read from a file or made by a function of the user's."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.attribution import (
    SEGMENTERS,
    check_segmenter,
    renumbered,
    segment_view,
)
from lumiscope.errors import ModelError, UsageError
from lumiscope.files import read_bytes
from lumiscope.images import ImageItem, View, decode_labels
from lumiscope.memo import Memo
from lumiscope.models import find_callable
from lumiscope.types import IntArray


class Segmentations:
    """Cuts views for a prepared batch. `memo`: where segments are kept."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo

    def __call__(self, view: View, segmenter: str, options: Mapping[str, Any]) -> IntArray:
        """(H, W) segment ids 0..d-1. Errors: `UsageError`, `ImageError`, `ModelError`."""
        check_segmenter(segmenter, options)
        if segmenter.startswith("mask:"):
            return cut(view, segmenter, options)
        scope = {
            "segmenter": segmenter,
            "options": dict(options),
            "scikit-image": importlib.metadata.version("scikit-image"),
        }
        results = self._memo.results("segments", scope, made_by=segmenter_makers(segmenter))
        key = hashlib.sha256(view.pixels.tobytes()).hexdigest()
        if key not in results:
            results.put({key: {"segments": cut(view, segmenter, options).astype(np.int32)}})
        return results.get(key)["segments"].astype(np.int64)


def cut(view: View, segmenter: str, options: Mapping[str, Any]) -> IntArray:
    """(H, W) segment ids 0..d-1 of a view, by any segmenter."""
    prefix, _, rest = segmenter.partition(":")
    if prefix == "mask":
        return renumbered(_on_view(decode_labels(Path(rest)), view, rest), view, segmenter)
    if prefix == "python":
        return renumbered(_called(rest, view, options), view, segmenter)
    return segment_view(view, segmenter, options)


def segmenter_makers(segmenter: str) -> list[object]:
    """The code that cuts: what all segmenters share, and what was registered or is the user's own."""
    prefix, _, rest = segmenter.partition(":")
    if prefix == "python":
        return [Segmentations, find_callable(rest)]
    return [Segmentations, SEGMENTERS[segmenter].function] if segmenter in SEGMENTERS else [Segmentations]


def segment_file(segmenter: str) -> str | None:
    """Sha256 of the file of `mask:FILE`; None for other segmenters. Errors: `UsageError` where it cannot be read."""
    if not segmenter.startswith("mask:"):
        return None
    path = Path(segmenter.removeprefix("mask:"))
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError as error:
        raise UsageError(f"expected a file with segments at {path}: {error.strerror or error}") from error


def check_cut(segmenter: str, options: Mapping[str, Any]) -> None:
    """Look at what a segmenter names, as far as no model is needed: its file, its function and that one's options.

    Errors: `UsageError`, `UnknownNameError`.
    """
    _ = segment_file(segmenter)
    prefix, _, rest = segmenter.partition(":")
    if prefix == "python":
        function = find_callable(rest)
        try:
            inspect.signature(function).bind("pixels", **options)
        except TypeError as error:
            raise UsageError(
                f"expected options that {rest}(pixels, …) takes; got {', '.join(options) or 'none'}: {error}"
            ) from error
        except ValueError:  # a function without a signature, as some of compiled modules
            return


def check_segment_size(segmenter: str, view: tuple[int, int], images: Iterable[ImageItem]) -> None:
    """Whether the labels of `mask:FILE` fit all of the images. `view`: height and width of what the model sees.

    Errors: `UsageError` for one that they do not fit, `ImageError` for a file that holds no labels.
    """
    if segmenter.startswith("mask:"):
        path = Path(segmenter.removeprefix("mask:"))
        for item in images:
            _refuse_size(str(path), _label_size(path, path.stat().st_mtime_ns), view, item.size)


def _on_view(labels: IntArray, view: View, name: str) -> IntArray:
    """Labels on the view: as they are where they have its size, else nearest pixels of the original image's."""
    size = view.pixels.shape[:2]
    if labels.shape == size:
        return labels
    _refuse_size(name, labels.shape, size, view.original_size)
    left, top, right, bottom = view.box
    rows = top + (np.arange(size[0]) + 0.5) * (bottom - top) / size[0]
    columns = left + (np.arange(size[1]) + 0.5) * (right - left) / size[1]
    row = np.clip(rows.astype(np.int64), 0, labels.shape[0] - 1)
    column = np.clip(columns.astype(np.int64), 0, labels.shape[1] - 1)
    return labels[np.ix_(row, column)]


@functools.lru_cache(maxsize=4096)
def _label_size(path: Path, _changed: int) -> tuple[int, ...]:
    return decode_labels(path).shape


def _refuse_size(name: str, size: tuple[int, ...], view: tuple[int, ...], image: tuple[int, int]) -> None:
    if size not in (view, image):
        expected, other, came = ("×".join(map(str, sides)) for sides in (view, image, size))
        raise UsageError(
            f"expected {name} to have the size of the view, {expected}, or of the image, {other}; got {came}"
        )


def _called(rest: str, view: View, options: Mapping[str, Any]) -> NDArray[Any]:
    function = find_callable(rest)
    try:
        return np.asarray(function(view.pixels.copy(), **options))
    except Exception as error:
        raise ModelError(f"the segmenter python:{rest} failed: {type(error).__name__}: {error}") from error
