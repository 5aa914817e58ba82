"""Studies: from a config to explanations, labels, agreement, findings and a run folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front

if TYPE_CHECKING:
    from lumiscope.runs import Run
    from lumiscope.study.builtin import builtin_study
    from lumiscope.study.config import (
        AUTO,
        DissectConfig,
        ExplainConfig,
        ModelConfig,
        RunConfig,
        Setting,
        Study,
        content_of,
        load_model_config,
        load_study,
        model_of_table,
        read_toml,
        save_study,
        setting_of,
        split_list,
        table_of_model,
        validated,
    )
    from lumiscope.study.configured_model import load_configured
    from lumiscope.study.dissecting import Dissecting, dissect
    from lumiscope.study.evaluating import Trust, evaluate, null_scores
    from lumiscope.study.explainers import Explainers
    from lumiscope.study.explaining import Explaining, explain
    from lumiscope.study.findings import (
        FINDINGS,
        Claim,
        DecidedClaim,
        Hypothesis,
        Rows,
        answer,
        by_model,
        decided_claims,
        find,
        finding,
        finding_rows,
        observed,
    )
    from lumiscope.study.pipeline import compute
    from lumiscope.study.stage import Tables
    from lumiscope.study.stages.audit import audit_rows
    from lumiscope.study.stages.explanation_plan import ExplanationPlan
    from lumiscope.study.stages.judged import Judged, trust_rows
    from lumiscope.study.unit_crops import crops_of_unit

# The command line makes its flags of the configs whenever it starts: what needs torch waits until it is used.
_HOMES = {
    "builtin": ("builtin_study",),
    "config": (
        "AUTO",
        "DissectConfig",
        "ExplainConfig",
        "ModelConfig",
        "RunConfig",
        "Setting",
        "Study",
        "content_of",
        "load_model_config",
        "load_study",
        "model_of_table",
        "read_toml",
        "save_study",
        "setting_of",
        "split_list",
        "table_of_model",
        "validated",
    ),
    "dissecting": (
        "Dissecting",
        "dissect",
    ),
    "evaluating": ("Trust", "evaluate", "null_scores"),
    "explainers": ("Explainers",),
    "explaining": (
        "Explaining",
        "explain",
    ),
    "configured_model": ("load_configured",),
    "findings": (
        "FINDINGS",
        "Claim",
        "DecidedClaim",
        "Rows",
        "Hypothesis",
        "answer",
        "by_model",
        "decided_claims",
        "find",
        "finding",
        "finding_rows",
        "observed",
    ),
    "pipeline": ("compute",),
    "stage": ("Tables",),
    "stages.audit": ("audit_rows",),
    "stages.explanation_plan": ("ExplanationPlan",),
    "stages.judged": ("Judged", "trust_rows"),
    "unit_crops": ("Run", "crops_of_unit"),
}
__all__ = [
    "AUTO",
    "FINDINGS",
    "Claim",
    "DecidedClaim",
    "DissectConfig",
    "Dissecting",
    "ExplainConfig",
    "Explainers",
    "Explaining",
    "ExplanationPlan",
    "Hypothesis",
    "Judged",
    "ModelConfig",
    "Rows",
    "Run",
    "RunConfig",
    "Setting",
    "Study",
    "Tables",
    "Trust",
    "answer",
    "audit_rows",
    "builtin_study",
    "by_model",
    "compute",
    "content_of",
    "crops_of_unit",
    "decided_claims",
    "dissect",
    "evaluate",
    "explain",
    "find",
    "finding",
    "finding_rows",
    "load_configured",
    "load_model_config",
    "load_study",
    "model_of_table",
    "null_scores",
    "observed",
    "read_toml",
    "save_study",
    "setting_of",
    "split_list",
    "table_of_model",
    "trust_rows",
    "validated",
]

__getattr__ = lazy_front(__name__, _HOMES)
