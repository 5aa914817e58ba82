"""Agreement: saliency maps become masks, masks are compared, and chance and ceiling say what the overlap is worth."""

from lumiscope.agreement.agreement import (
    AGREEMENT_SCHEMA,
    SUMMARY_SCHEMA,
    Agreement,
    PairAgreement,
    summarise,
)
from lumiscope.agreement.compare import FALLBACK_RULE, GROUND_TRUTH, TRUTH_RULE, compare, default_rule
from lumiscope.agreement.masks import make_mask
from lumiscope.agreement.overlap import Overlap, overlap
from lumiscope.agreement.rules import MASK_RULES, MaskRule, RegisteredRule, mask_rule, parse_rule, parse_rules

__all__ = [
    "AGREEMENT_SCHEMA",
    "FALLBACK_RULE",
    "GROUND_TRUTH",
    "MASK_RULES",
    "SUMMARY_SCHEMA",
    "TRUTH_RULE",
    "Agreement",
    "MaskRule",
    "Overlap",
    "PairAgreement",
    "RegisteredRule",
    "compare",
    "default_rule",
    "make_mask",
    "mask_rule",
    "overlap",
    "parse_rule",
    "parse_rules",
    "summarise",
]
