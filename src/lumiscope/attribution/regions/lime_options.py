"""The options of LIME."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.regions.designs import DESIGNS
from lumiscope.attribution.regions.region_options import RegionOptions


@dataclass(frozen=True)
class LimeOptions(RegionOptions):
    """Options of LIME; those that the lime package has are named as there.

    `num_features`: segments that get a coefficient, and that the mask shows at most.
    `num_samples`: pictures with hidden segments; "auto": as many as the choice of the `num_features` best
    segments needs to be stable at the `confidence`, at most `max_samples`. `max_samples`: the most that "auto" takes.
    `design`: how samples are chosen, and what is made of them: "bernoulli" (lime's), "foldover" or
    "surrogate". `confidence`: of the coefficients' intervals and of "auto". `top_labels`: classes, the most probable
    first, that get coefficients beside the target.
    """

    method: ClassVar[str] = "lime"

    num_samples: int | Literal["auto"] = option(1000, at_least=2)
    max_samples: int = option(5000, at_least=2)
    design: str = option("bernoulli", choices=tuple(DESIGNS))
    confidence: float = option(0.95, above=0, below=1)
    top_labels: int = option(1, at_least=0)
