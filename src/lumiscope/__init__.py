"""lumiscope: what an image classifier sees, and how far that can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front

if TYPE_CHECKING:
    from lumiscope.agreement import Agreement, compare
    from lumiscope.concepts import ConceptSet, load_concepts
    from lumiscope.dissection import UnitLabels
    from lumiscope.errors import LumiscopeError
    from lumiscope.images import ImageItem, ImageSet, View, open_images
    from lumiscope.models import BlackBox, TorchModel, VisionModel, load_model
    from lumiscope.report import write_report
    from lumiscope.running import run
    from lumiscope.runs import Run
    from lumiscope.scorers import load_scorer
    from lumiscope.study import ModelConfig, Study, Trust, dissect, evaluate, explain, load_study
    from lumiscope.types import SaliencyMap, SegmentMap

_HOMES = {
    "agreement": ("Agreement", "compare"),
    "concepts": ("ConceptSet", "load_concepts"),
    "dissection": ("UnitLabels",),
    "errors": ("LumiscopeError",),
    "images": ("ImageItem", "ImageSet", "View", "open_images"),
    "models": ("BlackBox", "TorchModel", "VisionModel", "load_model"),
    "report": ("write_report",),
    "running": ("run",),
    "runs": ("Run",),
    "scorers": ("load_scorer",),
    "study": ("ModelConfig", "Study", "Trust", "dissect", "evaluate", "explain", "load_study"),
    "types": ("SaliencyMap", "SegmentMap"),
}
__all__ = [
    "Agreement",
    "BlackBox",
    "ConceptSet",
    "ImageItem",
    "ImageSet",
    "LumiscopeError",
    "ModelConfig",
    "Run",
    "SaliencyMap",
    "SegmentMap",
    "Study",
    "TorchModel",
    "Trust",
    "UnitLabels",
    "View",
    "VisionModel",
    "compare",
    "dissect",
    "evaluate",
    "explain",
    "load_concepts",
    "load_model",
    "load_scorer",
    "load_study",
    "open_images",
    "run",
    "write_report",
]


__getattr__ = lazy_front(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
