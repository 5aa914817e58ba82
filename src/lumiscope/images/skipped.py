"""What could not be used, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Skipped:
    """An image or the mask of one that was left out. `name`: of the image, as the user knows it.

    `reason`: one short phrase.
    """

    name: str
    reason: str
    kind: Literal["image", "mask"] = "image"

    def __str__(self) -> str:
        return f"{'mask of ' if self.kind == 'mask' else ''}{self.name}: {self.reason}"
