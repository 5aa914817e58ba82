"""Segments of views: cut once, kept in the store; read from a file or made by a function of the user's."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
from collections.abc import Mapping
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
from lumiscope.images import View, decode_labels
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
            "source": segmenter_source(segmenter),
            "scikit-image": importlib.metadata.version("scikit-image"),
        }
        results = self._memo.results("segments", scope, made_by=[segment_view, *segmenter_makers(segmenter)])
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
    """The code that cuts, as far as it is a registered segmenter's."""
    return [SEGMENTERS[segmenter].function] if segmenter in SEGMENTERS else []


def segmenter_source(segmenter: str) -> str | None:
    """Sha256 of the file behind `mask:FILE` or `python:module:function`; None where there is none.

    Errors: `UsageError` where the file cannot be read.
    """
    prefix, _, rest = segmenter.partition(":")
    path = Path(rest) if prefix == "mask" else None
    if prefix == "python":
        source = inspect.getsourcefile(find_callable(rest))
        path = Path(source) if source else None
    if path is None:
        return None
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError as error:
        raise UsageError(f"expected a file with segments at {path}: {error.strerror or error}") from error


def _on_view(labels: IntArray, view: View, name: str) -> IntArray:
    """Labels on the view: as they are where they have its size, else nearest pixels of the original image's."""
    size = view.pixels.shape[:2]
    if labels.shape == size:
        return labels
    if labels.shape != view.original_size:
        raise UsageError(
            f"expected {name} to have the size of the view, {size[0]}×{size[1]}, or of the image, "
            f"{view.original_size[0]}×{view.original_size[1]}; got {labels.shape[0]}×{labels.shape[1]}"
        )
    left, top, right, bottom = view.box
    rows = top + (np.arange(size[0]) + 0.5) * (bottom - top) / size[0]
    columns = left + (np.arange(size[1]) + 0.5) * (right - left) / size[1]
    row = np.clip(rows.astype(np.int64), 0, labels.shape[0] - 1)
    column = np.clip(columns.astype(np.int64), 0, labels.shape[1] - 1)
    return labels[np.ix_(row, column)]


def _called(rest: str, view: View, options: Mapping[str, Any]) -> NDArray[Any]:
    function = find_callable(rest)
    try:
        return np.asarray(function(view.pixels.copy(), **options))
    except Exception as error:
        raise ModelError(f"the segmenter python:{rest} failed: {type(error).__name__}: {error}") from error
