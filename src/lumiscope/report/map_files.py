"""Maps as files: an overlay to look at and the arrays to compute with."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lumiscope.files import write_atomically
from lumiscope.images import View
from lumiscope.report.colour import overlay, signed_overlay
from lumiscope.report.outline import bordered
from lumiscope.short_name import short_name
from lumiscope.types import ByteArray, SaliencyMap, SegmentMap

# What Windows refuses in names, and control characters, as line breaks are.
REFUSED = r'[<>:"/\\|?*\x00-\x1f\x7f]'
DEVICES = r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)"  # of Windows, whatever comes after the dot
LONGEST = 100  # bytes; most file systems allow 255 for a whole name


@dataclass(frozen=True)
class WrittenMap:
    """A map that was written. `target`: the short name of the class; `score`: its logit. `overlay`, `array`: files."""

    image: str
    method: str
    target: str
    target_index: int
    probability: float
    score: float
    overlay: str
    array: str


def write_maps(maps: Sequence[SaliencyMap], view: View, folder: Path, suffix: str = "") -> list[WrittenMap]:
    """Write `IMAGE.METHOD.png` and `IMAGE.METHOD.npz` for every map of one view.

    `suffix`: what follows the method in the names, such as a unit. See `safe_name` for what is changed in names.
    The npz holds `values` and `display`, and for segment maps `segments`, `coefficients` and, where the method gives
    them, `intervals`.
    """
    rows = []
    end = "." + re.sub(REFUSED, "-", suffix) if suffix else ""
    for saliency in maps:
        stem = folder / f"{safe_name(saliency.item_id)}.{saliency.method}{end}"
        overlay_path, array_path = stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".npz")
        picture, arrays = io.BytesIO(), io.BytesIO()
        Image.fromarray(painted(view, saliency)).save(picture, format="PNG")
        np.savez_compressed(arrays, **_arrays(saliency))  # type: ignore[arg-type]
        write_atomically(overlay_path, picture.getvalue())
        write_atomically(array_path, arrays.getvalue())
        rows.append(
            WrittenMap(
                image=saliency.item_id,
                method=saliency.method,
                target=short_name(saliency.target.name),
                target_index=saliency.target.index,
                probability=saliency.target.probability,
                score=saliency.target.logit,
                overlay=str(overlay_path),
                array=str(array_path),
            )
        )
    return rows


def safe_name(name: str) -> str:
    """`name` as a part of a file's name: of at most 100 bytes, without what some file systems or shells refuse.

    A name that has to be changed ends in "~" and eight digits of its SHA-256, so that no two become one. One that
    begins with "-" would be taken for an option; that of a device has no dot before the digits.
    """
    safe = re.sub("^-", "_", re.sub(REFUSED, "-", name))
    while len(safe.encode()) > LONGEST:
        safe = safe[:-1]
    if re.match(DEVICES, safe):
        safe = safe.replace(".", "-")
    elif safe == name:
        return name
    return f"{safe}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def painted(view: View, saliency: SaliencyMap) -> ByteArray:
    """(H, W, 3) uint8: the map on its view; segments in blue and orange up to the largest coefficient."""
    if isinstance(saliency, SegmentMap):
        scale = float(np.abs(saliency.coefficients).max(initial=0))
        return bordered(signed_overlay(view.pixels, saliency.values, scale), saliency.segments)
    return overlay(view.pixels, saliency.display())


def _arrays(saliency: SaliencyMap) -> dict[str, np.ndarray[Any, Any]]:
    arrays: dict[str, np.ndarray[Any, Any]] = {"values": saliency.values, "display": saliency.display()}
    if isinstance(saliency, SegmentMap):
        arrays |= {"segments": saliency.segments, "coefficients": saliency.coefficients}
        if len(saliency.intervals):
            arrays["intervals"] = saliency.intervals
    return arrays
