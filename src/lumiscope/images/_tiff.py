"""What a TIFF holds, by its header: Pillow tells of those that it cannot read only that something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    COMPRESSION,
    COMPRESSION_INFO,
    EXTRASAMPLES,
    OPEN_INFO,
    PHOTOMETRIC_INTERPRETATION,
    SAMPLEFORMAT,
    SAMPLESPERPIXEL,
    ImageFileDirectory_v2,
)

from lumiscope.images._pillow_warnings import pillow_warnings_silenced

BEGINNINGS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
KINDS = {1: "", 2: "signed ", 3: "float ", 5: "complex ", 6: "complex float "}


def begins_like_tiff(path: Path) -> bool:
    """Whether the first bytes of a file are those of a TIFF. Raises OSError if it cannot be read."""
    with path.open("rb") as file:
        return file.read(4) in BEGINNINGS


def unread_tiff(path: Path, remedy: str) -> str | None:
    """What the TIFF at `path` holds that is not read, and the `remedy`; None where nothing in its header says so."""
    tags = tiff_tags(path)
    if not tags:
        return None
    bits, kinds, photometric = _bits(tags), _kinds(tags), _first(tags, PHOTOMETRIC_INTERPRETATION, 0)
    extra = _numbers(tags, EXTRASAMPLES, 0) if EXTRASAMPLES in tags else ()
    if not any((known[1], known[2], *known[4:]) == (photometric, kinds, bits, extra) for known in OPEN_INFO):
        return f"{tiff_content(tags)}, which is not read: {remedy}"
    if (compression := _first(tags, COMPRESSION, 1)) not in COMPRESSION_INFO:
        return f"a TIFF with compression number {compression}, which is not read: save it with LZW, Deflate or none"
    return None


def tiff_content(tags: Mapping[int, Any]) -> str:
    """Bands, bits and kind of numbers of a TIFF with these tags, and how they are to be shown, in words."""
    bits, photometric = _bits(tags), _first(tags, PHOTOMETRIC_INTERPRETATION, 0)
    sizes = " and ".join(str(size) for size in dict.fromkeys(bits))
    kinds = " and ".join(KINDS.get(kind, f"unknown ({kind}) ") for kind in _kinds(tags))
    bands = f"{len(bits)} band{'s' if len(bits) > 1 else ''}"
    return f"a TIFF of {bands} of {sizes}-bit {kinds}numbers (photometric interpretation {photometric})"


def _bits(tags: Mapping[int, Any]) -> tuple[int, ...]:
    """Of each band; one number may stand for all of them."""
    bands, bits = _first(tags, SAMPLESPERPIXEL, 1), _numbers(tags, BITSPERSAMPLE, 1)
    return bits * bands if len(bits) == 1 and 0 < bands < 2**16 else bits


def _kinds(tags: Mapping[int, Any]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(_numbers(tags, SAMPLEFORMAT, 1)))


def _first(tags: Mapping[int, Any], tag: int, default: int) -> int:
    return _numbers(tags, tag, default)[0]


def _numbers(tags: Mapping[int, Any], tag: int, default: int) -> tuple[int, ...]:
    value = tags.get(tag, default)
    numbers = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in numbers if isinstance(number, int)) or (default,)


def tiff_tags(path: Path) -> Mapping[int, Any]:
    """The tags of the first page of the TIFF at `path`, by number; none where nothing can be read."""
    try:
        with pillow_warnings_silenced(), path.open("rb") as file:
            header = file.read(8)
            if not header.startswith(BEGINNINGS):
                return {}
            directory = ImageFileDirectory_v2(header + file.read(8) if b"+" in header[:4] else header)
            file.seek(directory.next)
            directory.load(file)
            return dict(directory)
    except Exception:
        # Whatever the parser runs into in a broken header: then the file is damaged, which others say.
        return {}
