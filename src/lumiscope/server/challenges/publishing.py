"""The part of a challenge that anybody may have: its public pictures with their true masks, and nothing of the others."""

from __future__ import annotations

import tomli_w
from lumiscope.server.challenges.challenge import CHALLENGE, IMAGES, TRUTH, Challenge

from lumiscope.study import read_toml


def public_part(challenge: Challenge) -> dict[str, bytes]:
    """Path in the folder -> content of a challenge of the public pictures alone."""
    table = read_toml(challenge.folder / CHALLENGE)
    names = [image.name for image in challenge.public]
    table["public"] = names
    table["targets"] = {name: target for name, target in table.get("targets", {}).items() if name in names}
    files = {CHALLENGE: tomli_w.dumps(table).encode()}
    for image in challenge.public:
        files[f"{IMAGES}/{image.path.name}"] = image.path.read_bytes()
        files[f"{TRUTH}/{image.name}.png"] = challenge.truth_bytes(image.name)
    return files
