"""Concept sets: the words that units can be named with, and the category of each word."""

from lumiscope.concepts.categories import CATEGORIES, OTHER, category_of
from lumiscope.concepts.concept_set import SHIPPED, ConceptSet, load_concepts
from lumiscope.concepts.patterns import find_concepts, is_concept, is_pattern, names_concept
from lumiscope.concepts.world_concepts import category_of_kind, world_words

__all__ = [
    "CATEGORIES",
    "OTHER",
    "SHIPPED",
    "ConceptSet",
    "category_of",
    "category_of_kind",
    "find_concepts",
    "is_concept",
    "is_pattern",
    "load_concepts",
    "names_concept",
    "world_words",
]
