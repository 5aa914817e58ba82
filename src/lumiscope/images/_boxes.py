"""Boxes around objects, as ImageNet and Pascal VOC annotate them: XML with `size` and an `object` with its `bndbox`."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from lumiscope.errors import ImageError
from lumiscope.files import MOST_SETTINGS, failure_in_words, read_bytes
from lumiscope.images._raster import refuse_pixels
from lumiscope.types import BoolArray

EXPECTED = "expected boxes as ImageNet and Pascal VOC have them: <size> with <width> and <height>, and each <object>'s"
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def read_boxes(path: Path) -> BoolArray:
    """(height, width) True inside any box; their corners are pixels counted from 1, and inside.

    Raises ImageError for a file that is none of these, for more pixels than a picture may have, and for boxes of
    objects with different names: which of them is the labelled one nobody says.
    """
    root = _parsed(path)
    width, height = (_number(root, f"size/{side}") for side in ("width", "height"))
    if min(width, height) < 1:
        raise ImageError(f"{EXPECTED} <bndbox>; {path.name} says that the picture has {width} x {height} pixels")
    refuse_pixels(width, height)
    objects = root.findall("object")
    names = sorted({entry.findtext("name", "").strip() for entry in objects})
    if len(names) > 1:
        raise ImageError(
            f"expected the boxes of one class; {path.name} has boxes of {', '.join(names)}. Keep those of the label."
        )
    inside = np.zeros((height, width), np.bool_)
    for entry in objects:
        left, top, right, bottom = (_number(entry, f"bndbox/{corner}") for corner in CORNERS)
        if right < left or bottom < top:
            raise ImageError(f"{path.name}: a box ends at {right}, {bottom} before it begins at {left}, {top}")
        inside[max(top - 1, 0) : max(bottom, 0), max(left - 1, 0) : max(right, 0)] = True
    return inside


def _parsed(path: Path) -> ElementTree.Element:
    try:
        content = read_bytes(path, MOST_SETTINGS)
    except OSError as error:
        raise ImageError(failure_in_words(error, path)) from error
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise ImageError(f"{path.name} declares names of its own (<!DOCTYPE>), which boxes need not; take them out")
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ImageError(f"{EXPECTED} <bndbox>; {path.name} cannot be read as XML: {error}") from error


def _number(element: ElementTree.Element, name: str) -> int:
    """A whole number; of one with decimals, as some tools write them, the nearest."""
    text = element.findtext(name, "")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not abs(number) < 2**31:
        raise ImageError(f"{EXPECTED} <bndbox> with {', '.join(CORNERS)}; <{name}> is {text.strip()[:40]!r}")
    return round(number)
