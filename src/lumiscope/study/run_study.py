"""A study from its config to a run folder: results in the store, tables, findings and a manifest."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from lumiscope.agreement import Agreement, compare, parse_rule, summarise
from lumiscope.images import ImageSet, open_images
from lumiscope.models import label_index
from lumiscope.progress import Track, silent
from lumiscope.store import Store, write_atomically
from lumiscope.study import tables as rows_of
from lumiscope.study.abilities import AnyModel, dissectable, left_out, methods_of
from lumiscope.study.circumstances import circumstances
from lumiscope.study.clip_dissect import save_clip_dissect_of_models
from lumiscope.study.config import ModelConfig, Study, model_names, save_study
from lumiscope.study.contributions import contribution_table
from lumiscope.study.dissection_part import StudyDissection
from lumiscope.study.explain import ExplanationPlan, PerImage, method_facts
from lumiscope.study.findings import find
from lumiscope.study.lime.parameters import read_lime_parameters
from lumiscope.study.load_configured import load_configured
from lumiscope.study.log import logged_to
from lumiscope.study.run_folder import STORE, Run
from lumiscope.study.schemas import SCHEMAS
from lumiscope.study.stored_explanations import StoredExplanations
from lumiscope.types import BoolArray, UnitLabels

logger = logging.getLogger(__name__)


def compute(study: Study, *, command: str | None = None, track: Track = silent) -> Run:
    """Compute what a study asks for and write its run folder, except the report.

    What is in the store already is not computed again, so that a run that was killed goes on where it was. `command`:
    how a user would make this run again. Errors: `UsageError` before anything is computed; others leave the store as
    far as it came.
    """
    study.check()
    work = _Work(study, Store(Path(study.runs) / STORE), track)
    images, probe = work.open(study.images), work.open(study.probe)
    named = zip(study.models, model_names(study.models), strict=True)
    models = [load_configured(config, name) for config, name in named]
    work.prepare(models, images, probe)
    save_study(study, study.folder / "study.toml")
    (study.folder / "manifest.json").unlink(missing_ok=True)  # its absence says that the run has not finished
    with logged_to(study.folder / "log.jsonl"):
        work.dissect(models)  # first, as it is mostly quicker
        if images is not None:
            work.explain(images)
            work.collect(images)
            work.account_for(models, images)
        work.finish(models, images, probe, command)
    return Run.open(study.folder)


@dataclass
class _Work:
    """A study under way: the tables, as far as they are filled."""

    study: Study
    store: Store
    track: Track
    started: float = field(default_factory=time.time)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in SCHEMAS})
    tables: dict[str, pa.Table] = field(default_factory=dict)
    plans: list[ExplanationPlan] = field(default_factory=list)
    dissection: StudyDissection | None = None
    labels: UnitLabels | None = None
    stored: list[StoredExplanations] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    manifest: dict[str, Any] = field(default_factory=dict)

    def open(self, source: str | None) -> ImageSet | None:
        """Open images to explain or to probe with, and keep what was skipped."""
        if source is None:
            return None
        images = open_images(source, on_error=self.study.on_error, track=self.track)
        what = "image" if source == self.study.images else "probing image"
        self.rows["skipped"] += rows_of.skipped_rows(what, images.skipped)
        return images

    def prepare(self, models: Sequence[AnyModel], images: ImageSet | None, probe: ImageSet | None) -> None:
        """Resolve every name, so that a mistake shows before anything is computed."""
        study = self.study
        for rule in study.masks.values():
            parse_rule(rule)
        if probe is not None:
            self.dissection = StudyDissection.make(study, probe, self.store, self.track)
            for opened in dissectable(models):
                opened.select_layers(study.layers)
        if images is not None:
            own = self._per_image(images)
            self.plans = [self._plan(*pair, images, own) for pair in zip(models, study.models, strict=True)]
            _warn_of_foreign_labels(models, images)
        for model in models:
            if words := left_out(study, model):
                logger.warning("%s %s", model.name, words)

    def explain(self, images: ImageSet) -> None:
        """Compute the maps that are missing."""
        for plan in self.plans:
            stored = StoredExplanations(plan, self.store)
            failed = stored.compute(images, stop=self.study.on_error == "stop", track=self.track)
            self.rows["skipped"] += rows_of.skipped_rows("image", failed)
            self.failed.update(entry.name for entry in failed)
            self.stored.append(stored)

    def _plan(self, model: AnyModel, config: ModelConfig, images: ImageSet, own: PerImage) -> ExplanationPlan:
        study = self.study
        return ExplanationPlan.make(
            model,
            methods_of(study, model),
            target=study.target,
            layer=config.target_layer,
            options=study.options,
            seed=study.seed,
            backend=study.backend,
            precision=study.precision,
            images=images,
            store=self.store,
            per_image=own,
        )

    def _per_image(self, images: ImageSet) -> PerImage:
        """The options of LIME that single images have of their own; what the study's options say wins."""
        if self.study.lime_params is None:
            return {}
        parameters = read_lime_parameters(Path(self.study.lime_params))
        self.manifest["lime_params"] = parameters.notes_on(images)
        for note in self.manifest["lime_params"]:
            logger.warning("%s", note)
        return parameters.for_images(images, self.study.options.get("lime"))

    def collect(self, images: ImageSet) -> None:
        """Fill the tables of images, predictions, maps and agreement; an image that failed somewhere is left out."""
        kept = self._kept(images)
        self.tables["images"] = rows_of.image_table(kept)
        agreements = [self._collect_model(stored, kept) for stored in self.stored]
        self.tables["agreement"] = pa.concat_tables([agreement.to_table() for agreement in agreements])
        self.tables["agreement_summary"] = summarise(agreements, seed=self.study.seed)

    def _kept(self, images: ImageSet) -> ImageSet:
        return ImageSet(tuple(item for item in images if item.name not in self.failed), images.source)

    def _collect_model(self, stored: StoredExplanations, images: ImageSet) -> Agreement:
        model, masks = stored.plan.model, self.study.masks
        pieces: list[Agreement] = []
        for item in self.track(images, f"comparing maps of {model.name}", len(images)):
            maps = stored.read(item)
            logits = stored.logits(item)
            self.rows["predictions"] += rows_of.prediction_rows(model, item, logits)
            predicted = int(logits.argmax())
            self.rows["explanations"] += [rows_of.explanation_row(model, item, one, predicted, stored) for one in maps]
            mask = item.mask
            truth: dict[str, BoolArray] = {} if mask is None else {item.id: model.geometry.mask_on_view(mask)}
            pieces.append(compare(maps, masks=masks, truth=truth, model=model.name))
        self._note_timings(stored, images)
        return Agreement(tuple(row for piece in pieces for row in piece.rows), model.name)

    def _note_timings(self, stored: StoredExplanations, images: ImageSet) -> None:
        seconds = stored.seconds_each(images)
        self.manifest.setdefault("timings", []).extend(
            {
                "model": stored.plan.model.name,
                "method": name,
                "images": len(images),
                "computed": stored.computed[name],
                "seconds_each": None if math.isnan(each) else each,
            }
            for name, each in seconds.items()
        )
        self.manifest.setdefault("methods", {}).update(method_facts(stored.plan, self.study.masks))

    def dissect(self, models: Sequence[AnyModel]) -> None:
        """Label units and fill the tables about them."""
        if self.dissection is None:
            return
        part = self.dissection.run(dissectable(models))
        self.labels = part.labels
        self.tables |= part.tables
        self.manifest |= part.manifest
        save_clip_dissect_of_models(part.tables["units"], self.study.folder / "clip-dissect")

    def account_for(self, models: Sequence[AnyModel], images: ImageSet) -> None:
        """Say which units contributed most to what is predicted for each image, where units have labels."""
        if self.labels is None:
            return
        self.tables["contributions"] = contribution_table(
            dissectable(models),
            self._kept(images),
            self.labels,
            target=self.study.target,
            store=self.store,
            track=self.track,
        )

    def finish(
        self, models: Sequence[AnyModel], images: ImageSet | None, probe: ImageSet | None, command: str | None
    ) -> None:
        """Write tables, findings and, last, the manifest: a run folder without one has not finished."""
        layers = [stored.plan.layer for stored in self.stored] or [None] * len(models)
        self.rows["models"] = [
            rows_of.model_row(model, layer, left_out(self.study, model))
            for model, layer in zip(models, layers, strict=True)
        ]
        for name, rows in self.rows.items():
            self.tables.setdefault(name, rows_of.as_table(name, rows))
        self.tables["findings"] = rows_of.as_table("findings", find(self.tables, self.study.fdr))
        rows_of.write_tables(self.tables, self.study.folder / "tables")
        manifest = {**circumstances(self.study, command, self.started), **self.manifest}
        manifest["images"], manifest["probe"] = _source(images), _source(probe)
        manifest["backends"] = [{"model": plan.model.name, **plan.choice.facts()} for plan in self.plans]
        manifest["skipped"] = len(self.tables["skipped"])
        manifest["repaired"] = self.store.damaged
        content = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
        write_atomically(self.study.folder / "manifest.json", content)


def _warn_of_foreign_labels(models: Sequence[AnyModel], images: ImageSet) -> None:
    labelled = [item for item in images if item.label is not None or item.class_name]
    for model in models:
        foreign = [item.id for item in labelled if label_index(model, item) is None]
        if foreign:
            logger.warning(
                "the labels of %d of %d images are no classes of %s (first: %s); there they count as unlabelled",
                len(foreign), len(labelled), model.name, foreign[0],
            )  # fmt: skip


def _source(images: ImageSet | None) -> dict[str, Any] | None:
    if images is None:
        return None
    return {"source": images.source, "count": len(images), "notes": list(images.notes)}
