"""A file of parameters to begin with."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from lumiscope.attribution import METHODS
from lumiscope.errors import UnknownNameError
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins._parameters import SAMPLES


def template(challenge: Challenge, method: str | None = None) -> bytes:
    """Every image with all options of a method as they are by default, within the limits, as JSON.

    `method`: None: the first of the challenge. Errors: `UnknownNameError` for one that the challenge does not take.
    """
    chosen = challenge.methods[0] if method is None else method
    if chosen not in challenge.methods:
        raise UnknownNameError("method", chosen, challenge.methods, "These are what this challenge takes.")
    options = dataclasses.asdict(METHODS[chosen].options())
    most = challenge.limits.num_samples
    capped = {name: min(value, most) for name, value in options.items() if name in SAMPLES and isinstance(value, int)}
    entries: dict[str, Any] = {image: {chosen: options | capped} for image in challenge.names}
    return (json.dumps(entries, indent=1, ensure_ascii=False) + "\n").encode()
