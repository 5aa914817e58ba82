"""Picture files for tests, of which the pixels are known."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from lumiscope.images import decode

SIXTEEN_BITS = np.array([[0, 255, 256, 0x1234, 65535]], np.uint16)
HIGH_BYTES = [0, 0, 1, 0x12, 255]


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def grey_values(path: Path) -> list[int]:
    pixels = decode(path)
    assert (pixels == pixels[..., :1]).all()
    return pixels[0, :, 0].tolist()


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def png(width: int, height: int, bit_depth: int, colour_type: int, data: bytes = b"") -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bit_depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
