"""How one model is explained: methods with their options, target, layers, and what runs the passes."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lumiscope.agreement import MASK_RULES, default_rule, parse_rule
from lumiscope.attribution import (
    METHODS,
    AttributionMethod,
    PreparedBatch,
    look_inside,
    methods_for,
    select_methods,
)
from lumiscope.errors import TargetError, UnknownNameError, UsageError
from lumiscope.images import ImageItem, View
from lumiscope.memo import Memo
from lumiscope.models import Choice, TorchModel, VisionModel, check_names, class_index, label_index
from lumiscope.progress import Track, silent
from lumiscope.runs import MethodFacts
from lumiscope.study.config import DEFAULT_METHODS, ExplainConfig, Options
from lumiscope.study.stages.backends import remembered_choice
from lumiscope.study.stages.segmentations import Segmentations, check_cut, check_segment_size
from lumiscope.types import SaliencyMap, Target

PerImage = Mapping[str, Options]
"""Image id -> method -> options that this image has of its own."""
Layers = str | Sequence[str] | None
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Named:
    """What a plan names, checked without a forward pass; see `ExplanationPlan` for the fields."""

    methods: tuple[tuple[AttributionMethod[Any], Any], ...]
    target: str | int
    per_image: Mapping[str, Mapping[str, Any]]
    mask_rules: Mapping[str, str]


def check_settings(config: ExplainConfig, images: Sequence[ImageItem], per_image: PerImage) -> None:
    """Look up every name that no model is needed for: methods, options, segmenters, backend, mask rules, images.

    Errors: `UnknownNameError`, `UsageError`.
    """
    check_names(config.backend, config.precision)
    select_methods(DEFAULT_METHODS if config.methods is None else config.methods)
    checked_mask_rules(config.masks, ())
    if images and (strangers := per_image.keys() - {item.id for item in images}):
        raise UnknownNameError("image", min(strangers), [item.id for item in images], "It has options of its own.")
    for given in (config.options, *per_image.values()):
        for options in _built(config, given).values():
            if segmenter := getattr(options, "segmenter", None):
                check_cut(segmenter, options.segmenter_options)


def _built(config: ExplainConfig, given: Options) -> dict[str, Any]:
    """Method -> its options: those of all images, and what is `given`."""
    common = config.options
    return {name: METHODS[name].options({**common.get(name, {}), **new}) for name, new in given.items()}


def check_names_of(
    model: VisionModel, config: ExplainConfig, layer: Layers, per_image: PerImage, images: Sequence[ImageItem]
) -> Named:
    """Look up every name of a model: methods that can explain it, target, layers, and files of segments for its view.

    Errors: `UnknownNameError`, `UsageError`, `TargetError`, `LayerError`, `ImageError`.
    """
    _check_model(model)
    options = _built(config, config.options)
    methods = [METHODS[name] for name in select_methods(methods_of(config, model), model)]
    rules = checked_mask_rules(config.masks, methods)
    target = config.target
    if target not in ("predicted", "label"):
        target = class_index(model, target)
    if layer is not None:
        look_inside(model, "a target layer").check_layers(layer_names(layer))
    options_of_image = {item_id: _built(config, given) for item_id, given in per_image.items()}
    for item in images:
        for built in {**options, **options_of_image.get(item.id, {})}.values():
            check_segment_size(getattr(built, "segmenter", ""), model.geometry.input_size, [item])
    chosen = tuple((method, options.get(method.name, method.options())) for method in methods)
    return Named(chosen, target, options_of_image, rules)


def methods_of(config: ExplainConfig, model: VisionModel) -> list[str]:
    """The methods asked for; where nobody asked for any, those of the default that can explain `model`."""
    if config.methods is not None:
        return list(config.methods)
    return [name for name in DEFAULT_METHODS if name in methods_for(model)]


def checked_mask_rules(masks: Mapping[str, str], methods: Sequence[AttributionMethod[Any]]) -> dict[str, str]:
    """The rule of each of `methods`: as asked for, else its own.

    Errors: `UnknownNameError` for a rule or a method that does not exist; `UsageError` for a rule that does not fit.
    """
    for name, rule in masks.items():
        method = METHODS[name]
        if MASK_RULES[parse_rule(rule).name].needs_segments and not method.makes_segments:
            fitting = ", ".join(rule.form for rule in MASK_RULES.values() if not rule.needs_segments)
            raise UsageError(
                f"expected a mask rule that fits the maps of {name}; {rule} needs maps made of segments. "
                f"Rules that fit: {fitting}."
            )
    asked = {name: str(parse_rule(rule)) for name, rule in masks.items()}
    return {method.name: asked.get(method.name) or default_rule(method.name) for method in methods}


@dataclass(frozen=True)
class ExplanationPlan:
    """What is to be computed for one model, or for the units of one of its layers.

    `methods`: each with its options. `layers`: resolved; empty where no method looks at one. `choice`: what runs it.
    `per_image`: image id -> method -> the options that this image has of its own. `mask_rules`: by method.
    `segmentations`: cuts the views.
    """

    model: VisionModel
    methods: tuple[tuple[AttributionMethod[Any], Any], ...]
    target: str | int
    layers: tuple[str, ...]
    seed: int
    choice: Choice
    per_image: Mapping[str, Mapping[str, Any]]
    mask_rules: Mapping[str, str]
    segmentations: Segmentations

    @classmethod
    def make(
        cls,
        model: VisionModel,
        config: ExplainConfig,
        *,
        layer: Layers = None,
        seed: int = 0,
        images: Sequence[ImageItem] = (),
        per_image: PerImage | None = None,
        memo: Memo | None = None,
    ) -> ExplanationPlan:
        """Check every name, then find layers and backend. Errors: as `check_names_of`.

        `images`: a few of them show which backend is right; what was chosen is kept in `memo`.
        """
        memo = memo or Memo()
        check_settings(config, images, per_image or {})
        named = check_names_of(model, config, layer, per_image or {}, images)
        layers = layers_of(model, named, layer)
        if isinstance(model, TorchModel) and model.module.training:  # seldom meant
            logger.warning("%s is in training mode: explained as in evaluation mode, and left as it is", model.name)
        perturbs = any(method.perturbs for method, _ in named.methods)
        choice = remembered_choice(model, config.backend, config.precision, images, perturbs=perturbs, memo=memo)
        return cls(
            model=model,
            methods=named.methods,
            target=named.target,
            layers=layers,
            seed=seed,
            choice=choice,
            per_image=named.per_image,
            mask_rules=named.mask_rules,
            segmentations=Segmentations(memo),
        )

    @property
    def layer(self) -> str | None:
        """The layers' names with commas; None where there is none."""
        return ", ".join(self.layers) or None

    @property
    def drawing(self) -> tuple[tuple[AttributionMethod[Any], Any], ...]:
        """The methods that draw at random, each with its options."""
        return tuple((method, options) for method, options in self.methods if method.is_random(options))

    def run_by(self, method: AttributionMethod[Any]) -> str:
        """The backend that makes the maps of `method`: those that need few passes are torch's."""
        return self.choice.backend if method.perturbs or self.choice.backend in ("eager", "none") else "torch"

    def options_of(self, method: AttributionMethod[Any], item_id: str) -> Any:
        """The options of a method for one image: its own, else those of all."""
        common = next(options for known, options in self.methods if known.name == method.name)
        return self.per_image.get(item_id, {}).get(method.name, common)

    def alike(self, method: AttributionMethod[Any], item_ids: Sequence[str]) -> list[tuple[Any, list[int]]]:
        """Each set of options of a method, with the places of the images that have it."""
        groups: list[tuple[Any, list[int]]] = []
        for place, item_id in enumerate(item_ids):
            options = self.options_of(method, item_id)
            for known, places in groups:
                if known == options:
                    places.append(place)
                    break
            else:
                groups.append((options, [place]))
        return groups

    def prepare(self, batch: Sequence[ImageItem], track: Track = silent) -> tuple[PreparedBatch, list[Target]]:
        """The batch as its methods share it, and what to explain on each image."""
        prepared = self.prepare_views([self.model.view(item) for item in batch], track)
        return prepared, prepared.targets(self.target, [label_index(self.model, item) for item in batch])

    def prepare_views(self, views: Sequence[View], track: Track = silent) -> PreparedBatch:
        """Views as methods share them, whatever their pixels are of."""
        session = self.model.session(self.choice) if isinstance(self.model, TorchModel) else None
        return PreparedBatch(
            self.model,
            views,
            layer=self.layers,
            seed=self.seed,
            session=session,
            segment=self.segmentations,
            track=track,
        )

    def explain(self, batch: Sequence[ImageItem]) -> list[list[SaliencyMap]]:
        """The maps of one batch, method by method: one an image."""
        prepared, targets = self.prepare(batch)
        columns = []
        for method, _ in self.methods:
            maps: dict[int, SaliencyMap] = {}
            for options, rows in self.alike(method, [item.id for item in batch]):
                explained = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                maps.update(zip(rows, explained, strict=True))
            columns.append([maps[row] for row in range(len(batch))])
        return columns

    def method_facts(self) -> dict[str, MethodFacts]:
        """What a reader must know of each method: title, source, cost, options and the rule of its masks."""
        return {
            method.name: MethodFacts(
                title=method.title,
                citation=method.citation,
                passes=method.passes,
                backend=self.run_by(method),
                options=dataclasses.asdict(options),
                own_options=sum(method.name in image_options for image_options in self.per_image.values()),
                mask_rule=self.mask_rules[method.name],
            )
            for method, options in self.methods
        }


def layer_names(layer: str | Sequence[str]) -> list[str]:
    """The names in a text with commas, or a sequence."""
    return [name.strip() for name in (layer.split(",") if isinstance(layer, str) else layer)]


def _check_model(model: object) -> None:
    """Errors: `UsageError` for a bare network, and for one without classes; `TargetError` where nobody trained them."""
    if isinstance(model, TorchModel) and model.untrained:
        raise TargetError(model.untrained)
    if isinstance(model, torch.nn.Module):
        raise UsageError(
            f"expected a model, which knows how pictures become inputs; got the network {type(model).__name__}. "
            "Wrap it: lumiscope.TorchModel(network, Geometry((224, 224)), mean=…, std=…, classes=…), Geometry from "
            "lumiscope.images."
        )
    if isinstance(model, TorchModel) and model.headless:
        raise UsageError(
            f"expected classes to explain; {model.name} has no classifier: its {len(model.classes)} outputs are "
            "features. Explain a unit (lumiscope explain --unit LAYER:NUMBER), or dissect it; if they are scores of "
            "classes, name these: --classes FILE (one name a line)."
        )


def layers_of(model: VisionModel, named: Named, wanted: Layers) -> tuple[str, ...]:
    """Names, wildcards, `auto` and `auto:3` (also with commas) as layers whose outputs hold maps.

    None where no method looks at one. Errors: `LayerError`.
    """
    if not isinstance(model, TorchModel) or not any(method.needs_layer for method, _ in named.methods):
        return ()
    if not wanted:
        return (model.spatial_layer(None),)
    return tuple(model.spatial_layer(name) for name in model.select_layers(layer_names(wanted)))
