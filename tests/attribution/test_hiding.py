"""Where what takes the place of a hidden part is what is there, hiding changes nothing; that is said, not a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lumiscope as ls
from lumiscope.attribution.hide_color import hiding_warnings
from picture_files import saved

SAID = "hiding changes nothing: what takes the place of a hidden part has its colours already"
FEW = {"lime": {"num_samples": 20}, "kernelshap": {"num_samples": 20}, "rise": {"num_masks": 20}, "occlusion": {}}


@pytest.mark.parametrize(
    ("flat_quarters", "said"), [(0, ""), (1, ""), (2, " in 2 of 4 segments"), (3, " in 3 of 4 segments"), (4, ":")]
)
def test_the_share_of_segments_that_hiding_leaves_alone(flat_quarters: int, said: str) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    hidden, segments = pixels.copy(), np.arange(4).repeat(4).reshape(4, 4)
    hidden[flat_quarters:, 0, 1] = 1
    warnings = hiding_warnings(pixels, hidden, segments)
    assert len(warnings) == bool(said)
    assert all(warning.startswith(f"hiding changes nothing{said}") for warning in warnings)


@pytest.mark.parametrize("method", FEW)
def test_a_flat_picture(tmp_path: Path, method: str) -> None:
    images = ls.open_images(saved(Image.new("RGB", (128, 128), (128, 128, 128)), tmp_path / "flat.png"))
    model = ls.load_model("world:objects")
    (saliency,) = ls.explain(model, images, methods=[method], options={method: FEW[method]})
    assert sum(SAID in remark for remark in saliency.remarks) == 1
    if method == "occlusion":
        assert saliency.remarks[0].startswith(f"blank: {SAID}")
        assert not saliency.display().any()


@pytest.mark.parametrize("method", FEW)
def test_another_colour_changes_something(tmp_path: Path, method: str) -> None:
    images = ls.open_images(saved(Image.new("RGB", (128, 128), (128, 128, 128)), tmp_path / "flat.png"))
    options = {method: {**FEW[method], "hide_color": 0}}
    (saliency,) = ls.explain(ls.load_model("world:objects"), images, methods=[method], options=options)
    assert not any("hiding changes nothing" in remark for remark in saliency.remarks)
