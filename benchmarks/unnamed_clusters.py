"""What noise gets where images come in clusters that nobody named, and whether the notes of the labels warn.

    python benchmarks/unnamed_clusters.py

Layers of 60 units that know nothing of 40 concepts, on images of which a share of the variance is their cluster's, in a
shuffled list. Prints Markdown: how many units get a label in each of six layers, and in how many layers the notes warn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lumiscope.dissection import EvidenceOptions, LayerLabels, label_units

UNITS, CONCEPTS, LAYERS = 60, 40, 6


@dataclass(frozen=True)
class Clusters:
    """`count` clusters of `size` images; `share` of the variance of an image is its cluster's."""

    count: int
    size: int
    share: float

    def labels(self, seed: int) -> LayerLabels:
        """The labels of one layer of noise."""
        random = np.random.default_rng(seed)
        of = random.permutation(np.repeat(np.arange(self.count), self.size))
        activations, scores = (
            np.sqrt(self.share) * random.normal(size=(self.count, width))[of]
            + np.sqrt(1 - self.share) * random.normal(size=(len(of), width))
            for width in (UNITS, CONCEPTS)
        )
        options = EvidenceOptions(draws=500, resamples=10)
        return label_units(
            activations, scores, model="noise", layer="noise", similarity="pearson", options=options, seed=seed
        )


CASES = (
    *(Clusters(30, 4, share) for share in (0.95, 0.9, 0.8, 0.6, 0.4)),
    *(Clusters(10, 12, share) for share in (0.5, 0.4, 0.3, 0.2)),
    Clusters(10, 50, 0.14),
    Clusters(120, 1, 0),
)


def main() -> None:
    """Print the table."""
    print("| clusters | images in each | share of the variance | units labelled, of 60 | warned |")
    print("| --- | --- | --- | --- | --- |")
    for case in CASES:
        layers = [case.labels(seed) for seed in range(LAYERS)]
        counts = ", ".join(str(np.count_nonzero(layer.concept >= 0)) for layer in layers)
        warned = sum(bool(layer.clustered) for layer in layers)
        print(f"| {case.count} | {case.size} | {case.share:g} | {counts} | {warned} of {LAYERS} |", flush=True)


if __name__ == "__main__":
    main()
