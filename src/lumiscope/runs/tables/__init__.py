"""The tables of a run: a dataclass for the rows of each."""

from lumiscope.runs.tables.agreement import AgreementRow, AgreementSummaryRow
from lumiscope.runs.tables.audit import ALL_IMAGES, AuditRow, MapClusterRow
from lumiscope.runs.tables.concept_counts import CategoryRow, ConceptCountRow
from lumiscope.runs.tables.contributions import ContributionRow
from lumiscope.runs.tables.controls import ControlCategoryRow, ControlRow, LowLevelRow
from lumiscope.runs.tables.effects import EffectRow
from lumiscope.runs.tables.explanations import ExplanationRow, NoMap
from lumiscope.runs.tables.findings import FAMILY_RULE, FindingRow, Outcome
from lumiscope.runs.tables.image_complexity import ImageComplexityRow
from lumiscope.runs.tables.images import ImageRow, ProbingImageRow
from lumiscope.runs.tables.judgements import JudgementRow
from lumiscope.runs.tables.layers import LayerRow
from lumiscope.runs.tables.map_agreement import MapAgreementRow, MapAgreementSummaryRow
from lumiscope.runs.tables.map_shapes import MapShapeRow
from lumiscope.runs.tables.masks import MaskRow
from lumiscope.runs.tables.method_differences import MARGIN, MethodDifferenceRow, MethodRankRow
from lumiscope.runs.tables.model_agreement import ModelAgreementRow
from lumiscope.runs.tables.model_differences import ALPHA, CATEGORY, CONCEPT, ModelDifferenceRow
from lumiscope.runs.tables.models import ASSUMED_OF_PREPROCESSING, ModelRow
from lumiscope.runs.tables.network_dissection import CategoryBestRow, DetectorRow, NetworkDissectionRow
from lumiscope.runs.tables.observations import ObservationRow
from lumiscope.runs.tables.predictions import PredictionRow
from lumiscope.runs.tables.randomisation import Dependence, RandomisationRow, Randomised
from lumiscope.runs.tables.self_agreement import SelfAgreementRow
from lumiscope.runs.tables.skipped import SkippedRow
from lumiscope.runs.tables.trust import Reliability, TrustCurveRow, TrustMetricRow, TrustRow, TrustSummaryRow
from lumiscope.runs.tables.units import ShownUnitRow, UnitCropRow, UnitRow

__all__ = [
    "ALL_IMAGES",
    "ALPHA",
    "ASSUMED_OF_PREPROCESSING",
    "CATEGORY",
    "CONCEPT",
    "FAMILY_RULE",
    "MARGIN",
    "AgreementRow",
    "AgreementSummaryRow",
    "AuditRow",
    "CategoryBestRow",
    "CategoryRow",
    "ConceptCountRow",
    "ContributionRow",
    "ControlCategoryRow",
    "ControlRow",
    "Dependence",
    "DetectorRow",
    "EffectRow",
    "ExplanationRow",
    "FindingRow",
    "ImageComplexityRow",
    "ImageRow",
    "JudgementRow",
    "LayerRow",
    "LowLevelRow",
    "MapAgreementRow",
    "MapAgreementSummaryRow",
    "MapClusterRow",
    "MapShapeRow",
    "MaskRow",
    "MethodDifferenceRow",
    "MethodRankRow",
    "ModelAgreementRow",
    "ModelDifferenceRow",
    "ModelRow",
    "NetworkDissectionRow",
    "NoMap",
    "ObservationRow",
    "Outcome",
    "PredictionRow",
    "ProbingImageRow",
    "RandomisationRow",
    "Randomised",
    "Reliability",
    "SelfAgreementRow",
    "ShownUnitRow",
    "SkippedRow",
    "TrustCurveRow",
    "TrustMetricRow",
    "TrustRow",
    "TrustSummaryRow",
    "UnitCropRow",
    "UnitRow",
]
