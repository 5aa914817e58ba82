"""Segmenters and ways to hide segments, on pictures where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from lumiscope.attribution.regions import segmenters
from lumiscope.attribution.regions._hiding import hidden_picture
from lumiscope.attribution.regions.segmenters import SEGMENTERS, segment_view
from lumiscope.errors import UsageError
from lumiscope.images import Geometry


def view_of(pixels):
    return Geometry(pixels.shape[:2], mode="squash").view(pixels, "x")


def quarters(size=48):
    """Four squares of very different colours."""
    pixels = np.zeros((size, size, 3), np.uint8)
    half = size // 2
    pixels[:half, half:] = (250, 20, 20)
    pixels[half:, :half] = (20, 250, 20)
    pixels[half:, half:] = (240, 240, 250)
    return pixels


@pytest.mark.parametrize("name", sorted(SEGMENTERS))
def test_segments_are_numbered_from_zero_without_gaps(name, pictures):
    segments = segment_view(view_of(pictures(1)), name, {"min_size": 20} if name == "felzenszwalb" else {})
    assert segments.shape == (48, 48)
    assert segments.dtype == np.int64
    assert np.unique(segments).tolist() == list(range(segments.max() + 1))
    assert segments.max() > 0


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("quickshift", {}),
        ("slic", {"n_segments": 4, "compactness": 0.1}),
        ("felzenszwalb", {"min_size": 20}),
        ("watershed", {"markers": 16, "compactness": 0.0}),
        ("grid", {"rows": 2, "columns": 2}),
    ],
)
def test_no_segment_crosses_a_sharp_edge(name, options):
    segments = segment_view(view_of(quarters()), name, options)
    corners = [(row, column) for row in (4, 28) for column in (4, 28)]
    shown = [set(np.unique(segments[row : row + 16, column : column + 16])) for row, column in corners]
    assert len(set.union(*shown)) == sum(map(len, shown))


def test_grid_by_hand():
    segments = segment_view(view_of(np.zeros((4, 6, 3), np.uint8)), "grid", {"rows": 2, "columns": 3})
    assert segments.tolist() == [[0, 0, 1, 1, 2, 2]] * 2 + [[3, 3, 4, 4, 5, 5]] * 2
    fine = segment_view(view_of(np.zeros((2, 3, 3), np.uint8)), "grid", {"rows": 9, "columns": 9})
    assert fine.tolist() == [[0, 1, 2], [3, 4, 5]]
    view = view_of(np.zeros((2, 3, 3), np.uint8))
    for counts in ({"rows": 0}, {"columns": 0}, {"rows": -1}, {"columns": -1}):
        with pytest.raises(UsageError, match=r"grid refuses .*at least one row"):
            segment_view(view, "grid", counts)
    assert segment_view(view, "grid", {"rows": 1, "columns": 3}).tolist() == [[0, 1, 2], [0, 1, 2]]
    assert segment_view(view, "grid", {"rows": 2, "columns": 1}).tolist() == [[0, 0, 0], [1, 1, 1]]
    assert not segment_view(view, "grid", {"rows": 1, "columns": 1}).any()


def test_equal_pixels_are_cut_once_for_equal_options(monkeypatch):
    calls = []

    def halves(pixels, *, at: int = 2):
        calls.append(at)
        pixels[:] = 0
        return np.broadcast_to(np.arange(pixels.shape[1]) >= at, pixels.shape[:2]).astype(int)

    monkeypatch.setattr(segmenters, "SEGMENTERS", {"halves": segmenters.Segmenter("halves", halves)})
    pixels = np.random.default_rng(5).integers(0, 256, (4, 6, 3), np.uint8)
    kept = pixels.copy()
    cuts = [segment_view(view_of(pixels.copy()), "halves", options) for options in ({}, {}, {"at": 3}, {"at": 3})]
    assert calls == [2, 3]
    assert [cut.sum() for cut in cuts] == [16, 16, 12, 12]
    segment_view(view_of(pixels), "halves", {"at": 5})
    np.testing.assert_array_equal(pixels, kept)


def test_files_and_functions_are_not_read_here():
    with pytest.raises(UsageError, match=r"mask:a.png must be read first: use lumiscope.explain"):
        segment_view(view_of(quarters()), "mask:a.png", {})


def test_hiding():
    pixels = quarters()
    segments = segment_view(view_of(pixels), "grid", {"rows": 2, "columns": 2})

    def hidden(hide, colour=None, seed=0):
        picture = hidden_picture(pixels, segments, hide, colour, seed)
        assert picture.shape == pixels.shape
        assert picture.dtype == np.uint8
        return picture

    np.testing.assert_array_equal(hidden("mean"), pixels)  # each segment has one colour
    np.testing.assert_array_equal(hidden("color", (1, 2, 3)), np.broadcast_to([1, 2, 3], pixels.shape))
    np.testing.assert_array_equal(hidden("noise", seed=3), hidden("noise", seed=3))
    assert (hidden("noise", seed=3) != hidden("noise", seed=4)).mean() > 0.99
    assert hidden("noise").mean() == pytest.approx(127.5, abs=3)
    blurred = hidden("blur")
    assert blurred.astype(float).mean((0, 1)) == pytest.approx(pixels.mean((0, 1)), abs=0.6)
    assert 100 < blurred[10, 24, 0] < 160  # half way over the edge from 0 to 250


def test_inpainting_continues_what_is_around():
    """A ramp is harmonic: filled from its surroundings it is the ramp, away from the view's own edges."""
    ramp = np.zeros((40, 40, 3), np.uint8)
    ramp[:] = (5 * np.arange(40))[None, :, None]
    segments = np.zeros((40, 40), np.int64)
    segments[10:30, 12:28] = 1
    picture = hidden_picture(ramp, segments, "inpaint", None, 0)
    np.testing.assert_allclose(picture[10:30, 12:28].astype(int), ramp[10:30, 12:28], atol=1)
    spotted = ramp.copy()
    spotted[18:22, 18:22] = 255
    np.testing.assert_array_equal(
        hidden_picture(spotted, segments, "inpaint", None, 0)[10:30, 12:28], picture[10:30, 12:28]
    )
    alone = hidden_picture(ramp, np.zeros((40, 40), np.int64), "inpaint", None, 0)
    np.testing.assert_array_equal(alone, int(ramp.mean()))
