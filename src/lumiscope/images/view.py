"""The view: the pixels that the model really sees, and the way back onto the original image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, ByteArray, DoubleArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class View:
    """What a model sees of one image.

    `pixels`: (h, w, 3) uint8 RGB. `item_id`: the image that it shows. `box`: (left, top, right, bottom), the region of
    the original image that the view shows, in original pixels, with 0 at the edge of the first pixel.
    `original_size`: (height, width) of the original image.
    """

    pixels: ByteArray
    item_id: str
    box: tuple[float, float, float, float]
    original_size: tuple[int, int]

    def to_original(self, values: NDArray[np.floating]) -> FloatArray:
        """Bring `values`, (h, w) on the view, onto the original image: (H, W) float32.

        Bilinear between the centres of the view's pixels, constant beyond the outermost ones; NaN where the centre of
        an original pixel lies outside the part that the view shows.

        Raises UsageError if `values` does not have the view's size.
        """
        if values.shape != self.pixels.shape[:2]:
            raise UsageError(f"values must be {self.pixels.shape[:2]}, the size of the view, not {values.shape}")
        left, top, right, bottom = self.box
        rows = _Axis.between(top, bottom, self.original_size[0], values.shape[0])
        columns = _Axis.between(left, right, self.original_size[1], values.shape[1])
        # One axis after the other: the image may be far larger than the view.
        original = columns.interpolate(rows.interpolate(np.asarray(values, np.float64)).T).T
        original[~rows.shown] = np.nan
        original[:, ~columns.shown] = np.nan
        return np.ascontiguousarray(original, np.float32)


@dataclass(frozen=True, eq=False)
class _Axis:
    """Where the original pixels of one axis fall between the view's pixels `first` and `second`."""

    first: IntArray
    second: IntArray
    share_of_second: DoubleArray
    shown: BoolArray

    @classmethod
    def between(cls, start: float, end: float, original_length: int, view_length: int) -> _Axis:
        centres = np.arange(original_length) + 0.5
        position = (centres - start) * view_length / (end - start) - 0.5
        position = np.clip(position, 0, view_length - 1)
        first = np.floor(position).astype(np.int64)
        second = np.minimum(first + 1, view_length - 1)
        return cls(first, second, position - first, (centres >= start) & (centres <= end))

    def interpolate(self, values: DoubleArray) -> DoubleArray:
        share = self.share_of_second[:, None]
        return values[self.first] * (1 - share) + values[self.second] * share
