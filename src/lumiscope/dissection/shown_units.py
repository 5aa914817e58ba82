"""Which units of a layer are worth a page of their own, and on which images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lumiscope.dissection.summary import REASONS, reason_kind

CLEAREST = 6
UNLABELLED = 3
TOP_IMAGES = 8
COUNTER_EXAMPLES = 4
# Those that might have had a label come first: of a unit that never fires there is nothing to see.
TELLING = tuple(reversed(REASONS))
Row = Mapping[str, Any]


def shown_units(rows: Iterable[Row]) -> list[Row]:
    """Choose the units that are shown: of each layer the clearest, and some that got no label.

    `rows`: of the units table. First come up to six labelled units, the highest held-out correlation first (then the
    score), each label once before any comes twice; then up to three units without a label, one for each reason before
    any reason comes twice, the highest score first.
    """
    layers: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        layers.setdefault((row["model"], row["layer"]), []).append(row)
    return [row for layer in layers.values() for row in _shown(layer)]


def shown_images(row: Row) -> list[str]:
    """The images on which a shown unit fires, most active first: those to crop to where it does."""
    top = (row["top_images"] or [])[:TOP_IMAGES]
    return list(dict.fromkeys([*top, *(row["active_without"] or [])[:COUNTER_EXAMPLES]]))


def _shown(rows: Sequence[Row]) -> list[Row]:
    labelled = [row for row in rows if row["label"] is not None]
    refused = [row for row in rows if row["label"] is None]
    clearest = sorted(labelled, key=lambda row: (_falling(row["heldout_correlation"]), _falling(row["score"])))
    nearest = sorted(refused, key=lambda row: (_place(row["reason"]), _falling(row["score"])))
    kinds = [reason_kind(row["reason"] or "") for row in nearest]
    return [
        *_varied(clearest, [row["label"] for row in clearest])[:CLEAREST],
        *_varied(nearest, kinds)[:UNLABELLED],
    ]


def _varied(rows: Sequence[Row], keys: Sequence[str]) -> list[Row]:
    """The same rows, those whose key came before put behind the others."""
    seen: set[str] = set()
    first: list[Row] = []
    again: list[Row] = []
    for row, key in zip(rows, keys, strict=True):
        (again if key in seen else first).append(row)
        seen.add(key)
    return first + again


def _place(reason: str | None) -> int:
    kind = reason_kind(reason or "")
    return TELLING.index(kind) if kind in TELLING else len(TELLING)


def _falling(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else -value
