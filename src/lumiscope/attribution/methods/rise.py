"""RISE: the mean of random masks, each weighted by the probability of the picture seen through it.

Source: Petsiuk, Das and Saenko 2018, "RISE: Randomized Input Sampling for Explanation of Black-box Models", equation 6
and section 3.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.hide_color import HideColor, flat_picture, hiding_warnings
from lumiscope.attribution.kept_classes import KeptClasses
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.saturation import steadiness
from lumiscope.attribution.view_method import view_method
from lumiscope.types import BoolArray, DoubleArray, FloatArray, IntArray, Target

MASKS_AT_ONCE = 64


@dataclass(frozen=True)
class RiseOptions:
    """Options of RISE.

    `num_masks`: random masks. `cells`: a mask is a grid of so many cells a side, made smooth. `keep_probability`: of a
    cell to be shown. `hide_color`: what is seen where the mask is 0: a grey value, (r, g, b), or None for the view's
    mean colour. `random_seed`: None derives it from the study's seed and the image.
    """

    num_masks: int = option(4000, at_least=2)
    cells: int = option(8, at_least=1)
    keep_probability: float = option(0.5, above=0, below=1)
    hide_color: HideColor = option(128, at_least=0, at_most=255)
    random_seed: int | None = option(None, at_least=0)


@view_method(
    "rise",
    title="RISE",
    citation="Petsiuk et al. 2018, RISE: Randomized Input Sampling for Explanation, arXiv:1806.07421",
    passes="num_masks forwards (4000)",
    options=RiseOptions,
)
def rise(view: PreparedView, predictor: Predictor, target: Target, options: RiseOptions) -> PixelMap:
    """1/(N p) · sum_n P_n M_n, P_n the target's probability through mask n; needs `predict` alone.

    At least 0, and large everywhere where the class is probable, so `display()` is the min-max of the map, as the paper
    shows it. Details: `standard_error`, the mean over pixels of the value's standard error over masks, and
    `standard_error_share`, the same as a share of the map's largest minus smallest value.
    """
    masks = SmoothMasks.draw(view.seed("rise", options.random_seed), view.size, options)
    hidden = flat_picture(view.fed, options.hide_color)
    kept = KeptClasses(target.index)
    scores = predictor.masked_probabilities(view.fed, hidden, masks.between, options.num_masks, kept)[:, 0]
    values, error = mean_mask(masks, scores, options.keep_probability)
    spread = float(np.ptp(values))
    details: dict[str, Any] = {
        "standard_error": error,
        "standard_error_share": error / spread if spread > 0 else math.nan,
    }
    steady = steadiness(scores) if predictor.score_name == "probability" else ""
    if warnings := hiding_warnings(view.fed, hidden) or ([steady] if steady else []):
        details["warnings"] = warnings
    return PixelMap(values, details, _stretched(values, spread))


def mean_mask(masks: SmoothMasks, scores: DoubleArray, keep: float) -> tuple[DoubleArray, float]:
    """(H, W) mean of N masks, each weighted by its score, over `keep`; and the mean over pixels of its standard error.

    `scores`: (N,). `keep`: the probability with which a mask shows a pixel.
    """
    count = len(scores)
    total, squares = np.zeros(masks.size), np.zeros(masks.size)
    for start in range(0, count, MASKS_AT_ONCE):
        some = masks.between(start, start + MASKS_AT_ONCE)
        weights = scores[start : start + MASKS_AT_ONCE].astype(np.float32)
        total += np.tensordot(weights, some, 1)
        squares += np.tensordot(weights**2, some**2, 1)
    values = total / (count * keep)
    variance = np.maximum(squares / (count * keep**2) - values**2, 0)
    return values, float(np.sqrt(variance / (count - 1)).mean())


@dataclass(frozen=True)
class SmoothMasks:
    """N random masks, made from their cells only when they are asked for.

    `grids`: (N, s, s) bool. `shifts`: (N, 2) pixels that a mask is moved up and left by. `rows`, `columns`: (length, s)
    weights that enlarge s cells linearly (half-pixel centres, constant beyond the outermost cells).
    """

    size: tuple[int, int]
    grids: BoolArray
    shifts: IntArray
    rows: FloatArray
    columns: FloatArray

    @classmethod
    def draw(cls, seed: int, size: tuple[int, int], options: RiseOptions) -> SmoothMasks:
        """Cells shown with `keep_probability`; a cell is ceil(side / s) pixels, and masks move by less than one."""
        generator = np.random.default_rng(seed)
        cells = options.cells
        grids = generator.random((options.num_masks, cells, cells)) < options.keep_probability
        pixels = [math.ceil(side / cells) for side in size]
        shifts = generator.integers(0, pixels, (options.num_masks, 2))
        return cls(size, grids, shifts, *(enlargement(cells, (cells + 1) * length) for length in pixels))

    def between(self, start: int, stop: int) -> FloatArray:
        """(n, H, W) float32 in [0, 1]: the masks start..stop."""
        height, width = self.size
        down = self.rows[self.shifts[start:stop, :1] + np.arange(height)]
        across = self.columns[self.shifts[start:stop, 1:] + np.arange(width)]
        return np.asarray(down @ self.grids[start:stop].astype(np.float32) @ across.transpose(0, 2, 1))


def enlargement(short: int, long: int) -> FloatArray:
    """(long, short) float32: the matrix of linear interpolation with half-pixel centres."""
    position = np.clip((np.arange(long) + 0.5) * short / long - 0.5, 0, short - 1)
    weights = 1 - np.abs(position[:, None] - np.arange(short))
    return np.asarray(weights.clip(min=0), np.float32)


def _stretched(values: DoubleArray, spread: float) -> FloatArray:
    """(H, W) float32 in [0, 1]: min-max; 0 everywhere for a constant map."""
    if not spread > 0:
        return np.asarray(0 * values, np.float32)
    return np.asarray((values - values.min()) / spread, np.float32)
