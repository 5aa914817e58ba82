"""Why a model predicts what it does, as a reader is told: units with their shares, and how complete that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from lumiscope.runs.reader import RunReader
from lumiscope.runs.tables import ContributionRow, JudgementRow, PredictionRow
from lumiscope.unit_address import UnitAddress

COMPLETE = 0.01  # a completeness error up to this is not worth a word


@dataclass(frozen=True)
class UnitShare:
    """One unit. `label`: None where it has none. `nearest`: the concept that it is most like, evidence or not.

    `share`: what it contributes, of S(A) - S(0); negative: against. `error`: how far that may be off. `removal`: by
    what share of S(A) - S(0) the score falls if this unit alone is silenced.
    """

    address: str
    label: str | None
    nearest: str | None
    share: float
    contribution: float
    error: float
    removal: float

    @property
    def name(self) -> str:
        """The label; without one the nearest concept with a question mark, else the address."""
        return self.label or (f"{self.nearest}?" if self.nearest else self.address)


@dataclass(frozen=True)
class Account:
    """What the units of `layer` contribute to the score of one class on one image, the largest |share| first.

    `target`: the class. `predicted`, `probability`: what the model predicts; None if unknown. `score`, `baseline`:
    S(A) with the layer's activations and S(0) without. `all_units`, `labelled_units`: the shares of all units of the
    layer, and of those with a label. `error`: how much of S(A) - S(0) all contributions together miss. NaN where the
    score does not depend on the layer.
    """

    model: str
    image: str
    layer: str
    target: str
    predicted: str | None
    probability: float | None
    score: float
    baseline: float
    units: tuple[UnitShare, ...]
    all_units: float
    labelled_units: float
    error: float

    def shown(self, count: int) -> Account:
        """The account with the first `count` units alone."""
        return replace(self, units=self.units[:count])

    @property
    def shown_units(self) -> float:
        """The share of the units that are listed."""
        return sum(unit.share for unit in self.units)

    @property
    def is_defined(self) -> bool:
        """Whether there is anything to account for."""
        return not math.isnan(self.error)

    @property
    def is_complete(self) -> bool:
        """Whether the contributions add up as they should, within a hundredth."""
        return self.error <= COMPLETE

    @property
    def single_units(self) -> str:
        """How far single shares may be off, and how far they are from what silencing a unit alone takes away."""
        errors = [unit.error for unit in self.units if not math.isnan(unit.error)]
        apart = [unit for unit in self.units if abs(unit.removal - unit.share) > COMPLETE]
        said = f"; single shares are within {max(errors):.1%} of the score's rise" if max(errors, default=0) > 0 else ""
        if apart:
            most = max(apart, key=lambda unit: abs(unit.removal - unit.share))
            said += f"; silencing one alone takes away another share, of {most.name} {most.removal:z.2f}"
        return said

    @property
    def head(self) -> str:
        """ "goldfish (predicted goldfish, 0.93)": the image, and what it is taken for."""
        said = "" if self.predicted is None else f"predicted {self.predicted}, {self.probability:.2f}"
        if self.predicted != self.target:
            said = f"why {self.target}" + (f"; {said}" if said else "")
        return f"{self.image} ({said})"

    def text(self) -> str:
        """Everything in one sentence."""
        if not self.is_defined:
            return f"{self.head}: the score does not depend on {self.layer}"
        listed = ", ".join(
            unit.address + f" {unit.share:z.2f}"
            if unit.name == unit.address
            else f"{unit.name} {unit.share:z.2f} ({unit.address})"
            for unit in self.units
        )
        these = f"these {len(self.units)} units are" if len(self.units) > 1 else "this unit is"
        said = (
            f"{self.head}: {listed}; {these} {self.shown_units:z.0%} of what the layer adds to the score, those with a "
            f"label {self.labelled_units:z.0%}, all units together {self.all_units:z.1%}"
        )
        said += self.single_units
        if any(unit.label is None and unit.nearest for unit in self.units):
            said += "; a word with ? is only the nearest: the evidence for it does not suffice"
        return said if self.is_complete else f"{said} (the sum misses {self.error:.1%} of it: the shares are rough)"


def accounts_of(run: RunReader) -> list[Account]:
    """The accounts of a run in the order of its table `contributions`; none where it has no such table."""
    predictions = {(row.model, row.image): row for row in run.rows(PredictionRow) if row.rank == 1}
    targets = {(row.model, row.image): row.target_short_name for row in run.rows(JudgementRow)}
    groups = groupby(run.rows(ContributionRow), key=lambda row: (row.model, row.image))
    return [_account(list(rows), targets[key], predictions.get(key)) for key, rows in groups]


def _account(rows: Sequence[ContributionRow], target: str, prediction: PredictionRow | None) -> Account:
    first = rows[0]
    difference = first.score - first.baseline_score
    known = not math.isnan(first.completeness_error)
    return Account(
        model=first.model,
        image=first.image,
        layer=first.layer,
        target=target,
        predicted=None if prediction is None else prediction.short_name,
        probability=None if prediction is None else prediction.probability,
        score=first.score,
        baseline=first.baseline_score,
        units=tuple(
            UnitShare(
                str(UnitAddress(row.layer, row.unit)),
                row.label,
                row.nearest,
                row.share,
                row.contribution,
                row.error,
                row.removal_share,
            )
            for row in rows
        ),
        all_units=first.total / difference if known else math.nan,
        labelled_units=first.labelled_total / difference if known else math.nan,
        error=first.completeness_error,
    )
