"""The source of a package as a version."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path


def source_digest(package: str) -> str:
    """Sha256 (hex) of the source of every module in `package` and below: a version that nobody can forget to raise."""
    digest = hashlib.sha256()
    for folder in importlib.import_module(package).__path__:
        for path in sorted(Path(folder).rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
