"""`timm:NAME`, `hf-hub:ORG/NAME`, `local-dir:FOLDER`: the models of timm, its configs on the hub and in folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError, WeightsError
from lumiscope.files import MOST_SETTINGS, parse_json, read_text, reason_of
from lumiscope.models.hub import quick_hub
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources.registry import Loaded, Preprocessing, build_quietly, model_source
from lumiscope.models.weights import OFFLINE_WAYS
from lumiscope.specs import Change, one_path

LOCAL_FOLDER = "local-dir:"


def timm_names(pattern: str) -> list[str]:
    """Architectures and pretrained tags of timm that match the wildcard `pattern`."""
    import timm

    return sorted(set(timm.list_models(pattern)) | set(timm.list_pretrained(pattern)))


def _folder(rest: str, change: Change) -> str:
    """Of timm:local-dir:FOLDER the folder."""
    return LOCAL_FOLDER + change(rest.removeprefix(LOCAL_FOLDER)) if rest.startswith(LOCAL_FOLDER) else rest


@model_source("timm", "timm:resnet50.a1_in1k", timm_names, paths=_folder)
def build_timm(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build a timm model; `rest` may also be hf-hub:ORG/NAME or local-dir:FOLDER, as in timm.

    Errors: unknown name, options it does not take, a config or weights that cannot be fetched.
    """
    import timm

    scheme, colon, place = rest.partition(":")
    if colon and scheme == "hf-hub":
        return _from_hub(place, options, pretrained)
    if colon and scheme == "local-dir":
        return _from_folder(place, options, pretrained)
    if not timm.is_model(rest):
        raise UnknownNameError("timm model", rest, timm.list_models(), hint="`lumiscope models` lists them.")
    module, unloaded = _create(f"timm:{rest}", rest, options, pretrained)
    return Loaded(module, timm_preprocessing(module), _stated_names(module) or _imagenet_names(module), unloaded)


@model_source("hf-hub", "hf-hub:ORG/NAME")
def build_hub(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build the model whose config is on the hub, or in the hub's cache, for timm.

    Its config is asked for even where the user brings weights. Errors: as `build_timm`.
    """
    return _from_hub(rest, options, pretrained)


def _from_hub(rest: str, options: BuildOptions, pretrained: bool) -> Loaded:
    module, unloaded = _create(f"hf-hub:{rest}", f"hf-hub:{rest}", options, pretrained)
    imagenet_names = (
        _imagenet_names(module) if rest.startswith("timm/") else None
    )  # theirs say no names, others may mean anything
    return Loaded(module, timm_preprocessing(module), _stated_names(module) or imagenet_names, unloaded)


@model_source("local-dir", "local-dir:FOLDER", paths=one_path)
def build_folder(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build the model of a folder with config.json and weights, as timm writes it and the hub keeps it.

    Errors: no such folder or config, an architecture that timm does not have, options that it does not take.
    """
    return _from_folder(rest, options, pretrained)


def _from_folder(rest: str, options: BuildOptions, pretrained: bool) -> Loaded:
    folder = Path(rest).expanduser()
    module, unloaded = _create(f"local-dir:{rest}", f"local-dir:{_checked(folder)}", options, pretrained)
    return Loaded(module, timm_preprocessing(module), _stated_names(module), unloaded)


def _checked(folder: Path) -> Path:
    """`folder`, if it holds a config that names an architecture of timm."""
    import timm

    config = folder / "config.json"
    try:
        name = parse_json(read_text(config, MOST_SETTINGS))["architecture"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"expected a folder with the config.json of a timm model at {folder}: {type(error).__name__}: "
            f"{reason_of(error)}"
        ) from error
    if not isinstance(name, str) or not timm.is_model(name):
        raise UnknownNameError(f"timm model in {config}", str(name), timm.list_models())
    return folder


def _create(spec: str, name: str, options: BuildOptions, pretrained: bool) -> tuple[torch.nn.Module, frozenset[str]]:
    """The network, and the keys of its classifier where pretrained weights have another number of classes."""
    import timm

    keywords = options.arguments()
    keywords.setdefault("pretrained", pretrained)
    try:
        with quick_hub():
            module: torch.nn.Module = build_quietly(timm.create_model, name, **keywords)
    except TypeError as error:
        raise UsageError(f"{spec} does not take these options: {error}") from error
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:300] or type(error).__name__
        if name.startswith("hf-hub:"):
            raise WeightsError(
                f"{spec} cannot be had from the hub or from its cache ({reason}). {OFFLINE_WAYS} The whole folder, "
                "copied from elsewhere, is local-dir:FOLDER."
            ) from error
        if keywords["pretrained"]:
            raise WeightsError(
                f"the pretrained weights of {spec} cannot be reached ({reason}). {OFFLINE_WAYS}"
            ) from error
        raise ModelError(f"{spec} cannot be built: {reason}") from error
    return module, _fresh_classifier(module) if keywords["pretrained"] else frozenset()


def _fresh_classifier(module: Any) -> frozenset[str]:
    """The keys of the classifier where timm made a new one, for another number of classes than the weights have."""
    config = getattr(module, "pretrained_cfg", None) or {}
    classifier, count = config.get("classifier"), config.get("num_classes")
    if not classifier or count in (None, getattr(module, "num_classes", count)):
        return frozenset()
    names = (classifier,) if isinstance(classifier, str) else tuple(classifier)
    return frozenset(key for key in module.state_dict() if key.startswith(tuple(f"{name}." for name in names)))


def timm_preprocessing(module: Any) -> Preprocessing:
    """What timm's own evaluation transform does for this model."""
    return preprocessing_of(module.pretrained_cfg)


def preprocessing_of(config: Mapping[str, Any]) -> Preprocessing:
    """What timm's own evaluation transform does for a model with this config."""
    from timm.data.config import resolve_data_config

    resolve: Callable[..., dict[str, Any]] = resolve_data_config
    resolved = resolve({}, pretrained_cfg=dict(config))
    _, height, width = resolved["input_size"]
    fraction = resolved["crop_pct"]
    return Preprocessing(
        input_size=(height, width),
        resize_size=(int(height / fraction), int(width / fraction)),
        mean=tuple(resolved["mean"]),
        std=tuple(resolved["std"]),
        interpolation=resolved["interpolation"],
        squash=resolved.get("crop_mode") == "squash" and fraction == 1.0,
    )


def _stated_names(module: object) -> tuple[str, ...] | None:
    """The names that a config gives to the classes: descriptions where there are some; None where they do not fit."""
    config = getattr(module, "pretrained_cfg", None) or {}
    labels, descriptions = config.get("label_names"), config.get("label_descriptions")
    if isinstance(labels, dict):  # number -> label
        labels = [labels.get(str(number)) for number in range(len(labels))]
    if not isinstance(labels, list) or None in labels or len(labels) != getattr(module, "num_classes", None):
        return None
    return tuple(str(descriptions.get(label, label) if isinstance(descriptions, dict) else label) for label in labels)


def _imagenet_names(module: object) -> tuple[str, ...] | None:
    """The names of that variant of ImageNet which has as many classes; None where none has, as of a mere backbone."""
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    if getattr(module, "num_classes", None) == 0:
        return None
    subset = infer_imagenet_subset(module)
    return tuple(ImageNetInfo(subset).label_descriptions()) if subset else None
