"""One fixed colour for every concept category, the same in every report."""

from __future__ import annotations

from collections.abc import Mapping

from lumiscope.concepts import CATEGORIES, OTHER
from lumiscope.runs import NO_LABEL

# After the qualitative schemes of Paul Tol (2021), which stay distinct for colour-blind readers; neighbours in the
# order of the categories differ in lightness, so that the borders of a stacked bar show in grey as well.
COLOURS: Mapping[str, str] = {
    "colour": "#ee8866",
    "texture": "#882255",
    "material": "#d9b88f",
    "shape": "#332288",
    "part": "#c98bc4",
    "object": "#b5485d",
    "vehicle": "#77aadd",
    "clothing": "#aa4499",
    "animal": "#ddcc77",
    "plant": "#117733",
    "food": "#f2a541",
    "person": "#661100",
    "place": "#88ccee",
    "nature": "#2f8f83",
    "weather": "#bcd9e8",
    "action": "#6b6b16",
    "text": "#bbcc33",
    OTHER: "#d5d8dd",
    NO_LABEL: "#eceef1",
}
SPARE = ("#004488", "#ffaabb", "#44aa99", "#997700", "#99ddff")


def category_colour(category: str, further: tuple[str, ...] = ()) -> str:
    """The colour of a category; one of a user's own concept set takes a spare one by its place in `further`."""
    if category in COLOURS:
        return COLOURS[category]
    return SPARE[further.index(category) % len(SPARE)] if category in further else COLOURS[OTHER]


def text_colour(background: str) -> str:
    """Near black or white, whichever is easier to read on `background` (WCAG relative luminance)."""
    parts = [int(background[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if luminance < 0.18 else "#15181d"


def further_categories(names: list[str]) -> tuple[str, ...]:
    """Those of `names` that have no fixed colour, each once, in order."""
    return tuple(name for name in dict.fromkeys(names) if name not in CATEGORIES and name != NO_LABEL)
