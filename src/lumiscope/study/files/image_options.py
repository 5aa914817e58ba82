"""Options of single images, of any method, as a file: JSON or TOML, {image: {method: {option: value}}}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lumiscope.attribution import METHODS
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem
from lumiscope.study.config import Options
from lumiscope.study.files.image_names import few, names_of_images
from lumiscope.study.files.option_file import absolute_mask, file_content, parsed, refuse_code, tables


@dataclass(frozen=True)
class ImageOptions:
    """What a file says. `options`: image name -> method -> its options, as far as it gives any.

    `source`: the file. `notes`: for the reader.
    """

    source: str
    options: Mapping[str, Options]
    notes: tuple[str, ...] = ()

    def for_images(self, images: Sequence[ImageItem], given: Options | None = None) -> dict[str, dict[str, Any]]:
        """Image id -> method -> the options of those images that the file knows, as `explain` takes them.

        `given`: method -> options of all images, which win over the file. Errors: see `names_of_images`.
        """
        common = given or {}
        return {
            item_id: {method: {**options, **common.get(method, {})} for method, options in self.options[name].items()}
            for item_id, name in names_of_images(self.options, images, self.source).items()
        }

    def notes_on(self, images: Sequence[ImageItem]) -> list[str]:
        """What a user must know: the file's notes, images that it lacks, and names that are no image here."""
        meant = names_of_images(self.options, images, self.source)
        without = [item.id for item in images if item.id not in meant]
        absent = [name for name in self.options if name not in meant.values()]
        notes = list(self.notes)
        if without:
            notes.append(f"{self.source} has no parameters for {few(without)}: the options of all hold there")
        if absent:
            notes.append(f"{self.source} has parameters for images that are not here: {few(absent)}")
        return notes


def read_image_options(path: Path) -> ImageOptions:
    """Read a file of options: .toml, anything else is JSON. Paths in it are relative to it.

    Errors: `UsageError` that names file, image and method, for unknown methods and options, too, with the nearest.
    """
    content = parsed(path, file_content(path))
    images = tables(content, str(path), "image names with the options of each, method by method")
    options = {name: _of_image(path, name, methods) for name, methods in images.items()}
    return ImageOptions(str(path), options)


def _of_image(path: Path, name: str, methods: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    checked: dict[str, dict[str, Any]] = {}
    place = f"{path}: {name}"
    for method, options in tables(methods, place, "methods with the options of each").items():
        try:
            refuse_code(options, method)
            checked[method] = absolute_mask(options, path.parent)
            METHODS[method].options(checked[method])
        except UsageError as error:
            raise UsageError(f"{place}: {error}") from error
    return checked
