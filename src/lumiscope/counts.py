"""How many there are, in words: sentences, captions and messages say it one way."""

from __future__ import annotations

from collections.abc import Sequence


def thousands(count: int) -> str:
    """An integer with thin spaces between the thousands."""
    return f"{count:,}".replace(",", "\u202f")


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count with its noun: "1 image", "12 images". `plural`: of the noun, where it does more than end in s."""
    return f"{thousands(count)} {noun if count == 1 else plural or noun + 's'}"


def first_few(texts: Sequence[str], most: int, *, separator: str = ", ", more: str = " and {} more") -> str:
    """The first `most` texts, and how many there are more: `more` takes the number."""
    rest = len(texts) - most
    return separator.join(texts[:most]) + (more.format(rest) if rest > 0 else "")
