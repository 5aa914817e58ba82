"""How an image becomes the view that a model sees: resize and centre-crop, or squash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images.view import View
from lumiscope.types import BoolArray, ByteArray, FloatArray

GeometryMode = Literal["crop", "squash"]
Size = tuple[int, int]
Box = tuple[float, float, float, float]

RESAMPLING = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}

# A 1×5000 strip brought to a short side of 256 would have 327 million pixels, of which a crop shows 65,536.
LARGEST_RESIZED = 2**25


@dataclass(frozen=True)
class Geometry:
    """The way from an image to a view. All sizes are (height, width) in pixels.

    `input_size`: the size of the view. `mode`: "crop" keeps the aspect ratio, brings the shorter side to
    `resize_size` and cuts the centre; "squash" resizes straight to `resize_size`, then cuts the centre if that is
    larger than the view. `resize_size`: None means `input_size`. `interpolation`: nearest, bilinear, bicubic, lanczos,
    box or hamming, as Pillow resamples 8-bit pixels (with antialiasing).

    Pixel for pixel what torchvision's `Resize` and `CenterCrop` do on a PIL image, and timm's `ResizeKeepRatio` where
    `resize_size` is not square.

    Raises UsageError for impossible sizes, UnknownNameError for an unknown mode or interpolation.
    """

    input_size: Size
    mode: GeometryMode = "crop"
    resize_size: Size | None = None
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if self.mode not in get_args(GeometryMode):
            raise UnknownNameError("geometry mode", self.mode, get_args(GeometryMode))
        if self.interpolation not in RESAMPLING:
            raise UnknownNameError("interpolation", self.interpolation, RESAMPLING)
        for name, size in (("input_size", self.input_size), ("resize_size", self._resize_size)):
            if len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
                raise UsageError(f"{name} must be two positive whole numbers (height, width), not {size!r}")
        if any(resized < side for resized, side in zip(self._resize_size, self.input_size, strict=True)):
            raise UsageError(
                f"resize_size {self._resize_size} is smaller than input_size {self.input_size}: the view would have "
                "empty borders; give at least the input size"
            )

    def view(self, pixels: ByteArray, item_id: str = "", bands: FloatArray | None = None) -> View:
        """Return the view of `pixels`, (H, W, 3) uint8; it remembers `item_id` and the region that it shows.

        `bands`: (H, W, n) float32, each resampled and cut in the same way.
        """
        original_size = (pixels.shape[0], pixels.shape[1])
        image = self._resized_and_cut(Image.fromarray(pixels), RESAMPLING[self.interpolation])
        box = self.box(original_size)
        if bands is None:
            return View(np.array(image), item_id, box, original_size)
        planes = (Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(bands, 2, 0))
        cut = [self._resized_and_cut(plane, RESAMPLING[self.interpolation]) for plane in planes]
        return View(np.array(image), item_id, box, original_size, np.stack([np.array(plane) for plane in cut], axis=2))

    def mask_on_view(self, mask: BoolArray) -> BoolArray:
        """Return `mask`, (H, W) bool on the original image, as (h, w) bool on its view; nearest pixel."""
        return self.labels_on_view(mask.astype(np.uint8)) > 0

    def labels_on_view(self, labels: NDArray[np.integer[Any]]) -> NDArray[np.integer[Any]]:
        """Return `labels`, (H, W) whole numbers on the original image, as (h, w) on its view; nearest pixel.

        The numbers and their type stay as they are; they must fit 32 bits with a sign.
        """
        # Pillow resizes numbers of 8 bits and of 32 alike.
        image = Image.fromarray(labels if labels.dtype == np.uint8 else labels.astype(np.int32))
        return np.array(self._resized_and_cut(image, Image.Resampling.NEAREST)).astype(labels.dtype)

    def box(self, original_size: Size) -> Box:
        """Return (left, top, right, bottom): the region of an image of `original_size` that its view shows.

        In pixels of the original image, with 0 at the left or top edge of its first pixel.
        """
        (height, width), (resized_height, resized_width) = original_size, self._resized(original_size)
        left, top, right, bottom = self._cut(original_size)
        across, down = width / resized_width, height / resized_height
        return (left * across, top * down, right * across, bottom * down)

    @property
    def _resize_size(self) -> Size:
        return self.input_size if self.resize_size is None else self.resize_size

    def _resized(self, original_size: Size) -> Size:
        target_height, target_width = self._resize_size
        height, width = original_size
        if self.mode == "squash":
            return self._resize_size
        if target_height == target_width:
            # torchvision.transforms.Resize(int) rounds the long side down.
            short, long = target_height, int(target_height * max(original_size) / min(original_size))
            return (long, short) if width <= height else (short, long)
        # timm.data.transforms.ResizeKeepRatio(longest=0) rounds both sides to the nearest.
        ratio = min(height / target_height, width / target_width)
        return (round(height / ratio), round(width / ratio))

    def _cut(self, original_size: Size) -> tuple[int, int, int, int]:
        resized_height, resized_width = self._resized(original_size)
        height, width = self.input_size
        # torchvision.transforms.CenterCrop: Python's round, so that halves go to the even number.
        top, left = round((resized_height - height) / 2), round((resized_width - width) / 2)
        return (left, top, left + width, top + height)

    def _resized_and_cut(self, image: Image.Image, resample: Image.Resampling) -> Image.Image:
        original_size = (image.height, image.width)
        height, width = self._resized(original_size)
        if height * width > LARGEST_RESIZED:
            # Computes only the pixels of the view; it may differ from the exact way below by rounding.
            view_height, view_width = self.input_size
            return image.resize((view_width, view_height), resample, box=self.box(original_size))
        return image.resize((width, height), resample).crop(self._cut(original_size))
