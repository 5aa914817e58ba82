"""The scores of maps on trust metrics, kept: what is missing is computed, what is there is read."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.attribution import derive_seed
from lumiscope.images import WorldImage
from lumiscope.memo import Results as Kept
from lumiscope.models import VisionModel, label_index, mask_shows_label
from lumiscope.store import Arrays, content_key, from_json_array, json_array
from lumiscope.study.explainers import Explainers
from lumiscope.study.stages.judged import CURVES, Judged, Measured, judged, measure, with_curves
from lumiscope.study.stages.segmentations import segmenter_makers
from lumiscope.trust import (
    METRICS,
    SUPERPIXELS,
    Candidate,
    Curves,
    JudgedView,
    Need,
    Undefined,
    baseline_maps,
    curves_of,
    default_metrics,
    degraded,
    true_effects,
)

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.memo import Memo
    from lumiscope.progress import Track
    from lumiscope.study.stages.stored_maps import StoredMaps
    from lumiscope.types import BoolArray, SaliencyMap, Target


class JudgedMaps:
    """What one model's maps score. `metrics`: by name; None: the default ones whose needs an image meets."""

    def __init__(self, stored: StoredMaps, metrics: Sequence[str] | None, memo: Memo) -> None:
        self._stored = stored
        self._memo = memo
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
        waiting: dict[str, dict[str, Arrays]] = defaultdict(dict)
        places: dict[str, Kept] = {}
        images = []
        for item in items:
            saliencies = {saliency.method: saliency for saliency in self._stored.read(item)}
            maps = {method: Candidate.of(saliency) for method, saliency in saliencies.items()}
            view: JudgedView | None = None
            askable: dict[str, Candidate] = {}
            size = next(iter(maps.values())).values.shape
            seed = derive_seed(self._stored.plan.seed, item.id, "trust")
            ladder = _ladder(maps, worsened.get(item.id), seed)
            shown = [*maps.values(), *baseline_maps((size[0], size[1]), seed)]
            measured: dict[str, dict[str, Measured]] = {}
            for what in with_curves(self.metrics(item, ask_again=item.id in asked_again)):
                kept = self._kept(what)
                places[kept.location] = kept
                asks = what != CURVES and "explainer" in METRICS[what].needs
                candidates = shown if what == CURVES or asks else [*shown, *ladder[1:]]
                keys = {candidate.name: self._key(item, candidate, asks=asks) for candidate in candidates}
                missing = [candidate for candidate in candidates if keys[candidate.name] not in kept]
                results: dict[str, Measured] = {}
                if missing:
                    view = view or self._view(item, track)
                    if asks:  # the same ones for every metric, as those share what methods say again
                        askable = askable or self._with_explainers(view, saliencies, track)
                        missing = [askable.get(candidate.name, candidate) for candidate in missing]
                    results = dict(zip((c.name for c in missing), measure(what, view, missing), strict=True))
                waiting[kept.location] |= {keys[name]: _to_arrays(result) for name, result in results.items()}
                measured[what] = {
                    name: results[name] if name in results else _from_arrays(kept.get(key))
                    for name, key in keys.items()
                }
            images.append(judged(item.id, measured, [candidate.name for candidate in shown], [c.name for c in ladder]))
        for location, arrays in waiting.items():
            if arrays:
                places[location].put(arrays)
        return images

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

    def _view(self, item: ImageItem, track: Track) -> JudgedView:
        prepared, (target,) = self._stored.plan.prepare([item], track)
        model = self._stored.plan.model
        effects = true_effects(model, item, target)
        return JudgedView(prepared, target, truth=truth_of(model, item, target), effects=effects)

    def _with_explainers(
        self, view: JudgedView, saliencies: Mapping[str, SaliencyMap], track: Track
    ) -> dict[str, Candidate]:
        """Methods that can be asked again, by name; baselines ask themselves."""
        explainers = Explainers(self._stored.plan, view.view, view.target, track)
        return {method: explainers.candidate(saliency) for method, saliency in saliencies.items()}

    def _key(self, item: ImageItem, candidate: Candidate, *, asks: bool) -> str:
        """What a score depends on: the map as it is, all that is known of the image, and who is asked again."""
        digest = hashlib.sha256(candidate.values.tobytes()).hexdigest()
        mask = item.mask_sha256 if item.has_mask else None
        methods = {method.name: method for method, _ in self._stored.plan.methods}
        method = methods.get(candidate.name) if asks else None
        maker = None if method is None else self._stored.results(method, item).location
        return content_key({"image": self._stored.key(item), "mask": mask, "map": digest, "maker": maker})


def truth_of(model: VisionModel, item: ImageItem, target: Target) -> BoolArray | None:
    """(H, W) on the view where the object is; None without a mask of the class that is explained."""
    another = label_index(model, item) not in (None, target.index)
    if not item.has_mask or item.mask is None or another or mask_shows_label(model, item) is False:
        return None
    return model.geometry.mask_on_view(item.mask)


def _ladder(maps: Mapping[str, Candidate], method: str | None, seed: int) -> list[Candidate]:
    """A map and what is made of it."""
    if method is None or maps[method].blank:
        return []
    return [maps[method], *degraded(maps[method], seed)]


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
