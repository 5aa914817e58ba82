"""Concept scores of images: image-text models, tables, annotations, and what is written about the images."""

from lumiscope.scorers.concept_scores import ConceptScores, Scorer, require_finite
from lumiscope.scorers.embedding import EmbeddingScorer, largest_cosines
from lumiscope.scorers.registry import load_scorer, scorer_scheme, scorer_schemes

__all__ = [
    "ConceptScores",
    "EmbeddingScorer",
    "Scorer",
    "largest_cosines",
    "load_scorer",
    "require_finite",
    "scorer_scheme",
    "scorer_schemes",
]
