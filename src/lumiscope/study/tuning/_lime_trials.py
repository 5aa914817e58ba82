"""One picture cut by one segmenter and looked at with segments hidden: what every setting of LIME can be read from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from lumiscope.agreement import segment_mask
from lumiscope.attribution import (
    DESIGNS,
    Estimate,
    KeptClasses,
    LimeOptions,
    LimeSamples,
    PreparedBatch,
    Scene,
    take_samples,
)
from lumiscope.types import BoolArray, IntArray, Target


@dataclass(frozen=True)
class LimeTrials:
    """n pictures with hidden segments and what the model says of them.

    `samples`: as LIME takes them; the first m are what it gets with num_samples=m. `cut_seconds`: what cutting took;
    `seconds`: what n pictures took.
    """

    segments: IntArray
    target: Target
    options: LimeOptions
    samples: LimeSamples
    cut_seconds: float
    seconds: float
    _estimates: dict[int, Estimate] = field(default_factory=dict)

    @property
    def segment_count(self) -> int:
        """How many segments the view has."""
        return int(self.samples.samples.shape[1])

    def mask(self, num_samples: int, num_features: int) -> BoolArray:
        """(H, W) bool: the mask that LIME makes with these two options; the model is not asked again."""
        if num_samples not in self._estimates:
            of_target = self.samples.first(num_samples).of(self.target.index)
            self._estimates[num_samples] = Estimate.of(of_target, DESIGNS[self.options.design])
        fit, _ = self._estimates[num_samples].model(num_features)
        return segment_mask(
            self.segments,
            fit.coefficients,
            num_features=num_features,
            min_weight=self.options.min_weight,
            positive_only=self.options.positive_only,
        )

    def seconds_for(self, num_samples: int) -> float:
        """What LIME takes with so many samples: cutting, and its share of the pictures."""
        return self.cut_seconds + self.seconds * num_samples / len(self.samples)


def try_out(prepared: PreparedBatch, target: Target, options: LimeOptions, seeds: Sequence[int]) -> list[LimeTrials]:
    """Look at the only picture of a batch as LIME does with these options, `num_samples` times for each seed."""
    started = time.perf_counter()
    (view,) = prepared.views
    segments = view.segments(options.segmenter, options.segmenter_options)
    cut_seconds = time.perf_counter() - started
    trials = []
    for seed in seeds:
        started = time.perf_counter()
        scene = Scene.of(view, prepared.predictor, options, seed)
        samples = take_samples(scene, DESIGNS[options.design], int(options.num_samples), KeptClasses(target.index))
        seconds = time.perf_counter() - started
        trials.append(LimeTrials(segments, target, options, samples, cut_seconds, seconds))
    return trials
