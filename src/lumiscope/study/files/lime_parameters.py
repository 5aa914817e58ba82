"""LIME's parameters image by image, as a file: JSON, TOML, or the pickled dict in which they are sent for scoring."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import tomli_w

from lumiscope.attribution import METHODS, LimeOptions, derive_seed
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem
from lumiscope.store import write_atomically
from lumiscope.study.files.lime_keys import from_lime_keys, to_lime_keys
from lumiscope.study.files.plain_pickle import MOST_BYTES, dump_plain, load_plain
from lumiscope.study.stages.explanation_plan import ExplanationPlan

PICKLES = (".pkl", ".pickle")
PICTURES = frozenset((".jpeg", ".jpg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"))
MASK = "mask:"
NAMED = 5  # how many images a note spells out


@dataclass(frozen=True)
class LimeParameters:
    """What a file says. `options`: image name -> options of LIME, as far as it gives any. `notes`: for the reader."""

    source: str
    options: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()

    def for_images(
        self, images: Sequence[ImageItem], given: Mapping[str, Any] | None = None
    ) -> dict[str, dict[str, dict[str, Any]]]:
        """The options of those images that the file knows, as `per_image` of `explain`; `given` wins over the file.

        A name in the file is an image's id or file name, or matches it once folder, file ending and wnid are left away
        (`goldfish` is `n01443537_goldfish.JPEG`).
        Errors: `UsageError` for a name that fits several images, and an image that several names fit.
        """
        found = self._names_of(images)
        return {item_id: {"lime": {**self.options[name], **(given or {})}} for item_id, name in found.items()}

    def notes_on(self, images: Sequence[ImageItem]) -> list[str]:
        """What a user must know: the file's notes, images that it lacks, and names that are no image here."""
        found = self._names_of(images)
        without = [item.id for item in images if item.id not in found]
        absent = [name for name in self.options if name not in found.values()]
        notes = list(self.notes)
        if without:
            notes.append(f"{self.source} has no parameters for {_few(without)}: the options of all hold there")
        if absent:
            notes.append(f"{self.source} has parameters for images that are not here: {_few(absent)}")
        return notes

    def _names_of(self, images: Sequence[ImageItem]) -> dict[str, str]:
        """Image id -> the name that the file has for it."""
        found: dict[str, str] = {}
        for name in self.options:
            item_id = _match(name, images, self.source)
            if item_id in found:
                raise UsageError(
                    f"{self.source}: {found[item_id]!r} and {name!r} are both the image {item_id}: keep one"
                )
            if item_id is not None:
                found[item_id] = name
        return found


def read_lime_parameters(path: Path) -> LimeParameters:
    """Read a file of parameters: .toml, .pkl or .pickle (never unpickled: see `plain_pickle`), anything else is JSON.

    Values may stand under the names of `LimeOptions` or of lime (see `lime_keys`). Paths in it are relative to it.
    Errors: `UsageError` that names file, image and key.
    """
    content = _parsed(path)
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UsageError(f"{path}: expected image names with the parameters of each; got {_kind(content)}")
    options: dict[str, dict[str, Any]] = {}
    remarks: dict[str, list[str]] = {}
    for name, entry in content.items():
        if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
            raise UsageError(f"{path}: expected the parameters of {name!r} by name; got {_kind(entry)}")
        try:
            options[name], said = from_lime_keys(entry)
            _place_mask(options[name], lambda file: os.path.abspath(path.parent / Path(file).expanduser()))
            METHODS["lime"].options(options[name])
        except UsageError as error:
            raise UsageError(f"{path}: {name}: {error}") from error
        for remark in said:
            remarks.setdefault(remark, []).append(name)
    notes = tuple(f"{path}: {remark} ({_few(names)})" for remark, names in remarks.items())
    return LimeParameters(str(path), options, notes)


def save_lime_parameters(path: Path, options: Mapping[str, LimeOptions]) -> None:
    """Write the parameters of images by name; the ending of `path` chooses the format, as for reading.

    JSON and TOML have the names of `LimeOptions`, a pickle those of lime, with ours where lime has no such option.
    """
    entries = {name: dataclasses.asdict(one) for name, one in options.items()}
    for entry in entries.values():
        _place_mask(entry, lambda file: os.path.relpath(os.path.expanduser(file), path.absolute().parent))
    if path.suffix.lower() in PICKLES:
        content = dump_plain({name: to_lime_keys(entry) for name, entry in entries.items()})
    elif path.suffix.lower() == ".toml":  # which has no null
        known = {name: {key: value for key, value in one.items() if value is not None} for name, one in entries.items()}
        content = tomli_w.dumps(known).encode()
    else:
        content = (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode()
    try:
        write_atomically(path, content)
    except OSError as error:
        raise UsageError(f"cannot write to {path}: {error.strerror or error}") from error


def parameters_of(plan: ExplanationPlan, images: Sequence[ImageItem]) -> dict[str, LimeOptions]:
    """What LIME is run with on each image, its seed spelled out. Errors: `UsageError` where the plan has no LIME."""
    method = METHODS["lime"]
    if method.name not in [one.name for one, _ in plan.methods]:
        raise UsageError("expected lime among the methods, whose parameters these are. Add it: --methods lime")
    names = file_names(images)
    used: dict[str, LimeOptions] = {}
    for item in images:
        options: LimeOptions = plan.options_of(method, item.id)
        if options.random_seed is None:
            options = dataclasses.replace(options, random_seed=derive_seed(plan.seed, item.id, method.name))
        used[names[item.id]] = options
    return used


def file_names(images: Sequence[ImageItem]) -> dict[str, str]:
    """Image id -> its name in a file of parameters: without the wnid, where that still tells it from the others."""
    short = [short_name(item.id) for item in images]
    return {item.id: name if short.count(name) == 1 else item.id for item, name in zip(images, short, strict=True)}


def short_name(name: str) -> str:
    """An image's name without folder, the ending of a picture file and wnid: goldfish of n01443537_goldfish.JPEG."""
    last = PurePosixPath(name.replace("\\", "/"))
    return re.sub(r"^n\d{8}_", "", last.stem if last.suffix.lower() in PICTURES else last.name)


def _match(name: str, images: Sequence[ImageItem], source: str) -> str | None:
    exact = [item.id for item in images if name in (item.id, item.name)]
    alike = exact or [item.id for item in images if short_name(name) == short_name(item.id)]
    if len(alike) > 1:
        raise UsageError(f"{source}: {name!r} may be each of {_few(alike)}: write the whole name")
    return alike[0] if alike else None


def _parsed(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"expected a file of LIME parameters at {path}: {error.strerror or error}") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path} has more than {MOST_BYTES:,} bytes, the most that a file of parameters has")
    if path.suffix.lower() in PICKLES:
        return load_plain(content, str(path))
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        text = content.decode("utf-8-sig")
        return tomllib.loads(text) if kind == "TOML" else json.loads(text, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid {kind}: {error}") from error


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice")
    return dict(pairs)


def _place_mask(entry: dict[str, Any], change: Any) -> None:
    """Apply `change` to the path of a segmenter that is a mask file."""
    segmenter = entry.get("segmenter")
    if isinstance(segmenter, str) and segmenter.startswith(MASK):
        entry["segmenter"] = MASK + change(segmenter.removeprefix(MASK))


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _few(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
