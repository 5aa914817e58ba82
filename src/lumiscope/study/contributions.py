"""Why a model predicts what it does: the units that contributed most to each image's score, with their labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lumiscope.attribution import PreparedBatch
from lumiscope.attribution.contributions import MOST_STEPS, TOLERANCE, UnitContributions, unit_contributions
from lumiscope.errors import LumiscopeError
from lumiscope.images import ImageItem
from lumiscope.models import TorchModel, label_index, short_name
from lumiscope.progress import Track, silent
from lumiscope.store import Collection, Store
from lumiscope.study.map_store import map_key
from lumiscope.types import LayerLabels, UnitLabels
from lumiscope.unit_address import CLASS_TOKEN

VERSION = 1  # raised whenever the numbers change, so that stored ones are not taken for new ones
TOP_UNITS = 10
IMAGES_AT_ONCE = 4
ALONE = 1e-4  # where the other units' shares add up to less, the layer gives the scores themselves
CONTRIBUTION_SCHEMA = pa.schema(
    [
        ("model", pa.string()),
        ("image", pa.string()),
        ("layer", pa.string()),
        ("rank", pa.int64()),
        ("unit", pa.int64()),
        ("label", pa.string()),
        ("nearest", pa.string()),
        ("contribution", pa.float64()),
        ("share", pa.float64()),
        ("target_index", pa.int64()),
        ("target_name", pa.string()),
        ("target_short_name", pa.string()),
        ("score", pa.float64()),
        ("baseline_score", pa.float64()),
        ("total", pa.float64()),
        ("labelled_total", pa.float64()),
        ("completeness_error", pa.float64()),
        ("steps", pa.int64()),
    ]
)
"""One row an image and unit, the largest contribution first. `nearest`: the concept that the unit is most like, with or
without evidence; null where it is like none. `share`: of `score` - `baseline_score`, S(A) - S(0).

The same for all rows of an image: the target, `total` and `labelled_total`, the sums over all units of the layer and
over those with a label, `completeness_error`, |total - (S(A) - S(0))| as a share of S(A) - S(0), and `steps`, the nodes
of the integration (0: a closed form). Shares are NaN where the score does not depend on the layer.
"""
logger = logging.getLogger(__name__)


def contribution_table(
    models: Sequence[TorchModel],
    images: Sequence[ImageItem],
    labels: UnitLabels,
    *,
    target: str | int = "predicted",
    top: int = TOP_UNITS,
    store: Store | None = None,
    track: Track = silent,
) -> pa.Table:
    """The `top` units of each model and image, by |contribution|, in one of the dissected layers.

    That is the last one, of those that the scores depend on. The layer that gives the scores themselves does not count:
    there a class is its own reason. `target`: as in `explain`. `store`:
    where contributions are kept; labels are no part of them. Returns a table with the columns of
    `CONTRIBUTION_SCHEMA`; a model that has no such layer has no rows.
    """
    rows: list[dict[str, Any]] = []
    for model in models:
        for layer in _candidates(model, labels):
            account = _Account(model, layer.layer, target, store)
            try:
                found = list(account.of(images, track))
            except LumiscopeError as error:
                logger.warning("no contributions of the units of %s: %s", layer.layer, error)
                continue
            if _tells_something(found):
                for item, (made, index) in zip(images, found, strict=True):
                    rows += _rows(model, item, layer, labels, made, index, top)
                break
    return pa.Table.from_pylist(rows, schema=CONTRIBUTION_SCHEMA)


def _candidates(model: TorchModel, labels: UnitLabels) -> list[LayerLabels]:
    """The dissected layers of a model, the last first."""
    order = {layer.name: place for place, layer in enumerate(model.layers)}
    own = [layer for layer in labels.layers if layer.model == model.name]
    return sorted(own, key=lambda layer: order[layer.layer.removesuffix(CLASS_TOKEN)], reverse=True)


def _tells_something(found: Sequence[tuple[UnitContributions, int]]) -> bool:
    """Whether the scores depend on the layer, and not, on every image, on the unit of the class itself alone."""
    shares = [(np.abs(made.shares[0]), target) for made, target in found]
    known = [(share, target) for share, target in shares if np.isfinite(share).all()]
    return any(target >= len(share) or share.sum() - share[target] > ALONE for share, target in known)


@dataclass(frozen=True)
class _Account:
    """The contributions of the units of one layer, in the store where there is one."""

    model: TorchModel
    address: str
    target: str | int
    store: Store | None

    def of(self, images: Sequence[ImageItem], track: Track) -> Iterator[tuple[UnitContributions, int]]:
        """Yield for each image the contributions, with a batch of 1, and the target's index."""
        kept = self._collection()
        starts = range(0, len(images), IMAGES_AT_ONCE)
        for at in track(starts, f"units that made {self.model.name} predict what it does", len(starts)):
            batch = images[at : at + IMAGES_AT_ONCE]
            keys = [map_key(self.model, item, self.target) for item in batch]
            results: dict[str, Mapping[str, NDArray[Any]]] = {}
            missing = [row for row, key in enumerate(keys) if kept is None or key not in kept]
            if missing:
                made = self._compute([batch[row] for row in missing])
                results = dict(zip([keys[row] for row in missing], made, strict=True))
                if kept is not None:
                    kept.put(results)
            for key in keys:
                arrays = results[key] if key in results or kept is None else kept.get(key)
                parts = {name: array for name, array in arrays.items() if name != "target"}
                yield UnitContributions(self.address, **parts), int(arrays["target"][0])

    def _compute(self, batch: Sequence[ImageItem]) -> list[dict[str, NDArray[Any]]]:
        views = [self.model.view(item) for item in batch]
        prepared = PreparedBatch(self.model, views, layer=self.address.removesuffix(CLASS_TOKEN))
        targets = prepared.targets(self.target, [label_index(self.model, item) for item in batch])
        made = unit_contributions(prepared, targets, class_token=self.address.endswith(CLASS_TOKEN))
        return [
            {
                "contributions": made.contributions[row : row + 1],
                "scores": made.scores[row : row + 1],
                "baselines": made.baselines[row : row + 1],
                "steps": made.steps[row : row + 1],
                "target": np.array([target.index]),
            }
            for row, target in enumerate(targets)
        ]

    def _collection(self) -> Collection | None:
        scope = {
            "model": self.model.fingerprint,
            "layer": self.address,
            "tolerance": TOLERANCE,
            "most_steps": MOST_STEPS,
            "device": self.model.device.type,
            "version": VERSION,
        }
        return None if self.store is None else self.store.collection("contributions", scope)


def _rows(
    model: TorchModel,
    item: ImageItem,
    layer: LayerLabels,
    labels: UnitLabels,
    made: UnitContributions,
    target: int,
    top: int,
) -> list[dict[str, Any]]:
    """The rows of one image."""
    contributions, shares = made.contributions[0], made.shares[0]
    common = {
        "model": model.name,
        "image": item.id,
        "layer": layer.layer,
        "target_index": target,
        "target_name": model.classes[target],
        "target_short_name": short_name(model.classes[target]),
        "score": float(made.scores[0]),
        "baseline_score": float(made.baselines[0]),
        "total": float(contributions.sum()),
        "labelled_total": float(contributions[layer.concept >= 0].sum()),
        "completeness_error": float(made.completeness_error[0]),
        "steps": int(made.steps[0]),
    }
    best = np.argsort(-np.abs(contributions), kind="stable")[:top]
    return [
        {
            **common,
            "rank": rank,
            "unit": int(unit),
            "label": labels.concepts[layer.concept[unit]] if layer.concept[unit] >= 0 else None,
            "nearest": labels.concepts[layer.best[unit, 0]] if layer.best[unit, 0] >= 0 else None,
            "contribution": float(contributions[unit]),
            "share": float(shares[unit]),
        }
        for rank, unit in enumerate(best, 1)
    ]
