"""`timm:NAME`: the models of timm, with their own preprocessing and pretrained weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lumiscope.errors import ModelError, UnknownNameError, UsageError, WeightsError
from lumiscope.models.hub import quick_hub
from lumiscope.models.options import BuildOptions
from lumiscope.models.sources.registry import Loaded, Preprocessing, build_quietly, model_source
from lumiscope.models.weights import OFFLINE_WAYS


def timm_names(pattern: str) -> list[str]:
    """Architectures and pretrained tags of timm that match the wildcard `pattern`."""
    import timm

    return sorted(set(timm.list_models(pattern)) | set(timm.list_pretrained(pattern)))


@model_source("timm", "timm:resnet50.a1_in1k", timm_names)
def build_timm(rest: str, options: BuildOptions, *, pretrained: bool) -> Loaded:
    """Build a timm model. Errors: unknown name, options it does not take, weights that cannot be fetched."""
    import timm

    if not timm.is_model(rest):
        raise UnknownNameError("timm model", rest, timm.list_models(), hint="`lumiscope models` lists them.")
    keywords = options.arguments()
    keywords.setdefault("pretrained", pretrained)
    try:
        with quick_hub():
            module = build_quietly(timm.create_model, rest, **keywords)
    except TypeError as error:
        raise UsageError(f"timm:{rest} does not take these options: {error}") from error
    except Exception as error:
        if keywords["pretrained"]:
            raise WeightsError(
                f"the pretrained weights of timm:{rest} cannot be reached ({_first_line(error)}). {OFFLINE_WAYS}"
            ) from error
        raise ModelError(f"timm:{rest} cannot be built: {_first_line(error)}") from error
    return Loaded(module, timm_preprocessing(module), _class_names(module))


def timm_preprocessing(module: object) -> Preprocessing:
    """What timm's own evaluation transform does for this model."""
    from timm.data.config import resolve_model_data_config

    resolve: Callable[..., dict[str, Any]] = resolve_model_data_config
    config = resolve(module)
    _, height, width = config["input_size"]
    fraction = config["crop_pct"]
    return Preprocessing(
        input_size=(height, width),
        resize_size=(int(height / fraction), int(width / fraction)),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        interpolation=config["interpolation"],
        squash=config.get("crop_mode") == "squash" and fraction == 1.0,
    )


def _class_names(module: object) -> tuple[str, ...] | None:
    from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset(module)
    if not subset:
        return None
    return tuple(ImageNetInfo(subset).label_descriptions())


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300] or type(error).__name__
