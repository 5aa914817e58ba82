"""From a saliency map to the pixels that it points at. A new rule is one function under `@mask_rule`."""

from __future__ import annotations

import numpy as np

from lumiscope.agreement.rules import MASK_RULES, forms, mask_rule, parse_rule
from lumiscope.agreement.segment_mask import segment_mask
from lumiscope.errors import UsageError
from lumiscope.types import BoolArray, SaliencyMap, SegmentMap

SEGMENT_OPTIONS = ("num_features", "min_weight", "positive_only")


def make_mask(saliency_map: SaliencyMap, rule: str) -> BoolArray:
    """Return the (H, W) bool mask that `rule` makes of a map; empty for a map with NaN or infinite values.

    `rule`: "top:20%", "max:0.5", "otsu" or "lime"; each is defined where its function is, below.
    Raises UnknownNameError or UsageError for a rule that cannot be read, UsageError for one that does not fit the map.
    """
    parsed = parse_rule(rule)
    registered = MASK_RULES[parsed.name]
    if registered.needs_segments and not isinstance(saliency_map, SegmentMap):
        raise UsageError(
            f"the mask rule {parsed} needs a map made of segments; the map of {saliency_map.method} for "
            f"{saliency_map.item_id} has none. Rules that fit: {', '.join(forms(any_map=True))}."
        )
    shown = saliency_map.values if saliency_map.shown is None else saliency_map.shown
    if not np.isfinite(saliency_map.values).all() or not np.isfinite(shown).all():
        return np.zeros(saliency_map.values.shape, np.bool_)
    arguments = () if parsed.fraction is None else (parsed.fraction,)
    return registered.function(saliency_map, *arguments)


@mask_rule("top", form="top:20%")
def top(saliency_map: SaliencyMap, fraction: float) -> BoolArray:
    """Keep the round(fraction·H·W) pixels, at least one, with the highest `.values`: the only area-matched rule.

    Among equal values the earlier pixel in row-major order (left to right, then down) comes first. So a segment of a
    LIME map may be cut, its upper part kept; and where fewer pixels are above 0 than asked for, the first pixels at 0
    fill the area. The raw values are ranked, not `display()`: they keep the order below 0.
    A constant map has no order and gives an empty mask.
    """
    values = saliency_map.values.ravel()
    mask = np.zeros(values.size, np.bool_)
    if values.min() < values.max():
        mask[np.argsort(-values, kind="stable")[: max(1, round(fraction * values.size))]] = True
    return mask.reshape(saliency_map.values.shape)


@mask_rule("max", form="max:0.5")
def fraction_of_maximum(saliency_map: SaliencyMap, fraction: float) -> BoolArray:
    """Keep the pixels where display() >= fraction·max(display()), equality included; a map that is 0 keeps none.

    Source: the threshold on the map that Selvaraju et al. 2017, section 4.1, use to localise (there with 0.15).
    """
    shown = saliency_map.display().astype(np.float64)
    peak = float(shown.max())
    if peak <= 0:
        return np.zeros(shown.shape, np.bool_)
    return np.asarray(shown >= fraction * peak)


@mask_rule("otsu", form="otsu")
def otsu(saliency_map: SaliencyMap) -> BoolArray:
    """Keep the pixels where display() is above Otsu's threshold; a constant map keeps none.

    The threshold is the centre of one of 256 bins, so the pixels of that bin may fall on either side.
    Source: Otsu 1979, A Threshold Selection Method from Gray-Level Histograms; `skimage.filters.threshold_otsu`.
    """
    from skimage.filters import threshold_otsu

    # float64, as numpy refuses 256 bins over a range of a few float32 steps.
    shown = saliency_map.display().astype(np.float64)
    return np.asarray(shown > threshold_otsu(shown))  # type: ignore[no-untyped-call]


@mask_rule("lime", form="lime", needs_segments=True)
def segments_for_the_target(saliency_map: SegmentMap) -> BoolArray:
    """Keep the segments that speak for the target, as `segment_mask` does by the options that the map was made with.

    `num_features`, `min_weight` and `positive_only`; where the method has no such option, lime's rule has a default.
    """
    options = {name: saliency_map.options[name] for name in SEGMENT_OPTIONS if name in saliency_map.options}
    return segment_mask(saliency_map.segments, saliency_map.coefficients, **options)
