"""The world as files: pictures, masks, a label map for every kind of word, captions and lists.

images/world-0-00012.png        (128, 128) RGB
masks/world-0-00012.png         255 where the main object is seen
labels/KIND/world-0-00012.png   for scene, object, part, colour and texture: the number of the word at each pixel
concepts.csv                    kind, number, word: what the numbers mean; 0 is nothing
labels.csv                      image, class_name, mask, object, scene, colour, texture, caption
without-WORD/                   the same once more, all of it, with one thing left out of every picture
pairs.csv                       image, without, changed: the share of pixels that differ
"""

from __future__ import annotations

import csv
import functools
import io
import multiprocessing
import signal
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from lumiscope.errors import UsageError
from lumiscope.files import is_part, make_folder, write_atomically
from lumiscope.progress import Track, silent
from lumiscope.types import ByteArray
from lumiscope.world import WORDS, check_omission, describe, render
from lumiscope.world._palette import label_palette

LIST = "labels.csv"
CONCEPTS = "concepts.csv"
PAIRS = "pairs.csv"
FOLDERS = ("images", "masks", *(f"labels/{kind}" for kind in WORDS))
COLUMNS = ("image", "class_name", "mask", "object", "scene", "colour", "texture", "caption")
PROCESSES = 2
FEW = 200  # images that one process writes before a second one has started
CHUNK = 20


def write_dataset(
    folder: Path, count: int, seed: int = 0, *, without: str | None = None, track: Track = silent
) -> Path:
    """Write the first `count` images of `seed` with all that is true of them; return the path of labels.csv.

    `labels.csv` comes last, so a folder that has it is complete. It is a list that `open_images` takes; `class_name`
    has object and scene ("fish|meadow"). The same call writes the same bytes again. `without`: every picture gets a
    partner in which this is left out, see `render`.

    Raises UsageError where `count` is below 1, `seed` is none that the renderer takes, or the folder holds anything
    that this call would not write, UnknownNameError for a word that the world has not; then nothing has been written.
    """
    if count < 1:
        raise UsageError(f"expected at least 1 image to write; got {count}")
    describe(count - 1, seed)  # it knows what the numbers may be
    stems = [f"world-{seed}-{index:05}" for index in range(count)]
    if without is None:
        _refuse_other_content(folder, _files(stems))
        return _write_pictures(folder, stems, seed, None, track)
    check_omission(without)
    partners = f"without-{without}"
    _refuse_other_content(folder, {*_files(stems), PAIRS, *(f"{partners}/{name}" for name in _files(stems))})
    _write_pictures(folder / partners, stems, seed, without, track)
    listed = _write_pictures(folder, stems, seed, None, track)
    _write_csv(folder / PAIRS, ("image", "without", "changed"), [_pair(folder, partners, stem) for stem in stems])
    return listed


def _write_pictures(folder: Path, stems: Sequence[str], seed: int, without: str | None, track: Track) -> Path:
    make_folder(folder)
    for name in FOLDERS:
        make_folder(folder / name)
    numbered = [(kind, number, word) for kind, words in WORDS.items() for number, word in enumerate(words, 1)]
    _write_csv(folder / CONCEPTS, ("kind", "number", "word"), numbered)
    write_one = functools.partial(_write_image, folder, seed, without)
    what = f"writing images without {without}" if without else "writing images"
    rows = list(track(_each(write_one, stems), what, len(stems)))
    _write_csv(folder / LIST, COLUMNS, rows)
    return folder / LIST


def _pair(folder: Path, partners: str, stem: str) -> tuple[str, str, float]:
    names = f"images/{stem}.png", f"{partners}/images/{stem}.png"
    first, second = (np.asarray(Image.open(folder / name)) for name in names)
    return *names, float((first != second).any(axis=2).mean())


Row = tuple[str, ...]


def _each(write_one: functools.partial[Row], stems: Sequence[str]) -> Iterator[Row]:
    """Write every image, in two processes where there are many; rows come in order either way."""
    done = 0
    if len(stems) > FEW:
        # A spawned process runs the user's script: without a __main__ guard it ends there, and this one does the rest.
        with suppress(BrokenProcessPool):
            for row in _each_by_pool(write_one, stems):
                done += 1
                yield row
    yield from map(write_one, range(done, len(stems)), stems[done:])


def _each_by_pool(write_one: functools.partial[Row], stems: Sequence[str]) -> Iterator[Row]:
    # Spawned, as a forked child may hang on the locks of a thread that was not forked with it.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(PROCESSES, context, initializer=_leave_interrupts_to_the_parent)
    try:
        yield from pool.map(write_one, range(len(stems)), stems, chunksize=CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _write_image(folder: Path, seed: int, without: str | None, index: int, stem: str) -> Row:
    """Write one image's files and return its row of labels.csv."""
    scene = render(index, seed, without=without)
    image, mask = f"images/{stem}.png", f"masks/{stem}.png"
    _write_png(folder / image, Image.fromarray(scene.pixels))
    _write_png(folder / mask, Image.fromarray(scene.mask.astype("uint8") * 255))
    for kind, labels in scene.labels.items():
        _write_png(folder / "labels" / kind / f"{stem}.png", _with_palette(kind, labels))
    names = f"{scene.object}|{scene.scene}"
    return image, names, mask, scene.object, scene.scene, scene.colour, scene.texture, scene.caption


def _with_palette(kind: str, labels: ByteArray) -> Image.Image:
    """A label map whose values are the numbers of words and which can be looked at, too."""
    picture = Image.fromarray(labels)
    picture.putpalette(label_palette(kind))
    return picture


def _write_png(path: Path, picture: Image.Image) -> None:
    content = io.BytesIO()
    picture.save(content, "PNG")
    write_atomically(path, content.getvalue())


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())


def _files(stems: Sequence[str]) -> set[str]:
    return {LIST, CONCEPTS, *(f"{name}/{stem}.png" for name in FOLDERS for stem in stems)}


def _refuse_other_content(folder: Path, ours: Collection[str]) -> None:
    """Raise UsageError unless the folder holds nothing, or only what is written again or was left half-written."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"expected a folder to write to; {folder} is a file")
    files = (path for path in sorted(folder.rglob("*")) if not path.is_dir() and not is_part(path))
    held = (path.relative_to(folder).as_posix() for path in files)
    other = next((name for name in held if name not in ours), None)
    if other is not None:
        raise UsageError(f"{folder} holds other things already, such as {other}: name an empty or a new folder")
