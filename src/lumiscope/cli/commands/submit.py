"""`lumiscope submit`: parameters, maps or masks for a challenge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_data, print_json, print_rows, say

if TYPE_CHECKING:
    from lumiscope.server.challenges import Challenge

COLUMNS = ["image", "iou", "adjusted", "faithfulness", "passes", "seconds", "reason"]


@command("submit", order=135)
def submit(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="What is handed in: .json, .toml, .pkl, .npz, .safetensors, .zip of PNGs, .png."
        ),
    ] = None,
    challenge: Annotated[str | None, typer.Option(metavar="DIR", help="The challenge: its folder.")] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print a file of parameters to edit, for all images.")
    ] = False,
    method: Annotated[
        str | None, typer.Option(help="Whose parameters the template has. Default: the challenge's first.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read and score FILE here, on the public images, as a server would.")
    ] = False,
    json: JSON = False,
) -> None:
    """Hand in for a challenge, or see before what that would score.

    A file that cannot be scored is answered with every fault, what was expected there and what came; the exit code is 1
    then. What is scored here is what a server scores: the same reader, the same scorer, the same numbers.

    \b
        lumiscope submit --template --challenge world > parameters.json
        lumiscope submit --check parameters.json --challenge world
    """
    from lumiscope.errors import UsageError
    from lumiscope.server.challenges import open_challenge

    if template == check:
        raise UsageError("expected --template, or --check FILE; got " + ("both" if template else "neither"))
    if challenge is None:
        raise UsageError("expected a challenge: --challenge DIR")
    opened = open_challenge(challenge)
    if template:
        _print_template(opened, method)
    elif file is None:
        raise UsageError("expected a file to check: lumiscope submit --check FILE --challenge DIR")
    else:
        _show(_checked(opened, file), opened, as_json=json)


def _print_template(challenge: Challenge, method: str | None) -> None:
    from lumiscope.server.hand_ins import template

    print_data(template(challenge, method).decode().rstrip("\n"))


def _checked(challenge: Challenge, file: Path) -> dict[str, Any]:
    """The verdict on the public images."""
    from lumiscope.errors import UsageError
    from lumiscope.files import failure_in_words, read_bytes
    from lumiscope.server.scoring import score_upload

    public = [image.name for image in challenge.public]
    if not public:
        raise UsageError(
            f"expected images that are public; {challenge.name} has none, so that nothing can be scored here"
        )
    try:
        content = read_bytes(file, challenge.limits.upload_bytes)
    except OSError as error:
        raise UsageError(f"expected a file to check: {failure_in_words(error, file)}") from error
    request = {"challenge": str(challenge.folder), "name": file.name, "only": public}
    return score_upload(request, content, challenge.truths(public))


def _show(verdict: dict[str, Any], challenge: Challenge, *, as_json: bool) -> None:
    """The verdict as it is, or a table with a sentence; exit code 1 where the file was refused."""
    from lumiscope.server.scoring import SCORED, Scores

    if as_json:
        print_json(verdict)
    elif verdict["state"] == SCORED:
        scores = Scores.from_json(verdict["scores"], challenge)
        images = [{"image": image.name, "seconds": image.seconds_cpu, **vars(image)} for image in scores.images]
        means = scores.means
        print_rows(
            [*images, {"image": "mean", "seconds": means.seconds_cpu / means.images, "reason": "", **vars(means)}],
            COLUMNS,
            as_json=False,
        )
        say(scores.verdict())
        say("These are the public images. The others count as much, and nobody can see their scores.")
    else:
        print_rows(verdict["faults"], ["where", "expected", "came"], as_json=False)
        say(f"{challenge.name} would refuse this file, for {len(verdict['faults'])} reasons.")
    if verdict["state"] != SCORED:
        raise typer.Exit(1)
