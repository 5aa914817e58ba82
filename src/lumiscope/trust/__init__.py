"""Trust: metrics that say how far an explanation can be believed."""

from lumiscope.trust.metrics.faithfulness import Faithfulness
from lumiscope.trust.registry import METRICS, MaskJudge, TrustMetric, trust_metric
from lumiscope.trust.stability import stability

__all__ = ["METRICS", "Faithfulness", "MaskJudge", "TrustMetric", "stability", "trust_metric"]
