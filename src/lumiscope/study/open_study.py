"""A study with its models loaded and its images listed: what stages and their tasks work with."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumiscope.attribution import look_inside
from lumiscope.columns import Columns
from lumiscope.concepts import ConceptSet
from lumiscope.dissection import EvidenceOptions
from lumiscope.engines import LocalEngine
from lumiscope.images import Annotations, ImageItem, ImageSet, WorldImage, open_annotations, prefetch
from lumiscope.memo import Memo
from lumiscope.models import BlackBox, TorchModel, check_files
from lumiscope.progress import Track, silent
from lumiscope.scorers import MaskScorer, Scorer, load_scorer
from lumiscope.study.config import DissectConfig, ExplainConfig, RunConfig
from lumiscope.study.stages.choose_concepts import choose_concepts
from lumiscope.study.stages.explanation_plan import ExplanationPlan, PerImage, check_names_of, layers_of
from lumiscope.study.stages.stored_maps import StoredMaps
from lumiscope.study.stages.stored_scores import StoredScores

AnyModel = TorchModel | BlackBox


@dataclass(frozen=True)
class OpenStudy:
    """What a study is about, ready to be worked on; a task finds here by name what it works on.

    `models`: by name. `target_layers`: where the CAM family looks in each; None, or no entry: the automatic choice.
    `images`: to explain; `probe`: to dissect with; None where the study has no such part. `per_image`: image id ->
    options of its own. `memo`: what is made once. `engines`: makes what does the tasks, of `stop` and `track`.
    `given_scorer`, `given_concepts`, `given_evidence`: objects of a Python caller, instead of what `dissect` names.
    What else stages need is made when it is first asked for.
    """

    run: RunConfig
    explain: ExplainConfig
    dissect: DissectConfig
    models: Mapping[str, AnyModel]
    target_layers: Mapping[str, str | Sequence[str] | None] = field(default_factory=dict)
    images: ImageSet | None = None
    probe: ImageSet | None = None
    per_image: PerImage = field(default_factory=dict)
    memo: Memo = field(default_factory=Memo)
    track: Track = silent
    engines: Callable[..., LocalEngine] = LocalEngine
    given_scorer: Scorer | None = None
    given_concepts: ConceptSet | Sequence[str] | str | None = None
    given_evidence: EvidenceOptions | None = None
    _scores: dict[tuple[str, ...], Columns] = field(default_factory=dict, init=False, repr=False)

    def engine(self, *, stop: bool = False) -> LocalEngine:
        """What does the tasks of a stage. `stop`: whether the first error ends the work."""
        return self.engines(stop=stop, track=self.track)

    def model(self, name: str) -> Any:
        """A model by name."""
        return self.models[name]

    @property
    def asks_for_trust(self) -> bool:
        """Whether explanations are made and judged."""
        return self.images is not None and (self.run.trust or self.run.metrics is not None)

    @functools.cached_property
    def dissectable(self) -> dict[str, TorchModel]:
        """The models that can be dissected. Errors: `UsageError` where none can."""
        opened = {name: model for name, model in self.models.items() if isinstance(model, TorchModel)}
        if opened:
            return opened
        name, model = next(iter(self.models.items()))
        return {name: look_inside(model, "dissection")}

    @functools.cached_property
    def layers(self) -> dict[str, list[str]]:
        """Model -> the layers that are dissected. Errors: `UnknownNameError`, `LayerError`, as `check_files`."""
        for model in self.dissectable.values():
            check_files(model, self.probe or ())
        return {name: model.select_layers(self.dissect.layers) for name, model in self.dissectable.items()}

    @functools.cached_property
    def plans(self) -> dict[str, ExplanationPlan]:
        """Model -> how it is explained; checked, layers and backend found. Errors: see `ExplanationPlan.make`."""
        images = self.images or ()
        for name, model in self.models.items():  # those of all models before any backend is tried
            layer = self.target_layers.get(name)
            layers_of(model, check_names_of(model, self.explain, layer, self.per_image, ()), layer)
            check_files(model, images)
        return {
            name: ExplanationPlan.make(
                model,
                self.explain,
                layer=self.target_layers.get(name),
                seed=self.run.seed,
                images=images,
                per_image=self.per_image,
                memo=self.memo,
            )
            for name, model in self.models.items()
        }

    @functools.cached_property
    def stored_maps(self) -> dict[str, StoredMaps]:
        """Model -> its maps that are kept."""
        return {name: StoredMaps(plan, self.memo) for name, plan in self.plans.items()}

    def explained(self, ids: Iterable[str]) -> list[ImageItem]:
        """Images to explain, by id."""
        return [self._image_of[item_id] for item_id in ids]

    def probed(self, ids: Iterable[str]) -> ImageSet:
        """Probing images, by id."""
        if self.probe is None:
            raise ValueError("this study has no probing images")
        return dataclasses.replace(self.probe, items=tuple(self._probe_of[item_id] for item_id in ids))

    @functools.cached_property
    def _image_of(self) -> dict[str, ImageItem]:
        return {item.id: item for item in self.images or ()}

    @functools.cached_property
    def _probe_of(self) -> dict[str, ImageItem]:
        return {item.id: item for item in self.probe or ()}

    @functools.cached_property
    def scorer(self) -> Scorer:
        """What says which concepts are in the probing images. Errors: those of `load_scorer`."""
        return self.given_scorer or load_scorer(self.dissect.scorer_spec or "", prompts=self.dissect.prompts)

    @functools.cached_property
    def concepts(self) -> ConceptSet:
        """What units may be named with. Errors: `UsageError`."""
        asked = self.dissect.concepts if self.given_concepts is None else self.given_concepts
        return choose_concepts(asked, self.scorer)

    @functools.cached_property
    def evidence(self) -> EvidenceOptions:
        """What a label must pass."""
        return self.given_evidence or EvidenceOptions(fdr=self.dissect.fdr, min_stability=self.dissect.min_stability)

    def concept_scores(self, ids: tuple[str, ...]) -> Columns:
        """(D, K) scores of probing images on the concepts, read once for the same images."""
        if ids not in self._scores:
            self._scores.clear()  # they may be large
            self._scores[ids] = StoredScores(self.scorer, self.probed(ids), self.concepts, self.memo).columns()
        return self._scores[ids]

    @functools.cached_property
    def annotations(self) -> Annotations | None:
        """What is at each pixel of the probing images: as the study says, else the scorer's own; None if unknown."""
        if self.probe is None:
            return None
        if self.dissect.annotations is not None:
            return open_annotations(self.dissect.annotations, self.probe)
        if self.dissect.scorer is not None and isinstance(self.scorer, MaskScorer):
            return self.scorer.annotations
        return open_annotations(None, self.probe) if all(isinstance(item, WorldImage) for item in self.probe) else None

    def make_ready(self, items: Sequence[ImageItem]) -> None:
        """Prepare images whose pixels will be looked at."""
        prefetch(items, track=self.track)
