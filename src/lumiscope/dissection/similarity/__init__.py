"""How alike a unit's activations and a concept's scores are over the probing images; one module per similarity."""

from lumiscope.dissection.similarity.registry import (
    SimilarityMethod,
    get_similarity,
    similarity,
    similarity_methods,
)

__all__ = ["SimilarityMethod", "get_similarity", "similarity", "similarity_methods"]
