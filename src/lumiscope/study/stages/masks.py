"""The masks of all maps, made once: what agreement compares, and what a report shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lumiscope.agreement import MASK_RULES, make_mask, parse_rule
from lumiscope.engines import Report
from lumiscope.images import DECODERS, Geometry
from lumiscope.memo import Results as Kept
from lumiscope.runs import (
    GROUND_TRUTH,
    TRUTH_RULE,
    VOID,
    ExplanationRow,
    ImageRow,
    MaskRow,
    mask_arrays,
    mask_from_arrays,
)
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.image_task import ImageTask, batches

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import BoolArray

IMAGES_AT_ONCE = 32


@dataclass(frozen=True)
class MakeMasks(ImageTask):
    """Make the masks of one model's maps of some images, and put the true ones on its view."""

    @property
    def key(self) -> str:
        """The model and the first image."""
        return f"masks of {self.model}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> list[MaskRow]:
        """One row a mask, image by image."""
        places: dict[str, Kept] = {}
        waiting: dict[str, dict[str, BoolArray]] = {}
        rows = []
        for item in study.explained(self.items):
            for method, rule, kept, key in self._wanted(study, item):
                places[kept.location] = kept
                mask = self._kept(kept, key)
                if mask is None:
                    mask = self._mask_of(study, item, method, rule)
                    waiting.setdefault(kept.location, {})[key] = mask
                rows.append(
                    MaskRow(
                        model=self.model,
                        image=item.id,
                        method=method,
                        rule=rule,
                        area=float(mask.mean()),
                        location=kept.location,
                        key=key,
                    )
                )
        for location, masks in waiting.items():
            places[location].put({key: mask_arrays(mask) for key, mask in masks.items()})
        return rows

    def _wanted(self, study: OpenStudy, item: ImageItem) -> Iterator[tuple[str, str, Kept, str]]:
        """Method, rule, where the mask lies and its key there; last the true one, where there is one, and its void."""
        stored = study.stored_maps[self.model]
        for method, _ in stored.plan.methods:
            rule = stored.plan.mask_rules[method.name]
            maker = MASK_RULES[parse_rule(rule).name].function
            inputs = {"maps": stored.results(method, item).location, "rule": rule}
            kept = study.memo.results("masks", inputs, made_by=[make_mask, maker])
            yield method.name, rule, kept, stored.key(item)
        if item.has_mask:
            inputs = {"geometry": repr(stored.plan.model.geometry)}
            truths = study.memo.results("true_masks", inputs, made_by=[Geometry, *DECODERS])
            key = f"{item.sha256} {item.mask_sha256}"
            yield GROUND_TRUTH, TRUTH_RULE, truths, key
            if item.has_void:
                yield VOID, TRUTH_RULE, truths, f"{key} {VOID}"

    def _kept(self, kept: Kept, key: str) -> BoolArray | None:
        return mask_from_arrays(kept.get(key)) if key in kept else None

    def _mask_of(self, study: OpenStudy, item: ImageItem, method: str, rule: str) -> BoolArray:
        plan = study.stored_maps[self.model].plan
        if method in {GROUND_TRUTH, VOID}:
            mask = item.mask if method == GROUND_TRUTH else item.void
            if mask is None:
                raise ValueError(f"{item.id} has no mask")
            return plan.model.geometry.mask_on_view(mask)
        return make_mask(study.stored_maps[self.model].read_one(item, method), rule)


@stage("masks")
class Masks(Stage):
    """Makes masks of maps."""

    needs = (ImageRow, ExplanationRow)
    writes = (MaskRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain."""
        return study.images is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[MakeMasks]:
        """Some images of a model at a time."""
        ids = [row.image for row in tables.rows(ImageRow)]
        return [MakeMasks(name, batch) for name in study.plans for batch in batches(ids, IMAGES_AT_ONCE)]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows model by model; what is said of an image whose masks could not be made."""
        rows = [row for batch in results.results for row in batch]
        return Collected({MaskRow: rows}, skipped=results.skipped("mask", study.images or ()))


def masks_by_image(tables: Tables) -> dict[str, dict[str, tuple[MaskRow, ...]]]:
    """Model -> image -> its masks, in order."""
    models: dict[str, dict[str, tuple[MaskRow, ...]]] = {}
    for row in tables.rows(MaskRow):
        images = models.setdefault(row.model, {})
        images[row.image] = (*images.get(row.image, ()), row)
    return models
