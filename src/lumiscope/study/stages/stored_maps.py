"""The maps and logits of one model that are kept: what is missing is computed, what is there is read."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lumiscope.attribution import AttributionMethod
from lumiscope.engines import Report
from lumiscope.images import DECODERS, ImageItem
from lumiscope.memo import Memo, Results
from lumiscope.models import BACKENDS, TorchModel, VisionModel, class_index, label_index
from lumiscope.progress import Track, silent
from lumiscope.runs import map_arrays, map_from_arrays, with_class_name
from lumiscope.store import canonical_json, content_key
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.study.stages.segmentations import segment_file, segmenter_makers
from lumiscope.types import FloatArray, SaliencyMap


class StoredMaps:
    """What a plan makes, kept. `memo`: where."""

    def __init__(self, plan: ExplanationPlan, memo: Memo) -> None:
        self.plan = plan
        self._memo = memo
        self._methods = {method.name: method for method, _ in plan.methods}
        self._results: dict[str, Results] = {}
        scope = {"model": plan.model.fingerprint, "layers": list(plan.layers), "numbers": plan.choice.numbers}
        self._logits = memo.results("logits", scope, made_by=[type(plan.model), *DECODERS])

    def read(self, item: ImageItem) -> list[SaliencyMap]:
        """The maps of one image, in the order of the methods."""
        key = self.key(item)
        return [self._named(self.results(method, item).get(key)) for method, _ in self.plan.methods]

    def read_one(self, item: ImageItem, method: str) -> SaliencyMap:
        """The map of one image by one method."""
        return self._named(self.results(self._methods[method], item).get(self.key(item)))

    def _named(self, arrays: Mapping[str, NDArray[Any]]) -> SaliencyMap:
        """A kept map, whose class has the name that it has now: names are no part of what a map depends on."""
        saliency = map_from_arrays(arrays)
        return with_class_name(saliency, self.plan.model.classes[saliency.target.index])

    def logits(self, item: ImageItem) -> FloatArray:
        """(classes,) float32 raw scores of one image, as they were when its maps were computed."""
        return self._logits.get(item.sha256)["logits"]

    def missing(self, batch: Sequence[ImageItem]) -> Mapping[str, set[str]]:
        """Image id -> the methods whose map of it is not there; where its logits are not, "" is among them."""
        missing = {
            item.id: {
                method.name for method, _ in self.plan.methods if self.key(item) not in self.results(method, item)
            }
            for item in batch
        }
        for item in batch:
            if item.sha256 not in self._logits:
                missing[item.id].add("")
        return {item_id: methods for item_id, methods in missing.items() if methods}

    def compute(
        self, batch: Sequence[ImageItem], report: Report = lambda maps: None, *, track: Track = silent
    ) -> Mapping[str, set[str]]:
        """Compute what is missing of a planned batch; return what that was. `report`: counts maps, method by method."""
        missing = self.missing(batch)
        wanted = [item for item in batch if item.id in missing]
        if not wanted:
            return missing
        prepared, targets = self.plan.prepare(wanted, track)
        unseen = [row for row, item in enumerate(wanted) if "" in missing[item.id]]
        if unseen:
            self._logits.put({wanted[row].sha256: {"logits": prepared.logits[row]} for row in unseen})
        for number, (method, _) in enumerate(self.plan.methods, 1):
            lacking = [row for row, item in enumerate(wanted) if method.name in missing[item.id]]
            for options, places in self.plan.alike(method, [wanted[row].id for row in lacking]):
                rows = [lacking[place] for place in places]
                started = time.perf_counter()
                maps = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                seconds = time.perf_counter() - started
                arrays = {self.key(wanted[row]): map_arrays(saliency) for row, saliency in zip(rows, maps, strict=True)}
                self.results(method, wanted[rows[0]]).put(arrays, seconds)
            report(number * len(batch))
        return missing

    def results(self, method: AttributionMethod[Any], item: ImageItem) -> Results:
        """Where the map of one image lies: what it depends on says so, and that may be options of its own."""
        options = dataclasses.asdict(self.plan.options_of(method, item.id))
        known = f"{method.name} {canonical_json(options)}"
        if known not in self._results:
            segmenter = options.get("segmenter", "")
            backend = self.plan.run_by(method)
            scope = {
                "model": self.plan.model.fingerprint,
                "method": method.name,
                "options": options,
                "segments": segment_file(segmenter),
                "layers": list(self.plan.layers) if method.needs_layer else [],
                "seed": self.plan.seed,
                "backend": backend,
                "precision": self.plan.choice.precision,
                "numbers": self.plan.choice.numbers,
                "device": self.plan.model.device.type if isinstance(self.plan.model, TorchModel) else None,
            }
            makers = [method.function, type(self.plan.model), map_arrays, *DECODERS]
            makers += segmenter_makers(segmenter) if segmenter else []
            makers += [] if backend == "none" else [BACKENDS[backend].build]
            self._results[known] = self._memo.results("maps", scope, made_by=makers)
        return self._results[known]

    def key(self, item: ImageItem) -> str:
        """Where the maps of one image are among those of the same method and options."""
        return map_key(self.plan.model, item, self.plan.target)


def map_key(model: VisionModel, item: ImageItem, target: str | int) -> str:
    """The key of what explains one image: its bytes, its id (which seeds derive from) and the target asked for.

    A class asked for by name is its number, as another list of names may have that name at another place.
    """
    label = label_index(model, item) if target == "label" else None
    asked = target if target in ("predicted", "label") else class_index(model, target)
    return content_key({"image": item.sha256, "id": item.id, "target": asked, "label": label})
