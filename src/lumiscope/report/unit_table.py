"""All units of a run for the searchable table."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from lumiscope.report.numbers import defined


def units_json(rows: Iterable[Mapping[str, Any]]) -> Markup:
    """All units as compact JSON for the page's script: words once, and rows that point at them.

    {"words": [...], "layers": [[model, layer], ...], "rows": [[layer, unit, label, category, score, margin, runner_up,
    reason, q_value, heldout_correlation, stability, [further labels]], ...]}; a word that is missing is -1, a number
    that is missing null.
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
            _rounded(row["q_value"]),
            _rounded(row["heldout_correlation"]),
            _rounded(row["stability"]),
            [word(further) for further in row["further_labels"] or ()],
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
