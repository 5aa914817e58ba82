"""Agreement: saliency maps become masks, masks are compared, and chance and ceiling say what the overlap is worth."""

from lumiscope.agreement.agreement import (
    Agreement,
    PairAgreement,
    summarise,
    with_other_images,
)
from lumiscope.agreement.compare import FALLBACK_RULE, compare, compare_masks, default_rule
from lumiscope.agreement.compare_run import RunAgreement, compare_run
from lumiscope.agreement.map_likeness import CELLS, CellMap, cell_map, cell_means, rank_likeness
from lumiscope.agreement.map_pairs import compare_maps, summarise_maps
from lumiscope.agreement.map_shape import MapShape, measure_map
from lumiscope.agreement.masks import make_mask
from lumiscope.agreement.method_pairs import method_differences, method_ranks, shared_images
from lumiscope.agreement.model_pairs import compare_models
from lumiscope.agreement.other_images import OtherImages, compare_other_images
from lumiscope.agreement.overlap import Overlap, overlap, overlap_with_truth
from lumiscope.agreement.rules import MASK_RULES, MaskRule, RegisteredRule, mask_rule, parse_rule, parse_rules
from lumiscope.agreement.segment_mask import segment_mask
from lumiscope.runs import GROUND_TRUTH

__all__ = [
    "CELLS",
    "FALLBACK_RULE",
    "GROUND_TRUTH",
    "MASK_RULES",
    "Agreement",
    "CellMap",
    "MapShape",
    "MaskRule",
    "OtherImages",
    "Overlap",
    "PairAgreement",
    "RegisteredRule",
    "RunAgreement",
    "cell_map",
    "cell_means",
    "compare",
    "compare_maps",
    "compare_masks",
    "compare_models",
    "compare_other_images",
    "compare_run",
    "default_rule",
    "make_mask",
    "mask_rule",
    "measure_map",
    "method_differences",
    "method_ranks",
    "overlap",
    "overlap_with_truth",
    "parse_rule",
    "parse_rules",
    "rank_likeness",
    "segment_mask",
    "shared_images",
    "summarise",
    "summarise_maps",
    "with_other_images",
]
