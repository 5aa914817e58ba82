"""Read and score what was uploaded: the one way, for the server's child and for `lumiscope submit --check`."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from PIL import Image

from lumiscope.errors import UsageError
from lumiscope.server.challenges import Challenge, open_challenge
from lumiscope.server.hand_ins import HandInRefused, read_hand_in
from lumiscope.server.scoring.scorer import Progress, score
from lumiscope.server.scoring.version import SCORER_VERSION, scorer_fingerprint
from lumiscope.types import BoolArray

SCORED, REJECTED = "scored", "rejected"
UPLOAD = "upload"
TRUTH = "truth/"


def score_upload(
    request: Mapping[str, Any], upload: bytes, truth: Mapping[str, BoolArray], progress: Progress | None = None
) -> dict[str, Any]:
    """The verdict on a file, as JSON: {"state": "scored", "scores": …} or {"state": "rejected", "faults": […]}.

    `request`: {"challenge": its folder, "name": of the file, "only": names of images, or None for all}. `truth`: image
    -> (H, W) bool at the picture's size. Errors are ours, not the sender's: `UsageError` for a request that is no such
    thing, those of challenges, models and images.
    """
    folder, name, only = request.get("challenge"), request.get("name"), request.get("only")
    if not isinstance(folder, str) or not isinstance(name, str):
        raise UsageError("expected a request with the folder of a challenge and the name of a file, as texts")
    challenge = open_challenge(folder)
    try:
        hand_in = read_hand_in(name, upload, challenge)
        scores = score(challenge, hand_in, truth, only, progress)
    except HandInRefused as refused:
        verdict: dict[str, Any] = {"state": REJECTED, "faults": [fault.to_json() for fault in refused.faults]}
    else:
        verdict = {"state": SCORED, "kind": hand_in.kind, "digest": hand_in.digest, "scores": scores.to_json()}
    return {**verdict, "scorer": {"version": SCORER_VERSION, "fingerprint": scorer_fingerprint()}}


def truth_parts(challenge: Challenge, names: Collection[str] | None = None) -> dict[str, bytes]:
    """What a child needs to know of the true masks, by the names of parts. Errors: `ImageError`."""
    return {f"{TRUTH}{name}": challenge.truth_bytes(name) for name in (challenge.names if names is None else names)}


def score_parts(
    request: Mapping[str, Any], parts: Mapping[str, bytes], progress: Progress | None = None
) -> dict[str, Any]:
    """`score_upload` of parts that came through a pipe: "upload", and those of `truth_parts`."""
    truth = {name.removeprefix(TRUTH): _mask(content) for name, content in parts.items() if name.startswith(TRUTH)}
    return score_upload(request, parts[UPLOAD], truth, progress)


def _mask(content: bytes) -> BoolArray:
    """(H, W) bool of a true mask's file, which lumiscope wrote."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        return np.asarray(np.array(picture) > 0)
