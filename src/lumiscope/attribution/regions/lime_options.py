"""The options of LIME."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lumiscope.attribution.regions.designs import DESIGNS
from lumiscope.attribution.regions.region_options import RegionOptions
from lumiscope.errors import UsageError


@dataclass(frozen=True)
class LimeOptions(RegionOptions):
    """Options of LIME; those that the lime package has are named as there.

    `num_features`: segments that get a coefficient, and that the mask shows at most; at least 1.
    `num_samples`: pictures with hidden segments, at least 2; "auto": as many as the choice of the `num_features` best
    segments needs to be stable at the `confidence`, at most `max_samples`. `max_samples`: the most that "auto" takes,
    at least 2. `design`: how samples are chosen, and what is made of them: "bernoulli" (lime's), "foldover" or
    "surrogate". `confidence`: of the coefficients' intervals and of "auto", between 0 and 1. `top_labels`: classes, the
    most probable first, that get coefficients beside the target; at least 0.
    """

    method: ClassVar[str] = "lime"

    num_samples: int | Literal["auto"] = 1000
    max_samples: int = 5000
    design: str = field(default="bernoulli", metadata={"choices": tuple(DESIGNS)})
    confidence: float = 0.95
    top_labels: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("num_samples", 2), ("max_samples", 2), ("top_labels", 0)):
            self.check_least(name, least)
        if not 0 < self.confidence < 1:
            raise UsageError(f"lime: expected a confidence between 0 and 1, such as 0.95; got {self.confidence}")
