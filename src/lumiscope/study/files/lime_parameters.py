"""LIME's parameters image by image, as a file: JSON, TOML, or the pickled dict in which they are sent for scoring."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from lumiscope.attribution import METHODS, LimeOptions, derive_seed
from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
from lumiscope.images import ImageItem
from lumiscope.study.files.image_names import few, file_names
from lumiscope.study.files.image_options import ImageOptions
from lumiscope.study.files.lime_keys import from_lime_keys, to_lime_keys
from lumiscope.study.files.option_file import absolute_mask, file_content, parsed, refuse_code, relative_mask, tables
from lumiscope.study.files.plain_pickle import dump_plain, load_plain
from lumiscope.study.stages.explanation_plan import ExplanationPlan

PICKLES = (".pkl", ".pickle")


def read_lime_parameters(path: Path) -> ImageOptions:
    """Read a file of parameters: .toml, .pkl or .pickle (never unpickled: see `plain_pickle`), anything else is JSON.

    Values may stand under the names of `LimeOptions` or of lime (see `lime_keys`). Paths in it are relative to it.
    Errors: `UsageError` that names file, image and key.
    """
    content = file_content(path)
    plain = load_plain(content, str(path)) if path.suffix.lower() in PICKLES else parsed(path, content)
    options: dict[str, dict[str, dict[str, Any]]] = {}
    remarks: dict[str, list[str]] = {}
    for name, entry in tables(plain, str(path), "image names with the parameters of each").items():
        try:
            of_lime, said = from_lime_keys(entry)
            refuse_code(of_lime, "lime")
            options[name] = {"lime": absolute_mask(of_lime, path.parent)}
            METHODS["lime"].options(options[name]["lime"])
        except UsageError as error:
            raise UsageError(f"{path}: {name}: {error}") from error
        for remark in said:
            remarks.setdefault(remark, []).append(name)
    notes = tuple(f"{path}: {remark} ({few(names)})" for remark, names in remarks.items())
    return ImageOptions(str(path), options, notes)


def save_lime_parameters(path: Path, options: Mapping[str, LimeOptions]) -> None:
    """Write the parameters of images by name; the ending of `path` chooses the format, as for reading.

    JSON and TOML have the names of `LimeOptions`, a pickle those of lime, with ours where lime has no such option.
    """
    folder = path.absolute().parent
    entries = {name: relative_mask(dataclasses.asdict(of_image), folder) for name, of_image in options.items()}
    if path.suffix.lower() in PICKLES:
        content = dump_plain({name: to_lime_keys(entry) for name, entry in entries.items()})
    elif path.suffix.lower() == ".toml":  # which has no null
        content = tomli_w.dumps({name: _without_none(entry) for name, entry in entries.items()}).encode()
    else:
        content = (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode()
    write_atomically(path, content)


def parameters_of(plan: ExplanationPlan, images: Sequence[ImageItem]) -> dict[str, LimeOptions]:
    """What LIME is run with on each image, its seed spelled out. Errors: `UsageError` where the plan has no LIME."""
    method = METHODS["lime"]
    if method.name not in [known.name for known, _ in plan.methods]:
        raise UsageError("expected lime among the methods, whose parameters these are. Add it: --methods lime")
    names = file_names(images)
    used: dict[str, LimeOptions] = {}
    for item in images:
        options: LimeOptions = plan.options_of(method, item.id)
        if options.random_seed is None:
            options = dataclasses.replace(options, random_seed=derive_seed(plan.seed, item.id, method.name))
        used[names[item.id]] = options
    return used


def _without_none(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value is not None}
