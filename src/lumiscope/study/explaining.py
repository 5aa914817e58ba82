"""Explanations in Python: a model, images and methods to saliency maps."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.attribution import look_inside
from lumiscope.errors import UsageError
from lumiscope.images import ImageItem, ImageSet, Skipped
from lumiscope.memo import Memo
from lumiscope.models import Precision, VisionModel, unit_model
from lumiscope.progress import Track, silent
from lumiscope.store import Store
from lumiscope.study.config import DissectConfig, ExplainConfig, Options, RunConfig
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stages.explanation_plan import ExplanationPlan, Layers, PerImage
from lumiscope.study.stages.explanations import explain_tasks
from lumiscope.types import SaliencyMap


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
    store: Store | None = None,
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
    `store`: where maps are kept, those of runs among them; None: nothing is left on disk.
    Errors: `UnknownNameError`, `UsageError`, `TargetError`, `LayerError`.
    """
    config = ExplainConfig(
        methods=[methods] if isinstance(methods, str) else list(methods),
        options=options or {},
        target=target,
        backend=backend,
        precision=precision,
    )
    explaining = Explaining.of(
        model, images, config, layer=layer, unit=unit, seed=seed, per_image=per_image, store=store, track=track
    )
    return [saliency for _, maps in explaining.each([], stop=True) for saliency in maps]


@dataclass(frozen=True)
class Explaining:
    """One model and images, ready to be explained: by the same tasks as in a study, and with the same store."""

    study: OpenStudy

    @classmethod
    def of(
        cls,
        model: VisionModel,
        images: Sequence[ImageItem],
        config: ExplainConfig,
        *,
        layer: Layers = None,
        unit: str | None = None,
        seed: int = 0,
        per_image: PerImage | None = None,
        store: Store | None = None,
        track: Track = silent,
    ) -> Explaining:
        """Check every name and find layers and backend. Errors: as `explain`."""
        if unit is not None:
            if config.target != "predicted":
                both = f"the unit {unit} and the target {config.target!r}"
                raise UsageError(f"expected a unit or a target to explain; got both, {both}")
            model, index = unit_model(look_inside(model, "a unit"), unit)
            config = dataclasses.replace(config, target=index)
        name = getattr(model, "name", "model")
        models: Mapping[str, Any] = {name: model}
        study = OpenStudy(
            run=RunConfig(seed=seed),
            explain=config,
            dissect=DissectConfig(),
            models=models,
            target_layers={name: layer},
            images=images if isinstance(images, ImageSet) else ImageSet(tuple(images), "images"),
            per_image=per_image or {},
            memo=Memo(store),
            track=track,
        )
        _ = study.plans
        return cls(study)

    @property
    def plan(self) -> ExplanationPlan:
        """How the model is explained."""
        return next(iter(self.study.plans.values()))

    def each(self, failed: list[Skipped], *, stop: bool = False) -> Iterator[tuple[ImageItem, list[SaliencyMap]]]:
        """Yield each image with its maps, one for each method; images that fail are added to `failed`."""
        ((name, plan),) = self.study.plans.items()
        images = self.study.images or ()
        names = {item.id: item.name for item in images}
        engine = self.study.engine(stop=stop)
        tasks = explain_tasks(plan, name, images)
        for task, _ in engine.map(tasks, self.study, f"explaining with {name}"):
            for item in self.study.explained(task.items):
                yield item, self.study.stored_maps[name].read(item)
        failed += [Skipped(names[failure.item], failure.reason) for failure in engine.failures]
