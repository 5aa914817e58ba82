"""The parameters of lime's `explain_instance`, as they are handed in for scoring, and what they are called here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lumiscope.attribution import LimeOptions
from lumiscope.errors import UnknownNameError, UsageError

LIME_KEYS = (
    "labels", "top_labels", "hide_color", "num_features", "num_samples", "batch_size", "segmentation_fn",
    "distance_metric", "model_regressor", "random_seed",
)  # fmt: skip
SHARED = ("top_labels", "hide_color", "num_features", "num_samples", "random_seed")
"""Keys that mean the same in lime and here."""
TRANSLATED = ("segmenter", "segmenter_options")
"""Ours that lime's `segmentation_fn` says."""
LABELS_NOTE = "labels and top_labels=None have no effect: the class that is explained is the run's target (--target)"


def from_lime_keys(entry: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The options of LIME that one image's parameters give, under our names, and what a user must know.

    Keys may be those of `LimeOptions` and those of lime:
    `segmentation_fn`: None (lime's own quickshift), a segmenter's name, or {"name": …, "options": {…}}.
    `hide_color`, `random_seed`: None is their default. `top_labels`: None is 0, as lime then explains `labels` alone.
    `labels`: whole numbers; without effect, as the target is explained. `batch_size`: a whole number; without effect on
    results. `distance_metric`: "cosine", `model_regressor`: None or "ridge": the only ones that are computed.
    Errors: `UnknownNameError` with the nearest key, `UsageError` for a value that cannot be followed.
    """
    ours = [field.name for field in dataclasses.fields(LimeOptions)]
    for key in entry:
        if key not in ours and key not in LIME_KEYS:
            raise UnknownNameError("LIME parameter", key, dict.fromkeys((*LIME_KEYS, *ours)))
    _check_fixed(entry)
    options = {key: value for key, value in entry.items() if key in ours and value is not None}
    if "segmentation_fn" in entry:
        if any(key in entry for key in TRANSLATED):
            raise UsageError("segmentation_fn and segmenter say the same: keep one of them")
        options |= _segmenter(entry["segmentation_fn"])
    if "top_labels" in entry and entry["top_labels"] is None:
        return {**options, "top_labels": 0}, [LABELS_NOTE]
    return options, []


def to_lime_keys(options: Mapping[str, Any]) -> dict[str, Any]:
    """The ten keys of lime for LIME's options (all of them, as a dict); ours too, where they are not the default.

    lime itself takes `segmentation_fn` from here only where it is None, and knows none of ours.
    """
    plain: dict[str, Any] = dict.fromkeys(LIME_KEYS)
    plain |= {"labels": (1,), "batch_size": 10, "distance_metric": "cosine"}
    plain |= {key: options[key] for key in SHARED}
    plain["top_labels"] = options["top_labels"] or None
    name, of_segmenter = options["segmenter"], dict(options["segmenter_options"])
    if of_segmenter:
        plain["segmentation_fn"] = {"name": name, "options": of_segmenter}
    elif name != "quickshift":
        plain["segmentation_fn"] = name
    usual = dataclasses.asdict(LimeOptions())
    further = {key: value for key, value in options.items() if key not in (*SHARED, *TRANSLATED)}
    if options["hide_color"] is not None:
        del further["hide"]  # the colour says it
    return plain | {key: value for key, value in further.items() if value != usual[key]}


def _check_fixed(entry: Mapping[str, Any]) -> None:
    labels = entry.get("labels", ())
    if not all(_is_whole(label) for label in (labels if isinstance(labels, list | tuple) else [labels])):
        raise UsageError(f"expected labels as class indices; got {labels!r}")
    size = entry.get("batch_size", 1)
    if not _is_whole(size) or size < 1:
        raise UsageError(f"expected batch_size as a whole number of at least 1; got {size!r}")
    for key, allowed in (("distance_metric", ("cosine",)), ("model_regressor", (None, "ridge"))):
        if key in entry and entry[key] not in allowed:
            raise UsageError(
                f"expected {key} {' or '.join(map(repr, allowed))}, the only one that is computed here; "
                f"got {entry[key]!r}. Leave the key out to have that."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _segmenter(given: object) -> dict[str, Any]:
    if given is None:
        return {}
    if isinstance(given, str):
        return {"segmenter": given}
    if isinstance(given, dict) and isinstance(given.get("name"), str) and set(given) <= {"name", "options"}:
        return {"segmenter": given["name"], "segmenter_options": given.get("options") or {}}
    raise UsageError(
        f'expected segmentation_fn as None, the name of a segmenter or {{"name": …, "options": {{…}}}}; got {given!r}'
    )
