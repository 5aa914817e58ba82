"""Dissection: every unit of a layer gets the concept that is most like it (CLIP-Dissect; Oikarinen and Weng, 2023)."""

from lumiscope.dissection.activations import Probe, collect_activations, map_probe, unit_probe
from lumiscope.dissection.compositions import Formula, HeldOutComposition, compositions_that_hold
from lumiscope.dissection.crops import crop_box
from lumiscope.dissection.evidence.capacity import small_sample_notes
from lumiscope.dissection.evidence.image_groups import KnownImages
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.grid_masks import MOST_GRID_IMAGES, GridMasks, choose_grid
from lumiscope.dissection.labels import label_units
from lumiscope.dissection.model_differences import model_differences
from lumiscope.dissection.network_dissection import (
    IOU,
    NetworkDissection,
    category_rows,
    detector_rows,
    name_detectors,
    network_dissection_rows,
)
from lumiscope.dissection.notes import image_notes
from lumiscope.dissection.overlaps import Fired, LabelledView, Overlaps, OverlapStream
from lumiscope.dissection.shown_units import shown_images, shown_units
from lumiscope.dissection.similarity import (
    SIMILARITIES,
    SimilarityMethod,
    choose_similarity,
)
from lumiscope.dissection.summary import category_histogram, concept_counts, count_units, layer_summary
from lumiscope.dissection.thresholds import QUANTILE, Thresholds, ThresholdStream
from lumiscope.dissection.unit_labels import LayerLabels, UnitEvidence, UnitLabels, unit_rows

__all__ = [
    "IOU",
    "MOST_GRID_IMAGES",
    "QUANTILE",
    "SIMILARITIES",
    "EvidenceOptions",
    "Fired",
    "Formula",
    "GridMasks",
    "HeldOutComposition",
    "KnownImages",
    "LabelledView",
    "LayerLabels",
    "NetworkDissection",
    "OverlapStream",
    "Overlaps",
    "Probe",
    "SimilarityMethod",
    "ThresholdStream",
    "Thresholds",
    "UnitEvidence",
    "UnitLabels",
    "category_histogram",
    "category_rows",
    "choose_grid",
    "choose_similarity",
    "collect_activations",
    "compositions_that_hold",
    "concept_counts",
    "count_units",
    "crop_box",
    "detector_rows",
    "image_notes",
    "label_units",
    "layer_summary",
    "map_probe",
    "model_differences",
    "name_detectors",
    "network_dissection_rows",
    "shown_images",
    "shown_units",
    "small_sample_notes",
    "unit_probe",
    "unit_rows",
]
