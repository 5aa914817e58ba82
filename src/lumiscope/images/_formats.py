"""The formats that are read: plain pixels, decoded by Pillow itself.

Pillow tells a format by a file's first bytes, whatever its name says, and some formats are more than pixels: EPS is a
program that Ghostscript runs, WMF asks the system to draw, BUFR, GRIB and HDF5 go to handlers that other packages
register. A picture from a stranger must reach none of them.
"""

from __future__ import annotations

import struct
from pathlib import Path

from PIL import Image

# In the order in which they are tried: TGA has no first bytes of its own, so it comes last.
FORMATS = (
    "JPEG",
    "PNG",
    "WEBP",
    "GIF",
    "TIFF",
    "BMP",
    "PPM",
    "AVIF",
    "JPEG2000",
    "QOI",
    "ICO",
    "DIB",
    "TGA",
)

# These lose the values of single pixels, whatever is saved in them.
LOSSY = {"JPEG", "MPO", "AVIF"}

# As many as Pillow itself looks at.
PREFIX_BYTES = 16


def open_raster(path: Path) -> Image.Image:
    """Return the image in `path`, of which only the header has been read, if its format is one of `FORMATS`.

    Raises UnidentifiedImageError for any other file, and what Pillow's decoders raise for a broken one.
    """
    # Pillow imports its decoders when one is first needed, and misses some if two threads do so at once.
    Image.init()
    return Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN])


def refused_format(path: Path) -> str | None:
    """Return Pillow's name of the format that the file `path` begins like, if it is not one of `FORMATS`; else None.

    Nothing is decoded. Raises OSError if the file cannot be read.
    """
    with path.open("rb") as file:
        prefix = file.read(PREFIX_BYTES)
    Image.init()
    return next((name for name in Image.ID if name not in FORMATS and _begins_like(name, prefix)), None)


def has_ending_of_format_read(path: Path) -> bool:
    """Tell whether the name of `path` promises one of `FORMATS`."""
    Image.init()
    return Image.registered_extensions().get(path.suffix.lower()) in FORMATS


def _begins_like(name: str, prefix: bytes) -> bool:
    _, accept = Image.OPEN[name]
    try:
        # A text instead of True says that Pillow was built without the decoder.
        return accept is not None and bool(accept(prefix))
    except (IndexError, struct.error):
        # Too few bytes for the numbers that the format begins with.
        return False
