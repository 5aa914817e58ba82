"""What a search for LIME's parameters chose, what that is worth, and how it is drawn; by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.report.tuning_plot import plot_tuning
from lumiscope.study.tuning.lime_search import CutChoice, LimeSearch, Setting, parse_segmenter
from lumiscope.study.tuning.lime_tuning import MASKS, NO_MASKS, Score, Tuning


def grid_tuning(qualities: dict[str, dict[tuple[int, int], float]], tuned_for: str = MASKS) -> Tuning:
    """A tuning of grids with these qualities for (num_samples, num_features)."""
    facts = {"tuned_for": tuned_for, "stability": 1.0, "area": 0.1, "segments": 9}
    scores = [
        Score(image, Setting(CutChoice("grid"), *numbers), quality=quality, seconds=numbers[0] / 100, **facts)
        for image, by_setting in qualities.items()
        for numbers, quality in by_setting.items()
    ]
    return Tuning(tuple(scores), Setting(CutChoice("grid"), 100, 1))


def test_the_choice_and_what_it_is_worth_by_hand() -> None:
    tuning = grid_tuning(
        {
            "a": {(100, 1): 0.40, (100, 5): 0.791, (500, 5): 0.80},  # within 0.01: the cheaper one
            "b": {(100, 1): 0.30, (100, 5): 0.60, (500, 5): 0.70},
            "c": {(100, 1): 0.90, (100, 5): 0.10, (500, 5): 0.20},
        }
    )
    assert [tuning.best(image).quality for image in "abc"] == [0.791, 0.70, 0.90]
    # The others' means are: for a (.60, .35, .45), for b (.65, .4455, .50), for c (.35, .6955, .75).
    assert [tuning.held_out(image).quality for image in "abc"] == [0.40, 0.30, 0.20]
    assert tuning.best_for(["a", "b", "c"]) == "grid, 500 samples, 5 features"  # .533, .497, .567
    (row,) = tuning.summary()
    assert row.tuned == pytest.approx((0.791 + 0.70 + 0.90) / 3)
    assert row.held_out == pytest.approx(0.30)
    assert row.one_for_all == pytest.approx(1.70 / 3)
    assert row.usual == pytest.approx(1.60 / 3)
    said = " ".join(tuning.sentences())
    assert "0.300" in said
    assert "fitted to these masks" in said


def test_one_image_alone_has_nothing_to_hold_out() -> None:
    tuning = grid_tuning({"a": {(100, 1): 0.5, (500, 1): 0.6}}, NO_MASKS)
    assert tuning.held_out("a") is None
    assert math.isnan(tuning.images()[0].held_out)
    said = " ".join(tuning.sentences())
    assert "no other image" in said
    assert "fitted" not in said


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"segmenters": ("slick",)}, UnknownNameError, "did you mean slic"),
        ({"segmenters": ("grid:row=3",)}, UnknownNameError, "did you mean rows"),
        ({"segmenters": ("grid:rows=many",)}, UsageError, "rows"),
        ({"segmenters": ("python:os:system",)}, UnknownNameError, "segmenter to tune"),
        ({"segmenters": ()}, UsageError, "got none"),
        ({"samples": (1,)}, UsageError, "at least 2"),
        ({"features": ()}, UsageError, "got none"),
        ({"seeds": 1}, UsageError, "at least 2 seeds"),
    ],
)
def test_searches_that_make_no_sense(change: dict[str, Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        LimeSearch(**change)


def test_segmenters_are_written_as_they_are_read() -> None:
    for text in ("quickshift", "slic:n_segments=25:compactness=2.5", "quickshift:convert2lab=False"):
        assert parse_segmenter(str(parse_segmenter(text))) == parse_segmenter(text)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plot_has_a_panel_for_each_image_and_the_mean(ending: str, tmp_path: Path) -> None:
    settings = dict(matplotlib.rcParams)
    qualities = {(100, 1): 0.3, (500, 1): 0.5, (500, 3): 0.4}
    tuning = grid_tuning({f"image{number}": qualities for number in range(13)})
    path = plot_tuning(tuning, tmp_path / f"p.{ending}")
    assert dict(matplotlib.rcParams) == settings
    if ending == "png":
        width, height = Image.open(path).size
        assert width > height, "twelve panels in rows of four"
        before = path.read_bytes()
        assert plot_tuning(tuning, path).read_bytes() == before
    else:
        ElementTree.parse(path)
        drawn = path.read_text()  # letters are outlines, but a comment says which
        assert all(f"image{number}: IoU" in drawn for number in range(11))
        assert "image11" not in drawn
        assert "one setting for all, mean of 13" in drawn
    with pytest.raises(UsageError, match=r"\.png or \.svg"):
        plot_tuning(tuning, tmp_path / "p.jpg")
    with pytest.raises(UsageError, match="at least one image"):
        plot_tuning(Tuning((), tuning.base), path)


@pytest.mark.parametrize(("best", "top"), [(0.5, 0.55), (0.95, 1.0), (0.0, 1.0)])
def test_the_plot_begins_at_0_and_shows_the_best(
    best: float, top: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tenth more than the best quality, but none is above 1; where all are 0, the whole scale."""
    figures: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    plot_tuning(grid_tuning({"a": {(100, 1): 0.0, (500, 1): best}}), tmp_path / "p.svg")
    (axes,) = figures[0].axes
    assert axes.get_ylim() == pytest.approx((0, top))
    assert max(float(np.max(line.get_ydata())) for line in axes.lines) == best
