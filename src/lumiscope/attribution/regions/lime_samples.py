"""How LIME samples a scene: pictures with hidden segments, and what the model says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.regions._population import proximity
from lumiscope.attribution.regions._stopping import block_ends, stability
from lumiscope.attribution.regions.designs import DESIGNS, Design
from lumiscope.attribution.regions.lime_estimate import Estimate, Sampled
from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.attribution.regions.scene import Scene
from lumiscope.types import DoubleArray


@dataclass(frozen=True)
class LimeSamples:
    """(n, d) samples of 0 (hidden) and 1 (shown), (n,) kernel weights, (n, k) probabilities of the `kept` classes."""

    samples: DoubleArray
    weights: DoubleArray
    probabilities: DoubleArray
    kept: KeptClasses

    def __len__(self) -> int:
        return len(self.samples)

    def first(self, count: int) -> LimeSamples:
        """The first `count` of them: those that LIME takes with num_samples=`count`."""
        return LimeSamples(self.samples[:count], self.weights[:count], self.probabilities[:count], self.kept)

    def of(self, label: int) -> Sampled:
        """What was seen of one class, of those that are kept."""
        return Sampled(self.samples, self.probabilities[:, self.kept.column(label)], self.weights)


def take_samples(scene: Scene, design: Design, count: int, kept: KeptClasses) -> LimeSamples:
    """`count` samples; the model is asked for each. `kept`: the classes of which anything is kept."""
    samples = design.draw(scene.seed, count, scene.count)
    return LimeSamples(samples, proximity(samples), scene.probabilities(samples > 0, kept), kept)


def take_enough_samples(scene: Scene, options: LimeOptions, kept: KeptClasses) -> tuple[LimeSamples, str]:
    """As many samples as the choice of the best segments needs to be stable; and why no more, in words."""
    count, seed, design = scene.count, scene.seed, DESIGNS[options.design]
    samples = design.draw(seed, options.max_samples, count)
    weights = proximity(samples)
    probabilities: list[DoubleArray] = []
    agreement, end = 0.0, 0
    for stop in block_ends(design.samples_a_segment * count, options.max_samples):
        probabilities.append(scene.probabilities(samples[end:stop] > 0, kept))
        end = stop
        taken = LimeSamples(samples[:end], weights[:end], np.concatenate(probabilities), kept)
        estimate = Estimate.of(taken.of(kept.target), design)
        agreement = stability(estimate.everything, estimate.covariance, options.num_features, seed)
        if agreement >= options.confidence:
            break
    said = f"{agreement:.0%} of the best {min(options.num_features, count)} segments would be chosen again"
    enough = agreement >= options.confidence
    return taken, f"{said}: stable" if enough else f"{said}: not stable, stopped at max_samples={options.max_samples}"
