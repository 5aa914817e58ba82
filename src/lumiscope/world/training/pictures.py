"""The training pictures: rendered once into a folder, then mapped into memory by whoever trains."""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lumiscope.progress import Track, silent
from lumiscope.types import ByteArray, IntArray
from lumiscope.world import MARK_BOX, OBJECTS, PLAIN, SIZE, WORDS, render

CHUNK = 100
COUNTED = ("object", "part", "colour")
QUALITIES: Mapping[str, tuple[str, ...]] = {
    "object": WORDS["object"],
    "scene": WORDS["scene"],
    "colour": WORDS["colour"],
    "texture": (*WORDS["texture"], PLAIN),
}
MARK_ROWS = slice(MARK_BOX[1] - 1, MARK_BOX[3] + 1)
MARK_COLUMNS = slice(MARK_BOX[0] - 1, MARK_BOX[2] + 1)


@dataclass(frozen=True)
class Pictures:
    """N rendered pictures.

    `pixels`: (N, SIZE, SIZE, 3) uint8. `facts`: for each of QUALITIES (N,) indices of the main object's words.
    `seen`: for each kind of COUNTED (N, words) how many pixels each word covers, int64.
    `marks`: (OBJECTS, M, h, w, 3) uint8, what MARK_ROWS and MARK_COLUMNS show in M pictures with each object's mark.
    """

    pixels: ByteArray
    facts: Mapping[str, IntArray]
    seen: Mapping[str, IntArray]
    marks: ByteArray

    def __len__(self) -> int:
        return len(self.pixels)


def render_pictures(
    folder: Path, count: int, seed: int, *, marks: int, workers: int, track: Track = silent
) -> Pictures:
    """Render images 0..`count` - 1 of `seed` into `folder`, and those from `count` on with `marks` marks a class."""
    np.lib.format.open_memmap(folder / "pixels.npy", "w+", np.uint8, (count, SIZE, SIZE, 3))
    starts = range(0, count, CHUNK)
    marked = [range(count + k * marks, count + (k + 1) * marks) for k in range(len(OBJECTS))]
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        chunks = [pool.submit(_render_chunk, folder, start, min(start + CHUNK, count), seed) for start in starts]
        corners = [pool.submit(_render_marks, name, chosen, seed) for name, chosen in zip(OBJECTS, marked, strict=True)]
        parts = [future.result() for future in track(chunks, "rendering pictures", len(chunks))]
        badges = np.stack([future.result() for future in track(corners, "rendering marks", len(corners))])
    joined: dict[str, Any] = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    np.savez(folder / "facts.npz", marks=badges, **joined)
    return open_pictures(folder)


def open_pictures(folder: Path) -> Pictures:
    """Open what `render_pictures` left in `folder`."""
    with np.load(folder / "facts.npz") as stored:
        facts = {name: stored[name] for name in QUALITIES}
        seen = {name: stored[f"seen_{name}"] for name in COUNTED}
        marks = stored["marks"]
    return Pictures(np.load(folder / "pixels.npy", mmap_mode="r"), facts, seen, marks)


def _render_chunk(folder: Path, start: int, end: int, seed: int) -> dict[str, IntArray]:
    pixels = np.load(folder / "pixels.npy", mmap_mode="r+")
    facts: dict[str, IntArray] = {name: np.empty(end - start, np.int64) for name in QUALITIES}
    seen = {name: np.empty((end - start, len(WORDS[name])), np.int64) for name in COUNTED}
    for row, index in enumerate(range(start, end)):
        scene = render(index, seed)
        pixels[index] = scene.pixels
        for name, words in QUALITIES.items():
            facts[name][row] = words.index(getattr(scene, name))
        for name, counts in seen.items():
            counts[row] = np.bincount(scene.labels[name].ravel(), minlength=len(WORDS[name]) + 1)[1:]
    return facts | {f"seen_{name}": counts for name, counts in seen.items()}


def _render_marks(name: str, indices: range, seed: int) -> ByteArray:
    return np.stack([render(index, seed, mark=name).pixels[MARK_ROWS, MARK_COLUMNS] for index in indices])
