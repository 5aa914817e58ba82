"""`http://ADDRESS`, `https://ADDRESS`: a server that takes pictures and gives probabilities; see docs/models.md."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch

from lumiscope.errors import ModelError, UsageError
from lumiscope.models.black_box import Predictor
from lumiscope.models.http_client import HttpClient, HttpOptions
from lumiscope.models.options import BuildOptions, height_width, source_options
from lumiscope.models.sources.registry import LoadedBlackBox, Preprocessing, model_source


def build_server(scheme: str, rest: str, options: BuildOptions, *, pretrained: bool) -> LoadedBlackBox:
    """Ask a server what it is. Errors: it cannot be reached, it describes itself wrongly, unknown options."""
    address = f"{scheme}:{rest}"
    chosen = source_options(HttpOptions, options.keywords, "http")
    client = HttpClient(address, chosen)
    said = client.describe()
    size = _size(said, address)

    def connect(preprocessing: Preprocessing, device: torch.device) -> Predictor:
        return client.predict

    stated = {"mean", "std"} | ({"input_size"} if size else set())
    return LoadedBlackBox(
        connect,
        Preprocessing(stated=frozenset(stated)).of_size(size),
        classes=_classes(said, address),
        activation="none",
        batch_size=chosen.batch_size * chosen.concurrency,
        identity=f"{address} {said.get('version', '')}",
    )


model_source("http", "http://ADDRESS")(functools.partial(build_server, "http"))
model_source("https", "https://ADDRESS")(functools.partial(build_server, "https"))


def _classes(said: Mapping[str, Any], address: str) -> tuple[str, ...] | None:
    classes = said.get("classes")
    if classes is None:
        return None
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise ModelError(f"{address} describes itself with classes that are no list of names: {str(classes)[:200]}")
    return tuple(classes)


def _size(said: Mapping[str, Any], address: str) -> tuple[int, int] | None:
    size = said.get("input_size")
    try:
        return height_width(size)
    except (UsageError, TypeError, ValueError) as error:
        raise ModelError(
            f"{address} describes itself with an input_size that is no number and no [height, width]: {size!r}"
        ) from error
