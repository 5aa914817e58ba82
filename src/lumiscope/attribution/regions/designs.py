"""Designs: which segments each sample of LIME shows. The first m rows of n samples are those of m samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.regions._hadamard import hadamard
from lumiscope.types import DoubleArray, IntArray


def draw_samples(seed: int, count: int, segments: int) -> DoubleArray:
    """(n, d) of 0 (hidden) and 1 (shown), row 0 all shown; the very draws that lime makes from this seed."""
    legacy = np.random.RandomState(seed)
    samples = legacy.randint(0, 2, count * segments).reshape(count, segments)
    samples[0] = 1
    return samples.astype(np.float64)


def foldover_samples(seed: int, count: int, segments: int) -> DoubleArray:
    """(n, d) of 0 and 1, row 0 all shown; then every row is followed by its complement.

    A block is a Hadamard matrix (a Plackett-Burman design with its constant column) of order m >= d, its rows in random
    order, its columns given to the segments at random and each turned round at random, folded over: 2m rows in which
    main effects are orthogonal to one another and to all two-way interactions (Plackett and Burman 1946; Box and Wilson
    1951). Further blocks are drawn anew. Every row is uniform on {0, 1}^d, as lime's are.
    """
    generator = np.random.default_rng(seed)
    matrix = hadamard(segments)
    order = len(matrix)
    blocks, rows_so_far = [np.ones((1, segments))], 1
    while rows_so_far < count:
        columns = generator.permutation(order)[:segments]
        signs = generator.choice([-1.0, 1.0], segments)
        rows = matrix[generator.permutation(order)][:, columns] * signs
        blocks.append((np.stack([rows, -rows], axis=1).reshape(-1, segments) + 1) / 2)
        rows_so_far += 2 * order
    return np.concatenate(blocks)[:count]


@dataclass(frozen=True)
class Design:
    """How LIME samples and estimates. `draw`: seed, count and number of segments to (count, d) samples.

    `paired`: rows come with their complements. `surrogate`: a Gaussian process takes part in the estimate.
    `samples_a_segment`: below so many the estimate is called unsure.
    """

    draw: Callable[[int, int, int], DoubleArray]
    paired: bool
    surrogate: bool
    samples_a_segment: int

    def groups(self, count: int) -> IntArray:
        """(n,) ids of samples that belong together: pairs, of which row 0 has none, or each alone."""
        return (np.arange(count) + 1) // 2 if self.paired else np.arange(count)


DESIGNS = {
    "bernoulli": Design(draw_samples, paired=False, surrogate=False, samples_a_segment=10),
    "foldover": Design(foldover_samples, paired=True, surrogate=False, samples_a_segment=10),
    "surrogate": Design(foldover_samples, paired=True, surrogate=True, samples_a_segment=5),
}
