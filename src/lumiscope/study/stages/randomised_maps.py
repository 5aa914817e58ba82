"""Maps of images by a model as it was trained, with random parameters, under another seed and for another class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from lumiscope.attribution import derive_seed
from lumiscope.engines import Report
from lumiscope.errors import TargetError
from lumiscope.study.stages.control_models import random_model
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.study.stages.image_task import ImageTask
from lumiscope.study.stages.stored_maps import StoredMaps
from lumiscope.trust import coarse_map

if TYPE_CHECKING:
    from lumiscope.images import ImageItem
    from lumiscope.study.open_study import OpenStudy
    from lumiscope.types import DoubleArray

TRAINED, RESEEDED, OTHER_CLASS = "as trained", "another seed", "another class"


@dataclass(frozen=True)
class CoarseMap:
    """A map that was made. `version`: of model and question. `cells`: (14, 14)."""

    model: str
    version: str
    method: str
    image: str
    cells: DoubleArray


@dataclass(frozen=True)
class ExplainVersion(ImageTask):
    """Explain some images by one version of a model, or about another class.

    `version`: "as trained", "another seed", "another class", or the number of a random network. `fit`: the images that
    batch normalisation of a random network is fitted to, whichever are explained. `methods`: by which they are.
    """

    version: str
    fit: tuple[str, ...]
    methods: tuple[str, ...]

    @property
    def key(self) -> str:
        """The model, the version, the first method and the first image."""
        return f"randomising {self.model}, {self.version}, {self.methods[0]}: {self.items[0]}"

    def run(self, study: OpenStudy, report: Report) -> list[CoarseMap]:
        """The maps of the methods; none of a network whose scores are not finite."""
        plan, items = self._plan(study), study.explained(self.items)
        try:
            return [
                CoarseMap(self.model, self.version, saliency.method, item.id, coarse_map(saliency.values))
                for target, of_target in self._targets(study, items).items()
                for stored in [_computed(replace(plan, target=target), study, of_target)]
                for item in of_target
                for saliency in stored.read(item)
            ]
        except TargetError:
            if self.version.isdecimal():
                return []
            raise

    def _plan(self, study: OpenStudy) -> ExplanationPlan:
        """What makes the maps of this version."""
        whole = study.plans[self.model]
        plan = replace(whole, methods=tuple(pair for pair in whole.methods if pair[0].name in self.methods))
        if self.version in (TRAINED, OTHER_CLASS):
            return plan
        if self.version == RESEEDED:
            return replace(plan, seed=plan.seed + 1)
        model, fit = study.dissectable[self.model], study.explained(self.fit)
        return replace(plan, model=random_model(model, int(self.version), plan.seed, fit, study.memo))

    def _targets(self, study: OpenStudy, items: Sequence[ImageItem]) -> Mapping[str | int, list[ImageItem]]:
        """What is explained, with its images: the class of the trained network, also by a random one."""
        stored = study.stored_maps[self.model]
        if self.version in (TRAINED, RESEEDED):
            return {stored.plan.target: list(items)}
        targets: dict[str | int, list[ImageItem]] = {}
        for item in items:
            target = stored.read_one(item, stored.plan.methods[0][0].name).target.index
            if self.version == OTHER_CLASS:
                target = _another(target, stored.plan, item.id)
            targets.setdefault(target, []).append(item)
        return targets


def _computed(plan: ExplanationPlan, study: OpenStudy, items: Sequence[ImageItem]) -> StoredMaps:
    """The maps of a plan, made where they are missing."""
    stored = StoredMaps(plan, study.memo)
    stored.compute(items, track=study.track)
    return stored


def _another(target: int, plan: ExplanationPlan, item_id: str) -> int:
    """Any class but `target`, each as likely as another."""
    random = np.random.default_rng(derive_seed(plan.seed, item_id, "another class"))
    return int((target + random.integers(1, len(plan.model.classes))) % len(plan.model.classes))
