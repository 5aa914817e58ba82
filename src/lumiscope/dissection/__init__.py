"""Dissection: every unit of a layer gets the concept that is most like it (CLIP-Dissect; Oikarinen and Weng, 2023)."""

from lumiscope.dissection.activations import POOLINGS, collect_activations, pool
from lumiscope.dissection.labels import label_units, small_sample_notes
from lumiscope.dissection.similarity import SimilarityMethod, get_similarity, similarity_methods
from lumiscope.dissection.summary import NO_LABEL, category_histogram, concept_counts
from lumiscope.dissection.top_images import most_active_images

__all__ = [
    "NO_LABEL",
    "POOLINGS",
    "SimilarityMethod",
    "category_histogram",
    "collect_activations",
    "concept_counts",
    "get_similarity",
    "label_units",
    "most_active_images",
    "pool",
    "similarity_methods",
    "small_sample_notes",
]
