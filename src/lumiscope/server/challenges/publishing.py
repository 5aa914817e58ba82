"""The part of a challenge that anybody may have: its public pictures with their true masks."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import tomli_w

from lumiscope.errors import UsageError
from lumiscope.files import write_atomically
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


def packed_public_part(challenge: Challenge) -> bytes:
    """The same as a zip file; equal bytes of an equal challenge."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, data in public_part(challenge).items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return content.getvalue()


def unpack_public_part(content: bytes, folder: Path) -> None:
    """Write what `packed_public_part` made into `folder`. Errors: `UsageError` for anything else."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                home, _, name = entry.filename.rpartition("/")
                if home not in ("", IMAGES, TRUTH) or not name or name.startswith(".") or entry.compress_type:
                    raise UsageError(f"expected the public part of a challenge; it holds {entry.filename!r}")
                (folder / home).mkdir(exist_ok=True)
                write_atomically(folder / home / name, archive.read(entry))
    except zipfile.BadZipFile as error:
        raise UsageError(f"expected the public part of a challenge; what came is no zip file ({error})") from error
