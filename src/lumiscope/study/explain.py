"""Explanations: a model, images and methods to saliency maps, in memory or through the store."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from lumiscope.attribution import METHODS, AttributionMethod, PreparedBatch, look_inside, select_methods
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import ImageItem, Skipped
from lumiscope.models import Choice, TorchModel, VisionModel, class_index, label_index
from lumiscope.models.backends.registry import Precision
from lumiscope.models.unit_model import UnitModel, unit_model
from lumiscope.progress import Track, silent
from lumiscope.store import Store
from lumiscope.study.attempts import attempt
from lumiscope.study.backends import settle
from lumiscope.study.image_steps import ImageSteps
from lumiscope.study.segmentations import Segmentations
from lumiscope.types import SaliencyMap, Target

IMAGES_AT_ONCE = 4  # a stopped run loses one batch of one method at most
Options = Mapping[str, Mapping[str, Any]]
PerImage = Mapping[str, Options]
logger = logging.getLogger(__name__)


def explain(
    model: VisionModel,
    images: Sequence[ImageItem],
    *,
    methods: Sequence[str] | str,
    target: str | int = "predicted",
    layer: str | Sequence[str] | None = None,
    options: Options | None = None,
    seed: int = 0,
    backend: str = "auto",
    precision: Precision = "exact",
    per_image: PerImage | None = None,
    unit: str | None = None,
    track: Track = silent,
) -> list[SaliencyMap]:
    """Explain every image by every method; the maps of one image stand together, in the order of `methods`.

    `methods`: names or wildcards. `target`: "predicted", "label" (the prediction where an image has none), a class
    index or a class name. `unit`: explain a unit instead, "layer4:447" or "blocks.11@class:5": what its mean activation
    depends on. `layer`: where the CAM family looks, or several, whose maps are averaged; None: the last spatial
    features before pooling.
    `options`: per method, as `{"lime": {"num_samples": 500}}`; those of methods that do not run are checked only.
    `seed`: every random choice derives from it, the image's id and the method.
    `backend`: what runs the forward passes of methods that need many: "auto" takes the fastest whose logits are right
    (see `lumiscope.models.backends`), "eager" the network as it is. `precision`: "exact" (float32; maps within 1e-3 of
    torch's) or "fast" (bfloat16 where that is faster; maps within 0.02).
    `per_image`: image id -> options of its own, {"goldfish": {"lime": {"num_features": 3}}}; they win over `options`.
    Errors: `UnknownNameError`, `UsageError`, `TargetError`, `LayerError`.
    """
    plan = ExplanationPlan.make(
        model,
        methods,
        target=target,
        unit=unit,
        layer=layer,
        options=options,
        seed=seed,
        backend=backend,
        precision=precision,
        images=images,
        per_image=per_image,
    )
    return [one for _, maps in explain_each(plan, images, [], stop=True, track=track) for one in maps]


def explain_each(
    plan: ExplanationPlan,
    images: Sequence[ImageItem],
    failed: list[Skipped],
    *,
    stop: bool = False,
    track: Track = silent,
) -> Iterator[tuple[ImageItem, list[SaliencyMap]]]:
    """Yield each image with its maps, one for each method; images that fail are added to `failed` (see `attempt`)."""
    with ImageSteps(track, f"explaining with {plan.model.name}", images, len(plan.methods)) as steps:

        def work(batch: Sequence[ImageItem]) -> list[list[SaliencyMap]]:
            columns = []
            for column in plan.explain(batch, track):
                columns.append(column)
                steps.done(batch, len(columns))
            return columns

        for batch, columns in attempt(plan.batches(images), work, failed, stop=stop):
            for row, item in enumerate(batch):
                yield item, [column[row] for column in columns]


@dataclass(frozen=True)
class ExplanationPlan:
    """What is to be computed for one model, or for the units of one of its layers.

    `methods`: each with its options. `layers`: resolved; empty where no method looks at one. `choice`: what runs it.
    `per_image`: image id -> method -> the options that this image has of its own. `segmentations`: cuts the views.
    """

    model: VisionModel
    methods: tuple[tuple[AttributionMethod[Any], Any], ...]
    target: str | int
    layers: tuple[str, ...]
    seed: int
    choice: Choice
    per_image: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    segmentations: Segmentations = field(default_factory=Segmentations)

    @classmethod
    def make(
        cls,
        model: VisionModel,
        methods: Sequence[str] | str,
        *,
        target: str | int,
        unit: str | None = None,
        layer: str | Sequence[str] | None,
        options: Options | None,
        seed: int,
        backend: str = "auto",
        precision: Precision = "exact",
        images: Sequence[ImageItem] = (),
        store: Store | None = None,
        per_image: PerImage | None = None,
    ) -> ExplanationPlan:
        """Resolve names, options, layers and target, so that a mistake shows before anything is computed.

        `images`: a few of them show which backend is right; what was chosen is kept in `store`.
        """
        _check_model(model)
        if unit is not None:
            model, target = _unit(model, unit, target)
        names = select_methods([methods] if isinstance(methods, str) else methods, model)
        common = options or {}

        def built(given: Options) -> dict[str, Any]:
            return {name: METHODS[name].options({**common.get(name, {}), **new}) for name, new in given.items()}

        given = built(common)
        wanted = [METHODS[name] for name in names]
        chosen = tuple((method, given.get(method.name, method.options())) for method in wanted)
        if target not in ("predicted", "label"):
            target = class_index(model, target)
        if layer is not None:
            look_inside(model, "a target layer")
        needs_layer = any(method.needs_layer for method, _ in chosen)
        layers = _layers(model, layer) if needs_layer and isinstance(model, TorchModel) else ()
        perturbs = any(method.perturbs for method, _ in chosen)
        own = {item_id: built(some) for item_id, some in (per_image or {}).items()}
        if images and (strangers := own.keys() - {item.id for item in images}):
            raise UnknownNameError("image", min(strangers), [item.id for item in images], "It has options of its own.")
        choice = settle(model, backend, precision, images, perturbs=perturbs, store=store)
        return cls(model, chosen, target, layers, seed, choice, own, Segmentations(store))

    @property
    def layer(self) -> str | None:
        """The layers' names with commas; None where there is none."""
        return ", ".join(self.layers) or None

    def run_by(self, method: AttributionMethod[Any]) -> str:
        """The backend that makes the maps of `method`: those that need few passes are torch's."""
        return self.choice.backend if method.perturbs or self.choice.backend in ("eager", "none") else "torch"

    def batches(self, images: Sequence[ImageItem]) -> Iterator[list[ImageItem]]:
        """The planned batches: their bounds depend on the images alone, so a resumed run computes the same ones."""
        items = list(images)
        for at in range(0, len(items), IMAGES_AT_ONCE):
            yield items[at : at + IMAGES_AT_ONCE]

    def explain(self, batch: Sequence[ImageItem], track: Track = silent) -> Iterator[list[SaliencyMap]]:
        """Yield the maps of one batch, method by method: one an image."""
        prepared, targets = self.prepare(batch, track)
        for method, _ in self.methods:
            maps: dict[int, SaliencyMap] = {}
            for options, rows in self.alike(method, [item.id for item in batch]):
                made = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                maps.update(zip(rows, made, strict=True))
            yield [maps[row] for row in range(len(batch))]

    def options_of(self, method: AttributionMethod[Any], item_id: str) -> Any:
        """The options of a method for one image: its own, else those of all."""
        common = next(options for one, options in self.methods if one.name == method.name)
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
        views = [self.model.view(item) for item in batch]
        inference = self.model.inference(self.choice) if isinstance(self.model, TorchModel) else None
        prepared = PreparedBatch(
            self.model,
            views,
            layer=self.layers,
            seed=self.seed,
            inference=inference,
            segment=self.segmentations,
            track=track,
        )
        return prepared, prepared.targets(self.target, [label_index(self.model, item) for item in batch])


def _check_model(model: object) -> None:
    """Errors: `UsageError` for a bare network. A warning where one is in training mode, as that is seldom meant."""
    if isinstance(model, torch.nn.Module):
        raise UsageError(
            f"expected a model, which knows how pictures become inputs; got the network {type(model).__name__}. "
            "Wrap it: lumiscope.TorchModel(network, Geometry((224, 224)), mean=…, std=…, classes=…), Geometry from "
            "lumiscope.images."
        )
    if isinstance(model, TorchModel) and model.module.training:
        logger.warning("%s is in training mode: explained as in evaluation mode, and left as it is", model.name)


def _unit(model: VisionModel, unit: str, target: str | int) -> tuple[UnitModel, int]:
    """The units of a layer in the place of classes, and the column of one. Errors: `UsageError`, `LayerError`."""
    if target != "predicted":
        raise UsageError(f"expected a unit or a target to explain; got both, the unit {unit} and the target {target!r}")
    return unit_model(look_inside(model, "a unit"), unit)


def _layers(model: TorchModel, wanted: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names, wildcards, `auto` and `auto:3` (also with commas) as layers whose outputs hold maps."""
    names = wanted.split(",") if isinstance(wanted, str) else wanted
    if not names:
        return (model.spatial_layer(None),)
    return tuple(model.spatial_layer(name) for name in model.select_layers([name.strip() for name in names]))


def method_facts(plan: ExplanationPlan, masks: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What a reader must know of each method: title, source, cost, options and the rule of its masks."""
    return {
        method.name: {
            "title": method.title,
            "citation": method.citation,
            "passes": method.passes,
            "backend": plan.run_by(method),
            "options": dataclasses.asdict(options),
            "own_options": sum(method.name in own for own in plan.per_image.values()),
            "mask_rule": masks.get(method.name, method.mask_rule),
        }
        for method, options in plan.methods
    }
