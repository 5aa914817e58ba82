"""Many pictures of the world at one glance."""

from __future__ import annotations

import io
import math
from pathlib import Path

from PIL import Image

from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
from lumiscope.progress import Track, silent
from lumiscope.world import SIZE, render

GAP = 8  # pixels between pictures and around them
MOST = 1024


def check_sheet(path: Path, count: int) -> None:
    """Raise UsageError for a `count` outside 1..1,024 and for a path that does not end in .png or is a folder."""
    if not 1 <= count <= MOST:
        raise UsageError(f"expected 1 to {MOST:,} pictures on a contact sheet; got {count}")
    if path.suffix.lower() != ".png":
        raise UsageError(f"expected a contact sheet that ends in .png; got {path}")
    if path.is_dir():
        raise UsageError(f"cannot write to {path}: it is a folder")


def write_sheet(path: Path, count: int = 64, seed: int = 0, *, track: Track = silent) -> Path:
    """Write the first `count` images of `seed` in rows on white, as square as can be; return `path`.

    Raises UsageError as `check_sheet` does.
    """
    check_sheet(path, count)
    columns = math.ceil(math.sqrt(count))
    step = SIZE + GAP
    sheet = Image.new("RGB", (columns * step + GAP, math.ceil(count / columns) * step + GAP), "white")
    for index in track(range(count), "drawing pictures", count):
        row, column = divmod(index, columns)
        sheet.paste(Image.fromarray(render(index, seed).pixels), (GAP + column * step, GAP + row * step))
    content = io.BytesIO()
    sheet.save(content, "PNG")
    write_atomically(path, content.getvalue())
    return path
