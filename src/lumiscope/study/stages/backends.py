"""Which backend runs a model in a study: chosen once on real pictures, and remembered in the store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import metadata

from lumiscope.errors import LumiscopeError
from lumiscope.images import DECODERS, ImageItem, View
from lumiscope.memo import Memo
from lumiscope.models import BACKENDS, Choice, Precision, TorchModel, VisionModel, available_backends, check_names
from lumiscope.store import from_json_array, json_array

CHECKED_ON = 4  # views; a backend that is wrong is wrong on any
logger = logging.getLogger(__name__)


def remembered_choice(
    model: VisionModel,
    asked: str,
    precision: Precision,
    images: Sequence[ImageItem],
    *,
    perturbs: bool,
    memo: Memo,
) -> Choice:
    """What runs `model`; what `choose_backend` chose earlier under the same circumstances holds.

    `perturbs`: whether a method asks for many passes. Without one "auto" takes torch, as no other backend is worth its
    preparation. A black box runs itself.
    """
    check_names(asked, precision)
    if not isinstance(model, TorchModel):
        return Choice(asked, "none", precision, "float32", 0.0, "a black box runs itself")
    among = None if perturbs else ("torch",)
    circumstances = {
        "model": model.fingerprint,
        "asked": asked,
        "among": among,
        "precision": precision,
        "device": model.device.type,
        "available": [f"{name} {_version(name)}" for name in available_backends(model.device.type)],
    }
    return memo.value(
        "backends",
        circumstances,
        lambda: model.choose_backend(asked, precision, _views(model, images), among=among),
        made_by=[type(model), *(backend.build for backend in BACKENDS.values()), *DECODERS],
        to_arrays=lambda choice: {"choice": json_array(choice.facts())},
        from_arrays=lambda arrays: Choice(**from_json_array(arrays["choice"])),
    )


def _views(model: TorchModel, images: Sequence[ImageItem]) -> list[View]:
    """The views of the first images that can be read."""
    views: list[View] = []
    for item in images:
        if len(views) == CHECKED_ON:
            break
        try:
            views.append(model.view(item))
        except (LumiscopeError, OSError) as error:
            logger.info("%s cannot be read: %s", item.name, error)
    return views


def _version(backend: str) -> str:
    package = "torch" if backend == "eager" else backend
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
