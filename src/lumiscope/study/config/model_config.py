"""The table `models` of a study: one for each model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from annotated_types import Ge

from lumiscope.study.config.reading import (
    read_band_numbers,
    read_model_options,
    read_numbers,
    read_one_or_more,
    read_size,
)
from lumiscope.study.config.setting import FORBID_UNKNOWN, setting


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """One model: the arguments of `load_model`, a name, and where the CAM family looks."""

    __pydantic_config__ = FORBID_UNKNOWN

    spec: str
    name: str | None = None
    weights: str | Sequence[str] | None = setting(
        metavar="FILE|random|random-head",
        repeatable=True,
        read=read_one_or_more,
        help="Your own weights (safetensors, torch.save), or 'random'; 'random-head' beside: parts may stay random.",
    )
    weights_partial: bool = setting(
        False, help="Leave out weights that do not fit; without its last layers a network explains no classes."
    )
    classes: str | None = setting(help="Class names in logit order: a file with one a line, JSON or a table.")
    num_classes: Annotated[int, Ge(1)] | None = setting(help="How many classes.")
    options: Mapping[str, Any] = setting(
        dict,
        flag="--model-option",
        metavar="KEY=VALUE",
        repeatable=True,
        read=read_model_options,
        help="For the model's factory or server; repeatable.",
    )
    mean: float | Sequence[float] | None = setting(
        metavar="TEXT", read=read_numbers, help="Mean of RGB in [0, 1]: '0.5' or 'r,g,b'."
    )
    std: float | Sequence[float] | None = setting(
        metavar="TEXT", read=read_numbers, help="Standard deviation of RGB: '0.5' or 'r,g,b'."
    )
    input_size: int | Sequence[int] | None = setting(
        metavar="TEXT", read=read_size, help="Input size: '224' or 'height,width'."
    )
    interpolation: str | None = setting(help="nearest, bilinear, bicubic, lanczos, box or hamming.")
    geometry: Literal["crop", "squash"] = setting(
        "crop",
        metavar="crop|squash",
        help="crop: resize and centre-crop as the model's config says (default); squash: straight to the size.",
    )
    target_layer: str | Sequence[str] | None = setting(
        metavar="TEXT", help="Where the CAM family looks; default: before the pooling."
    )
    activation: Literal["softmax", "sigmoid", "none"] | None = setting(
        metavar="softmax|sigmoid|none",
        help="What makes probabilities of the outputs; none: they are probabilities. Default: as the model says.",
    )
    output: str | None = setting(
        metavar="NAME", help="Which of several outputs are the scores. Default: what fits the class names."
    )
    bands: Sequence[int] | None = setting(
        metavar="TEXT",
        read=read_band_numbers,
        help="Bands of a file that the network is given, in its order, from 0: '3,2,1,7'. Default: all, where it takes "
        "other than 1 or 3 channels.",
    )
    shown_bands: Sequence[int] | None = setting(
        metavar="TEXT",
        read=read_band_numbers,
        help="The three bands that are shown. Default: the first three of these.",
    )
    device: str | None = setting(help="cpu (default), cuda, cuda:1 or mps; for all models of the command.")
