"""`lumiscope submit`: parameters, maps or masks for a challenge."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    challenge: Annotated[
        str | None, typer.Option(metavar="DIR|NAME", help="The challenge: its folder, or with --server its name.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="The server to hand in to, or to take the challenge from.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(envvar="LUMISCOPE_TOKEN", help="Yours, as the server's owner gave it.")
    ] = None,
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
    then. What is scored here by --check is what a server scores: the same reader, the same scorer, the same numbers.

    \b
        lumiscope submit --template --challenge world --server http://127.0.0.1:8000 > parameters.json
        lumiscope submit --check parameters.json --challenge world --server http://127.0.0.1:8000
        lumiscope submit parameters.json --challenge world --server http://127.0.0.1:8000
    """
    from lumiscope.errors import UsageError

    if challenge is None:
        raise UsageError("expected a challenge: --challenge DIR, or --challenge NAME --server URL")
    if template and check:
        raise UsageError("expected --template, or --check FILE; got both")
    if template:
        _print_template(challenge, server, method)
    elif file is None:
        raise UsageError("expected a file: lumiscope submit FILE --challenge NAME --server URL")
    elif check:
        with _opened(challenge, server) as opened:
            _show(_checked(opened, file), opened, as_json=json)
    elif server is None:
        raise UsageError("expected a server to hand in to: --server URL; or --check, to score the file here")
    else:
        _hand_in(file, challenge, server, token, as_json=json)


def _print_template(challenge: str, server: str | None, method: str | None) -> None:
    from lumiscope.server import Client, open_challenge
    from lumiscope.server.hand_ins import template

    if server is None:
        content = template(open_challenge(challenge), method)
    else:
        with Client(server) as client:
            content = client.template(challenge, method)
    print_data(content.decode().rstrip("\n"))


@contextmanager
def _opened(challenge: str, server: str | None) -> Iterator[Challenge]:
    """The challenge in a folder; of a server its public part, in a folder that goes away."""
    from lumiscope.server import Client, open_challenge
    from lumiscope.server.challenges import unpack_public_part

    if server is None:
        yield open_challenge(challenge)
        return
    with tempfile.TemporaryDirectory(prefix="lumiscope-") as folder:
        with Client(server) as client:
            unpack_public_part(client.public_part(challenge), Path(folder))
        yield open_challenge(folder)


def _hand_in(file: Path, challenge: str, server: str, token: str | None, *, as_json: bool) -> None:
    """Hand in and follow to the end; exit code 1 where nothing was scored."""
    from lumiscope.errors import UsageError
    from lumiscope.files import failure_in_words
    from lumiscope.server import Client

    if not token:
        raise UsageError(
            "expected a token: --token, or the variable LUMISCOPE_TOKEN; the server's owner has one for you"
        )
    with Client(server, token) as client:
        try:
            view = client.hand_in_file(challenge, file)
        except OSError as error:
            raise UsageError(f"expected a file to hand in: {failure_in_words(error, file)}") from error
        say(f"submission {view.id}: {server.rstrip('/')}/submissions/{view.id}")
        for now in client.follow(view.id):
            view = now
            place = f", number {view.position} in the queue" if view.position else ""
            steps = f", {view.progress['done']} of {view.progress['total']} images" if view.progress else ""
            say(f"{view.state}{place}{steps}")
    if as_json:
        print_json(view.model_dump(mode="json"))
    elif view.scores is not None:
        rows = [{"image": image.name, **image.model_dump()} for image in view.scores.images]
        print_rows(rows, ["image", "iou", "adjusted", "faithfulness", "passes", "reason"], as_json=False)
        say(f"Mean IoU {view.scores.iou:.3f} on the public images. The others count for the leaderboard.")
    elif view.faults:
        print_rows([fault.model_dump() for fault in view.faults], ["where", "expected", "came"], as_json=False)
    else:
        say(view.why)
    if view.scores is None:
        raise typer.Exit(1)


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
