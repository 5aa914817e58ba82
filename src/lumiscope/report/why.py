"""Why a model predicts what it does, as the gallery shows it: concepts with their shares of the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lumiscope.study import Run
    from lumiscope.study.account import Account, UnitShare

CONCEPTS_SHOWN = 5


@dataclass(frozen=True)
class Reason:
    """The units of one label, or one unit without a label. `width`: of its bar, in [0, 100]; the longest is 100."""

    name: str
    count: int
    addresses: str
    share: float
    width: float


@dataclass(frozen=True)
class Why:
    """One account, as `Account` has it. `units`: the largest first, those of one label together."""

    layer: str
    target: str
    score: float
    baseline: float
    units: tuple[Reason, ...]
    shown_units: float
    labelled_units: float
    all_units: float
    error: float
    is_complete: bool
    is_defined: bool

    @property
    def rise(self) -> float:
        """S(A) - S(0)."""
        return self.score - self.baseline


def whys_of(run: Run) -> dict[tuple[str, str], Why]:
    """The account of each (model, image); empty where the run has none."""
    from lumiscope.study.account import accounts_of

    return {(one.model, one.image): _why(one) for one in accounts_of(run)}


def _why(account: Account) -> Why:
    units = _reasons(account.units) if account.is_defined else ()
    return Why(
        layer=account.layer,
        target=account.target,
        score=account.score,
        baseline=account.baseline,
        units=units,
        shown_units=sum(unit.share for unit in units),
        labelled_units=account.labelled_units,
        all_units=account.all_units,
        error=account.error,
        is_complete=account.is_complete,
        is_defined=account.is_defined,
    )


def _reasons(units: Sequence[UnitShare]) -> tuple[Reason, ...]:
    """Units of one label as one, the largest |share| first, at most `CONCEPTS_SHOWN`."""
    groups: dict[str, list[UnitShare]] = {}
    for unit in units:
        groups.setdefault(unit.name, []).append(unit)
    shares = {name: sum(unit.share for unit in group) for name, group in groups.items()}
    names = sorted(groups, key=lambda name: -abs(shares[name]))[:CONCEPTS_SHOWN]
    longest = max((abs(shares[name]) for name in names), default=0) or 1
    return tuple(
        Reason(
            name,
            len(groups[name]),
            ", ".join(unit.address for unit in groups[name]),
            shares[name],
            100 * abs(shares[name]) / longest,
        )
        for name in names
    )
