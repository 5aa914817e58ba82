"""What the methods share that look at one view at a time and need predictions alone.

A method of the family is a function under `@view_method`: from a view, and who predicts what is made of it, to (H, W)
values.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from lumiscope.attribution.pixel_map import PixelMap, pixel_saliency
from lumiscope.attribution.predictor import Predictor
from lumiscope.attribution.prepared import PreparedBatch
from lumiscope.attribution.prepared_view import PreparedView
from lumiscope.attribution.registry import attribution_method
from lumiscope.types import SaliencyMap, Target

Options = TypeVar("Options")
ViewFunction = Callable[[PreparedView, Predictor, Target, Options], PixelMap | NDArray[np.floating]]


def view_method(
    name: str,
    *,
    title: str,
    citation: str,
    passes: str,
    options: type[Options],
    perturbs: bool = True,
    class_blind: bool = False,
) -> Callable[[ViewFunction[Options]], ViewFunction[Options]]:
    """Register a method that explains views one by one, of any model, black boxes included."""

    def register(function: ViewFunction[Options]) -> ViewFunction[Options]:
        @attribution_method(
            name,
            title=title,
            citation=citation,
            passes=passes,
            options=options,
            perturbs=perturbs,
            class_blind=class_blind,
        )
        @functools.wraps(function)
        def explain(prepared: PreparedBatch, targets: Sequence[Target], options: Options) -> list[SaliencyMap]:
            return [
                pixel_saliency(view, target, name, options, function(view, prepared.predictor, target, options))
                for view, target in zip(prepared.views, targets, strict=True)
            ]

        return function

    return register
