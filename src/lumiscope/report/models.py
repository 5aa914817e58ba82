"""The models that were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lumiscope.study import Run


@dataclass(frozen=True)
class ModelRow:
    """One model. `input`: size and geometry in words. `notes`: what a reader must know of it."""

    model: str
    spec: str
    fingerprint: str
    num_classes: int | None
    target_layer: str | None
    input: str
    normalisation: str
    notes: tuple[str, ...]


def models_of(run: Run) -> tuple[ModelRow, ...]:
    """The table `models` as rows to show."""
    return tuple(
        ModelRow(
            model=row["model"],
            spec=row["spec"],
            fingerprint=row["fingerprint"] or "",
            num_classes=row["num_classes"],
            target_layer=row["target_layer"],
            input=f"{row['input_width']} × {row['input_height']}, {row['geometry']}, {row['interpolation']}",
            normalisation="its own" if row["mean"] is None else f"mean {row['mean']}; std {row['std']}",
            notes=tuple(row["notes"] or ()),
        )
        for row in run.table("models").to_pylist()
    )
