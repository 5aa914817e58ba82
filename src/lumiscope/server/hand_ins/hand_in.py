"""A hand-in as it was read: plain numbers, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lumiscope.types import BoolArray, DoubleArray

Parameters = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Image -> method (one) -> its options."""


@dataclass(frozen=True, eq=False)
class HandIn:
    """One thing for every image of a challenge, by the image's name there; two of the three are empty.

    `kind`: "parameters", "maps" or "masks". `parameters`: image -> the one method that explains it -> its options.
    `maps`: (h, w) float64, finite, raw. `masks`: (h, w) bool. Both are on the view. `digest`: sha256 (hex) of the file.
    """

    kind: str
    digest: str
    parameters: Parameters = field(default_factory=dict)
    maps: Mapping[str, DoubleArray] = field(default_factory=dict)
    masks: Mapping[str, BoolArray] = field(default_factory=dict)
