"""`lumiscope challenge`: what is served for others to hand in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON, ModelFlags, model_configs
from lumiscope.cli.output import print_json, print_rows, progress, say

GROUP = "Make and check challenges: pictures to explain, whose true masks stay hidden."
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the challenge.")]


@command("challenge init", order=150, group=GROUP)
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the challenge.")],
    images: Annotated[
        str | None,
        typer.Option(help="A folder, glob, CSV or world:COUNT. Default: ten pictures of the world, drawn now."),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A mask of each image under its name. Default: those that the images have."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="What is explained, a spec or FILE.toml. Default: world:objects.")
    ] = None,
    methods: Annotated[
        str | None,
        typer.Option(help="Methods whose parameters may be handed in, with commas. Default: lime,gradcam."),
    ] = None,
    accepts: Annotated[
        str | None, typer.Option(help="What may be handed in, with commas. Default: parameters,maps,masks.")
    ] = None,
    public: Annotated[
        str, typer.Option(metavar="SHARE|NAMES", help="Images whose own scores are shown; of others only a mean is.")
    ] = "50%",
    limits: Annotated[
        str | None,
        typer.Option(metavar="NAME=NUMBER,…", help="What a hand-in may cost, as num_samples=500,seconds=60."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its name in addresses. Default: the folder's.")] = None,
    title: Annotated[str, typer.Option(help="A line for people.")] = "",
    text: Annotated[str, typer.Option(help="A few sentences about the task.")] = "",
    flags: ModelFlags = ModelFlags(),  # noqa: B008 - frozen
    json: JSON = False,
) -> None:
    """Make a challenge: pictures, sealed true masks, a model, limits and baselines.

    Half of the images are public by default: whoever hands in sees how each of them scored, and can score them alone
    with `lumiscope submit --check`. Of the others nobody sees more than a rounded mean. Baselines are hand-ins as any
    other: a random map, a centred Gaussian, LIME with defaults, and the best of lumiscope on the public images.

    \b
        lumiscope challenge init world
        lumiscope challenge init birds --images birds.csv --model timm:resnet50.a1_in1k --public 40%
    """
    from lumiscope.errors import UsageError
    from lumiscope.server.baselines import write_baselines
    from lumiscope.server.challenges import (
        DEFAULT_METHODS,
        FORMS,
        make_challenge,
        make_world_challenge,
        parse_limits,
    )
    from lumiscope.study import split_list

    settings: dict[str, Any] = {
        "methods": split_list(methods) or DEFAULT_METHODS,
        "accepts": split_list(accepts) or FORMS,
        "public": public if public.strip().endswith("%") else split_list(public),
        "limits": parse_limits(limits),
        "track": progress,
        **{key: value for key, value in (("name", name), ("title", title), ("text", text)) if value},
    }
    if images is None and model is None and masks is None and not flags.given:
        challenge = make_world_challenge(folder, **settings)
    elif images is None or model is None:
        raise UsageError("expected --images and --model together, or neither for the challenge of the built-in world")
    else:
        (config,) = model_configs([model], flags)
        challenge = make_challenge(folder, images=images, masks=masks, model=config, **settings)
    baselines = write_baselines(challenge, progress)
    if json:
        print_json(
            {**challenge.public_facts(), "folder": str(challenge.folder), "baselines": [b.name for b in baselines]}
        )
        return
    rows = [{"image": image.name, "target": image.target, "public": image.public} for image in challenge.images]
    print_rows(rows, ["image", "target", "public"], as_json=False)
    said = ", ".join(baseline.title for baseline in baselines)
    say(f"wrote {challenge.folder}: {len(challenge.public)} images are public, {len(challenge.hidden)} hidden")
    say(f"Baselines: {said}")


@command("challenge check", order=151, group=GROUP)
def check(folder: Folder, json: JSON = False) -> None:
    """Say what is wrong with a challenge.

    Looked at are pictures, true masks and who may read them, the model with its methods and targets, and the baselines.
    The exit code is 1 where something should be mended.
    """
    from lumiscope.server.challenges import check_challenge

    remarks = check_challenge(folder)
    print_rows([{"remark": remark} for remark in remarks], ["remark"], as_json=json)
    if remarks:
        raise typer.Exit(1)
    say("Nothing is wrong with it.")
