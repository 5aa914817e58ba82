"""Studies for tests, changed field by field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lumiscope.study import Study


def changed(study: Study, **fields: Any) -> Study:
    """The study with other values of some fields, whatever table each is in."""
    tables = {"models": study.models, "run": study.run, "explain": study.explain, "dissect": study.dissect}
    return Study(**{**tables, **fields})


def without_digests(folder: Path) -> None:
    """Let a manifest say nothing of the tables nor of itself, as an older one: a test may change them then."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tables": {}, "sha256": None}))
