"""A study from its config to a run folder: stage by stage, results kept, tables, and the manifest last."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from lumiscope.files import clear_parts, writing
from lumiscope.images import ImageSet, open_images
from lumiscope.memo import Memo
from lumiscope.models import label_index
from lumiscope.progress import Track, silent
from lumiscope.runs import (
    STORE,
    TABLES,
    Run,
    SkippedRow,
    Source,
    UnitRow,
    save_clip_dissect_of_models,
    write_tables,
)
from lumiscope.short_name import cut_in_middle
from lumiscope.store import Store
from lumiscope.study._circumstances import manifest_of
from lumiscope.study._log import RunLog
from lumiscope.study._run_lock import run_lock
from lumiscope.study.config import Study, save_study
from lumiscope.study.configured_model import ConfiguredModels
from lumiscope.study.files import options_of_images
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stage import STAGES, Stage, Tables, in_order, run_stage
from lumiscope.study.stages.models import left_out

logger = logging.getLogger(__name__)


def compute(
    study: Study,
    *,
    command: str | None = None,
    track: Track = silent,
    then: Callable[[Run], object] = lambda run: None,
) -> Run:
    """Compute what a study asks for and write its run folder, except the report.

    What is in the store already is not computed again, so that a run that was killed goes on where it was. `command`:
    how a user would make this run again. `then`: what is done with the run before another may change it; while one
    process works on a run folder, others wait (see `run_lock`). Errors: `UsageError` before anything is computed;
    others leave the store as far as it came.
    """
    started = time.time()
    study.check()
    with RunLog() as log:
        store = Store(Path(study.run.runs) / STORE)
        store.clear_parts()
        opened, facts = open_study(study, Memo(store), track)
        stages = {name: step for name, step in STAGES.items() if step.applies(opened)}
        check(opened, stages)
        with run_lock(study.folder):
            _begin(study, log)
            tables = Tables()
            facts |= run_stages(opened, stages, tables)
            facts |= _write_results(study, tables)
            facts |= {"skipped": len(tables.rows(SkippedRow)), "repaired": tuple(store.damaged)}
            manifest_of(study, command, started, facts).write(study.folder / "manifest.json")
            finished = Run.open(study.folder)
            then(finished)
    return finished


def _begin(study: Study, log: RunLog) -> None:
    """Make a run folder ready: it has no manifest, which says that the run has not finished."""
    for folder in (study.folder, _tables(study), _clip_dissect(study)):
        clear_parts(folder)
    save_study(study, study.folder / "study.toml")
    with writing(study.folder / "manifest.json"):
        (study.folder / "manifest.json").unlink(missing_ok=True)
    log.write_to(study.folder / "log.jsonl")


def _write_results(study: Study, tables: Tables) -> dict[str, Any]:
    """Write all tables, and what other tools read; return what the manifest says of them."""
    digests = write_tables(
        {name: table.to_arrow(tables.rows(table.row)) for name, table in TABLES.items()}, _tables(study)
    )
    if study.dissect.probe is not None:
        save_clip_dissect_of_models(tables.rows(UnitRow), _clip_dissect(study))
    return {"tables": digests}


def _clip_dissect(study: Study) -> Path:
    return study.folder / "clip-dissect"


def _tables(study: Study) -> Path:
    return study.folder / "tables"


def open_study(study: Study, memo: Memo, track: Track) -> tuple[OpenStudy, dict[str, Any]]:
    """List the images; also what the manifest says of them. Models are loaded when they are first asked for."""
    images, probe = (
        None if source is None else open_images(source, on_error=study.run.on_error, track=track)
        for source in (study.explain.images, study.dissect.probe)
    )
    per_image, notes = options_of_images(study.explain, images) if images is not None else ({}, [])
    for note in notes:
        logger.warning("%s", note)
    names = study.model_names
    opened = OpenStudy(
        run=study.run,
        explain=study.explain,
        dissect=study.dissect,
        models=ConfiguredModels(dict(zip(names, study.models, strict=True))),
        target_layers={name: config.target_layer for config, name in zip(study.models, names, strict=True)},
        images=images,
        probe=probe,
        per_image=per_image,
        memo=memo,
        track=track,
    )
    return opened, {"images": _source(images), "probe": _source(probe), "image_options": tuple(notes)}


def check(opened: OpenStudy, stages: Mapping[str, Stage]) -> None:
    """Look up every name, then load the models, then find layers and backends: mistakes show before a stage begins."""
    for step in stages.values():
        step.check_settings(opened)
    for step in stages.values():
        step.check(opened)
    if opened.probe is not None:
        _ = opened.layers
    if opened.images is not None:
        _ = opened.plans
        _warn_of_foreign_labels(opened)
        _warn_of_idle_settings(opened)
    for model in opened.models.values():
        if words := left_out(opened, model):
            logger.warning("%s %s", model.name, words)


def run_stages(opened: OpenStudy, stages: Mapping[str, Stage], tables: Tables) -> dict[str, Any]:
    """Run stages in the order of their needs; fill `tables`, and return what they tell the manifest."""
    facts: dict[str, Any] = {}
    skipped = [*_skipped(opened.images), *_skipped(opened.probe, "probing ")]
    for name in in_order(stages):
        _, collected = run_stage(name, opened, tables)
        skipped += collected.skipped
        for fact, value in collected.facts.items():
            facts[fact] = (*facts[fact], *value) if isinstance(facts.get(fact), tuple) else value
    for row in skipped:
        logger.info("left out: the %s %s: %s", row.what, row.name, row.reason)
    tables.write(SkippedRow, skipped)
    return facts


def _warn_of_foreign_labels(opened: OpenStudy) -> None:
    labelled = [item for item in opened.images or () if item.label is not None or item.class_name]
    for model in opened.models.values():
        foreign = [item.id for item in labelled if label_index(model, item) is None]
        if foreign:
            logger.warning(
                "the labels of %d of %d images are no classes of %s (first: %s); there they count as unlabelled",
                len(foreign), len(labelled), model.name, cut_in_middle(foreign[0]),
            )  # fmt: skip


def _warn_of_idle_settings(opened: OpenStudy) -> None:
    running = {method.name for plan in opened.plans.values() for method, _ in plan.methods}
    for what, settings in (("a mask rule", opened.explain.masks), ("options", opened.explain.options)):
        for name in sorted(settings.keys() - running):
            logger.warning("%s given for %s, which does not run here: checked, and without effect", what, name)


def _skipped(images: ImageSet | None, role: str = "") -> Iterable[SkippedRow]:
    """What was left out of a list of images. `role`: what they are for, before "image" and "mask"."""
    for entry in images.skipped if images is not None else ():
        yield SkippedRow(what=f"{role}{entry.kind}", name=entry.name, reason=entry.reason)


def _source(images: ImageSet | None) -> Source | None:
    return None if images is None else Source(source=images.source, count=len(images), notes=tuple(images.notes))
