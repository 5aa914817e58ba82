"""Where one unit of a finished run fires."""

from __future__ import annotations

import logging

from lumiscope.dissection import shown_images
from lumiscope.errors import LumiscopeError
from lumiscope.images import ImageSet, open_images
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.progress import Track, silent
from lumiscope.runs import ModelRow, ProbingImageRow, Run, UnitCropRow, UnitRow
from lumiscope.study.config import Study, load_study
from lumiscope.study.configured_model import load_configured
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stages.unit_crops import crop_tasks

logger = logging.getLogger(__name__)


def crops_of_unit(run: Run, unit: UnitRow, *, track: Track = silent) -> list[UnitCropRow]:
    """Where a unit fires on the images that show it, found with the model; `find_crops` gives those that the run has.

    Where the model or the images are not there any more, or not what they were, there are none, and a warning says so.
    """
    try:
        study = load_study(run.study_file)
        model = _model_of(run, study, unit.model)
        images = open_images(str(study.dissect.probe), on_error="skip")
    except LumiscopeError as error:
        logger.warning("the pictures are not cropped: %s", error)
        return []
    if model is None:
        logger.warning("the pictures are not cropped: the model %s is not what it was in this run", unit.model)
        return []
    digests = {row.image: row.sha256 for row in run.rows(ProbingImageRow)}
    shown = [item for item in images if item.id in shown_images(unit) and item.sha256 == digests.get(item.id)]
    opened = OpenStudy(
        run=study.run,
        explain=study.explain,
        dissect=study.dissect,
        models={model.name: model},
        probe=ImageSet(tuple(shown), images.source),
        memo=Memo(run.store),
        track=track,
    )
    tasks = crop_tasks([unit], [item.id for item in shown])
    return [row for _, rows in opened.engine().map(tasks, opened, "unit crops") for row in rows]


def _model_of(run: Run, study: Study, name: str) -> TorchModel | None:
    """A model of the run; None where it is another one by now."""
    configs = dict(zip(study.model_names, study.models, strict=True))
    model = load_configured(configs[name], name)
    (before,) = (row.fingerprint for row in run.rows(ModelRow) if row.model == name)
    return model if isinstance(model, TorchModel) and model.fingerprint == before else None
