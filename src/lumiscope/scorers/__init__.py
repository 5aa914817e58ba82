"""Concept scores of images: image-text models of open_clip, and tables."""

from lumiscope.scorers.concept_scores import ConceptScores, Scorer
from lumiscope.scorers.registry import load_scorer, scorer_scheme, scorer_schemes

__all__ = ["ConceptScores", "Scorer", "load_scorer", "scorer_scheme", "scorer_schemes"]
