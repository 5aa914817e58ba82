"""The table `explain` of a study: what is explained, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lumiscope.study.config.reading import read_mask_rules, read_method_options, read_target, split_list
from lumiscope.study.config.setting import FORBID_UNKNOWN, setting

DEFAULT_METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
Options = Mapping[str, Mapping[str, Any]]
"""Method -> its options by name."""


@dataclass(frozen=True, kw_only=True)
class ExplainConfig:
    """What is explained by which methods. `images`: None for no explanations.

    `methods`: names or wildcards; None: those of the default that can explain the model. `options`: method -> its
    options. `masks`: method -> the rule that makes its masks. `image_options`: a file with options of single images;
    `lime_params`: one with LIME's parameters image by image; what `options` says wins over either.
    """

    __pydantic_config__ = FORBID_UNKNOWN

    images: str | None = setting(help="Images to explain: a folder, a 'glob*', a CSV or world:COUNT.")
    methods: Sequence[str] | None = setting(
        read=split_list,
        metavar="TEXT",
        help=f"Methods with commas, wildcards allowed. Default: {','.join(DEFAULT_METHODS)}.",
    )
    options: Mapping[str, Mapping[str, Any]] = setting(
        dict,
        flag="--option",
        metavar="METHOD.KEY=VALUE",
        repeatable=True,
        read=read_method_options,
        help="So lime.num_samples=500; repeatable.",
    )
    target: str | int = setting(
        "predicted",
        metavar="TEXT",
        read=read_target,
        help="What to explain: 'predicted' (default), 'label', a class index or a class name.",
    )
    masks: Mapping[str, str] = setting(
        dict,
        metavar="TEXT",
        read=read_mask_rules,
        help="Rules that make masks: 'gradcam=max:0.5,lime=lime'; rules: {mask_rules}.",
    )
    backend: str = setting(
        "auto",
        metavar="{backends}",
        help="What runs methods that need many passes. Default: auto, the fastest whose logits are right.",
    )
    precision: Literal["exact", "fast"] = setting(
        "exact",
        metavar="exact|fast",
        help="exact: float32, maps within 1e-3 of torch's (default). fast: bfloat16 where that is faster, within 0.02.",
    )
    image_options: str | None = setting(
        metavar="FILE", help="Options of single images: .json or .toml, {image: {method: {option: value}}}."
    )
    lime_params: str | None = setting(
        metavar="FILE", help="LIME's parameters image by image: .json, .toml or .pkl (never unpickled)."
    )
