"""Names in short: of classes, which are often several synonyms with commas between them, and of files."""

from __future__ import annotations

LONGEST = 60  # letters of a file's name in a sentence; most file systems allow 255 bytes


def short_name(class_name: str) -> str:
    """The first of several synonyms: "goldfish" of "goldfish, Carassius auratus"."""
    return class_name.split(",")[0].strip()


def cut_in_middle(name: str, most: int = LONGEST) -> str:
    """A name or path of at most so many letters: of a longer one the beginning and the end, with … between them."""
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most * 2 // 5 :]}"
