"""Studies: from a config to explanations, labels, agreement, findings and a run folder."""

from lumiscope.study.builtin import builtin_study
from lumiscope.study.clip_dissect import save_clip_dissect
from lumiscope.study.compare_run import compare_run
from lumiscope.study.config import ModelConfig, Study, load_model_config, load_study, model_names, save_study
from lumiscope.study.dissect import dissect
from lumiscope.study.explain import ExplanationPlan, explain, explain_each
from lumiscope.study.find_units import UnitQuery, find_units
from lumiscope.study.findings import models_with_foreign_masks
from lumiscope.study.load_configured import load_configured
from lumiscope.study.run_folder import STORE, Run
from lumiscope.study.run_study import compute
from lumiscope.study.schemas import SCHEMAS
from lumiscope.study.tables import save_table
from lumiscope.study.unit_crops import crops_of_unit

__all__ = [
    "SCHEMAS",
    "STORE",
    "ExplanationPlan",
    "ModelConfig",
    "Run",
    "Study",
    "UnitQuery",
    "builtin_study",
    "compare_run",
    "compute",
    "crops_of_unit",
    "dissect",
    "explain",
    "explain_each",
    "find_units",
    "load_configured",
    "load_model_config",
    "load_study",
    "model_names",
    "models_with_foreign_masks",
    "save_clip_dissect",
    "save_study",
    "save_table",
]
