"""What a label must pass before a unit gets it."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.errors import UsageError


@dataclass(frozen=True)
class EvidenceOptions:
    """How much evidence a label needs, and how much work goes into it.

    `fdr`: of the units of a layer that get a label, the highest share that may be related to no concept, in (0, 1]; 1
    lets every unit pass. It says nothing of labels that are not the best word for a unit that is related to some.
    `min_stability`: the least share of bootstrap resamples in which the same concept must come first, in [0, 1].
    `draws`: random permutations for each group of units that share a null distribution. `resamples`: of the bootstrap.
    `max_labels`: how many labels a unit may have, the first one included.
    Raises UsageError for values out of range.
    """

    fdr: float = 0.05
    min_stability: float = 0.5
    draws: int = 1000
    resamples: int = 30
    max_labels: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.fdr <= 1 or not 0 <= self.min_stability <= 1:
            raise UsageError(
                "evidence needs fdr above 0 and at most 1, and min_stability between 0 and 1; "
                f"got fdr {self.fdr} and min_stability {self.min_stability}"
            )
        if min(self.draws, self.resamples, self.max_labels) < 1:
            raise UsageError(
                "evidence needs at least 1 draw, 1 resample and 1 label; "
                f"got draws {self.draws}, resamples {self.resamples}, max_labels {self.max_labels}"
            )
