"""What the things in pictures of the world really do to one model's scores, measured once and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumiscope.images import ImageItem, WorldImage
from lumiscope.store import Arrays, from_json_array, json_array
from lumiscope.trust import TrueEffects, scores_without, true_effects

if TYPE_CHECKING:
    from lumiscope.memo import Memo
    from lumiscope.study.stages.stored_maps import StoredMaps
    from lumiscope.types import Target


class MeasuredEffects:
    """True effects on one model, whose maps are `stored`. `memo`: where they are kept."""

    def __init__(self, stored: StoredMaps, memo: Memo) -> None:
        self._stored = stored
        model = stored.plan.model
        self._kept = memo.results("effects", {"model": model.fingerprint}, made_by=[true_effects, type(model)])

    def of(self, item: ImageItem, target: Target) -> TrueEffects | None:
        """Those of one picture; None where it is none of the world."""
        if not isinstance(item, WorldImage):
            return None
        key, model = self._stored.key(item), self._stored.plan.model
        if key in self._kept:
            return _from_arrays(self._kept.get(key), item, self._stored)
        effects = true_effects(model, item, target)
        if effects is not None:
            self._kept.put({key: _to_arrays(effects)})
        return effects


def _to_arrays(effects: TrueEffects) -> Arrays:
    things = json_array({"names": effects.names, "kinds": effects.kinds})
    return {"things": things, "regions": effects.regions, "drops": effects.drops}


def _from_arrays(arrays: Arrays, item: WorldImage, stored: StoredMaps) -> TrueEffects:
    things = from_json_array(arrays["things"])
    return TrueEffects(
        tuple(things["names"]),
        tuple(things["kinds"]),
        np.asarray(arrays["regions"], np.bool_),
        np.asarray(arrays["drops"], np.float64),
        scores_without(stored.plan.model, item),
    )
