"""The part of a challenge that anybody may have: its pictures, and the true masks of the public ones."""

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
    """Path in the folder -> content: all pictures, as who hands in explains all of them, and the public true masks."""
    table = read_toml(challenge.folder / CHALLENGE)
    table["public"] = [image.name for image in challenge.public]
    files = {CHALLENGE: tomli_w.dumps(table).encode()}
    files |= {f"{IMAGES}/{image.path.name}": image.path.read_bytes() for image in challenge.images}
    files |= {f"{TRUTH}/{image.name}.png": challenge.truth_bytes(image.name) for image in challenge.public}
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
