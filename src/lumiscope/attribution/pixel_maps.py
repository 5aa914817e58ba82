"""What the methods share that give one value to every pixel of the view."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.errors import UsageError
from lumiscope.types import ByteArray, FloatArray, SaliencyMap, Target

MASK_RULE = "top:20%"
"""For maps of gradients: a few pixels stand far out, so that a share of the maximum would leave next to nothing."""
HideColor = int | tuple[int, int, int] | None


def pixel_maps(
    prepared: PreparedBatch,
    targets: Sequence[Target],
    method: str,
    options: object,
    values: Sequence[NDArray[np.floating]],
    *,
    details: Sequence[Mapping[str, Any]] | None = None,
    shown: Sequence[FloatArray] | None = None,
) -> list[SaliencyMap]:
    """One saliency map an image. `values`: B arrays (H, W), signed or not.

    `shown`: B arrays in [0, 1] where the method has a picture of its own; else `display()` is the positive part divided
    by its maximum. A map that is not finite everywhere says so in its details under "undefined", one that displays as
    zeros under "blank".
    """
    said = dataclasses.asdict(options)  # type: ignore[call-overload]
    maps = []
    for row, target in enumerate(targets):
        facts = dict(details[row]) if details else {}
        picture = shown[row] if shown else values[row]
        if not np.isfinite(values[row]).all():
            facts["undefined"] = "the model's scores or gradients are NaN or infinity here"
        elif not (picture > 0).any():
            facts["blank"] = "no pixel speaks for the class"
        maps.append(
            SaliencyMap(
                item_id=prepared.views[row].item_id,
                method=method,
                target=target,
                values=np.asarray(values[row], np.float32),
                options=said,
                shown=shown[row] if shown else None,
                details=facts,
            )
        )
    return maps


def check_color(method: str, color: HideColor) -> None:
    """Errors: `UsageError` for a channel that is not from 0 to 255."""
    if not all(0 <= channel <= 255 for channel in (color if isinstance(color, tuple) else (color or 0,))):
        raise UsageError(f"{method}: expected hide_color from 0 to 255; got {color}")


def flat_picture(pixels: ByteArray, color: HideColor) -> ByteArray:
    """(H, W, 3) uint8 of one colour: a grey value, (r, g, b), or None for the mean colour of `pixels`, rounded."""
    picture = np.empty_like(pixels)
    picture[:] = np.rint(pixels.mean((0, 1))) if color is None else color
    return picture
