"""How alike a unit's activations and a concept's scores are over the probing images; one module per similarity."""

from lumiscope.dissection.similarity.choose import choose_similarity
from lumiscope.dissection.similarity.registry import (
    SIMILARITIES,
    SimilarityMethod,
    similarity,
)

__all__ = ["SIMILARITIES", "SimilarityMethod", "choose_similarity", "similarity"]
