"""What maps say of themselves, when several become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def joined_details(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The details of all parts; where several have a key the last one wins, but of warnings each stays, once."""
    parts = list(parts)
    details: dict[str, Any] = {}
    for part in parts:
        details.update(part)
    warnings = dict.fromkeys(warning for part in parts for warning in part.get("warnings", ()))
    return details | ({"warnings": list(warnings)} if warnings else {})
