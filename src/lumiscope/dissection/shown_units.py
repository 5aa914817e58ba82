"""Which units of a layer are worth a page of their own, and on which images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from lumiscope.runs import COUNTER_EXAMPLES, TOP_IMAGES, Reason, ShownUnitRow, UnitRow

CLEAREST = 6
UNLABELLED = 3
# Those that might have had a label come first: of a unit that never fires there is nothing to see.
TELLING = tuple(reversed(Reason))


def shown_units(units: Iterable[UnitRow]) -> list[ShownUnitRow]:
    """Choose the units that are shown: of each layer the clearest, and some that got no label.

    First come up to six labelled units, the highest held-out correlation first (then the score), each label once before
    any comes twice; then up to three units without a label, one for each reason before any reason comes twice, the
    highest score first.
    """
    layers: dict[tuple[str, str], list[UnitRow]] = {}
    for unit in units:
        layers.setdefault((unit.model, unit.layer), []).append(unit)
    return [
        ShownUnitRow(model=model, layer=layer, unit=unit.unit, place=place)
        for (model, layer), rows in layers.items()
        for place, unit in enumerate(_shown(rows), 1)
    ]


def shown_images(unit: UnitRow) -> list[str]:
    """The images on which a shown unit fires, most active first: those to crop to where it does."""
    return list(dict.fromkeys([*unit.top_images[:TOP_IMAGES], *unit.active_without[:COUNTER_EXAMPLES]]))


def _shown(units: Sequence[UnitRow]) -> list[UnitRow]:
    labelled = [unit for unit in units if unit.label is not None]
    refused = [unit for unit in units if unit.label is None]
    clearest = sorted(labelled, key=lambda unit: (_falling(unit.heldout_correlation), _falling(unit.score)))
    nearest = sorted(refused, key=lambda unit: (_place(unit.reason), _falling(unit.score)))
    return [
        *_varied(clearest, [unit.label for unit in clearest])[:CLEAREST],
        *_varied(nearest, [unit.reason for unit in nearest])[:UNLABELLED],
    ]


def _varied(units: Sequence[UnitRow], keys: Sequence[object]) -> list[UnitRow]:
    """The same units, those whose key came before put behind the others."""
    seen: set[object] = set()
    first: list[UnitRow] = []
    again: list[UnitRow] = []
    for unit, key in zip(units, keys, strict=True):
        (again if key in seen else first).append(unit)
        seen.add(key)
    return first + again


def _place(reason: Reason | None) -> int:
    return len(TELLING) if reason is None else TELLING.index(reason)


def _falling(value: float) -> float:
    return math.inf if math.isnan(value) else -value
