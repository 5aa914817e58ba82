"""`lumiscope tune lime`: parameters of LIME that suit the images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.flags import Fields, Flags
from lumiscope.cli.options import JSON, ModelFlags, ModelOption, SaveLimeParamsOption, one_model
from lumiscope.cli.output import end_with_skipped, print_json, print_rows, progress, say, say_how
from lumiscope.errors import UsageError
from lumiscope.study import ExplainConfig, RunConfig, split_list

if TYPE_CHECKING:
    from lumiscope.study.tuning import LimeSearch

COLUMNS = [
    "image", "segmenter", "samples", "features", "quality", "held_out", "usual", "chance", "ceiling", "area",
    "stability", "seconds",
]  # fmt: skip


Tuned = Annotated[
    Flags[ExplainConfig],
    Fields(only=("images", "options", "target", "backend", "precision"), required=("images",)),
]
RunFlags = Annotated[Flags[RunConfig], Fields(only=("seed", "on_error"))]


@command("tune lime", order=140, group="Search for parameters that suit the images.")
def lime(
    model: ModelOption,
    tuned: Tuned = Flags(),  # noqa: B008 - frozen
    segmenters: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:KEY=VALUE],…", help="Segmenters to try, as slic:n_segments=50,grid; there are {segmenters}."
        ),
    ] = None,
    samples: Annotated[str | None, typer.Option(help="Numbers of samples to try. Default: 100,250,500,1000.")] = None,
    features: Annotated[str | None, typer.Option(help="Numbers of features to try. Default: 1,2,3,5,8,12,20.")] = None,
    seeds: Annotated[int, typer.Option(help="Seeds for every setting; scores are means over them.")] = 3,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Quality against seconds: .png or .svg.")] = None,
    save_lime_params: SaveLimeParamsOption = None,
    one_for_all: Annotated[
        bool, typer.Option("--one-for-all", help="Write the one best setting for all images, not each one's own.")
    ] = False,
    run: RunFlags = Flags(),  # noqa: B008
    flags: ModelFlags = Flags(),  # noqa: B008
    json: JSON = False,
) -> None:
    """Search LIME's segmenter, samples and features, image by image.

    Images with a true mask (column mask of a CSV) are tuned for the IoU with it, others for masks that are stable over
    seeds and faithful to the model. What is tuned to masks is fitted to them: look at the column held_out, the quality
    of the one setting that is best on all other images.
    """
    from lumiscope.images import open_images
    from lumiscope.report import check_plot, plot_tuning
    from lumiscope.study import Explaining, validated
    from lumiscope.study.files import save_lime_parameters
    from lumiscope.study.tuning import tune_lime, tuned_parameters

    search = _search(segmenters, samples, features, seeds)
    if plot is not None:
        check_plot(plot)
    config = validated(ExplainConfig, {"methods": ["lime"], **tuned.given}, "the command line")
    running = validated(RunConfig, run.given, "the command line")
    images = open_images(str(config.images), on_error=running.on_error, track=progress)
    loaded = one_model(model, flags)
    explaining = Explaining.of(loaded, images, config, seed=running.seed, track=progress)
    plan = explaining.plan
    say_how(loaded, plan)
    tuning = tune_lime(explaining, search, stop=running.on_error == "stop")
    if save_lime_params is not None:
        save_lime_parameters(save_lime_params, tuned_parameters(plan, images, tuning, one_for_all=one_for_all))
        say(f"wrote {save_lime_params}")
    if plot is not None:
        say(f"wrote {plot_tuning(tuning, plot)}")
    images_tuned = [image.row() for image in tuning.images()]
    if json:
        scores = [score.row() for score in tuning.scores]
        summary = [dataclasses.asdict(row) for row in tuning.summary()]
        print_json({"images": images_tuned, "summary": summary, "scores": scores, "notes": tuning.notes})
    else:
        print_rows(images_tuned, COLUMNS, as_json=False)
    for text in (*tuning.notes, *tuning.sentences()):
        say(text)
    end_with_skipped([*images.skipped, *tuning.failed])


def _search(segmenters: str | None, samples: str | None, features: str | None, seeds: int) -> LimeSearch:
    from lumiscope.study.tuning import FEATURES, SAMPLES, SEGMENTERS, LimeSearch

    return LimeSearch(
        split_list(segmenters) or SEGMENTERS,
        _numbers(samples, "--samples") or SAMPLES,
        _numbers(features, "--features") or FEATURES,
        seeds,
    )


def _numbers(text: str | None, flag: str) -> list[int]:
    try:
        return [int(part) for part in split_list(text)]
    except ValueError as error:
        raise UsageError(f"expected {flag} as whole numbers with commas; got {text!r}") from error
