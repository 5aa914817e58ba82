"""The scores of maps on trust metrics, kept: what is missing is computed, what is there is read."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.attribution import derive_seed
from lumiscope.images import WorldImage
from lumiscope.memo import Results as Kept
from lumiscope.models import VisionModel, label_index, mask_shows_label
from lumiscope.store import Arrays, content_key, from_json_array, json_array
from lumiscope.study.explainers import Explainers
from lumiscope.study.stages.judged import CURVES, Judged, Measured, judged, measure, to_judge, true_effect, with_curves
from lumiscope.study.stages.measured_effects import MeasuredEffects
from lumiscope.study.stages.segmentations import segmenter_makers
from lumiscope.trust import (
    METRICS,
    SUPERPIXELS,
    Candidate,
    Curves,
    JudgedView,
    Need,
    TrueEffects,
    Undefined,
    curves_of,
    default_metrics,
    true_effects,
)

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.memo import Memo
    from lumiscope.progress import Track
    from lumiscope.study.stages.stored_maps import StoredMaps
    from lumiscope.types import BoolArray, Target


class JudgedMaps:
    """What one model's maps score. `metrics`: by name; None: the default ones whose needs an image meets."""

    def __init__(self, stored: StoredMaps, metrics: Sequence[str] | None, memo: Memo) -> None:
        self._stored = stored
        self._memo = memo
        self._effects = MeasuredEffects(stored, memo)
        self._asked = None if metrics is None else METRICS.select(metrics)

    def metrics(self, item: ImageItem, *, ask_again: bool) -> list[str]:
        """What is measured of one image. `ask_again`: whether methods may be asked to explain it again."""
        met: set[Need] = {"explainer"} if ask_again else set()
        if item.has_mask:
            met.add("truth")
        if isinstance(item, WorldImage):
            met.add("effects")
        wanted = default_metrics() if self._asked is None else self._asked
        # What was asked for by name says why it cannot be told; methods are asked again on few images in any case.
        always: set[Need] = set() if self._asked is None else {"truth", "effects"}
        return [name for name in wanted if METRICS[name].needs - always <= met]

    def judge(
        self, items: Sequence[ImageItem], worsened: Mapping[str, str], asked_again: Container[str], track: Track
    ) -> list[Judged]:
        """The scores of some images' maps and of baselines.

        `worsened`: image -> the method whose map is made worse. `asked_again`: images that methods explain again.
        """
        waiting: dict[str, tuple[Kept, dict[str, Arrays]]] = {}
        images = []
        for item in items:
            metrics = self.metrics(item, ask_again=item.id in asked_again)
            image = _Image(self._stored, self._effects, item, metrics, worsened.get(item.id), track)
            measured = {what: self._measured(image, what, waiting) for what in with_curves(metrics)}
            images.append(judged(item.id, measured, image.shown, image.ladder))
        for kept, results in waiting.values():
            if results:
                kept.put(results)
        return images

    def _measured(
        self, image: _Image, what: str, waiting: dict[str, tuple[Kept, dict[str, Arrays]]]
    ) -> dict[str, Measured]:
        """What each candidate scores; what is new is added to what is `waiting` to be kept, by where it will lie."""
        kept = self._kept(what)
        asks = what != CURVES and "explainer" in METRICS[what].needs
        candidates = image.shown if what == CURVES or asks else [*image.shown, *image.ladder[1:], *image.truest]
        keys = {candidate.name: self._key(image.item, candidate, asks=asks) for candidate in candidates}
        missing = [candidate for candidate in candidates if keys[candidate.name] not in kept]
        new: dict[str, Measured] = {}
        if missing:
            names = [candidate.name for candidate in missing]
            if asks:
                missing = [image.askable.get(candidate.name, candidate) for candidate in missing]
            new = dict(zip(names, measure(what, image.view, missing), strict=True))
        results = waiting.setdefault(kept.location, (kept, {}))[1]
        results |= {keys[name]: _to_arrays(result) for name, result in new.items()}
        return {name: new[name] if name in new else _from_arrays(kept.get(key)) for name, key in keys.items()}

    def _kept(self, what: str) -> Kept:
        plan = self._stored.plan
        scope = {
            "model": plan.model.fingerprint,
            "numbers": plan.choice.numbers,
            "precision": plan.choice.precision,
            "seed": plan.seed,
            "metric": what,
        }
        made_by = [
            curves_of if what == CURVES else METRICS[what].measure,
            JudgedView,
            true_effects,
            Explainers,
            type(plan.model),
            *segmenter_makers(SUPERPIXELS),
        ]
        return self._memo.results("trust", scope, made_by=made_by)

    def _key(self, item: ImageItem, candidate: Candidate, *, asks: bool) -> str:
        """What a score depends on: the map as it is, all that is known of the image, and who is asked again."""
        digest = hashlib.sha256(candidate.values.tobytes()).hexdigest()
        mask = item.mask_sha256 if item.has_mask else None
        methods = {method.name: method for method, _ in self._stored.plan.methods}
        method = methods.get(candidate.name) if asks else None
        maker = None if method is None else self._stored.results(method, item).location
        return content_key({"image": self._stored.key(item), "mask": mask, "map": digest, "maker": maker})


class _Image:
    """One image that is judged: its maps, baselines, and one map with those that are made of it.

    What the model must be asked for is made when something is missing.
    """

    def __init__(
        self,
        stored: StoredMaps,
        measured: MeasuredEffects,
        item: ImageItem,
        metrics: Sequence[str],
        worsened: str | None,
        track: Track,
    ) -> None:
        self.item = item
        self._measured = measured
        self._stored, self._metrics, self._track = stored, metrics, track
        self._saliencies = stored.read(item)
        height, width = self._saliencies[0].values.shape
        seed = derive_seed(stored.plan.seed, item.id, "trust")
        self.shown, self.ladder = to_judge(list(map(Candidate.of, self._saliencies)), worsened, (height, width), seed)
        known = self._effects if worsened is not None else None
        self.truest = [] if known is None else [true_effect(known, (height, width))]

    @functools.cached_property
    def view(self) -> JudgedView:
        """What metrics share of the view. True effects are measured where a metric needs them."""
        prepared, (target,) = self._stored.plan.prepare([self.item], self._track)
        needed = any("effects" in METRICS[name].needs for name in self._metrics)
        truth = truth_of(prepared.model, self.item, target)
        return JudgedView(prepared, target, truth=truth, effects=self._effects if needed else None)

    @functools.cached_property
    def _effects(self) -> TrueEffects | None:
        return self._measured.of(self.item, self._saliencies[0].target)

    @functools.cached_property
    def askable(self) -> dict[str, Candidate]:
        """The methods, by name, that can be asked again: the same for every metric, as those share what they say."""
        explainers = Explainers(self._stored.plan, self.view.view, self.view.target, self._track)
        return {saliency.method: explainers.candidate(saliency) for saliency in self._saliencies}


def truth_of(model: VisionModel, item: ImageItem, target: Target) -> BoolArray | None:
    """(H, W) on the view where the object is; None without a mask of the class that is explained."""
    another = label_index(model, item) not in (None, target.index)
    if not item.has_mask or item.mask is None or another or mask_shows_label(model, item) is False:
        return None
    return model.geometry.mask_on_view(item.mask)


def _to_arrays(result: Measured) -> Arrays:
    if isinstance(result, Curves):
        return {"shares": result.shares, "without": result.without, "alone": result.alone}
    if isinstance(result, Undefined):
        return {"value": np.array(math.nan), "reason": json_array(result.reason)}
    return {"value": np.array(result, np.float64), "reason": json_array("")}


def _from_arrays(arrays: Mapping[str, Any]) -> Measured:
    if "shares" in arrays:
        return Curves(arrays["shares"], arrays["without"], arrays["alone"])
    reason = from_json_array(arrays["reason"])
    return Undefined(reason) if reason else float(arrays["value"])
