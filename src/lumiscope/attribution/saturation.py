"""A probability so near to 0 or 1 that its changes are lost in rounding: then a map that shows nothing says nothing."""

from __future__ import annotations

import dataclasses

import numpy as np

from lumiscope.models import Activation
from lumiscope.types import DoubleArray, SaliencyMap

NEAR = 1e-6  # of 0 or 1: float32 has only a few numbers left there
STEADY = 1e-7  # a difference of probabilities that is rounding
SATURATED = "the probability of the class is saturated"


def saturation(probability: float) -> str | None:
    """What is said of a probability that is saturated; None where it is not, or unknown (NaN)."""
    if not (probability < NEAR or probability > 1 - NEAR):
        return None
    return (
        f"{SATURATED} at {probability:.6g}: its changes are lost in rounding, which does not mean that no pixel "
        "matters. Explain logits: give the network without the softmax or sigmoid in which it ends"
    )


def steadiness(probabilities: DoubleArray) -> str | None:
    """What is said where hiding parts of the view leaves the (n,) `probabilities` saturated; None where it does not."""
    steady = len(probabilities) and float(np.ptp(probabilities)) <= STEADY
    return saturation(float(probabilities[0])) if steady else None


def score_warnings(scores: DoubleArray, activation: Activation) -> list[str]:
    """What is said of a map made of (n,) raw `scores`, which are probabilities where the `activation` is none."""
    steady = steadiness(scores) if activation == "none" else None
    return [steady] if steady else []


def with_saturation(saliency: SaliencyMap, *, of_probability: bool, by_gradients: bool) -> SaliencyMap:
    """The map, saying that the probability is saturated, where that is why it shows nothing or little.

    `of_probability`: whether the map follows changes of the probability itself; `by_gradients`: its slope. A map that
    says so already in its warnings, and shows nothing, says it in place of its other reason.
    """
    warnings, blank = saliency.warnings, "blank" in saliency.details
    said = next((warning for warning in warnings if warning.startswith(SATURATED)), None)
    told = of_probability and (blank or by_gradients)
    reason = said or (saturation(saliency.target.probability) if told else None)
    if reason is None or "undefined" in saliency.details:
        return saliency
    others = [warning for warning in warnings if warning != said] + ([] if blank else [reason])
    details = {key: value for key, value in saliency.details.items() if key != "warnings"}
    details |= {"blank": reason} if blank else {}
    details |= {"warnings": others} if others else {}
    return dataclasses.replace(saliency, details=details)
