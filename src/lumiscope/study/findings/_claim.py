"""One sentence of the summary as a row of the table `findings`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from lumiscope.runs import FindingRow


class _OfModel(Protocol):
    @property
    def model(self) -> str:
        """The model that a row is about."""
        ...


Row = TypeVar("Row", bound=_OfModel)


def claim(
    text: str,
    *,
    statistic: str,
    value: float,
    tables: str,
    test: str | None = None,
    low: float | None = None,
    high: float | None = None,
    p_value: float | None = None,
    images: int | None = None,
    named_images: Sequence[str] = (),
) -> FindingRow:
    """A finding that has no number yet. `tables`: those it was computed from. `named_images`: those that it names."""
    return FindingRow(
        number=0,
        claim=text,
        statistic=statistic,
        value=value,
        low=low,
        high=high,
        test=test,
        p_value=p_value,
        images=images,
        tables=tables,
        named_images=tuple(named_images),
    )


def by_model(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by their model, in order."""
    models: dict[str, list[Row]] = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    return models
