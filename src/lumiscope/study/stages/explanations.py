"""The maps of all models, and what the models say of each image; one that fails anywhere is left out everywhere."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.engines import Report
from lumiscope.images import CLASS_SEPARATOR
from lumiscope.models import label_index, mask_shows_label, probabilities
from lumiscope.runs import BackendChoice, ExplanationRow, ImageRow, JudgementRow, NoMap, PredictionRow, Timing, table_of
from lumiscope.short_name import short_name
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.explanation_plan import ExplanationPlan, check_names_of, check_settings
from lumiscope.study.stages.image_task import ImageTask, batches
from lumiscope.study.stages.stored_maps import StoredMaps

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.models import VisionModel
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import FloatArray, SaliencyMap

IMAGES_AT_ONCE = 4  # a stopped run loses one batch of one method at most
TOP = 5  # classes of a prediction


@dataclass(frozen=True)
class Explained:
    """What became of one image in one model. `seconds`: of each map, NaN if unknown. `computed`: in this run."""

    image: str
    predictions: tuple[PredictionRow, ...]
    judgement: JudgementRow
    maps: tuple[ExplanationRow, ...]
    seconds: Mapping[str, float]
    computed: frozenset[str]


@dataclass(frozen=True)
class ExplainImages(ImageTask):
    """Explain a planned batch of images by all methods with one model."""

    methods: int

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"explaining with {self.model}: {self.items[0]}"

    @property
    def steps(self) -> int:
        """One for each map."""
        return len(self.items) * self.methods

    def lacking(self, study: OpenStudy) -> Sequence[ImageItem]:
        """The images of which something is missing."""
        items = study.explained(self.items)
        missing = study.stored_maps[self.model].missing(items)
        return [item for item in items if item.id in missing]

    def run(self, study: OpenStudy, report: Report) -> list[Explained]:
        """Compute what is missing; a receipt for each image."""
        stored, items = study.stored_maps[self.model], study.explained(self.items)
        computed = stored.compute(items, report, track=study.track)
        return [_receipt(stored, item, frozenset(computed.get(item.id, ()))) for item in items]


def _receipt(stored: StoredMaps, item: ImageItem, computed: frozenset[str]) -> Explained:
    plan, logits = stored.plan, stored.logits(item)
    maps = stored.read(item)
    results = {method.name: stored.results(method, item) for method, _ in plan.methods}
    key = stored.key(item)
    return Explained(
        image=item.id,
        predictions=tuple(prediction_rows(plan.model, item, logits)),
        judgement=judgement_row(plan.model, item, maps[0], int(logits.argmax())),
        maps=tuple(_map_row(plan.model, saliency, results[saliency.method].location, key) for saliency in maps),
        seconds={name: kept.seconds_each([key]) for name, kept in results.items()},
        computed=computed,
    )


def prediction_rows(model: VisionModel, item: ImageItem, logits: FloatArray) -> list[PredictionRow]:
    """The most probable classes of one image. `logits`: (classes,)."""
    shares = probabilities(logits[None], model.activation)[0]
    best = np.argsort(-logits, kind="stable")[:TOP]
    return [
        PredictionRow(
            model=model.name,
            image=item.id,
            rank=rank,
            class_index=int(index),
            class_name=model.classes[index],
            short_name=short_name(model.classes[index]),
            probability=float(shares[index]),
            logit=float(logits[index]),
        )
        for rank, index in enumerate(best, 1)
    ]


def judgement_row(model: VisionModel, item: ImageItem, saliency: SaliencyMap, predicted: int) -> JudgementRow:
    """What is true of one model and image. `saliency`: any map of it: it tells the target. `predicted`: the class."""
    label, target = label_index(model, item), saliency.target
    return JudgementRow(
        model=model.name,
        image=item.id,
        target_index=target.index,
        target_name=target.name,
        target_short_name=short_name(target.name),
        probability=target.probability,
        label_index=label,
        label_short_name=None if label is None else short_name(model.classes[label]),
        correct=None if label is None else label == predicted,
        mask_shows_label=mask_shows_label(model, item),
    )


def _map_row(model: VisionModel, saliency: SaliencyMap, location: str, key: str) -> ExplanationRow:
    reason = next((reason for reason in NoMap if reason in saliency.details), None)
    return ExplanationRow(
        model=model.name,
        image=saliency.item_id,
        method=saliency.method,
        layer=saliency.layer,
        details=json.dumps(dict(saliency.details), sort_keys=True),
        reason=reason,
        reason_detail="" if reason is None else str(saliency.details[reason]),
        warnings=saliency.warnings,
        location=location,
        key=key,
    )


def image_row(item: ImageItem) -> ImageRow:
    """What is known of one image; further columns of the user's list follow."""
    height, width = item.size
    return ImageRow(
        image=item.id,
        file=item.name,
        path=item.address,
        width=width,
        height=height,
        class_index=item.label,
        class_name=CLASS_SEPARATOR.join(item.class_names) or None,
        has_mask=item.has_mask,
        mask_path=item.mask_address,
        sha256=item.sha256,
        user_columns=table_of(ImageRow).named_apart(item.columns),
    )


def explain_tasks(plan: ExplanationPlan, name: str, images: Sequence[ImageItem]) -> list[ExplainImages]:
    """The planned batches: their bounds depend on the images alone, so a resumed run computes the same ones."""
    ids = [item.id for item in images]
    return [ExplainImages(name, batch, len(plan.methods)) for batch in batches(ids, IMAGES_AT_ONCE)]


@stage("explanations")
class Explanations(Stage):
    """Explains the images."""

    writes = (ImageRow, PredictionRow, JudgementRow, ExplanationRow)
    may_stop = True

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def check_settings(self, study: OpenStudy) -> None:
        """Methods, options, segmenters, backends and mask rules."""
        check_settings(study.explain, study.images or (), study.per_image)

    def check(self, study: OpenStudy) -> None:
        """Methods, targets and layers, for every model."""
        for name, model in study.models.items():
            layer = study.target_layers.get(name)
            check_names_of(model, study.explain, layer, study.per_image, study.images or ())

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ExplainImages]:
        """One for each model and planned batch of images."""
        images = study.images or ()
        return [task for name, plan in study.plans.items() for task in explain_tasks(plan, name, images)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows model by model, of the images that no model failed on."""
        failed = {failure.item for failure in results.failures}
        items = [item for item in study.images or () if item.id not in failed]
        kept = {item.id for item in items}
        receipts: dict[str, list[Explained]] = {name: [] for name in study.plans}
        for receipt in (receipt for batch in results.results for receipt in batch):
            if receipt.image in kept:
                receipts[receipt.judgement.model].append(receipt)
        everything = [receipt for model in receipts.values() for receipt in model]
        rows: dict[type[Any], Sequence[Any]] = {
            ImageRow: [image_row(item) for item in items],
            PredictionRow: [row for receipt in everything for row in receipt.predictions],
            JudgementRow: [receipt.judgement for receipt in everything],
            ExplanationRow: [row for receipt in everything for row in receipt.maps],
        }
        plans = study.plans.items()
        facts = {
            "timings": tuple(timing for name, plan in plans for timing in _timings(name, plan, receipts[name])),
            "methods": {name: method for _, plan in plans for name, method in plan.method_facts().items()},
            "backends": tuple(BackendChoice(model=name, **plan.choice.facts()) for name, plan in plans),
        }
        return Collected(rows, facts, results.skipped("image", study.images or ()))


def _timings(model: str, plan: ExplanationPlan, receipts: Sequence[Explained]) -> list[Timing]:
    timings = []
    for method, _ in plan.methods:
        known = [each for receipt in receipts if not math.isnan(each := receipt.seconds[method.name])]
        timings.append(
            Timing(
                model=model,
                method=method.name,
                images=len(receipts),
                computed=sum(method.name in receipt.computed for receipt in receipts),
                seconds_each=sum(known) / len(known) if known else None,
            )
        )
    return timings
