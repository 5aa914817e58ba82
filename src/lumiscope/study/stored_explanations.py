"""The maps of one model in the store: what is missing is computed, what is there is read."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Any

from lumiscope.attribution import METHODS, AttributionMethod
from lumiscope.images import ImageItem, Skipped
from lumiscope.progress import Track, silent
from lumiscope.store import Collection, Store, canonical_json
from lumiscope.study.attempts import attempt
from lumiscope.study.explain import ExplanationPlan
from lumiscope.study.image_steps import ImageSteps
from lumiscope.study.map_store import from_arrays, map_collection, map_key, to_arrays
from lumiscope.types import FloatArray, SaliencyMap


class StoredExplanations:
    """The maps of one model in the store: computes what is missing, reads what is there."""

    def __init__(self, plan: ExplanationPlan, store: Store) -> None:
        self.plan = plan
        self.computed = dict.fromkeys((method.name for method, _ in plan.methods), 0)
        self._store = store
        self._collections: dict[str, Collection] = {}
        scope = {"model": plan.model.fingerprint, "layers": plan.layers, "numbers": plan.choice.numbers}
        self._logits = store.collection("logits", scope)

    def compute(self, images: Sequence[ImageItem], *, stop: bool = False, track: Track = silent) -> list[Skipped]:
        """Compute the maps that are missing, a planned batch at a time, and return the images that failed."""
        failed: list[Skipped] = []
        with ImageSteps(track, f"explaining with {self.plan.model.name}", images, len(self.plan.methods)) as steps:

            def work(batch: Sequence[ImageItem]) -> None:
                self._compute_batch(batch, steps)

            for batch, _ in attempt(self.plan.batches(images), work, failed, stop=stop):
                steps.done(batch, len(self.plan.methods))
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
        return self._collection(METHODS[method], item).location, self._key(item)

    def _compute_batch(self, batch: Sequence[ImageItem], steps: ImageSteps) -> None:
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
        prepared, targets = self.plan.prepare(wanted, steps.track)
        if unseen:
            pairs = zip(wanted, prepared.logits, strict=True)
            self._logits.put({item.sha256: {"logits": row} for item, row in pairs if item.sha256 in unseen})
        for number, (method, _) in enumerate(self.plan.methods, 1):
            lacking = [row for row, item in enumerate(wanted) if self._key(item) in missing[method.name]]
            for options, places in self.plan.alike(method, [wanted[row].id for row in lacking]):
                rows = [lacking[place] for place in places]
                started = time.perf_counter()
                maps = method.explain(prepared.rows(rows), [targets[row] for row in rows], options)
                seconds = time.perf_counter() - started
                results = {self._key(wanted[row]): to_arrays(made) for row, made in zip(rows, maps, strict=True)}
                self._collection(method, wanted[rows[0]]).put(results, seconds)
                self.computed[method.name] += len(rows)
            steps.done(batch, number)

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
                numbers=self.plan.choice.numbers,
            )
        return self._collections[known]

    def _key(self, item: ImageItem) -> str:
        return map_key(self.plan.model, item, self.plan.target)
