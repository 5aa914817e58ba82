"""Challenges made of pictures with true masks."""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from PIL import Image

from lumiscope.attribution import select_methods
from lumiscope.counts import counted, first_few
from lumiscope.errors import ImageError, UsageError
from lumiscope.files import make_folder, write_atomically, writing
from lumiscope.images import ImageItem, WorldImage, decode_mask, open_images
from lumiscope.models import VisionModel, default_name, label_index
from lumiscope.progress import Track, silent
from lumiscope.server.challenges._masks import why_unusable
from lumiscope.server.challenges.challenge import BASELINES, CHALLENGE, FORMS, IMAGES, TRUTH, Challenge
from lumiscope.server.challenges.limits import Limits
from lumiscope.server.challenges.opening import check_name, open_challenge, public_names
from lumiscope.study import ModelConfig, load_configured, table_of_model
from lumiscope.study.files import file_names, short_name
from lumiscope.types import BoolArray

DEFAULT_METHODS = ("lime", "gradcam")
WORLD = "world"
WORLD_IMAGES = 10
SEEDS = 2**31  # of the world: whoever knows the seed of pictures can draw their true masks
WORLD_MODEL = "world:objects"
WORLD_TITLE = "Where does a small network look?"
WORLD_TEXT = (
    "Ten pictures of the built-in world, and a small network that tells what they show. Hand in parameters of a "
    "method, maps or masks that say where the object is; the true masks stay hidden."
)


def make_challenge(
    folder: Path | str,
    *,
    images: str | Path,
    model: ModelConfig,
    masks: Path | None = None,
    methods: Sequence[str] = DEFAULT_METHODS,
    accepts: Sequence[str] = FORMS,
    public: str | Sequence[str] = "50%",
    limits: Limits | None = None,
    name: str | None = None,
    title: str = "",
    text: str = "",
    track: Track = silent,
) -> Challenge:
    """Write a challenge into a new or empty folder, without baselines, and open it.

    `images`: whatever `open_images` takes. `masks`: a folder with a mask of each picture, under the picture's name;
    None: the images have their own (column mask of a CSV, pictures of the world). What a mask leaves open (void) counts
    as background. The class that is explained is the picture's label where the model knows it, else its prediction.
    Errors: `UsageError` for a folder that holds something, and for pictures whose mask is missing, of another size, or
    of no use on the view; those of images, methods and models.
    """
    folder = Path(folder).absolute()
    _refuse_content(folder)
    check_name(name or folder.name)
    loaded = load_configured(model, model.name or default_name(model.spec))
    chosen = select_methods(list(methods), loaded)
    pictures = open_images(images, on_error="stop", track=track)
    names = _names(pictures)
    truths = _truths(loaded, pictures, masks)
    shown = public_names(public, list(names.values()))
    for home, mode in ((IMAGES, 0o755), (TRUTH, 0o700), (BASELINES, 0o755)):
        make_folder(folder / home)
        with writing(folder / home):
            (folder / home).chmod(mode)
    for item in pictures:
        suffix, content = _picture(item)
        write_atomically(folder / IMAGES / f"{names[item.id]}{suffix}", content)
        write_atomically(folder / TRUTH / f"{names[item.id]}.png", png_of_mask(truths[item.id]))
    targets = {names[item.id]: label_index(loaded, item) for item in pictures}
    table: dict[str, Any] = {
        "name": name or folder.name,
        "title": title,
        "text": text,
        "methods": chosen,
        "accepts": list(accepts),
        "public": sorted(shown),
        "view": list(loaded.geometry.input_size),
        "seed": 0,
        "model": table_of_model(model, folder),
        "limits": vars(limits or Limits()),
        "targets": {image: _shown_class(loaded, index) for image, index in targets.items() if index is not None},
    }
    write_atomically(folder / CHALLENGE, tomli_w.dumps(table).encode())
    return open_challenge(folder)


def make_world_challenge(folder: Path | str, *, seed: int | None = None, **settings: Any) -> Challenge:
    """The challenge that comes with lumiscope. `settings`: of `make_challenge`, where they are to be others.

    `seed`: of the pictures; None: a secret one, as anybody can draw the true masks of a known seed.
    """
    drawn = secrets.randbelow(SEEDS) if seed is None else seed
    usual: dict[str, Any] = {
        "images": f"world:{WORLD_IMAGES}@{drawn}",
        "model": ModelConfig(spec=WORLD_MODEL),
        "name": WORLD,
        "title": WORLD_TITLE,
        "text": WORLD_TEXT,
    }
    return make_challenge(folder, **usual | settings)


def png_of_mask(mask: BoolArray) -> bytes:
    """A mask as a PNG of 8 bits: 255 on the object."""
    content = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(content, "PNG")
    return content.getvalue()


def _names(pictures: Sequence[ImageItem]) -> dict[str, str]:
    """Image id -> its name in the challenge. The id of a picture of the world tells how to draw its true mask."""
    drawn = {item.id: f"picture-{number:02}" for number, item in enumerate(pictures, 1) if isinstance(item, WorldImage)}
    return file_names(pictures) | drawn


def _refuse_content(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"expected a new or an empty folder for a challenge; {folder} is there and holds something")


def _truths(model: VisionModel, pictures: Sequence[ImageItem], masks: Path | None) -> dict[str, BoolArray]:
    """Image id -> (H, W) true mask of the picture's size. Errors: `UsageError` with all that is wrong."""
    files = None if masks is None else _mask_files(masks)
    truths: dict[str, BoolArray] = {}
    faults: list[str] = []
    for item in pictures:
        mask = item.mask if files is None else _mask_in(files, item)
        fault = "it has no mask" if mask is None else why_unusable(mask, item.size, model.geometry)
        if mask is not None and not fault:
            truths[item.id] = mask
        else:
            faults.append(f"{item.name}: {fault}")
    if faults:
        raise UsageError(
            f"expected a true mask for every picture; {counted(len(faults), 'picture')} cannot be scored: "
            + first_few(faults, 5, separator="; ")
        )
    return truths


def _mask_files(masks: Path) -> dict[str, Path]:
    """Short name -> file. Errors: `UsageError`."""
    if not masks.is_dir():
        raise UsageError(f"expected a folder of masks; {masks} is none")
    files: dict[str, Path] = {}
    for path in sorted(masks.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            if (name := short_name(path.name)) in files:
                raise UsageError(f"{files[name].name} and {path.name} in {masks} may be the same picture's: keep one")
            files[name] = path
    return files


def _mask_in(files: dict[str, Path], item: ImageItem) -> BoolArray | None:
    path = files.get(short_name(item.id))
    try:
        return None if path is None else decode_mask(path)
    except ImageError as error:
        raise ImageError(f"mask of {item.name}: {error}") from error


def _picture(item: ImageItem) -> tuple[str, bytes]:
    """The ending and the bytes of a picture's file; of one that is drawn, a PNG."""
    if item.path.is_file() and Path(item.address) == item.path.absolute():
        return item.path.suffix.lower(), item.path.read_bytes()
    content = io.BytesIO()
    Image.fromarray(item.pixels).save(content, "PNG")
    return ".png", content.getvalue()


def _shown_class(model: VisionModel, index: int) -> str | int:
    """A class by its name, where no other has it."""
    name = model.classes[index]
    return name if list(model.classes).count(name) == 1 and "," not in name else index
