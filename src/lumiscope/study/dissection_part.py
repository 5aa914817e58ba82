"""The dissection of a study: labels of all its models, and the tables and facts that follow from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lumiscope.concepts import CATEGORIES, ConceptSet
from lumiscope.dissection import (
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
from lumiscope.scorers import Scorer
from lumiscope.scorers.masks import MaskScorer
from lumiscope.store import Store
from lumiscope.study import tables as rows_of
from lumiscope.study.config import Study
from lumiscope.study.dissect import dissect, merge_labels
from lumiscope.study.network_dissection import network_dissection
from lumiscope.study.unit_crops import crops_of_shown
from lumiscope.types import UnitLabels


@dataclass(frozen=True)
class DissectionPart:
    """What the dissection of a study found. `tables`: by name, as in the run folder. `manifest`: facts for it."""

    labels: UnitLabels
    tables: dict[str, pa.Table] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)


def dissect_models(
    study: Study,
    models: Sequence[TorchModel],
    probe: ImageSet,
    scorer: Scorer,
    concepts: ConceptSet,
    store: Store,
    track: Track,
) -> DissectionPart:
    """Label the units of every model, and make the tables about them.

    A probing image on which one model fails is left out for all of them, so that they are compared on the same images.
    """
    labels, probe = _labels(study, models, probe, scorer, concepts, store, track)
    units = labels.to_table()
    crops = [row for model in models for row in crops_of_shown(model, probe, units, store=store, track=track)]
    annotations = _annotations(study, probe, scorer)
    detectors = [
        layer
        for model in models
        if annotations is not None
        for layer in _network_dissection(study, model, probe, annotations, store, track)
    ]
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
    manifest = {
        "similarity": labels.similarity,
        "pooling": study.pooling,
        "fdr": study.fdr,
        "min_stability": study.min_stability,
        "similarity_notes": list(labels.notes),
        "concepts": {
            "name": concepts.name,
            "count": len(concepts),
            "other_share": concepts.other_share,
            "notes": list(concepts.notes),
            "categories": concepts.counts(),
        },
    }
    return DissectionPart(labels, tables, manifest)


def _labels(
    study: Study,
    models: Sequence[TorchModel],
    probe: ImageSet,
    scorer: Scorer,
    concepts: ConceptSet,
    store: Store,
    track: Track,
) -> tuple[UnitLabels, ImageSet]:
    """The labels of all models, and the probing images that none of them failed on."""
    notes: list[str] = []
    while True:
        parts = [
            dissect(
                model,
                probe,
                layers=study.layers,
                scorer=scorer,
                concepts=concepts,
                similarity=study.similarity,
                pooling=study.pooling,
                evidence=EvidenceOptions(fdr=study.fdr, min_stability=study.min_stability),
                seed=study.seed,
                store=store,
                track=track,
            )
            for model in models
        ]
        common = set.intersection(*(set(part.image_ids) for part in parts))
        notes += [note for part in parts for note in part.notes]
        if len(common) == len(probe):
            return dataclasses.replace(merge_labels(parts), notes=tuple(dict.fromkeys(notes))), probe
        probe = dataclasses.replace(probe, items=tuple(item for item in probe if item.id in common))


def _annotations(study: Study, probe: ImageSet, scorer: Scorer) -> Annotations | None:
    """What is at each pixel of the probing images, where that is known: as the study says, else the scorer's own."""
    if study.annotations is not None:
        return open_annotations(study.annotations, probe)
    if isinstance(scorer, MaskScorer):
        return dataclasses.replace(scorer.annotations, images=probe)
    return open_annotations(None, probe) if all(isinstance(item, WorldImage) for item in probe) else None


def _network_dissection(
    study: Study, model: TorchModel, probe: ImageSet, annotations: Annotations, store: Store, track: Track
) -> tuple[NetworkDissection, ...]:
    """Detectors in those of the study's layers that have maps."""
    layers = [name for name in model.select_layers(study.layers) if map_probe(model, name) is not None]
    return network_dissection(
        model, probe, layers=layers, annotations=annotations, seed=study.seed, store=store, track=track
    )
