"""A file that was handed in, as a hand-in: the ending says which reader, and the reader trusts nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import Any

from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins._arrays import read_npz, read_safetensors
from lumiscope.server.hand_ins._parameters import read_parameters
from lumiscope.server.hand_ins._pictures import read_picture, read_pictures
from lumiscope.server.hand_ins.faults import THE_FILE, Faults
from lumiscope.server.hand_ins.hand_in import HandIn
from lumiscope.study.files import PICKLES

Reader = Callable[[str, bytes, Challenge, Faults], tuple[str, Mapping[str, Any]]]
_READERS: dict[str, Reader] = {
    ".json": read_parameters,
    ".toml": read_parameters,
    **dict.fromkeys(PICKLES, read_parameters),
    ".npz": read_npz,
    ".safetensors": read_safetensors,
    ".zip": read_pictures,
    ".png": read_picture,
}
ENDINGS = tuple(_READERS)
"""Endings of files that can be handed in."""


def read_hand_in(name: str, content: bytes, challenge: Challenge) -> HandIn:
    """Read a file. `name`: what its sender calls it; only the ending counts.

    Parameters: `.json` or `.toml`, {image: {method: {option: value}}} or {image: {LIME's parameters}}; `.pkl`, the
    dict of the course's server, never unpickled. Maps and masks on the view: `.npz` and `.safetensors` by image, floats
    are maps and bools masks; `.zip` of PNGs by image, or one `.png`: grey of 16 bits is a map, two values are a mask.
    Sizes are looked at before memory is taken. Errors: `HandInRefused` with every fault that could be seen.
    """
    faults = Faults()
    most = challenge.limits.upload_bytes
    if not 0 < len(content) <= most:
        raise faults.stop(THE_FILE, f"1 to {most:,} bytes", f"{len(content):,}")
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if ending not in _READERS:
        raise faults.stop(THE_FILE, f"a name that ends in {', '.join(ENDINGS)}", repr(ending) if ending else "none")
    kind, entries = _READERS[ending](name, content, challenge, faults)
    if kind and kind not in challenge.accepts:
        raise faults.stop(THE_FILE, f"{' or '.join(challenge.accepts)}, all that this challenge takes", kind)
    faults.refuse()
    ordered = {image: entries[image] for image in challenge.names}
    return HandIn(kind, hashlib.sha256(content).hexdigest(), **{kind: ordered})
