"""What a network is given of an image: RGB, luminance, or the bands of a file, and how they are normalised."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lumiscope.errors import ImageError, UsageError
from lumiscope.images import Geometry, ImageItem, View, choose_bands, holds_bands, read_bands, shown_triple
from lumiscope.models.channels import LUMINANCE_NOTE, RGB, luminance, per_channel
from lumiscope.types import FedArray

WITHOUT = {"mean": (0.0,), "std": (1.0,)}
"""What changes nothing."""


@dataclass(frozen=True)
class Reading:
    """How images become what a network of `channels` is given.

    `of_bands`: whether these are bands of a file, and not those of a picture. `mean`, `std`: one number a channel.
    `assumed`: whether these are 0 and 1 as nothing states them of bands. `bands`: which bands, in order; None: all.
    `shown`: the three that are shown; None: the first.
    """

    channels: int
    of_bands: bool
    mean: tuple[float, ...]
    std: tuple[float, ...]
    assumed: bool = False
    bands: tuple[int, ...] | None = None
    shown: tuple[int, ...] | None = None

    @classmethod
    def of(
        cls,
        channels: int,
        spec: str,
        *,
        mean: Sequence[float],
        std: Sequence[float],
        bands: Sequence[int] | None,
        shown: Sequence[int] | None,
    ) -> Reading:
        """The reading of a network. Errors: `UsageError` for another number of means or deviations than channels.

        Three numbers of RGB say nothing of another number of bands; these are then given as they are.
        """
        of_bands = bands is not None or channels not in (1, RGB)
        if shown is not None and not of_bands:
            raise UsageError(f"{spec} takes pictures, shown as they are: leave shown_bands out, or say which bands")
        unsaid = {
            what: not given or (of_bands and len(given) == RGB != channels)
            for what, given in (("mean", mean), ("std", std))
        }
        return cls(
            channels,
            of_bands,
            numbers_of_channels(WITHOUT["mean"] if unsaid["mean"] else mean, channels, f"mean of {spec}"),
            numbers_of_channels(WITHOUT["std"] if unsaid["std"] else std, channels, f"std of {spec}"),
            any(unsaid.values()),
            None if bands is None else tuple(bands),
            None if shown is None else tuple(shown),
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it; nothing for RGB."""
        numbers = f"minus mean {_said(self.mean)}, divided by std {_said(self.std)}"
        if not self.of_bands:
            return () if self.channels == RGB else (f"{LUMINANCE_NOTE} in [0, 1], {numbers}",)
        which = "all bands of a file" if self.bands is None else f"the bands {_said(self.bands)} of a file, from 0"
        assumed = ", as nothing states them of bands" if self.assumed else ""
        return (
            f"it takes {self.channels} channels: {which} (8-bit numbers divided by 255), {numbers}{assumed}; "
            f"shown are the bands {_said(self.shown_bands or ())}, each stretched",
        )

    @property
    def facts(self) -> list[str]:
        """What tells this reading apart from that of pictures."""
        return [f"bands {self.bands}"] if self.of_bands else []

    @property
    def shown_bands(self) -> tuple[int, ...] | None:
        """The numbers of the three bands that are shown; None: a picture is."""
        if self.shown is not None or not self.of_bands:
            return self.shown
        given = self.bands or tuple(range(self.channels))
        return given[:3] if len(given) >= 3 else given[:1] * 3

    def view(self, item: ImageItem, geometry: Geometry) -> View:
        """What a network sees of an item. Errors: `ImageError` for a file that has not what it takes."""
        if not self.of_bands:
            return picture_view(item, geometry)
        try:
            bands = read_bands(item.address)
        except ImageError as error:
            raise ImageError(f"{item.name}: {error} (for a network of {self.channels} bands)") from error
        try:
            fed = bands if self.bands is None else choose_bands(bands, self.bands)
            if fed.shape[2] != self.channels:
                count = fed.shape[2]
                raise ImageError(f"expected {self.channels} bands; it has {count}. --bands says which, from 0")
            return geometry.view(shown_triple(bands, self.shown_bands), item.id, fed)
        except ImageError as error:
            raise ImageError(f"{item.name}: {error}") from error

    def channels_of(self, fed: FedArray) -> FedArray:
        """(N, h, w, channels) of (N, h, w, 3) uint8 pixels, or (N, h, w, n) float32 bands."""
        return fed if self.of_bands or self.channels == RGB else luminance(fed.astype("uint8", copy=False))


def picture_view(item: ImageItem, geometry: Geometry) -> View:
    """What a network of pictures sees of an item. Errors: `ImageError` for a file of bands."""
    if holds_bands(item.path):
        raise ImageError(
            f"{item.name}: a file of bands; the network takes pictures. --bands 2,1,0 says which of them it is given, "
            "in order, from 0"
        )
    return geometry.view(item.pixels, item.id)


def numbers_of_channels(given: Sequence[float], channels: int, what: str) -> tuple[float, ...]:
    """The numbers of `what`, one a channel. Errors: `UsageError` for another number of them, NaN or infinity."""
    numbers = per_channel(given, channels)
    if numbers is None:
        count = {1: "three of RGB", RGB: "three"}.get(channels, str(channels))
        raise UsageError(f"expected one or {count} numbers for {what}, one a channel; got {_listed(given)}")
    if not all(map(math.isfinite, numbers)):
        raise UsageError(f"expected finite numbers for {what}; got {_listed(given)}")
    return numbers


def _said(numbers: Sequence[float]) -> str:
    """Numbers in words, one where all are the same."""
    several = numbers if len(set(numbers)) > 1 else numbers[:1]
    return ", ".join(f"{number:.3g}" for number in several)


def _listed(numbers: Sequence[float]) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
