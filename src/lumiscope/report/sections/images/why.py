"""Why a model predicts what it does: an account of a run with the units of one label together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lumiscope.runs import Account, UnitShare

CONCEPTS_SHOWN = 5


@dataclass(frozen=True)
class ConceptShare:
    """The units of one label, or one unit without a label. `width`: of its bar, in [0, 100]; the longest is 100."""

    name: str
    count: int
    addresses: str
    share: float
    width: float


@dataclass(frozen=True)
class Why:
    """One account. `concepts`: the largest |share| first; none where nothing can be accounted for."""

    account: Account
    concepts: tuple[ConceptShare, ...]

    @property
    def shown_share(self) -> float:
        """The share of all concepts that are listed."""
        return sum(concept.share for concept in self.concepts)

    @property
    def rises(self) -> bool:
        """Whether the layer raises the score: S(A) >= S(0)."""
        return self.account.score - self.account.baseline >= 0


def why(account: Account) -> Why:
    """An account as the cards of images show it."""
    return Why(account, _concept_shares(account.units) if account.is_defined else ())


def _concept_shares(units: Sequence[UnitShare]) -> tuple[ConceptShare, ...]:
    """Units of one label together, the largest |share| first, at most `CONCEPTS_SHOWN`."""
    groups: dict[str, list[UnitShare]] = {}
    for unit in units:
        groups.setdefault(unit.name, []).append(unit)
    shares = {name: sum(unit.share for unit in group) for name, group in groups.items()}
    names = sorted(groups, key=lambda name: -abs(shares[name]))[:CONCEPTS_SHOWN]
    longest = max((abs(shares[name]) for name in names), default=0) or 1
    return tuple(
        ConceptShare(
            name,
            len(groups[name]),
            ", ".join(unit.address for unit in groups[name]),
            shares[name],
            100 * abs(shares[name]) / longest,
        )
        for name in names
    )
