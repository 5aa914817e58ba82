"""What is wrong with a challenge, before anybody hands in."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from lumiscope.attribution import methods_for
from lumiscope.errors import LumiscopeError
from lumiscope.models import VisionModel, class_index, default_name
from lumiscope.server.challenges._masks import why_unusable
from lumiscope.server.challenges.challenge import BASELINES, TRUTH, Challenge, ChallengeImage
from lumiscope.server.challenges.opening import open_challenge
from lumiscope.study import load_configured


def check_challenge(folder: Path | str) -> list[str]:
    """All that should be mended; nothing where the challenge can be served.

    Looked at are pictures, true masks and who may read them, the model, its methods and targets, and the baselines.
    """
    try:
        challenge = open_challenge(folder)
    except LumiscopeError as error:
        return [str(error)]
    remarks = [*_parts(challenge), *_files(challenge)]
    try:
        model = load_configured(challenge.model, challenge.model.name or default_name(challenge.model.spec))
    except LumiscopeError as error:
        return [*remarks, f"the model: {error}"]
    return [*remarks, *_model(challenge, model), *_images(challenge, model)]


def _parts(challenge: Challenge) -> Iterator[str]:
    if not challenge.public:
        yield "no image is public: nobody can check a hand-in before, nor see what it did"
    if not challenge.hidden:
        yield "every image is public: nothing is left to tell fitted parameters from good ones"


def _files(challenge: Challenge) -> Iterator[str]:
    truth = challenge.folder / TRUTH
    if not truth.is_dir():
        yield f"{truth} is missing"
    elif stat.S_IMODE(truth.stat().st_mode) & 0o077:
        yield f"{truth} can be read by others: chmod 700 {truth}"
    else:
        names = {f"{name}.png" for name in challenge.names}
        for path in sorted(truth.iterdir()):
            if path.name not in names:
                yield f"{path} is the mask of no image"
    baselines = challenge.folder / BASELINES
    if not baselines.is_dir() or not any(baselines.iterdir()):
        yield f"{baselines} is empty: nothing says what a hand-in must beat"


def _model(challenge: Challenge, model: VisionModel) -> Iterator[str]:
    if tuple(model.geometry.input_size) != challenge.view:
        yield f"the model sees {tuple(model.geometry.input_size)} pixels (height, width), view says {challenge.view}"
    able = methods_for(model)
    for method in challenge.methods:
        if method not in able:
            yield f"{method} cannot explain {model.name}, which can only predict"


def _images(challenge: Challenge, model: VisionModel) -> Iterator[str]:
    for image in challenge.images:
        try:
            _ = image.item.pixels
            fault = why_unusable(challenge.truth(image.name), image.item.size, model.geometry)
            _check_target(image, model)
        except LumiscopeError as error:
            fault = str(error)
        if fault:
            yield f"{image.name}: {fault}"


def _check_target(image: ChallengeImage, model: VisionModel) -> None:
    if image.target is not None:
        class_index(model, image.target)
