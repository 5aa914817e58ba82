"""Single units: cards of the clearest ones of a layer, and all of them for the searchable table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from markupsafe import Markup

from lumiscope.report.embed import Thumbnails
from lumiscope.report.numbers import defined
from lumiscope.types import ByteArray

CARDS = 9
CARD_IMAGES = 5


@dataclass(frozen=True)
class Unit:
    """One unit. `images`: (name, CSS class of its thumbnail or "" where the file is gone), most active first."""

    unit: int
    label: str
    category: str
    score: float | None
    margin: float | None
    runner_up: str | None
    images: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LayerUnits:
    """The units of a layer that are shown as cards, and how many labelled units there are in all."""

    shown: tuple[Unit, ...]
    labelled: int


def layer_units(
    rows: Sequence[Mapping[str, Any]],
    pixels: Callable[[str], ByteArray | None],
    thumbnails: Thumbnails,
    digests: Mapping[str, str] = MappingProxyType({}),
) -> LayerUnits:
    """Choose the units of one layer with the highest scores, each label once before any comes twice.

    `pixels`: gives the picture of a probing image by name. `digests`: of their contents, where known.
    """
    labelled = [row for row in rows if row["label"] is not None]

    def picture(name: str) -> str:
        return thumbnails.css_class(f"probe {name}", partial(pixels, name), digests.get(name))

    shown = tuple(_unit(row, picture) for row in _varied(labelled)[:CARDS])
    return LayerUnits(shown, len(labelled))


def _varied(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_score = sorted(rows, key=lambda row: -row["score"] if defined(row["score"]) else math.inf)
    seen: set[str] = set()
    first: list[Mapping[str, Any]] = []
    again: list[Mapping[str, Any]] = []
    for row in by_score:
        (again if row["label"] in seen else first).append(row)
        seen.add(row["label"])
    return first + again


def _unit(row: Mapping[str, Any], picture: Callable[[str], str]) -> Unit:
    images = (row["top_images"] or [])[:CARD_IMAGES]
    return Unit(
        unit=row["unit"],
        label=row["label"],
        category=row["category"],
        score=row["score"],
        margin=row["margin"],
        runner_up=row["runner_up"],
        images=tuple((name, picture(name)) for name in images),
    )


def units_json(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """All units as compact JSON for the page's script: words once, and rows that point at them.

    {"words": [...], "layers": [[model, layer], ...], "rows": [[layer, unit, label, category, score, margin, runner_up,
    reason], ...]}; a word that is missing is -1, a number that is missing null.
    """
    words: dict[str, int] = {}
    layers: dict[tuple[str, str], int] = {}

    def word(text: str | None) -> int:
        return words.setdefault(text, len(words)) if text else -1

    packed = [
        [
            layers.setdefault((row["model"], row["layer"]), len(layers)),
            row["unit"],
            word(row["label"]),
            word(row["category"]),
            _rounded(row["score"]),
            _rounded(row["margin"]),
            word(row["runner_up"]),
            word(row["reason"]),
        ]
        for row in rows
    ]
    return script_json({"words": list(words), "layers": [list(layer) for layer in layers], "rows": packed})


def script_json(value: object) -> Markup:
    """JSON that may stand inside a script element: nothing in it can close the element or look like an address."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026").replace("://", ":\\/\\/"))


def _rounded(value: float | None) -> float | None:
    return float(f"{value:.4g}") if defined(value) and math.isfinite(value) else None
