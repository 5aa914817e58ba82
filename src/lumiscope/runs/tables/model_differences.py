"""The table `model_differences`."""

from __future__ import annotations

from lumiscope.runs.table import column, table

CATEGORY, CONCEPT = "category", "concept"  # the kinds of names that are compared
ALPHA = 0.05  # a corrected p-value below it is a difference


@table("model_differences", "each concept and category that units of two models have, with its test")
class ModelDifferenceRow:
    """The shares of units with one concept or category in two models, compared."""

    model_a: str = column("a model")
    model_b: str = column("another one")
    layer_a: str | None = column("a layer of the first; null: all its layers together")
    layer_b: str | None = column("a layer of the second; null: all its layers together")
    kind: str = column("category or concept")
    name: str = column("the category or concept; no label is a category")
    category: str = column("the category that it is, or is in")
    units_a: int = column("units of the first with it", low=0)
    of_a: int = column("units of the first in all", low=0)
    units_b: int = column("units of the second with it", low=0)
    of_b: int = column("units of the second in all", low=0)
    difference: float = column("share in b minus share in a", low=-1, high=1)
    low: float = column("lower end of its 95 % interval (Newcombe, of clusters of units)", low=-1, high=1)
    high: float = column("upper end of that interval", low=-1, high=1)
    p_value: float = column(
        "permutation of clusters of units; NaN where there are too few to find anything", low=0, high=1
    )
    p_adjusted: float = column("Holm over the names that are tested; NaN for others", low=0, high=1)

    @property
    def share_a(self) -> float:
        """Units of the first model with it, of all; 0 of none."""
        return self.units_a / self.of_a if self.of_a else 0.0

    @property
    def share_b(self) -> float:
        """Units of the second model with it, of all; 0 of none."""
        return self.units_b / self.of_b if self.of_b else 0.0

    @property
    def is_certain(self) -> bool:
        """Whether chance is no likely explanation."""
        return self.p_adjusted < ALPHA
