"""Texts of the world: which words there are, and a small encoder of their meaning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lumiscope.errors import ScorerError, nearest
from lumiscope.types import IntArray
from lumiscope.world import PLAIN, WORDS

FILLERS = ("a", "an", "the", "in", "on", "at", "of", "with", "and", "photo", "picture", "drawing", "image", "scene")
"""Words that a text may have and that say nothing about a picture."""

CONCEPTS: tuple[str, ...] = tuple(dict.fromkeys((*(word for words in WORDS.values() for word in words), PLAIN)))
"""All that a text may say about a picture: the words of every kind, and "plain" for no texture."""

VOCABULARY = (*FILLERS, *CONCEPTS)
NUMBERS = {word: number for number, word in enumerate(VOCABULARY, 1)}

WIDTH = 128
FIRST_SPREAD = 0.2  # small, so that the first steps move the embeddings


def split(text: str) -> list[str]:
    """The words of a text, in lower case, without commas and full stops, and without "small", which captions have."""
    return [word for word in text.lower().replace(",", " ").replace(".", " ").split() if word != "small"]


def tokenise(texts: Sequence[str]) -> IntArray:
    """(T, longest text) numbers of words, filled up with 0.

    Errors: `ScorerError` for words that the world does not have, with the nearest, and for a text without any
    of CONCEPTS.
    """
    lines = [split(text) for text in texts]
    unknown = list(dict.fromkeys(word for line in lines for word in line if word not in NUMBERS))
    if unknown:
        raise ScorerError(_advice(unknown))
    for text, line in zip(texts, lines, strict=True):
        if not set(line) - set(FILLERS):
            raise ScorerError(f"expected a text that says something about a picture of the world; got {text!r}")
    longest = max(map(len, lines), default=0)
    rows = [[NUMBERS[word] for word in line] + [0] * (longest - len(line)) for line in lines]
    return np.array(rows, np.int64).reshape(len(rows), longest)


def _advice(unknown: list[str]) -> str:
    near = {word: nearest(word, CONCEPTS) for word in unknown[:5]}
    said = "; ".join(
        f"{word!r}" + (f" (did you mean {' or '.join(alike)}?)" if alike else "") for word, alike in near.items()
    )
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    return f"the world has no word {said}{more}. Its words: {', '.join(CONCEPTS)}."


class TextEncoder(nn.Module):
    """A weighted mean of word embeddings and two linear layers: enough for texts whose order says nothing.

    `outputs`: length of an embedding.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(len(VOCABULARY) + 1, WIDTH, padding_idx=0)
        self.importance = nn.Embedding(len(VOCABULARY) + 1, 1)
        self.inner = nn.Linear(WIDTH, WIDTH)
        self.relu = nn.ReLU()
        self.fc = nn.Linear(WIDTH, outputs)
        with torch.no_grad():
            self.embedding.weight.mul_(FIRST_SPREAD)
            self.importance.weight.zero_()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """(T, L) numbers of words, 0 for none -> (T, outputs)."""
        importance = self.importance(tokens).masked_fill((tokens == 0)[..., None], -torch.inf)
        mean = (self.embedding(tokens) * importance.softmax(dim=1)).sum(dim=1)
        outputs: torch.Tensor = self.fc(mean + self.relu(self.inner(mean)))
        return outputs
