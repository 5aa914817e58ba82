"""What the models are and what they see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lumiscope.models import TorchModel, unmatched_labels
from lumiscope.runs import ModelRow
from lumiscope.study.config import DEFAULT_METHODS
from lumiscope.study.configured_model import ConfiguredModels
from lumiscope.study.stage import Collected, Results, Stage, Tables, stage
from lumiscope.study.stages.explanation_plan import methods_of

if TYPE_CHECKING:
    from lumiscope.study.open_study import AnyModel, OpenStudy


@stage("models")
class Models(Stage):
    """Describes the models."""

    writes = (ModelRow,)

    def applies(self, study: OpenStudy) -> bool:
        """Always."""
        return True

    def check_settings(self, study: OpenStudy) -> None:
        """What the models are made of."""
        if isinstance(study.models, ConfiguredModels):
            study.models.check()

    def collect(self, study: OpenStudy, tables: Tables, results: Results) -> Collected:
        """One row a model."""
        layers = {name: plan.layer for name, plan in study.plans.items()} if study.images is not None else {}
        return Collected({ModelRow: [_row(study, model, layers.get(name)) for name, model in study.models.items()]})


def _row(study: OpenStudy, model: AnyModel, target_layer: str | None) -> ModelRow:
    geometry = model.geometry
    resize = geometry.resize_size or (None, None)
    said = (left_out(study, model), unmatched_labels(model, study.images or ()))
    return ModelRow(
        model=model.name,
        spec=model.spec,
        fingerprint=model.fingerprint,
        num_classes=len(model.classes),
        target_layer=target_layer,
        input_height=geometry.input_size[0],
        input_width=geometry.input_size[1],
        resize_height=resize[0],
        resize_width=resize[1],
        geometry=geometry.mode,
        interpolation=geometry.interpolation,
        mean=_numbers(model.mean),
        std=_numbers(model.std),
        shown_bands=_numbers(model.reading.shown_bands) if isinstance(model, TorchModel) else None,
        notes=(*model.notes, *filter(None, said)),
    )


def _numbers(given: Sequence[float] | None) -> str | None:
    return None if given is None else ", ".join(f"{number:g}" for number in given)


def left_out(study: OpenStudy, model: AnyModel) -> str | None:
    """What a study does not ask of `model`, as it looks inside, in words; None where nothing is left out."""
    if isinstance(model, TorchModel):
        return None
    able = methods_of(study.explain, model)
    parts = [name for name in DEFAULT_METHODS if name not in able] if study.explain.methods is None else []
    parts += ["dissection"] if study.probe is not None else []
    return f"can only predict; left out, as they look inside a model: {', '.join(parts)}" if parts else None
