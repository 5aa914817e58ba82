"""The activation that a unit exceeds on a given share of all positions, from maps that pass by once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from lumiscope.errors import UsageError
from lumiscope.runs import NoLabel, Reason
from lumiscope.types import DoubleArray

QUANTILE = 0.005  # Bau et al. 2017
BUFFER = 2**24  # values kept for all units of a layer together: 64 MiB
CHUNK = 2**14  # values a unit that wait at least before the highest are picked out


@dataclass(frozen=True)
class Thresholds:
    """What a layer's units exceed on the share `quantile` of positions.

    `values`: (U,) float64, infinite for a unit that is left out. `reason`: why it is, None for the others.
    `num_positions`: of all maps together. `num_sampled`: how many of them were looked at. Where not
    all were, the share above the threshold has a standard error of at most sqrt(q (1 - q) / num_sampled).
    """

    values: DoubleArray
    reason: tuple[NoLabel | None, ...]
    quantile: float
    num_positions: int
    num_sampled: int


class ThresholdStream:
    """Thresholds T with P(activation > T) = `quantile` over the positions of all images, in bounded memory.

    T is the largest value that at most a share `quantile` of the values exceeds:
    `numpy.quantile(values, 1 - quantile, method="inverted_cdf")` of all values at once. It is exact, whatever the order
    of the images, where the values above it fit a buffer of `buffer` numbers for all units of the layer together;
    else each image gives equally many of its positions, drawn at random with `seed`, so that they do.
    Source: Bau, Zhou, Khosla, Oliva and Torralba 2017, Network Dissection, section 2.3.
    """

    def __init__(
        self,
        num_units: int,
        num_images: int,
        positions: int,
        *,
        quantile: float = QUANTILE,
        buffer: int = BUFFER,
        seed: int = 0,
    ) -> None:
        if not 0 < quantile < 1:
            raise UsageError(f"expected a quantile between 0 and 1, such as {QUANTILE}; got {quantile}")
        self._quantile = quantile
        self._num_images = num_images
        self._positions = positions
        most = max(buffer // num_units, 1)
        self._drawn = positions
        if _above(quantile, num_images * positions) >= most:
            self._drawn = min(positions, max(1, int((most - 1) / quantile) // num_images))
        self._size = _above(quantile, num_images * self._drawn) + 1
        self._generator = np.random.default_rng(seed)
        self._highest = torch.full((num_units,), -math.inf)
        self._lowest = torch.full((num_units,), math.inf)
        self._kept = torch.empty(num_units, 0)
        self._waiting: list[torch.Tensor] = []
        self._seen = 0

    def add(self, maps: torch.Tensor) -> None:
        """Take the maps of some more images, (B, U, h, w)."""
        values = maps.detach().flatten(2).float().cpu()
        self._seen += len(values)
        # Both keep NaN, so what is not finite anywhere shows here.
        self._highest = torch.maximum(self._highest, values.amax((0, 2)))
        self._lowest = torch.minimum(self._lowest, values.amin((0, 2)))
        if self._drawn < self._positions:
            chosen = self._generator.random((len(values), self._positions)).argsort(axis=1)[:, : self._drawn]
            places = torch.from_numpy(np.ascontiguousarray(chosen))
            values = values.gather(2, places[:, None].expand(-1, values.shape[1], -1))
        self._waiting.append(values.transpose(0, 1).flatten(1).contiguous())
        if sum(part.shape[1] for part in self._waiting) >= max(self._size, CHUNK):
            self._pick()

    def thresholds(self) -> Thresholds:
        """The thresholds, once every image was seen. Errors: `ValueError` where it was not."""
        if self._seen != self._num_images:
            raise ValueError(f"expected the maps of {self._num_images} images; got {self._seen}")
        self._pick()
        values = self._kept.amin(1).double().numpy()
        highest, lowest = self._highest.double().numpy(), self._lowest.double().numpy()
        reason = tuple(_reason(*row) for row in zip(values, highest, lowest, strict=True))
        values = np.where([left_out is None for left_out in reason], values, np.inf)
        images = self._num_images
        return Thresholds(values, reason, self._quantile, images * self._positions, images * self._drawn)

    def _pick(self) -> None:
        """Keep the highest values of each unit, as many as lie above its threshold and the threshold itself."""
        values = torch.cat([self._kept, *self._waiting], dim=1)
        self._waiting = []
        fits = values.shape[1] <= self._size
        self._kept = values if fits else values.topk(self._size, dim=1, sorted=False).values


def _above(quantile: float, count: int) -> int:
    """How many of `count` values may exceed the threshold."""
    return math.floor(quantile * count + 1e-9)  # 0.005 · 200 is 1, however it was rounded


def _reason(threshold: float, highest: float, lowest: float) -> NoLabel | None:
    if not (math.isfinite(highest) and math.isfinite(lowest)):
        return NoLabel(Reason.NOT_FINITE, "its maps hold NaN or infinite values")
    if highest == lowest:
        dead = NoLabel(Reason.DEAD, "0 at every position")
        return dead if highest == 0 else NoLabel(Reason.CONSTANT, "the same at every position")
    if highest <= threshold:
        said = "its highest value stands at more positions than may lie above the threshold"
        return NoLabel(Reason.UNDEFINED, said)
    return None
