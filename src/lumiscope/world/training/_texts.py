"""Texts about training pictures: some of what is true of each among words that say nothing, as numbers of words."""

from __future__ import annotations

import numpy as np

from lumiscope.types import FloatArray, IntArray
from lumiscope.world import WORDS
from lumiscope.world.text import CONCEPTS, FILLERS, NUMBERS
from lumiscope.world.training.pictures import QUALITIES, Pictures

PART, OTHER_OBJECT, COLOUR_AROUND = 0.35, 0.25, 0.2
SMALLEST_PART, SMALLEST_OBJECT, SMALLEST_COLOUR = 12, 30, 3000  # pixels
MOST_FACTS = 4
MOST_FILLERS = 5
SHARE_SINGLE = 0.35

CONCEPT_NUMBERS = np.array([NUMBERS[word] for word in CONCEPTS])
FILLER_NUMBERS = np.array([NUMBERS[word] for word in FILLERS])
QUALITY_NUMBERS = {kind: np.array([NUMBERS[word] for word in words]) for kind, words in QUALITIES.items()}


def presence(pictures: Pictures) -> FloatArray:
    """How well each of CONCEPTS says what a picture shows: (N, CONCEPTS) in [0, 1].

    1 for the main object, its colour and texture and for the scene; less for what is seen besides: a part, another
    object, a colour of much of the picture. So an object goes before its parts, and the main one before others.
    """
    values = np.zeros((len(pictures), len(CONCEPTS)), np.float32)
    lesser = {
        "part": (PART, SMALLEST_PART),
        "object": (OTHER_OBJECT, SMALLEST_OBJECT),
        "colour": (COLOUR_AROUND, SMALLEST_COLOUR),
    }
    for kind, (value, smallest) in lesser.items():
        seen = np.where(pictures.seen[kind] >= smallest, np.float32(value), np.float32(0))
        columns = _columns(WORDS[kind])
        values[:, columns] = np.maximum(values[:, columns], seen)
    for kind, words in QUALITIES.items():
        values[np.arange(len(pictures)), _columns(words)[pictures.facts[kind]]] = 1
    return values


def random_facts(present: FloatArray, rng: np.random.Generator) -> IntArray:
    """Choose one to MOST_FACTS of CONCEPTS that are true of each picture; what says more is chosen more often.

    `present`: (B, CONCEPTS). Returns (B, MOST_FACTS) indices, -1 for none; the first is never none.
    """
    with np.errstate(divide="ignore"):
        keys = np.log(present) + rng.gumbel(size=present.shape)  # the largest are a draw without replacement
    chosen = np.argsort(-keys, axis=1)[:, :MOST_FACTS]
    counts = rng.integers(2, MOST_FACTS + 1, (len(present), 1))
    counts[rng.random(len(present)) < SHARE_SINGLE] = 1
    is_true = np.take_along_axis(present, chosen, axis=1) > 0
    return np.where((np.arange(MOST_FACTS) < counts) & is_true, chosen, -1)


def fit_of_texts(present: FloatArray, facts: IntArray) -> FloatArray:
    """(B, T): how well each text fits each picture: the product of its facts' presence.

    `present`: (B, CONCEPTS). `facts`: (T, MOST_FACTS) indices, -1 for none.
    """
    with_none = np.concatenate([present, np.ones((len(present), 1), np.float32)], axis=1)
    product: FloatArray = with_none[:, facts].prod(axis=2)
    return product


def with_fillers(words: IntArray, rng: np.random.Generator) -> IntArray:
    """Add up to MOST_FILLERS words that say nothing to each of (T, L) texts: (T, L + MOST_FILLERS), 0 for no word."""
    fillers = FILLER_NUMBERS[rng.integers(len(FILLER_NUMBERS), size=(len(words), MOST_FILLERS))]
    counts = rng.integers(0, MOST_FILLERS + 1, (len(words), 1))
    return np.concatenate([words, np.where(np.arange(MOST_FILLERS) < counts, fillers, 0)], axis=1)


def fact_texts(facts: IntArray, rng: np.random.Generator) -> IntArray:
    """Texts of these facts, (T, MOST_FACTS) indices of CONCEPTS, as (T, L) numbers of words."""
    return with_fillers(np.where(facts >= 0, CONCEPT_NUMBERS[facts], 0), rng)


def swapped_texts(pictures: Pictures, indices: IntArray, kind: str, rng: np.random.Generator) -> IntArray:
    """For each picture texts that differ in their word of `kind` alone: (B, words, L); one of them is true.

    Each has, besides, half of the picture's other qualities.
    """
    others = [QUALITY_NUMBERS[name][pictures.facts[name][indices]] for name in QUALITIES if name != kind]
    told = np.where(rng.random((len(others), len(indices))) < 0.5, others, 0).T
    rest = with_fillers(told, rng)[:, None, :]
    words = QUALITY_NUMBERS[kind]
    differing = np.broadcast_to(words[None, :, None], (len(indices), len(words), 1))
    return np.concatenate([differing, np.broadcast_to(rest, (len(indices), len(words), rest.shape[2]))], axis=2)


def _columns(words: tuple[str, ...]) -> IntArray:
    return np.array([CONCEPTS.index(word) for word in words])
