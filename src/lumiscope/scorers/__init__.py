"""Concept scores of images: image-text models, tables, annotations, and what is written about the images."""

from lumiscope.scorers.concept_scores import ConceptScores, Scorer, require_finite
from lumiscope.scorers.embedding import EmbeddingScorer, largest_cosines
from lumiscope.scorers.masks import MaskScorer
from lumiscope.scorers.registry import SCORERS, ScorerScheme, load_scorer, scorer_scheme

__all__ = [
    "SCORERS",
    "ConceptScores",
    "EmbeddingScorer",
    "MaskScorer",
    "Scorer",
    "ScorerScheme",
    "largest_cosines",
    "load_scorer",
    "require_finite",
    "scorer_scheme",
]
