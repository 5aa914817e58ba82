"""Text of others as it may be shown: a terminal obeys control characters, which names and answers may hold."""

from __future__ import annotations

THIN_SPACE = "\u202f"  # between the thousands of `lumiscope.counts`: harmless, though Python calls it unprintable


def printable(text: str, keep: str = "") -> str:
    """`text` with what cannot be printed as escapes, such as \\x1b, \\n or \\udcff. `keep`: what stays as it is."""
    if text.isprintable():
        return text
    kept = keep + THIN_SPACE
    return "".join(letter if letter.isprintable() or letter in kept else repr(letter)[1:-1] for letter in text)
