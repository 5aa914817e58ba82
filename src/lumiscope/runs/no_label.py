"""Why a unit has no label: a kind that can be counted, and the details in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

NO_LABEL = "no label"  # the category of units without a label


class Reason(StrEnum):
    """Why a unit has no label, or is left out; the first that applies."""

    DEAD = "dead"
    CONSTANT = "constant"
    NOT_FINITE = "not finite"
    UNDEFINED = "undefined"
    NOT_SIGNIFICANT = "not significant"
    UNSTABLE = "unstable"

    @property
    def column(self) -> str:
        """The column of the table `layers` that counts it."""
        return self.replace(" ", "_")


@dataclass(frozen=True)
class NoLabel:
    """Why one unit has no label. `detail`: more of it, in words. As text: "dead: 0 on every probing image"."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else str(self.reason)
