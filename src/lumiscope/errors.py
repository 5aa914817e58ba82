"""The one exception tree of lumiscope.

    LumiscopeError                 exit code 1
    ├── UsageError                 exit code 2: an option, a name or a study file is wrong
    │   └── UnknownNameError       a name that does not exist, with the nearest ones that do
    ├── ImageError                 an image, mask or image list cannot be used
    ├── ModelError                 a model cannot be built, loaded or run
    │   ├── WeightsError           its weights cannot be reached or do not fit
    │   └── LayerError             the layer asked for cannot be used
    ├── TargetError                the class to explain does not exist or cannot be explained
    ├── ScorerError                concept scores cannot be had for these images and concepts
    └── StoreError                 a file cannot be written; the store or a run folder is damaged, in use, or none
        └── PathError              exit code 2: it cannot be written where it was asked for; a UsageError, too

Every message says what was expected, what came and how to mend it. The command line prints that text, never a
traceback. It may quote what others wrote (names, keys, answers of servers): control characters are shown as escapes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from lumiscope.printable import printable


class LumiscopeError(Exception):
    """Base of every error that lumiscope raises on purpose."""

    exit_code = 1

    def __str__(self) -> str:
        return printable(super().__str__(), keep="\n")


class UsageError(LumiscopeError):
    """An option, a name or a study file is wrong; nothing was computed."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that does not exist; the message lists the nearest ones that do."""

    def __init__(self, kind: str, name: str, known: Iterable[str], hint: str = "") -> None:
        known = list(known)
        near = nearest(name, known)
        if near:
            advice = "did you mean " + " or ".join(near) + "?"
        elif known:
            advice = "known: " + ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
        else:
            advice = f"there is no {kind} at all"
        end = "" if advice[-1] in "?…" else "."
        super().__init__(f"unknown {kind} {name!r}: {advice}" + (f"{end} {hint}" if hint else ""))


class ImageError(LumiscopeError):
    """An image, a mask or an image list cannot be used."""


class ModelError(LumiscopeError):
    """A model cannot be built, loaded or run."""


class WeightsError(ModelError):
    """Weights cannot be reached, or do not fit the model."""


class LayerError(ModelError):
    """The layer asked for does not exist or cannot serve this purpose."""


class TargetError(LumiscopeError):
    """The class to explain does not exist or cannot be explained."""


class ScorerError(LumiscopeError):
    """Concept scores cannot be had for these images and concepts."""


class StoreError(LumiscopeError):
    """A file cannot be written, or the store or a run folder is damaged, in use, or none."""


class PathError(StoreError, UsageError):
    """A file cannot be written where it was asked for: no folder, no permission, a name too long."""


def nearest(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return up to `count` names of `known` that look like `name`, best first; letter case does not matter."""
    by_lower: dict[str, str] = {}
    for candidate in known:
        by_lower.setdefault(candidate.lower(), candidate)
    return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.5)]
