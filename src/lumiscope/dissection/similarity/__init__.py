"""How alike a unit's activations and a concept's scores are over the probing images; one module per similarity."""

from lumiscope.dissection.similarity.choose import choose_similarity
from lumiscope.dissection.similarity.registry import (
    SimilarityMethod,
    get_similarity,
    similarity,
    similarity_methods,
)

__all__ = ["SimilarityMethod", "choose_similarity", "get_similarity", "similarity", "similarity_methods"]
