"""Pictures of the built-in world: drawn once, kept for a while; many at once by two processes."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

import numpy as np

from lumiscope.progress import Track, silent
from lumiscope.types import ByteArray
from lumiscope.world import SIZE, WORDS, render

# About 110 MB: a scorer and two models each go through the same probing images, one after the other.
KEPT = 2048
LEVEL = 3
FEW = 200  # pictures that one process draws before a second one has started

Key = tuple[int, int, str | None]
_kept: OrderedDict[Key, Drawing] = OrderedDict()


@dataclass(frozen=True)
class Drawing:
    """What is kept of a picture. `pixels`: (128, 128, 3). `mask`: (128, 16), one bit a pixel. `labels`: compressed."""

    pixels: ByteArray
    mask: ByteArray
    caption: str
    labels: bytes

    def label_maps(self) -> dict[str, ByteArray]:
        """For each kind of word a (128, 128) map of numbers, as `Scene.labels`."""
        maps = np.frombuffer(zlib.decompress(self.labels), np.uint8).reshape(len(WORDS), SIZE, SIZE)
        return dict(zip(WORDS, maps, strict=True))


def drawing(index: int, seed: int, mark: str | None = None) -> Drawing:
    """Image `index` of `seed`, with the mark of this class: as kept, else drawn now."""
    key = index, seed, mark
    picture = _kept.get(key)
    if picture is None:
        picture = _draw(*key)
    _keep(key, picture)
    return picture


def draw_ahead(keys: Sequence[Key], *, track: Track = silent) -> None:
    """Draw those of `keys` (index, seed, mark) that are not kept, every other one in a second process.

    Does nothing where they are few, or more than can be kept: then each is drawn when it is looked at.
    """
    missing = [key for key in dict.fromkeys(keys) if key not in _kept]
    if len(missing) < FEW or len(keys) > KEPT:
        return
    with _second_process(missing[1::2]) as drawn_there:
        for number, key in enumerate(track(missing, "drawing images", len(missing))):
            _keep(key, next(drawn_there, None) or _draw(*key) if number % 2 else _draw(*key))


def _draw(index: int, seed: int, mark: str | None) -> Drawing:
    scene = render(index, seed, mark=mark)
    maps = np.stack([scene.labels[kind] for kind in WORDS])
    # 80 KB of maps become 3, in a twentieth of the time that drawing takes.
    labels = zlib.compress(maps.tobytes(), LEVEL)
    return Drawing(scene.pixels, np.packbits(scene.mask, axis=1), scene.caption, labels)


def _keep(key: Key, drawing: Drawing) -> None:
    _kept[key] = drawing
    _kept.move_to_end(key)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)


@contextmanager
def _second_process(keys: Sequence[Key]) -> Iterator[Iterator[Drawing]]:
    """Draw `keys` in another interpreter; gives the pictures in order, and ends early where that process does.

    A plain interpreter and not `multiprocessing`, which would run the user's own script again.
    """
    command = [sys.executable, "-c", "from lumiscope.images._drawings import serve; serve()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        try:
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("a process that was started with pipes has them")
            with suppress(BrokenPipeError):  # it may have ended already
                process.stdin.write(json.dumps(keys).encode())
                process.stdin.close()
            yield _received(process.stdout)
        finally:
            process.kill()


def _received(stream: IO[bytes]) -> Iterator[Drawing]:
    while True:
        try:
            yield pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return


def serve() -> None:
    """Be the second process: read keys from stdin, write pictures to stdout."""
    for index, seed, mark in json.loads(sys.stdin.buffer.read()):
        pickle.dump(_draw(index, seed, mark), sys.stdout.buffer)
        sys.stdout.buffer.flush()
