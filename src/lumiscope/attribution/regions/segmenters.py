"""Ways to cut a view into segments, by name. A new one is a function under `@segmenter`, over scikit-image."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import View
from lumiscope.registry import Registry
from lumiscope.types import ByteArray, IntArray

OUTSIDE = ("mask", "python")  # prefixes of what lies outside this room: a file, or a function of the user's
KEPT = 64  # cuts of the last views
Cut = Callable[..., NDArray[Any]]


@dataclass(frozen=True)
class Segmenter:
    """A registered way to segment. `function`: (H, W, 3) uint8 pixels and named options to (H, W) whole numbers."""

    name: str
    function: Cut

    @property
    def defaults(self) -> dict[str, Any]:
        """Its options with the values that they have unless told otherwise."""
        return {name: parameter.default for name, parameter in self._parameters().items()}

    def check(self, options: Mapping[str, Any]) -> None:
        """Errors: `UnknownNameError` with the nearest option, `UsageError` for a value of another type."""
        from pydantic import TypeAdapter, ValidationError

        parameters = self._parameters()
        for name, value in options.items():
            if name not in parameters:
                raise UnknownNameError(f"option of the segmenter {self.name}", name, parameters)
            kind = type(parameters[name].default)
            try:
                TypeAdapter(kind).validate_python(value)
            except ValidationError as error:
                said = error.errors()[0]["msg"]
                raise UsageError(f"segmenter {self.name}: option {name}: {said}; got {value!r}") from error

    def _parameters(self) -> dict[str, inspect.Parameter]:
        parameters = inspect.signature(self.function).parameters.values()
        return {parameter.name: parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}


SEGMENTERS: Registry[Segmenter] = Registry("segmenter", also=["mask:FILE", "python:module:function"])
"""Every segmenter by name."""


def segmenter(name: str) -> Callable[[Cut], Cut]:
    """Register a function under `name`; its keyword-only parameters are its options."""

    def register(function: Cut) -> Cut:
        SEGMENTERS.register(name, Segmenter(name, function), defined_by=function)
        return function

    return register


def check_segmenter(name: str, options: Mapping[str, Any]) -> None:
    """Check a segmenter, or `mask:FILE` or `python:module:function`, and its options.

    Errors: `UnknownNameError` with the nearest names, `UsageError`.
    """
    prefix, colon, rest = name.partition(":")
    if colon and prefix in OUTSIDE:
        if not rest:
            raise UsageError(f"expected mask:FILE or python:module:function as segmenter; got {name!r}")
        if prefix == "mask" and options:
            raise UsageError(f"a mask file has no options; got {', '.join(options)} for {name}")
        return
    SEGMENTERS[name].check(options)


def segment_view(view: View, name: str, options: Mapping[str, Any]) -> IntArray:
    """(H, W) segment ids 0..d-1 of a view, by a registered segmenter.

    Errors: `UsageError` for `mask:` and `python:`, which are not read in this room, or where segments cannot be made.
    """
    check_segmenter(name, options)
    if name not in SEGMENTERS:
        raise UsageError(f"{name} must be read first: use lumiscope.explain, or give the batch a `segment` of your own")
    given = tuple(sorted((key, tuple(value) if isinstance(value, list) else value) for key, value in options.items()))
    try:
        labels = _cut(SEGMENTERS[name].function, given, view.pixels.shape, view.pixels.tobytes())
    except ValueError as error:
        raise UsageError(f"segmenter {name} refuses {dict(options)}: {error}") from error
    return renumbered(labels, view, name)


@functools.lru_cache(maxsize=KEPT)
def _cut(function: Cut, options: tuple[tuple[str, Any], ...], shape: tuple[int, ...], pixels: bytes) -> NDArray[Any]:
    """What a registered function makes of pixels; kept, as random networks and other classes ask for the same views."""
    return function(np.frombuffer(pixels, np.uint8).reshape(shape).copy(), **dict(options))


def renumbered(labels: NDArray[Any], view: View, name: str) -> IntArray:
    """(H, W) int64: `labels` with ids 0..d-1 without gaps, in the order of their values.

    Errors: `UsageError` where they are no whole numbers, one for each pixel of the view.
    """
    size = view.pixels.shape[:2]
    labels = np.asarray(labels)
    if labels.shape != size or labels.dtype.kind not in "iub":
        raise UsageError(
            f"expected {name} to give {size[0]}×{size[1]} whole numbers, a segment's for each pixel of the view; "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    return np.unique(labels, return_inverse=True)[1].reshape(size).astype(np.int64)


@segmenter("quickshift")
def quickshift(
    pixels: ByteArray,
    *,
    kernel_size: float = 4.0,
    max_dist: float = 200.0,
    ratio: float = 0.2,
    sigma: float = 0.0,
    convert2lab: bool = True,
) -> NDArray[Any]:
    """Quickshift (Vedaldi and Soatto 2008) with the constants of lime 0.2.0.1."""
    from skimage.segmentation import quickshift as cut

    cluster: Cut = cut
    return cluster(
        pixels, kernel_size=kernel_size, max_dist=max_dist, ratio=ratio, sigma=sigma, convert2lab=convert2lab
    )


@segmenter("slic")
def slic(
    pixels: ByteArray, *, n_segments: int = 50, compactness: float = 10.0, sigma: float = 0.0, max_num_iter: int = 10
) -> NDArray[Any]:
    """SLIC (Achanta et al. 2012): clusters of colour and place, about `n_segments` of them."""
    from skimage.segmentation import slic as cut

    return np.asarray(
        cut(
            pixels,
            n_segments=n_segments,
            compactness=compactness,
            sigma=sigma,
            max_num_iter=max_num_iter,
            start_label=0,
            channel_axis=-1,
        )
    )


@segmenter("felzenszwalb")
def felzenszwalb(pixels: ByteArray, *, scale: float = 200.0, sigma: float = 0.8, min_size: int = 300) -> NDArray[Any]:
    """Felzenszwalb and Huttenlocher 2004: regions of a graph; `scale` and `min_size` larger, segments larger."""
    from skimage.segmentation import felzenszwalb as cut

    return np.asarray(cut(pixels, scale=scale, sigma=sigma, min_size=min_size, channel_axis=-1))


@segmenter("watershed")
def watershed(pixels: ByteArray, *, markers: int = 50, compactness: float = 0.001) -> NDArray[Any]:
    """Compact watershed (Neubert and Protzel 2014) of the Sobel gradient of the grey picture."""
    from skimage.color import rgb2gray
    from skimage.filters import sobel
    from skimage.segmentation import watershed as cut

    edges: Cut = sobel
    flood: Cut = cut
    return flood(edges(rgb2gray(pixels)), markers=markers, compactness=compactness)


@segmenter("grid")
def grid(pixels: ByteArray, *, rows: int = 7, columns: int = 7) -> NDArray[Any]:
    """Rectangles, as equal as whole pixels allow; no more rows or columns than pixels."""
    height, width = pixels.shape[:2]
    if rows < 1 or columns < 1:
        raise ValueError("a grid has at least one row and one column")
    row = np.arange(height) * min(rows, height) // height
    column = np.arange(width) * min(columns, width) // width
    return np.asarray(row[:, None] * columns + column)
