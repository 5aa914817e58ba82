"""What the files that a study names say of single images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lumiscope.errors import UsageError
from lumiscope.images import ImageItem
from lumiscope.study.config import ExplainConfig
from lumiscope.study.files.image_options import ImageOptions, read_image_options
from lumiscope.study.files.lime_parameters import read_lime_parameters


def options_of_images(
    config: ExplainConfig, images: Sequence[ImageItem]
) -> tuple[dict[str, dict[str, dict[str, Any]]], list[str]]:
    """Image id -> method -> options of that image, by the files that `config` names; and notes for the reader.

    Errors: those of the files; `UsageError` where both give options of LIME to one image.
    """
    per_image: dict[str, dict[str, dict[str, Any]]] = {}
    notes: list[str] = []
    files = _read(config)
    for file in files:
        notes += file.notes_on(images)
        for item_id, methods in file.for_images(images, config.options).items():
            known = per_image.setdefault(item_id, {})
            if twice := sorted(known.keys() & methods.keys()):
                both = " and ".join(file.source for file in files)
                raise UsageError(f"{both} both have options of {', '.join(twice)} for {item_id}: keep one of them")
            known |= methods
    return per_image, notes


def _read(config: ExplainConfig) -> list[ImageOptions]:
    files = []
    if config.image_options is not None:
        files.append(read_image_options(Path(config.image_options)))
    if config.lime_params is not None:
        files.append(read_lime_parameters(Path(config.lime_params)))
    return files
