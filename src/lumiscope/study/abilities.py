"""What a study can ask of its models: everything of a torch model, of a black box predictions alone."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.attribution import look_inside, methods_for
from lumiscope.models import BlackBox, TorchModel
from lumiscope.study.config import Study

AnyModel = TorchModel | BlackBox


def methods_of(study: Study, model: AnyModel) -> list[str]:
    """The study's methods; where nobody asked for any by name, those of the default that can explain `model`."""
    if "methods" in study.model_fields_set:
        return study.methods
    return [name for name in study.methods if name in methods_for(model)]


def dissectable(models: Sequence[AnyModel]) -> list[TorchModel]:
    """The models that can be dissected. Errors: `UsageError` where none can."""
    opened = [model for model in models if isinstance(model, TorchModel)]
    return opened or [look_inside(models[0], "dissection")]


def left_out(study: Study, model: AnyModel) -> str | None:
    """What `study` does not ask of `model`, as it looks inside, in words; None where nothing is left out."""
    if isinstance(model, TorchModel):
        return None
    able = methods_of(study, model)
    parts = [name for name in study.methods if name not in able] if "methods" not in study.model_fields_set else []
    parts += ["dissection"] if study.probe is not None else []
    return f"can only predict; left out, as they look inside a model: {', '.join(parts)}" if parts else None
