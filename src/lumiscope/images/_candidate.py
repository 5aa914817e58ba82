"""A file that a source lists, before anybody knows whether it can be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Candidate:
    """A listed file; the fields are those of `ImageFile`.

    `problem`: what is wrong with its entry in the list, "" if nothing is. `is_beside`: whether it only lies beside
    pictures, as a table of labels does; nobody asked for it by name.
    """

    name: str
    path: Path
    label: int | None = None
    class_names: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    mask_path: Path | None = None
    problem: str = ""
    is_beside: bool = False
