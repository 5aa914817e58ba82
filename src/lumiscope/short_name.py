"""Class names, which are often several synonyms with commas between them."""

from __future__ import annotations


def short_name(class_name: str) -> str:
    """The first of several synonyms: "goldfish" of "goldfish, Carassius auratus"."""
    return class_name.split(",")[0].strip()
