"""Occlusion: how far the score falls when a square hides a part of the picture.

Source: Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks" (occlusion sensitivity).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lumiscope.attribution.declared_options import option
from lumiscope.attribution.hide_color import HideColor, flat_picture, hiding_warnings
from lumiscope.attribution.pixel_map import PixelMap
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.saturation import score_warnings
from lumiscope.attribution.view_method import view_method
from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, Target

WINDOWS_A_SIDE = 7


@dataclass(frozen=True)
class OcclusionOptions:
    """Options of occlusion.

    `window`: side of the square in pixels; None: a seventh of the view's shorter side (32 of 224). `stride`: pixels
    between squares; None: half a window. `hide_color`: a grey value, (r, g, b), or None for the view's mean colour.
    """

    window: int | None = option(None, at_least=1)
    stride: int | None = option(None, at_least=1)
    hide_color: HideColor = option(128, at_least=0, at_most=255)

    def steps(self, size: tuple[int, int]) -> tuple[int, int]:
        """(window, stride) in pixels on a view of this size. Errors: `UsageError` where they do not fit."""
        window = self.window or max(1, min(size) // WINDOWS_A_SIDE)
        stride = self.stride or max(1, window // 2)
        if window > min(size):
            raise UsageError(f"occlusion: expected a window of at most {min(size)}, the view's side; got {window}")
        if stride > window:
            raise UsageError(
                f"occlusion: expected a stride of at most the window, {window}, so that every pixel is hidden once; "
                f"got {stride}"
            )
        return window, stride


@view_method(
    "occlusion",
    title="Occlusion",
    citation="Zeiler and Fergus 2014, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901",
    passes="1 forward per position of the window (170 with the defaults on 224×224)",
    options=OcclusionOptions,
)
def occlusion(view: PreparedView, predictor: Predictor, target: Target, options: OcclusionOptions) -> PixelMap:
    """Mean over the windows that hide a pixel of S(x) − S(x with the window hidden), signed; S the raw logit.

    Needs `predict` alone. (Zeiler and Fergus show the class's probability; captum and we the logit's fall.)
    """
    window, stride = options.steps(view.size)
    down, across = (spans(side, window, stride) for side in view.size)

    def masks(start: int, stop: int) -> BoolArray:
        """The picture seen whole comes first, then each window, row by row."""
        place = np.arange(start - 1, stop - 1)
        hidden = down[place // len(across), :, None] & across[place % len(across), None, :]
        return np.asarray(~hidden | (place < 0)[:, None, None])

    count = len(down) * len(across)
    hidden = flat_picture(view.fed, options.hide_color)
    scores = predictor.masked_logits(view.fed, hidden, masks, 1 + count, lambda logits: logits[:, target.index])
    falls = (float(scores[0]) - scores[1:].astype(np.float64)).reshape(len(down), len(across))
    covered = np.outer(down.sum(0), across.sum(0))
    values = np.asarray(down.T @ falls @ across / covered)
    unhidden = hiding_warnings(view.fed, hidden)
    if unhidden and not falls.any():
        return PixelMap(values, {"blank": unhidden[0]})
    warnings = unhidden + score_warnings(scores.astype(np.float64), predictor.model.activation)
    return PixelMap(values, {"warnings": warnings} if warnings else {})


def spans(side: int, window: int, stride: int) -> BoolArray:
    """(n, side) bool: where each window lies on one axis. The last one is cut off at the border."""
    first = stride * np.arange(math.ceil((side - window) / stride) + 1)
    pixel = np.arange(side)
    return np.asarray((pixel >= first[:, None]) & (pixel < first[:, None] + window))
