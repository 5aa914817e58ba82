"""What methods give that have one value for every pixel of the view, and the saliency map made of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.images import View
from lumiscope.types import FloatArray, SaliencyMap, Target


@dataclass(frozen=True)
class PixelMap:
    """One view's pixels. `values`: (H, W), signed or not. `details`: numbers of this map.

    `shown`: (H, W) in [0, 1] where the method has a picture of its own; else `display()` is the positive part divided
    by its maximum.
    """

    values: NDArray[np.floating]
    details: Mapping[str, Any] = field(default_factory=dict)
    shown: FloatArray | None = None


def pixel_saliency(
    view: View, target: Target, method: str, options: object, pixels: PixelMap | NDArray[np.floating]
) -> SaliencyMap:
    """The saliency map of one view.

    A map that is not finite everywhere says so in its details under "undefined", one that displays as zeros under
    "blank".
    """
    pixels = pixels if isinstance(pixels, PixelMap) else PixelMap(pixels)
    details = dict(pixels.details)
    picture = pixels.values if pixels.shown is None else pixels.shown
    if not np.isfinite(pixels.values).all():
        details["undefined"] = "the model's scores or gradients are NaN or infinity here"
    elif not (picture > 0).any():
        details.setdefault("blank", "no pixel speaks for the class")
    return SaliencyMap(
        item_id=view.item_id,
        method=method,
        target=target,
        values=np.asarray(pixels.values, np.float32),
        options=dataclasses.asdict(options),  # type: ignore[call-overload]
        shown=pixels.shown,
        details=details,
    )
