"""Dissection: every unit of a layer gets the concept that is most like it (CLIP-Dissect; Oikarinen and Weng, 2023)."""

from lumiscope.dissection.activations import Probe, collect_activations, map_probe, unit_probe
from lumiscope.dissection.evidence.capacity import small_sample_notes
from lumiscope.dissection.evidence.options import EvidenceOptions
from lumiscope.dissection.labels import label_units
from lumiscope.dissection.model_differences import model_differences
from lumiscope.dissection.shown_units import shown_images, shown_units
from lumiscope.dissection.similarity import (
    SIMILARITIES,
    SimilarityMethod,
    choose_similarity,
)
from lumiscope.dissection.summary import NO_LABEL, category_histogram, concept_counts, count_units, layer_summary

__all__ = [
    "NO_LABEL",
    "SIMILARITIES",
    "EvidenceOptions",
    "Probe",
    "SimilarityMethod",
    "category_histogram",
    "choose_similarity",
    "collect_activations",
    "concept_counts",
    "count_units",
    "label_units",
    "layer_summary",
    "map_probe",
    "model_differences",
    "shown_images",
    "shown_units",
    "small_sample_notes",
    "unit_probe",
]
