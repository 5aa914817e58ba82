"""Which methods notice that all parameters of a network are random, or that another class is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lumiscope.attribution import AttributionMethod
from lumiscope.models import TorchModel
from lumiscope.runs import Dependence, ExplanationRow, ImageGroups, ImageRow, RandomisationRow, Randomised
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.study.stages.randomised_maps import (
    OTHER_CLASS,
    RESEEDED,
    TRAINED,
    ExplainVersion,
)
from lumiscope.trust import Randomisation, compare_randomised

if TYPE_CHECKING:
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import DoubleArray

IMAGES = 10  # at most: it is about the method, not about every picture
OF_MANY_PASSES = 5  # by methods that ask the network again and again for one map
NETWORKS = 5  # random ones, by each way to randomise in turn
BLIND = "by construction: the method does not look at the class"
CLOSED = "only the model's predictions are known: its parameters cannot be made random"
NOT_FINITE = "the scores of the random networks are not finite"
NOTHING = Randomisation(np.zeros(0), np.zeros(0), math.nan, math.nan, math.nan, math.nan)
VERDICTS = {
    Randomised.PARAMETERS: {True: Dependence.NETWORK, False: Dependence.NO_NETWORK, None: Dependence.CANNOT_TELL},
    Randomised.TARGET: {True: Dependence.CLASS, False: Dependence.NO_CLASS, None: Dependence.CANNOT_TELL},
}


@stage("randomisation")
class RandomisationStage(Stage):
    """Explains by random networks, and about other classes."""

    needs = (ImageRow, ExplanationRow)
    writes = (RandomisationRow,)

    def applies(self, study: OpenStudy) -> bool:
        """With images to explain, where explanations are judged."""
        return study.images is not None and study.run.trust

    def tasks(self, study: OpenStudy, tables: Tables) -> list[ExplainVersion]:
        """The first images by every version of each model, fewer of them by methods of many passes."""
        ids = tuple(dict.fromkeys(row.image for row in tables.rows(ExplanationRow)))[:IMAGES]
        return [
            ExplainVersion(model, of_methods, version, ids, methods)
            for model, plan in study.plans.items()
            for version in _versions(plan)
            for perturbs, of_methods in ((False, ids), (True, ids[:OF_MANY_PASSES]))
            if (methods := _changed_by(version, plan, perturbs=perturbs)) and ids
        ]

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """Two rows for each method of a model."""
        maps: dict[tuple[str, str], dict[str, dict[str, DoubleArray]]] = {}
        for coarse in (coarse for task in results.results for coarse in task):
            of_method = maps.setdefault((coarse.model, coarse.method), {})
            of_method.setdefault(coarse.version, {})[coarse.image] = coarse.cells
        groups, seed = ImageGroups.of(tables.rows(ImageRow)), study.run.seed
        rows = [
            row
            for model, plan in study.plans.items()
            for method, _ in plan.methods
            if (model, method.name) in maps
            for compared in [_OneMethod(plan, method, maps[model, method.name], groups, seed)]
            for row in (compared.with_random_parameters(), compared.about_another_class())
        ]
        return Collected({RandomisationRow: rows}, skipped=results.skipped("map", study.images or ()))


def _versions(plan: ExplanationPlan) -> list[str]:
    networks = range(NETWORKS if isinstance(plan.model, TorchModel) else 0)
    return [TRAINED, RESEEDED, OTHER_CLASS, *map(str, networks)]


def _changed_by(version: str, plan: ExplanationPlan, *, perturbs: bool) -> tuple[str, ...]:
    """The methods whose maps a version may change."""
    may_change = {
        RESEEDED: {method.name for method, _ in plan.drawing},
        OTHER_CLASS: {method.name for method, _ in plan.methods if not method.class_blind},
    }
    everyone = [method.name for method, _ in plan.methods if method.perturbs is perturbs]
    return tuple(name for name in everyone if name in may_change.get(version, everyone))


@dataclass(frozen=True)
class _OneMethod:
    """A method of a plan. `maps`: version -> image -> (14, 14) cells of its map."""

    plan: ExplanationPlan
    method: AttributionMethod[Any]
    maps: Mapping[str, Mapping[str, DoubleArray]]
    groups: ImageGroups
    seed: int

    def with_random_parameters(self) -> RandomisationRow:
        """The row of all parameters."""
        networks = [version for version in self.maps if version.isdecimal()]
        if not isinstance(self.plan.model, TorchModel):
            return self._untold(Randomised.PARAMETERS, CLOSED)
        if not networks:
            return self._untold(Randomised.PARAMETERS, NOT_FINITE)
        compared = self._compared(networks)
        return self._row(Randomised.PARAMETERS, compared, len(networks), compared.share, compared.reason)

    def about_another_class(self) -> RandomisationRow:
        """The row of the class."""
        if self.method.class_blind:
            compared = self._compared([TRAINED])
            row = self._row(Randomised.TARGET, compared, 0, None, BLIND)
            return replace(row, verdict=Dependence.NO_CLASS)
        compared = self._compared([OTHER_CLASS])
        return self._row(Randomised.TARGET, compared, 0, None, compared.reason)

    def _compared(self, versions: Sequence[str]) -> Randomisation:
        """The maps as trained with those of some versions, on the images that all of them have."""
        needed = [TRAINED, *versions, *([RESEEDED] if RESEEDED in self.maps else [])]
        shared = set.intersection(*(set(self.maps.get(version, ())) for version in needed))
        images = [image for image in self.maps.get(TRAINED, ()) if image in shared]
        if not images:
            return NOTHING

        def stacked(version: str) -> DoubleArray:
            return np.stack([self.maps[version][image] for image in images])

        return compare_randomised(
            stacked(TRAINED),
            np.stack([stacked(version) for version in versions]),
            stacked(RESEEDED) if RESEEDED in self.maps else None,
            groups=self.groups(images),
            seed=self.seed,
        )

    def _row(
        self, kind: Randomised, compared: Randomisation, networks: int, share: float | None, reason: str
    ) -> RandomisationRow:
        return RandomisationRow(
            model=self.plan.model.name,
            method=self.method.name,
            kind=kind,
            networks=networks,
            images=compared.images,
            similarity=compared.similarity,
            low=compared.low,
            high=compared.high,
            ceiling=compared.ceiling,
            chance=compared.chance,
            share=share,
            verdict=VERDICTS[kind][compared.depends],
            reason=reason,
        )

    def _untold(self, kind: Randomised, reason: str) -> RandomisationRow:
        return self._row(kind, NOTHING, 0, None, reason)
