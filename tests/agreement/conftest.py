"""Maps made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.types import SaliencyMap, SegmentMap, Target


@pytest.fixture
def make_map():
    def make(values, method="gradcam", item_id="cat.png", target=3, shown=None):
        values = np.array(values, np.float32)
        shown = None if shown is None else np.array(shown, np.float32)
        return SaliencyMap(item_id, method, Target(target, f"class{target}", 2.0, 0.5), values, shown=shown)

    return make


@pytest.fixture
def make_segment_map():
    def make(segments, coefficients, num_features, method="lime", item_id="cat.png"):
        segments, coefficients = np.array(segments, np.int64), np.array(coefficients, np.float64)
        return SegmentMap(
            item_id,
            method,
            Target(3, "class3", 2.0, 0.5),
            coefficients[segments].astype(np.float32),
            segments=segments,
            coefficients=coefficients,
            options={"num_features": num_features},
        )

    return make
