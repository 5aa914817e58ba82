"""Scores of hand-ins: what they overlap with the hidden truth, how faithful they are to the model, what they cost."""

from lumiscope.server.scoring.scorer import score
from lumiscope.server.scoring.scores import ImageScore, Means, Scores
from lumiscope.server.scoring.uploads import REJECTED, SCORED, score_parts, score_upload, truth_parts
from lumiscope.server.scoring.version import SCORER_VERSION, scorer_fingerprint

__all__ = [
    "REJECTED",
    "SCORED",
    "SCORER_VERSION",
    "ImageScore",
    "Means",
    "Scores",
    "score",
    "score_parts",
    "score_upload",
    "scorer_fingerprint",
    "truth_parts",
]
