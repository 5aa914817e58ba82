"""A challenge as it lies in its folder.

    challenge.toml      name, title, text, methods, accepts, public, view, seed, [model], [limits], [targets]
    images/NAME.ext     the pictures, as they were given
    truth/NAME.png      (H, W) of the picture's size, above 0 on the object; the folder is its owner's alone
    baselines/          hand-ins that every other one is measured against

What is in `truth` is read only where it is asked for, so that a challenge can be opened without it.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lumiscope.errors import ImageError, UnknownNameError
from lumiscope.images import ImageFile, decode_mask
from lumiscope.server.challenges.limits import Limits
from lumiscope.study import ModelConfig
from lumiscope.types import BoolArray

CHALLENGE = "challenge.toml"
IMAGES = "images"
TRUTH = "truth"
BASELINES = "baselines"
FORMS = ("parameters", "maps", "masks")
SCORED = ("num_samples", "passes")  # limits that decide what is scored, and so what scores can be compared


@dataclass(frozen=True)
class ChallengeImage:
    """A picture to explain. `public`: whether its own score is shown. `target`: the class that is explained, by name or
    number; None: the model's prediction."""

    name: str
    path: Path
    public: bool
    target: str | int | None

    @property
    def item(self) -> ImageFile:
        """The picture as models take it."""
        return ImageFile(id=self.name, name=self.name, path=self.path)


@dataclass(frozen=True)
class Challenge:
    """What is asked, of which pictures, and within which limits; see the module.

    `model`: what is explained. `methods`: whose parameters may be handed in. `accepts`: which of `FORMS`. `view`:
    (height, width) of what the model sees, in which maps and masks are handed in. `seed`: of methods that draw at
    random, where their parameters have none.
    """

    folder: Path
    name: str
    title: str
    text: str
    model: ModelConfig
    methods: tuple[str, ...]
    accepts: tuple[str, ...]
    limits: Limits
    view: tuple[int, int]
    seed: int
    images: tuple[ChallengeImage, ...]

    def image(self, name: str) -> ChallengeImage:
        """The picture of that name. Errors: `UnknownNameError`."""
        for image in self.images:
            if image.name == name:
                return image
        raise UnknownNameError("image", name, self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all pictures, in order."""
        return tuple(image.name for image in self.images)

    @property
    def public(self) -> tuple[ChallengeImage, ...]:
        """The pictures whose own scores are shown."""
        return tuple(image for image in self.images if image.public)

    @property
    def hidden(self) -> tuple[ChallengeImage, ...]:
        """The pictures of which only a rounded mean is ever told."""
        return tuple(image for image in self.images if not image.public)

    def truth_bytes(self, name: str) -> bytes:
        """The file (PNG) of the true mask. Errors: `UnknownNameError`, `ImageError`."""
        path = self._truth_path(name)
        try:
            return path.read_bytes()
        except OSError as error:
            raise ImageError(f"the true mask of {name} cannot be read: {error.strerror}") from error

    def truth(self, name: str) -> BoolArray:
        """(H, W) bool, the true mask at the picture's size. Errors: `UnknownNameError`, `ImageError`."""
        path = self._truth_path(name)
        try:
            return decode_mask(path)
        except ImageError as error:
            raise ImageError(f"the true mask of {name}: {error}") from error

    def truths(self, names: Collection[str] | None = None) -> dict[str, BoolArray]:
        """The true masks of these pictures, or of all."""
        return {name: self.truth(name) for name in (self.names if names is None else names)}

    @functools.cached_property
    def fingerprint(self) -> str:
        """Sha256 (hex) of all that scores depend on: pictures, true masks, model, methods, limits, split.

        It stays as it is while texts and daily numbers change. Errors: `ImageError` where a true mask is missing.
        """
        facts = {
            "images": [
                [image.name, image.item.sha256, hashlib.sha256(self.truth_bytes(image.name)).hexdigest(), image.public]
                for image in self.images
            ],
            "targets": [image.target for image in self.images],
            "model": asdict(self.model),
            "methods": self.methods,
            "accepts": self.accepts,
            "limits": {name: getattr(self.limits, name) for name in SCORED},
            "view": self.view,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

    def public_facts(self) -> dict[str, Any]:
        """What anybody may know, as JSON: nothing of the true masks, nor of this machine's folders."""
        return {
            "name": self.name,
            "title": self.title,
            "text": self.text,
            "model": self.model.name or self.model.spec.rpartition("/")[2],
            "methods": list(self.methods),
            "accepts": list(self.accepts),
            "limits": asdict(self.limits),
            "view": list(self.view),
            "images": [
                {"name": image.name, "file": image.path.name, "public": image.public, "target": image.target}
                for image in self.images
            ],
        }

    def _truth_path(self, name: str) -> Path:
        return self.folder / TRUTH / f"{self.image(name).name}.png"
