"""Which image of a challenge a name in a hand-in means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from lumiscope.errors import nearest
from lumiscope.images import composed
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins.faults import Faults
from lumiscope.study.files import short_name

Entry = TypeVar("Entry")


def by_image(entries: Mapping[str, Entry], challenge: Challenge, faults: Faults) -> dict[str, Entry]:
    """Image -> its entry. A name may have folder, file ending and wnid; unknown, missing and double ones are faults."""
    exact = {name: name for name in challenge.names}
    short: dict[str, str | None] = {}
    for name in challenge.names:
        short[short_name(name)] = None if short_name(name) in short else name
    meant: dict[str, str] = {}
    for given in entries:
        plain = composed(given)
        image = exact.get(plain) or short.get(short_name(plain))
        if image is None:
            near = [] if faults.is_full else nearest(plain[:100], challenge.names) or challenge.names[:5]
            faults.add(given or "''", f"the name of an image, such as {', '.join(near)}", "a name that none has")
        elif image in meant:
            faults.add(image, "one entry", f"two: {meant[image]} and {given}")
        else:
            meant[image] = given
    for image in challenge.names:
        if image not in meant:
            faults.add(image, "an entry for every image", "none")
    return {image: entries[given] for image, given in meant.items()}
