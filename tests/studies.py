"""Studies for tests, changed field by field."""

from __future__ import annotations

from typing import Any

from lumiscope.study import Study


def changed(study: Study, **fields: Any) -> Study:
    """The study with other values of some fields, whatever table each is in."""
    tables = {"models": study.models, "run": study.run, "explain": study.explain, "dissect": study.dissect}
    return Study(**{**tables, **fields})
