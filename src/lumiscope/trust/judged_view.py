"""A view whose explanations are judged: what metrics share of it, each part made once and only when it is asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch

from lumiscope.attribution import PreparedBatch
from lumiscope.trust._filling import Filling
from lumiscope.trust.effects import TrueEffects
from lumiscope.trust.substrates import ROAD, SUBSTRATES, ZEROS
from lumiscope.trust.ties import rounded
from lumiscope.types import BoolArray, DoubleArray, FedArray, FloatArray, IntArray, Target

Shown: TypeAlias = Callable[[int, int], BoolArray]
Made = TypeVar("Made")
SUPERPIXELS = "slic"
SEGMENTS = 50  # of them in a view


class JudgedView:
    """One view, the class that was explained, and what the model says when parts of the view are hidden.

    `prepared`: a batch of one view. `truth`: (H, W) where the object is; None where nobody said. `effects`: what each
    thing in the picture really does to the score; None where that is not known. `seed`: all random choices derive from
    it.
    """

    def __init__(
        self,
        prepared: PreparedBatch,
        target: Target,
        *,
        truth: BoolArray | None = None,
        effects: TrueEffects | None = None,
    ) -> None:
        (self.view,) = prepared.views
        self.prepared = prepared
        self.predictor = prepared.predictor
        self.target = target
        self.truth = truth
        self.effects = effects
        self.seed = self.view.seed("trust")
        self._shared: dict[Hashable, Any] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.view.size

    @functools.cached_property
    def whole(self) -> float:
        """The score of the whole view."""
        return float(self.scores(self._all(True), 1)[0])

    def nothing(self, substrate: str = "mean") -> float:
        """The score where everything is hidden."""
        return self.shared(("nothing", substrate), lambda: float(self.scores(self._all(False), 1, substrate)[0]))

    def hidden(self, substrate: str) -> FedArray:
        """(H, W, C) what is seen where the view is hidden. Errors: `UnknownNameError`."""
        return self.shared(("hidden", substrate), lambda: SUBSTRATES[substrate](self.view.fed))

    @functools.cached_property
    def superpixels(self) -> IntArray:
        """(H, W) about 50 superpixels (SLIC), from 0."""
        return self.view.segments(SUPERPIXELS, {"n_segments": SEGMENTS})

    def cells(self, side: int) -> IntArray:
        """`grid_cells` of the view."""
        return grid_cells(self.size, side)

    def scores(self, shown: Shown, count: int, substrate: str = "mean") -> DoubleArray:
        """(count,) the target's logit where only some pixels are shown. `shown(start, stop)`: (n, H, W) bool, which.

        `substrate`: what is seen elsewhere, one of `SUBSTRATES`; "zeros": 0 as the network is fed it; or "road": filled
        from what is shown.
        """
        index = self.target.index

        def keep(some: FloatArray) -> FloatArray:
            return some[:, index : index + 1]

        if substrate in (ROAD, ZEROS):
            pictures = self._filled(shown) if substrate == ROAD else self._blanked(shown)
            logits = self.predictor.normalised_logits(pictures, count, keep)
        else:
            logits = self.predictor.masked_logits(self.view.fed, self.hidden(substrate), shown, count, keep)
        return np.asarray(logits[:, 0], np.float64)

    def shared(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` makes, once for each key: metrics and maps of this view share it."""
        if key not in self._shared:
            self._shared[key] = make()
        made: Made = self._shared[key]
        return made

    def drops(self, regions: IntArray) -> DoubleArray:
        """(n,) how far the score falls when one region is hidden. `regions`: (H, W), from 0. Asked once."""

        def without(start: int, stop: int) -> BoolArray:
            return np.asarray(regions != np.arange(start, stop)[:, np.newaxis, np.newaxis])

        count = int(regions.max()) + 1
        return self.shared(("drops", regions.tobytes()), lambda: self.whole - self.scores(without, count))

    @functools.cached_property
    def _normalised(self) -> torch.Tensor:
        return self.predictor.normalised(self.view.fed)

    def _filled(self, shown: Shown) -> Callable[[int, int], torch.Tensor]:
        """Makes pictures whose hidden pixels are filled from those that are shown, (n, channels, H, W), normalised."""
        filling = self.shared("filling", lambda: Filling(self._normalised, self.seed))
        return lambda start, stop: filling(torch.from_numpy(shown(start, stop)))

    def _blanked(self, shown: Shown) -> Callable[[int, int], torch.Tensor]:
        """Makes pictures whose hidden pixels are 0, (n, channels, H, W), normalised."""
        view = self._normalised
        return lambda start, stop: view * torch.from_numpy(shown(start, stop)).to(view.device)[:, None]

    @functools.cached_property
    def scores_without(self) -> Callable[[frozenset[str]], FloatArray] | None:
        """Gives (classes,) logits of the picture made without all things of some names; None where none can be made."""
        scores = None if self.effects is None else self.effects.scores_without
        return None if scores is None else functools.cache(scores)

    def _all(self, shown: bool) -> Shown:
        return lambda start, stop: np.full((stop - start, *self.size), shown)


def grid_cells(size: tuple[int, ...], side: int) -> IntArray:
    """(H, W) the number of each pixel's cell in a grid of `side` x `side`, row by row from 0. `size`: (H, W)."""
    rows, columns = (np.arange(length) * side // length for length in size)
    return np.asarray(rows[:, np.newaxis] * side + columns, np.int64)


def region_sums(values: DoubleArray, regions: IntArray) -> DoubleArray:
    """(n,) the signed sum of (H, W) values in each region; sums that differ by rounding alone are the same."""
    sums = np.asarray(np.bincount(regions.ravel(), values.ravel()), np.float64)
    return rounded(sums, np.abs(values).sum())


def region_means(values: DoubleArray, regions: IntArray) -> DoubleArray:
    """(n,) the mean of (H, W) values in each region; means that differ by rounding alone are the same."""
    means = np.bincount(regions.ravel(), values.ravel()) / np.bincount(regions.ravel())
    return rounded(means, np.abs(values).max())
