"""For tests, lumiscope's own and those of whoever extends it.

Who has registered a method of his own runs `lumiscope.testing.check_method("mine")`; what is wrong with it is an
`AssertionError` with a sentence. Nothing here needs pytest. With pytest, one test for each check says more at once:

    @pytest.mark.parametrize("check", METHOD_CHECKS)
    def test_mine(check): check(method_case("mine"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front
from lumiscope.testing.fake_row import fake_row

if TYPE_CHECKING:
    from lumiscope.testing.backends import BACKEND_CHECKS, backend_case, check_backend
    from lumiscope.testing.mask_rules import MASK_RULE_CHECKS, check_mask_rule, mask_rule_case
    from lumiscope.testing.methods import METHOD_CHECKS, check_method, method_case
    from lumiscope.testing.metrics import METRIC_CHECKS, check_metric, metric_case
    from lumiscope.testing.planted_effects import EFFECTS
    from lumiscope.testing.planted_studies import PlantedStudy, planted_study
    from lumiscope.testing.references import (
        METHOD_REFERENCES,
        METRIC_REFERENCES,
        SIMILARITY_REFERENCES,
        Known,
        Question,
        replicates,
        replicates_metric,
        replicates_similarity,
    )
    from lumiscope.testing.scorers import SCORER_CHECKS, check_scorer, scorer_case
    from lumiscope.testing.segmenters import SEGMENTER_CHECKS, check_segmenter, segmenter_case
    from lumiscope.testing.similarities import SIMILARITY_CHECKS, check_similarity, similarity_case
    from lumiscope.testing.sources import SOURCE_CHECKS, check_source, source_case

# Tests of what reads a run take fake rows, which need no torch.
_HOMES = {
    "backends": ("BACKEND_CHECKS", "backend_case", "check_backend"),
    "mask_rules": ("MASK_RULE_CHECKS", "check_mask_rule", "mask_rule_case"),
    "methods": ("METHOD_CHECKS", "check_method", "method_case"),
    "metrics": ("METRIC_CHECKS", "check_metric", "metric_case"),
    "planted_effects": ("EFFECTS",),
    "planted_studies": ("PlantedStudy", "planted_study"),
    "references": (
        "METHOD_REFERENCES",
        "METRIC_REFERENCES",
        "SIMILARITY_REFERENCES",
        "Known",
        "Question",
        "replicates",
        "replicates_metric",
        "replicates_similarity",
    ),
    "scorers": ("SCORER_CHECKS", "check_scorer", "scorer_case"),
    "segmenters": ("SEGMENTER_CHECKS", "check_segmenter", "segmenter_case"),
    "similarities": ("SIMILARITY_CHECKS", "check_similarity", "similarity_case"),
    "sources": ("SOURCE_CHECKS", "check_source", "source_case"),
}

__all__ = [
    "BACKEND_CHECKS",
    "EFFECTS",
    "MASK_RULE_CHECKS",
    "METHOD_CHECKS",
    "METHOD_REFERENCES",
    "METRIC_CHECKS",
    "METRIC_REFERENCES",
    "SCORER_CHECKS",
    "SEGMENTER_CHECKS",
    "SIMILARITY_CHECKS",
    "SIMILARITY_REFERENCES",
    "SOURCE_CHECKS",
    "Known",
    "PlantedStudy",
    "Question",
    "backend_case",
    "check_backend",
    "check_mask_rule",
    "check_method",
    "check_metric",
    "check_scorer",
    "check_segmenter",
    "check_similarity",
    "check_source",
    "fake_row",
    "mask_rule_case",
    "method_case",
    "metric_case",
    "planted_study",
    "replicates",
    "replicates_metric",
    "replicates_similarity",
    "scorer_case",
    "segmenter_case",
    "similarity_case",
    "source_case",
]

__getattr__ = lazy_front(__name__, _HOMES)
