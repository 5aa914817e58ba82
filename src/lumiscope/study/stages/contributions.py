"""Why a model predicts what it does: the units that contributed most to each image's score, with their labels."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.attribution import PreparedBatch, UnitContributions, unit_contributions
from lumiscope.engines import Report
from lumiscope.errors import LumiscopeError
from lumiscope.images import DECODERS, ImageItem
from lumiscope.memo import Memo
from lumiscope.memo import Results as Kept
from lumiscope.models import TorchModel, label_index
from lumiscope.progress import Track
from lumiscope.runs import ContributionRow, ImageRow, UnitRow
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.stored_maps import map_key
from lumiscope.study.stages.uncut import UncutTask
from lumiscope.unit_address import CLASS_TOKEN

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy

TOP_UNITS = 10
IMAGES_AT_ONCE = 4
ALONE = 1e-4  # where the other units' shares add up to less, the layer gives the scores themselves
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Contributed:
    """What the units of one layer contribute to the target of one image. `target`: the class."""

    image: str
    target: int
    contributions: UnitContributions


@dataclass(frozen=True)
class AccountFor(UncutTask):
    """Find what the units of a layer contribute to each image's target.

    The layer is the last of `layers` that the scores depend on. The layer that gives the scores themselves does not
    count: there a class is its own reason.
    """

    model: str
    layers: tuple[str, ...]
    images: tuple[str, ...]
    target: str | int

    @property
    def key(self) -> str:
        """The model."""
        return f"contributions of the units of {self.model}"

    def run(self, study: OpenStudy, report: Report) -> tuple[str, list[Contributed]] | None:
        """The layer with what its units contribute; None where there is no such layer."""
        model, images = study.dissectable[self.model], study.explained(self.images)
        order = {layer.name: place for place, layer in enumerate(model.layers)}
        for layer in sorted(self.layers, key=lambda name: order[name.removesuffix(CLASS_TOKEN)], reverse=True):
            stored = StoredContributions(model, layer, self.target, study.memo)
            try:
                contributed = list(stored.of(images, study.track))
            except LumiscopeError as error:
                logger.warning("no contributions of the units of %s: %s", layer, error)
                continue
            if _tells_something(contributed):
                return layer, contributed
        return None


def _tells_something(contributed: Sequence[Contributed]) -> bool:
    """Whether the scores depend on the layer, and not, on every image, on the unit of the class itself alone."""
    shares = [(np.abs(image.contributions.shares[0]), image.target) for image in contributed]
    known = [(share, target) for share, target in shares if np.isfinite(share).all()]
    return any(target >= len(share) or share.sum() - share[target] > ALONE for share, target in known)


class StoredContributions:
    """The contributions of the units of one layer, kept; labels are no part of them."""

    def __init__(self, model: TorchModel, address: str, target: str | int, memo: Memo) -> None:
        self._model = model
        self._address = address
        self._target = target
        inputs = {
            "model": model.fingerprint,
            "layer": address,
            "device": model.device.type,
        }
        self._results: Kept = memo.results("contributions", inputs, made_by=[unit_contributions, *DECODERS])

    def of(self, images: Sequence[ImageItem], track: Track) -> Iterator[Contributed]:
        """Yield what is contributed on each image; what is missing is computed a few images at a time."""
        starts = range(0, len(images), IMAGES_AT_ONCE)
        for start in track(starts, f"units that made {self._model.name} predict what it does", len(starts)):
            batch = images[start : start + IMAGES_AT_ONCE]
            keys = [map_key(self._model, item, self._target) for item in batch]
            missing = [row for row, key in enumerate(keys) if key not in self._results]
            if missing:
                computed = self._compute([batch[row] for row in missing])
                self._results.put(dict(zip([keys[row] for row in missing], computed, strict=True)))
            for item, key in zip(batch, keys, strict=True):
                arrays = self._results.get(key)
                target = int(arrays.pop("target")[0])
                yield Contributed(item.id, target, UnitContributions(self._address, **arrays))

    def _compute(self, batch: Sequence[ImageItem]) -> list[dict[str, NDArray[Any]]]:
        views = [self._model.view(item) for item in batch]
        layer = self._address.removesuffix(CLASS_TOKEN)
        prepared = PreparedBatch(self._model, views, layer=layer)
        targets = prepared.targets(self._target, [label_index(self._model, item) for item in batch])
        computed = unit_contributions(prepared.at(layer), targets, class_token=self._address.endswith(CLASS_TOKEN))
        return [
            {
                "contributions": computed.contributions[row : row + 1],
                "errors": computed.errors[row : row + 1],
                "removals": computed.removals[row : row + 1],
                "scores": computed.scores[row : row + 1],
                "baselines": computed.baselines[row : row + 1],
                "steps": computed.steps[row : row + 1],
                "target": np.array([target.index]),
            }
            for row, target in enumerate(targets)
        ]


@stage("contributions")
class Contributions(Stage):
    """Says which units contributed most to what is explained on each image, where units have labels."""

    needs = (UnitRow, ImageRow)
    writes = (ContributionRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain and dissected layers."""
        return study.images is not None and study.probe is not None

    def tasks(self, study: OpenStudy, tables: Tables) -> list[AccountFor]:
        """One for each model."""
        images = tuple(row.image for row in tables.rows(ImageRow))
        return [AccountFor(name, tuple(layers), images, study.explain.target) for name, layers in study.layers.items()]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Rows for each image: its units, the largest |contribution| first."""
        units: dict[tuple[str, str], list[UnitRow]] = {}
        for row in tables.rows(UnitRow):
            units.setdefault((row.model, row.layer), []).append(row)
        rows = []
        for model, result in zip(study.layers, results.results, strict=True):
            if result is not None:
                layer, contributed = result
                rows += [row for image in contributed for row in contribution_rows(model, image, units[model, layer])]
        return Collected({ContributionRow: rows})


def contribution_rows(
    model: str, contributed: Contributed, units: Sequence[UnitRow], top: int = TOP_UNITS
) -> list[ContributionRow]:
    """The `top` units of one image. `units`: all of the layer, by number."""
    values = contributed.contributions
    contributions, shares = values.contributions[0], values.shares[0]
    labelled = np.array([unit.label is not None for unit in units])
    best = np.argsort(-np.abs(contributions), kind="stable")[:top]
    return [
        ContributionRow(
            model=model,
            image=contributed.image,
            layer=units[unit].layer,
            rank=rank,
            unit=int(unit),
            label=units[unit].label,
            nearest=next(iter(units[unit].best_concepts), None),
            contribution=float(contributions[unit]),
            share=float(shares[unit]),
            error=float(abs(values.errors[0, unit] / values.differences[0])),
            removal_share=float(values.removals[0, unit] / values.differences[0]),
            score=float(values.scores[0]),
            baseline_score=float(values.baselines[0]),
            total=float(contributions.sum()),
            labelled_total=float(contributions[labelled].sum()),
            completeness_error=float(values.completeness_error[0]),
            steps=int(values.steps[0]),
        )
        for rank, unit in enumerate(best, 1)
    ]
