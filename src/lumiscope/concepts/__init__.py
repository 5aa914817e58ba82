"""Concept sets: the words that units can be named with, and the category of each word."""

from lumiscope.concepts.categories import CATEGORIES, category_of
from lumiscope.concepts.concept_set import SHIPPED, ConceptSet, load_concepts
from lumiscope.concepts.patterns import find_concepts, is_concept, names_concept
from lumiscope.concepts.world_concepts import category_of_kind

__all__ = [
    "CATEGORIES",
    "SHIPPED",
    "ConceptSet",
    "category_of",
    "category_of_kind",
    "find_concepts",
    "is_concept",
    "load_concepts",
    "names_concept",
]
