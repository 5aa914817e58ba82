"""A challenge read from its folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Len

from lumiscope.attribution import METHODS
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.server.challenges.challenge import CHALLENGE, FORMS, IMAGES, Challenge, ChallengeImage
from lumiscope.server.challenges.limits import Limits
from lumiscope.study import model_of_table, read_toml, validated

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SIDE = Annotated[int, Ge(1)]


@dataclass(frozen=True, kw_only=True)
class ChallengeFile:
    """What stands in challenge.toml. `public`: a share such as "50%", or names of images."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    name: str
    model: dict[str, Any]
    methods: Annotated[list[str], Len(1)]
    view: tuple[SIDE, SIDE]
    title: str = ""
    text: str = ""
    accepts: Annotated[list[str], Len(1)] = field(default_factory=lambda: list(FORMS))
    public: str | list[str] = "50%"
    seed: Annotated[int, Ge(0)] = 0
    limits: dict[str, Any] = field(default_factory=dict)
    targets: dict[str, str | int] = field(default_factory=dict)


def open_challenge(folder: Path | str) -> Challenge:
    """The challenge in a folder; its true masks are not looked at. Errors: `UsageError` in words."""
    folder = Path(folder).absolute()
    path = folder / CHALLENGE
    if not path.is_file():
        raise UsageError(f"expected a challenge; {folder} has no {CHALLENGE}. `lumiscope challenge init` makes one.")
    content = validated(ChallengeFile, read_toml(path), str(path))
    check_name(content.name)
    for form in content.accepts:
        if form not in FORMS:
            raise UnknownNameError("form of a hand-in", form, FORMS)
    files = _pictures(folder)
    for name in content.targets:
        if name not in files:
            raise UnknownNameError("image", name, files, f"It has a target in {path}.")
    shown = public_names(content.public, list(files))
    images = tuple(ChallengeImage(name, file, name in shown, content.targets.get(name)) for name, file in files.items())
    return Challenge(
        folder=folder,
        name=content.name,
        title=content.title or content.name,
        text=content.text,
        model=model_of_table(content.model, folder, str(path)),
        methods=tuple(METHODS.select(content.methods)),
        accepts=tuple(form for form in FORMS if form in content.accepts),
        limits=validated(Limits, content.limits, f"{path}, limits"),
        view=content.view,
        seed=content.seed,
        images=images,
    )


def check_name(name: str) -> str:
    """`name`, where it may name a challenge: in addresses, and in files. Errors: `UsageError`."""
    if not NAME.fullmatch(name):
        raise UsageError(f"expected a challenge's name of 1 to 64 letters, digits, - and _; got {name!r}")
    return name


def public_names(given: str | Sequence[str], names: Sequence[str]) -> frozenset[str]:
    """The names that are public: those given, or a share such as "50%" of all, drawn by their digests.

    A share is rounded, and leaves one at least on either side where there are two and it is neither 0 nor all. Errors:
    `UsageError`, `UnknownNameError`.
    """
    if not isinstance(given, str):
        for name in given:
            if name not in names:
                raise UnknownNameError("image", name, names, "It is named as public.")
        return frozenset(given)
    number = re.fullmatch(r"([0-9]{1,3})%", given.strip())
    if number is None or int(number[1]) > 100:
        raise UsageError(f"expected public as a share from 0% to 100%, or as names of images; got {given!r}")
    share = int(number[1]) / 100
    count = round(share * len(names))
    if 0 < share < 1 and len(names) > 1:
        count = min(max(count, 1), len(names) - 1)
    drawn = sorted(names, key=lambda name: sha256(name.encode()).digest())
    return frozenset(drawn[:count])


def _pictures(folder: Path) -> dict[str, Path]:
    """Name -> file of the pictures, by name. Errors: `UsageError` for none, and two of one name."""
    home = folder / IMAGES
    files = sorted(path for path in home.glob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise UsageError(f"expected pictures in {home}; there are none")
    pictures: dict[str, Path] = {}
    for path in files:
        if path.stem in pictures:
            raise UsageError(f"{home} has {pictures[path.stem].name} and {path.name}: keep one of them")
        pictures[path.stem] = path
    return pictures
