"""How sentences call methods and images."""

from __future__ import annotations

from typing import Protocol

from lumiscope.attribution import METHODS
from lumiscope.printable import printable
from lumiscope.short_name import cut_in_middle


class _BesideOthers(Protocol):
    """A row with an IoU and that of different images."""

    @property
    def iou(self) -> float:
        """On the same images."""
        ...

    @property
    def other_images(self) -> float:
        """On different ones."""
        ...


def method_title(name: str) -> str:
    """The title of a registered method; any other name as it is."""
    method = METHODS.get(name)
    return name if method is None else method.title


def pair_title(method_a: str, method_b: str) -> str:
    """Both titles."""
    return f"{method_title(method_a)} and {method_title(method_b)}"


def image_title(image: str) -> str:
    """The name of an image, which may be as long as file systems allow, in short."""
    return cut_in_middle(printable(image))


def beside_others(name: str, row: _BesideOthers) -> str:
    """A name with its IoU beside that of different images."""
    return f"{name} (IoU {row.iou:.2f}, on different images {row.other_images:.2f})"
