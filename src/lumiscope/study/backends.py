"""Which backend runs a model in a study: chosen once on real pictures, and remembered in the store."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import metadata

from lumiscope.errors import LumiscopeError
from lumiscope.images import ImageItem, View
from lumiscope.models import Choice, TorchModel, VisionModel
from lumiscope.models.backends.choose import check_names
from lumiscope.models.backends.registry import Precision, available_backends
from lumiscope.store import Store, content_key, from_json_array, json_array

CHECKED_ON = 4  # views; a backend that is wrong is wrong on any
logger = logging.getLogger(__name__)


def settle(
    model: VisionModel,
    asked: str,
    precision: Precision,
    images: Sequence[ImageItem],
    *,
    perturbs: bool,
    store: Store | None = None,
) -> Choice:
    """Choose how `model` is run; with a `store` what was chosen earlier under the same circumstances holds.

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
    if store is None:
        return model.choose(asked, precision, _views(model, images), among=among)
    kept, key = store.collection("backends", circumstances), content_key("choice")
    if key in kept:
        return Choice(**from_json_array(kept.get(key)["choice"]))
    choice = model.choose(asked, precision, _views(model, images), among=among)
    kept.put({key: {"choice": json_array(choice.facts())}})
    return choice


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
