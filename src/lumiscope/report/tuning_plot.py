"""A search for LIME's parameters as a picture: quality against seconds, one small panel an image."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
from lumiscope.study.tuning import MASKS, NO_MASKS, Score, Tuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENDINGS = (".png", ".svg")
# After Paul Tol (2021), as all colours of the report; lines differ in their markers, too.
COLOURS = ("#332288", "#ee8866", "#117733", "#88ccee", "#882255", "#999933", "#44aa99", "#cc6677")
MARKERS = "osD^vPX*"
INK, GREY = "#15181d", "#7b818a"
MOST_PANELS = 11
SHORT = {MASKS: "IoU", NO_MASKS: "√(stability · faithfulness)"}


def check_plot(path: Path) -> None:
    """Errors: `UsageError` for a path that does not end in .png or .svg."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(f"expected a plot that ends in .png or .svg; got {path}")


def plot_tuning(tuning: Tuning, path: Path) -> Path:
    """Draw the trade-off and return `path`.

    A panel an image (the first eleven), and one with the mean of all that are tuned for the same: for each segmenter
    and number of samples the best quality over the numbers of features, against the seconds. Marked are the best
    setting (ring), the one that the other images would choose (diamond) and the one that nobody tuned (cross); the
    dashed line is chance.
    Errors: `UsageError` for another ending, or where there are no scores.
    """
    from matplotlib.figure import Figure

    check_plot(path)
    if not tuning.scores:
        raise UsageError("expected at least one image with scores to plot")
    images = list(tuning.by_image)
    shown = images[:MOST_PANELS]
    group = max(tuning.groups.values(), key=len)
    panels = len(shown) + (len(group) > 1)
    columns = min(4, panels)
    rows = math.ceil(panels / columns)
    figure = Figure(figsize=(max(3.1 * columns, 7.0), 2.6 * rows + 1.1), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    axes = list(grid.flat)
    cuts = list(dict.fromkeys(str(score.setting.cut) for score in tuning.scores))
    top = max(score.quality for score in tuning.scores)
    for place, image in enumerate(shown):
        _image_panel(axes[place], tuning, image, cuts)
    if len(group) > 1:
        _mean_panel(axes[len(shown)], tuning, group, cuts)
    for place, panel in enumerate(axes):
        _dress(panel, top, left=place % columns == 0, bottom=place + columns >= panels)
        panel.set_visible(place < panels)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=7, frameon=False, markerscale=0.8)
    content = io.BytesIO()
    figure.savefig(content, format=path.suffix.lower()[1:], dpi=150, metadata=_undated(path))
    write_atomically(path, content.getvalue())
    return path


def _image_panel(axes: Axes, tuning: Tuning, image: str, cuts: Sequence[str]) -> None:
    scores = list(tuning.by_image[image].values())
    for number, cut in enumerate(cuts):
        ends = _frontier([score for score in scores if str(score.setting.cut) == cut])
        _line(axes, number, cut, [score.seconds for score in ends], [score.quality for score in ends])
    best, usual, held_out = tuning.best(image), tuning.usual(image), tuning.held_out(image)
    _mark(axes, best, "o", 90, "tuned to this image")
    if held_out is not None:
        _mark(axes, held_out, "D", 60, "chosen by the other images")
    axes.scatter([usual.seconds], [usual.quality], s=45, marker="x", color=INK, zorder=4, label="not tuned")
    if not math.isnan(best.chance):
        axes.axhline(best.chance, color=GREY, linewidth=0.8, linestyle="--", label="chance, of the best mask's size")
    axes.set_title(f"{image}: {SHORT[best.tuned_for]}", fontsize=8, color=INK)


def _mean_panel(axes: Axes, tuning: Tuning, images: Sequence[str], cuts: Sequence[str]) -> None:
    """The mean over all images, for each segmenter and number of samples with the features that are best for all."""
    first = list(tuning.by_image[images[0]].values())
    means = []
    for score in first:
        alike = [tuning.by_image[image][str(score.setting)] for image in images]
        quality = math.fsum(other.quality for other in alike) / len(alike)
        seconds = math.fsum(other.seconds for other in alike) / len(alike)
        means.append((score.setting, quality, seconds))
    for number, cut in enumerate(cuts):
        best: dict[int, tuple[float, float]] = {}
        for setting, quality, seconds in means:
            if str(setting.cut) == cut and quality > best.get(setting.num_samples, (0.0, -1.0))[1]:
                best[setting.num_samples] = (seconds, quality)
        ordered = [best[count] for count in sorted(best)]
        _line(axes, number, cut, [seconds for seconds, _ in ordered], [quality for _, quality in ordered])
    held_out = [score.quality for score in map(tuning.held_out, images) if score is not None]
    if len(held_out) == len(images):
        level = math.fsum(held_out) / len(held_out)
        axes.axhline(level, color=INK, linewidth=1, linestyle=":")
        axes.annotate("held out", (1, level), xycoords=("axes fraction", "data"), fontsize=7, ha="right", va="bottom")
    axes.set_title(
        f"one setting for all, mean of {len(images)}: {SHORT[first[0].tuned_for]}",
        fontsize=8,
        color=INK,
        fontweight="bold",
    )


def _frontier(scores: Sequence[Score]) -> list[Score]:
    """The best score for each number of samples, fewest first."""
    best: dict[int, Score] = {}
    for score in scores:
        known = best.get(score.setting.num_samples)
        if known is None or score.quality > known.quality:
            best[score.setting.num_samples] = score
    return [best[count] for count in sorted(best)]


def _line(axes: Axes, number: int, cut: str, seconds: Sequence[float], quality: Sequence[float]) -> None:
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    axes.plot(seconds, quality, color=colour, marker=marker, markersize=3.5, linewidth=1.2, label=cut)


def _mark(axes: Axes, score: Score, marker: str, size: float, label: str) -> None:
    axes.scatter(
        [score.seconds],
        [score.quality],
        s=size,
        marker=marker,
        facecolors="none",
        edgecolors=INK,
        zorder=5,
        label=label,
    )


def _dress(axes: Axes, top: float, *, left: bool, bottom: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda seconds, _: f"{seconds:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, min(1.0, top * 1.1) or 1.0)
    axes.tick_params(labelsize=7, colors=INK, labelleft=left, labelbottom=bottom, which="both")
    if bottom:
        axes.set_xlabel("seconds an image", fontsize=7, color=INK)
    axes.grid(axis="y", color="#e3e6ea", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _undated(path: Path) -> dict[str, Any]:
    """Metadata that do not change from day to day."""
    return {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
