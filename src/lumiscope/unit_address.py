"""A unit by its address: "layer4:447" is unit 447 of layer4, "blocks.11@class:5" one of a class token."""

from __future__ import annotations

from dataclasses import dataclass

from lumiscope.errors import UsageError

CLASS_TOKEN = "@class"


@dataclass(frozen=True)
class UnitAddress:
    """`layer`: its name, with "@class" for the class token of a layer of tokens. `unit`: from 0."""

    layer: str
    unit: int

    @classmethod
    def parse(cls, text: str) -> UnitAddress:
        """Read "layer4:447". Errors: `UsageError`."""
        layer, colon, number = text.strip().rpartition(":")
        if not (colon and layer and number.isascii() and number.isdigit()):
            raise UsageError(f"expected a unit as LAYER:NUMBER, so layer4:447; got {text!r}")
        return cls(layer, int(number))

    def __str__(self) -> str:
        return f"{self.layer}:{self.unit}"
