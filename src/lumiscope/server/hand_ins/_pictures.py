"""Maps and masks as PNGs: one file, or a zip archive with one for each image."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins._names import by_image
from lumiscope.server.hand_ins._zip_parts import zip_parts
from lumiscope.server.hand_ins.faults import THE_FILE, Faults

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">I4sIIBB")  # length, "IHDR", width, height, bits, kind of colour
GREY, PALETTE = 0, 3
MAP_BITS = 16
ROOM = 2**16  # bytes of a PNG beside its pixels
Arrays = Mapping[str, NDArray[Any]]


def read_pictures(name: str, content: bytes, challenge: Challenge, faults: Faults) -> tuple[str, Arrays]:
    """The kind, and image -> (h, w) of the PNGs of a zip archive. Errors: `HandInRefused`."""
    most, size = 2 * len(challenge.images), 2 * math.prod(challenge.view) + ROOM
    return _of_one_kind(dict(zip_parts(content, ".png", most, size, faults)), challenge, faults)


def read_picture(name: str, content: bytes, challenge: Challenge, faults: Faults) -> tuple[str, Arrays]:
    """The kind, and the one array, of the image that the file is called after. Errors: `HandInRefused`."""
    return _of_one_kind({PurePosixPath(name.replace("\\", "/")).stem: content}, challenge, faults)


def _of_one_kind(files: Mapping[str, bytes], challenge: Challenge, faults: Faults) -> tuple[str, Arrays]:
    arrays: dict[str, NDArray[Any]] = {}
    kinds: set[str] = set()
    for image, content in by_image(files, challenge, faults).items():
        kind = _kind(image, content, challenge.view, faults)
        array = _decoded(image, content, kind, challenge.view, faults) if kind else None
        if array is not None:
            arrays[image] = array
            kinds.add(kind)
    if len(kinds) > 1:
        raise faults.stop(THE_FILE, "maps, or masks", "both")
    return (kinds or {""}).pop(), arrays


def _kind(image: str, content: bytes, view: tuple[int, int], faults: Faults) -> str:
    """Maps or masks, by the header alone; "" where it is neither, and a fault says why."""
    beginning = content[len(SIGNATURE) : len(SIGNATURE) + HEADER.size]
    if not content.startswith(SIGNATURE) or len(beginning) < HEADER.size or beginning[4:8] != b"IHDR":
        faults.add(image, "a PNG", "something else")
        return ""
    _, _, width, height, bits, colour = HEADER.unpack(beginning)
    if (height, width) != view:
        faults.add(image, f"{view[0]} x {view[1]} pixels (height, width), those of the view", f"{height} x {width}")
        return ""
    if colour == GREY and bits == MAP_BITS:
        return "maps"
    if colour in (GREY, PALETTE):
        return "masks"
    faults.add(image, "grey of 16 bits (a map), or two values without colours (a mask)", "colours")
    return ""


def _decoded(image: str, content: bytes, kind: str, view: tuple[int, int], faults: Faults) -> NDArray[Any] | None:
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
            levels = np.array(picture)
    except Exception as error:  # decoders raise whatever broken data make them run into
        faults.add(image, "a whole PNG", f"a damaged one ({error})")
        return None
    if levels.shape != view:
        faults.add(image, f"{view[0]} x {view[1]} values", f"an array of shape {levels.shape}")
        return None
    if kind == "maps":
        return levels.astype(np.float64)
    values = np.unique(levels)
    if len(values) > 2 or (len(values) == 2 and values[0] != 0):
        faults.add(image, "a mask of two values, of which 0 is the background", f"{len(values)} values")
        return None
    return np.asarray(levels > 0)
