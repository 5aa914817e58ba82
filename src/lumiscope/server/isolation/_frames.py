"""Frames on a pipe: `LSF1`, the length of a JSON object (4 bytes, big-endian), the object, then its parts.

The object's `parts`, [[name, size], …], says what follows it. From the parent to the child only; the child answers in
frames without parts.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import IO, Any

MAGIC = b"LSF1"
OUT_OF_MEMORY = 77
"""The exit code of a child that had not even the memory for a frame that says so."""
_HEAD = struct.Struct(">4sI")
MOST_ORDER_BYTES = 64 * 2**20


class BrokenFrameError(Exception):
    """What came is no frame; the message says why."""


def frame(order: Mapping[str, Any], parts: Mapping[str, bytes] | None = None) -> list[bytes]:
    """A frame in pieces, so that large parts are not copied. Errors: `TypeError`, `ValueError` for what is no JSON."""
    parts = parts or {}
    named = {**order, "parts": [[name, len(content)] for name, content in parts.items()]} if parts else dict(order)
    text = json.dumps(named, allow_nan=False).encode()
    return [_HEAD.pack(MAGIC, len(text)) + text, *parts.values()]


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """(object, parts) of the next frame of a trusted sender. Errors: `BrokenFrameError`, also at the end."""
    magic, size = _HEAD.unpack(_exactly(stream, _HEAD.size))
    if magic != MAGIC or size > MOST_ORDER_BYTES:
        raise BrokenFrameError(f"expected a frame, got {magic!r} and {size} bytes")
    order = _parsed(_exactly(stream, size))
    return order, {name: _exactly(stream, length) for name, length in order.pop("parts", [])}


class FrameReader:
    """Frames without parts, out of pieces as they come from a sender that is not trusted; at most `most` bytes in all.

    Errors of `feed`: `BrokenFrameError`; `OverflowError` for more than `most` bytes, come or announced.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._come = 0
        self._waiting = bytearray()

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The frames that `piece` completes."""
        self._come += len(piece)
        if self._come > self.most:
            raise OverflowError
        self._waiting += piece
        while len(self._waiting) >= _HEAD.size:
            magic, size = _HEAD.unpack_from(self._waiting)
            if magic != MAGIC:
                raise BrokenFrameError(f"expected a frame, which begins with {MAGIC!r}; got {magic!r}")
            if size > self.most:
                raise OverflowError
            if len(self._waiting) < _HEAD.size + size:
                return
            text = bytes(self._waiting[_HEAD.size : _HEAD.size + size])
            del self._waiting[: _HEAD.size + size]
            yield _parsed(text)


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BrokenFrameError(f"expected JSON in a frame: {error}") from error
    if not isinstance(value, dict):
        raise BrokenFrameError(f"expected a JSON object in a frame, got {type(value).__name__}")
    return value


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _exactly(stream: IO[bytes], count: int) -> bytes:
    content = stream.read(count)
    if len(content) != count:
        raise BrokenFrameError(f"expected {count} bytes, got {len(content)} and then the end")
    return content
