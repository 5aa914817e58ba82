"""The dissection of a study: labels of all its models, and the tables and facts that follow from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from lumiscope.concepts import CATEGORIES, ConceptSet
from lumiscope.dissection import (
    SIMILARITIES,
    EvidenceOptions,
    category_histogram,
    concept_counts,
    layer_summary,
    map_probe,
    model_differences,
)
from lumiscope.dissection.network_dissection import NetworkDissection, detector_table, unit_table
from lumiscope.images import Annotations, ImageSet, WorldImage, open_annotations
from lumiscope.models import TorchModel
from lumiscope.progress import Track
from lumiscope.scorers import Scorer, load_scorer
from lumiscope.scorers.masks import MaskScorer
from lumiscope.store import Store
from lumiscope.study import tables as rows_of
from lumiscope.study.config import Study
from lumiscope.study.dissect import AUTO, choose_concepts, dissect, merge_labels
from lumiscope.study.network_dissection import network_dissection
from lumiscope.study.unit_crops import crops_of_shown
from lumiscope.types import UnitLabels


@dataclass(frozen=True)
class DissectionPart:
    """What the dissection of a study found. `tables`: by name, as in the run folder. `manifest`: facts for it."""

    labels: UnitLabels
    tables: dict[str, pa.Table]
    manifest: dict[str, Any]


@dataclass(frozen=True)
class StudyDissection:
    """How a study dissects its models. `annotations`: what is at each pixel of `probe`; None where it is not known."""

    study: Study
    probe: ImageSet
    scorer: Scorer
    concepts: ConceptSet
    annotations: Annotations | None
    store: Store
    track: Track

    @classmethod
    def make(cls, study: Study, probe: ImageSet, store: Store, track: Track) -> StudyDissection:
        """Resolve every name, so that a mistake shows before anything is computed. Errors: those of `dissect`."""
        if study.similarity != AUTO:
            SIMILARITIES.check(study.similarity)
        scorer = load_scorer(study.scorer_spec or "", prompts=study.prompts)
        concepts = choose_concepts(study.concepts, scorer)
        scorer.check(probe, concepts)
        return cls(study, probe, scorer, concepts, _annotations(study, probe, scorer), store, track)

    def run(self, models: Sequence[TorchModel]) -> DissectionPart:
        """Label the units of every model, and make the tables about them.

        A probing image on which one model fails is left out for all of them, so that they are compared on the same
        images.
        """
        labels, probe = self._labels(models)
        units = labels.to_table()
        crops = [
            row for model in models for row in crops_of_shown(model, probe, units, store=self.store, track=self.track)
        ]
        detectors = [layer for model in models for layer in self._network_dissection(model, probe)]
        tables = {
            "layers": layer_summary(labels),
            "probing_images": rows_of.as_table("probing_images", rows_of.probing_rows(probe)),
            "units": units,
            "unit_crops": rows_of.as_table("unit_crops", crops),
            "concept_counts": concept_counts(labels),
            "categories": category_histogram(labels, CATEGORIES),
            "model_differences": model_differences(labels),
            "network_dissection": unit_table(detectors),
            "detectors": detector_table(detectors),
        }
        return DissectionPart(labels, tables, self._facts(labels))

    def _labels(self, models: Sequence[TorchModel]) -> tuple[UnitLabels, ImageSet]:
        """The labels of all models, and the probing images that none of them failed on."""
        study, probe = self.study, self.probe
        notes: list[str] = []
        while True:
            parts = [
                dissect(
                    model,
                    probe,
                    layers=study.layers,
                    scorer=self.scorer,
                    concepts=self.concepts,
                    similarity=study.similarity,
                    pooling=study.pooling,
                    evidence=EvidenceOptions(fdr=study.fdr, min_stability=study.min_stability),
                    seed=study.seed,
                    store=self.store,
                    track=self.track,
                )
                for model in models
            ]
            common = set.intersection(*(set(part.image_ids) for part in parts))
            notes += [note for part in parts for note in part.notes]
            if len(common) == len(probe):
                return dataclasses.replace(merge_labels(parts), notes=tuple(dict.fromkeys(notes))), probe
            probe = dataclasses.replace(probe, items=tuple(item for item in probe if item.id in common))

    def _network_dissection(self, model: TorchModel, probe: ImageSet) -> tuple[NetworkDissection, ...]:
        """Detectors in those of the study's layers that have maps, where annotations are known."""
        layers = [name for name in model.select_layers(self.study.layers) if map_probe(model, name) is not None]
        if self.annotations is None or not layers:
            return ()
        return network_dissection(
            model,
            probe,
            layers=layers,
            annotations=dataclasses.replace(self.annotations, images=probe),
            seed=self.study.seed,
            store=self.store,
            track=self.track,
        )

    def _facts(self, labels: UnitLabels) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "similarity": labels.similarity,
            "pooling": self.study.pooling,
            "fdr": self.study.fdr,
            "min_stability": self.study.min_stability,
            "similarity_notes": list(labels.notes),
            "concepts": {
                "name": self.concepts.name,
                "count": len(self.concepts),
                "other_share": self.concepts.other_share,
                "notes": list(self.concepts.notes),
                "categories": self.concepts.counts(),
            },
        }


def _annotations(study: Study, probe: ImageSet, scorer: Scorer) -> Annotations | None:
    """What is at each pixel of the probing images, where that is known: as the study says, else the scorer's own."""
    if study.annotations is not None:
        return open_annotations(study.annotations, probe)
    if isinstance(scorer, MaskScorer):
        return scorer.annotations
    return open_annotations(None, probe) if all(isinstance(item, WorldImage) for item in probe) else None
