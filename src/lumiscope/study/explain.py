"""Explanations: a model, images and methods to saliency maps, in memory or through the store."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumiscope.attribution import AttributionMethod, PreparedBatch, get_method, look_inside, select_methods
from lumiscope.errors import UnknownNameError
from lumiscope.images import ImageItem, Skipped
from lumiscope.models import Choice, TorchModel, VisionModel, class_index, label_index
from lumiscope.models.backends.registry import Precision
from lumiscope.progress import Track, silent
from lumiscope.store import Collection, Store, canonical_json
from lumiscope.study.attempts import attempt
from lumiscope.study.backends import settle
from lumiscope.study.map_store import from_arrays, map_collection, map_key, to_arrays
from lumiscope.study.segmentations import Segmentations
from lumiscope.types import FloatArray, SaliencyMap, Target

IMAGES_AT_ONCE = 4  # a stopped run loses one batch of one method at most
Options = Mapping[str, Mapping[str, Any]]
PerImage = Mapping[str, Options]


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
    track: Track = silent,
) -> list[SaliencyMap]:
    """Explain every image by every method; the maps of one image stand together, in the order of `methods`.

    `methods`: names or wildcards. `target`: "predicted", "label" (the prediction where an image has none), a class
    index or a class name. `layer`: where the CAM family looks, or several, whose maps are averaged; None: the last
    spatial features before pooling.
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
    batches = list(plan.batches(images))
    tracked = track(batches, f"explaining with {plan.model.name}", len(batches))
    for batch, columns in attempt(tracked, plan.explain, failed, stop=stop):
        for row, item in enumerate(batch):
            yield item, [column[row] for column in columns]


@dataclass(frozen=True)
class ExplanationPlan:
    """What is to be computed for one model.

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
        names = select_methods([methods] if isinstance(methods, str) else methods, model)
        common = options or {}

        def built(given: Options) -> dict[str, Any]:
            return {name: get_method(name).options({**common.get(name, {}), **new}) for name, new in given.items()}

        given = built(common)
        wanted = [get_method(name) for name in names]
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

    def explain(self, batch: Sequence[ImageItem]) -> list[list[SaliencyMap]]:
        """The maps of one batch: for each method, one an image."""
        prepared, targets = self.prepare(batch)
        columns = []
        for method, _ in self.methods:
            maps: dict[int, SaliencyMap] = {}
            for options, rows in self.alike(method, [item.id for item in batch]):
                made = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                maps.update(zip(rows, made, strict=True))
            columns.append([maps[row] for row in range(len(batch))])
        return columns

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

    def prepare(self, batch: Sequence[ImageItem]) -> tuple[PreparedBatch, list[Target]]:
        """The batch as its methods share it, and what to explain on each image."""
        views = [self.model.view(item) for item in batch]
        inference = self.model.inference(self.choice) if isinstance(self.model, TorchModel) else None
        prepared = PreparedBatch(
            self.model, views, layer=self.layers, seed=self.seed, inference=inference, segment=self.segmentations
        )
        return prepared, prepared.targets(self.target, [label_index(self.model, item) for item in batch])


class StoredExplanations:
    """The maps of one model in the store: computes what is missing, reads what is there."""

    def __init__(self, plan: ExplanationPlan, store: Store) -> None:
        self.plan = plan
        self.computed = dict.fromkeys((method.name for method, _ in plan.methods), 0)
        self._store = store
        self._collections: dict[str, Collection] = {}
        scope = {"model": plan.model.fingerprint, "layers": plan.layers, "precision": plan.choice.precision}
        self._logits = store.collection("logits", scope)

    def compute(self, images: Sequence[ImageItem], *, stop: bool = False, track: Track = silent) -> list[Skipped]:
        """Compute the maps that are missing, a planned batch at a time, and return the images that failed."""
        batches = list(self.plan.batches(images))
        failed: list[Skipped] = []
        tracked = track(batches, f"explaining with {self.plan.model.name}", len(batches))
        for _ in attempt(tracked, self._compute_batch, failed, stop=stop):
            pass
        return failed

    def read(self, item: ImageItem) -> list[SaliencyMap]:
        """The maps of one image, in the order of the methods."""
        key = self._key(item)
        return [from_arrays(self._collection(method, item).get(key)) for method, _ in self.plan.methods]

    def logits(self, item: ImageItem) -> FloatArray:
        """(classes,) float32 raw scores of one image, as they were when its maps were computed."""
        return self._logits.get(item.sha256)["logits"]

    def seconds_each(self, images: Sequence[ImageItem]) -> dict[str, float]:
        """Mean seconds an image took per method, when it was computed."""
        seconds: dict[str, float] = {}
        for method, _ in self.plan.methods:
            each = [self._collection(method, item).seconds_each([self._key(item)]) for item in images]
            known = [one for one in each if not math.isnan(one)] or [math.nan]
            seconds[method.name] = sum(known) / len(known)
        return seconds

    def address(self, method: str, item: ImageItem) -> tuple[str, str]:
        """Where a map lies: its collection's place in the store, and its key there."""
        return self._collection(get_method(method), item).location, self._key(item)

    def _compute_batch(self, batch: Sequence[ImageItem]) -> None:
        keys = {self._key(item): item for item in batch}
        missing = {
            method.name: {key for key, item in keys.items() if key not in self._collection(method, item)}
            for method, _ in self.plan.methods
        }
        unseen = set(self._logits.missing(item.sha256 for item in batch))
        wanted = [
            item for key, item in keys.items() if item.sha256 in unseen or any(key in some for some in missing.values())
        ]
        if not wanted:
            return
        prepared, targets = self.plan.prepare(wanted)
        if unseen:
            pairs = zip(wanted, prepared.logits, strict=True)
            self._logits.put({item.sha256: {"logits": row} for item, row in pairs if item.sha256 in unseen})
        for method, _ in self.plan.methods:
            lacking = [row for row, item in enumerate(wanted) if self._key(item) in missing[method.name]]
            for options, places in self.plan.alike(method, [wanted[row].id for row in lacking]):
                rows = [lacking[place] for place in places]
                started = time.perf_counter()
                maps = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                seconds = time.perf_counter() - started
                results = {self._key(wanted[row]): to_arrays(made) for row, made in zip(rows, maps, strict=True)}
                self._collection(method, wanted[rows[0]]).put(results, seconds)
                self.computed[method.name] += len(rows)

    def _collection(self, method: AttributionMethod[Any], item: ImageItem) -> Collection:
        """Where the map of one image lies: what it depends on says so, and that may be options of its own."""
        options = self.plan.options_of(method, item.id)
        known = f"{method.name} {canonical_json(dataclasses.asdict(options))}"
        if known not in self._collections:
            self._collections[known] = map_collection(
                self._store,
                self.plan.model,
                method,
                options,
                layers=self.plan.layers,
                seed=self.plan.seed,
                backend=self.plan.run_by(method),
                precision=self.plan.choice.precision,
            )
        return self._collections[known]

    def _key(self, item: ImageItem) -> str:
        return map_key(self.plan.model, item, self.plan.target)


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
