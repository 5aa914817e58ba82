"""Dissection in Python: a model and probing images to a label for every unit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lumiscope.attribution import look_inside
from lumiscope.concepts import ConceptSet
from lumiscope.dissection import EvidenceOptions, NetworkDissection, UnitLabels
from lumiscope.images import ImageSet
from lumiscope.memo import Memo
from lumiscope.models import VisionModel
from lumiscope.progress import Track, silent
from lumiscope.scorers import Scorer, load_scorer
from lumiscope.store import Store
from lumiscope.study.config import AUTO, DissectConfig, ExplainConfig, RunConfig
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stage import STAGES, Tables, run_stage
from lumiscope.study.stages.detectors import DissectNetwork
from lumiscope.study.stages.labels import labels_of


def dissect(
    model: VisionModel,
    probing_images: ImageSet,
    *,
    layers: Sequence[str] | str,
    scorer: Scorer | str,
    concepts: ConceptSet | Sequence[str] | str | None = None,
    similarity: str = AUTO,
    pooling: Literal["mean", "max"] = "mean",
    evidence: EvidenceOptions | None = None,
    seed: int = 0,
    store: Store | None = None,
    track: Track = silent,
) -> UnitLabels:
    """Label every unit of the layers with the concept that its activations are most like, or say why there is none.

    `layers`: names, wildcards, "auto" or "auto:5"; "blocks.11@class" is the class token of a layer of tokens.
    `scorer`: a spec as "open_clip:ViT-B-32/openai", "table:FILE" or "masks", or a scorer.
    `concepts`: a file, "visual" (the shipped set), words or a concept set; None: the scorer's own words, else "visual".
    `similarity`: see `lumiscope.dissection.similarity_methods`; "auto" chooses by what the scores are.
    `pooling`: how a map becomes one number an image. `evidence`: what a label must pass; None: the defaults.
    `seed`: permutations, halves and resamples derive from it.
    `store`: where activations, scores and labels are kept; None: nowhere.
    Errors: `UnknownNameError`, `LayerError`, `ScorerError`, `UsageError`.
    """
    config = DissectConfig(
        layers=[layers] if isinstance(layers, str) else list(layers), similarity=similarity, pooling=pooling
    )
    return Dissecting.of(
        model,
        probing_images,
        config,
        run=RunConfig(seed=seed),
        memo=Memo(store),
        track=track,
        given_scorer=load_scorer(scorer) if isinstance(scorer, str) else scorer,
        given_concepts=concepts,
        given_evidence=evidence,
    ).labels()


@dataclass(frozen=True)
class Dissecting:
    """One model and probing images, ready to be dissected: by the same tasks as in a study, and with the same store."""

    study: OpenStudy

    @classmethod
    def of(
        cls,
        model: VisionModel,
        probing_images: ImageSet,
        config: DissectConfig,
        *,
        run: RunConfig,
        memo: Memo,
        track: Track = silent,
        **given: Any,
    ) -> Dissecting:
        """`given`: objects instead of names, see `OpenStudy`. Errors: `UsageError` for a model that only predicts."""
        opened = look_inside(model, "dissection")
        study = OpenStudy(
            run=run,
            explain=ExplainConfig(),
            dissect=config,
            models={opened.name: opened},
            probe=probing_images,
            memo=memo,
            track=track,
            **given,
        )
        return cls(study)

    def labels(self) -> UnitLabels:
        """The labels of the units, by the stages that lead to them. Errors: as `dissect`."""
        for name in ("activations", "concept_scores", "labels"):
            STAGES[name].check(self.study)
        tables = Tables()
        _, read = run_stage("activations", self.study, tables)
        run_stage("concept_scores", self.study, tables)
        results, _ = run_stage("labels", self.study, tables)
        labels = labels_of(self.study.concepts, results)
        return dataclasses.replace(labels, notes=(*labels.notes, *read.facts["similarity_notes"]))

    def detectors(self, *, quantile: float, least_iou: float, compositions: bool) -> Sequence[NetworkDissection]:
        """What the units detect, layer by layer. Errors: as `network_dissection`."""
        ((name, layers),) = self.study.layers.items()
        images = tuple(item.id for item in self.study.probe or ())
        task = DissectNetwork(name, tuple(layers), images, quantile, least_iou, compositions)
        ((_, detections),) = self.study.engine().map([task], self.study, "detectors")
        return detections
