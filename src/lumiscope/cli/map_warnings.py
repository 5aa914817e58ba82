"""What makes maps doubtful, told in few lines."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.counts import first_few
from lumiscope.short_name import cut_in_middle

NAMED = 3  # images that a line spells out


class MapWarnings:
    """Collects the warnings of maps, one after another."""

    def __init__(self) -> None:
        self._images: dict[tuple[str, tuple[str, ...]], list[str]] = {}

    def add(self, image: str, method: str, warnings: Sequence[str]) -> None:
        """Keep what one map says of itself; mostly nothing."""
        if warnings:
            self._images.setdefault((method, tuple(warnings)), []).append(image)

    def lines(self) -> list[str]:
        """One line an image and method, all its warnings in it; images with the very same ones share a line."""
        return [f"{_few(images)}, {method}: {'; '.join(texts)}" for (method, texts), images in self._images.items()]

    def counts(self) -> list[str]:
        """One line a method: how many of its maps have warnings."""
        numbers: dict[str, int] = {}
        for (method, _), images in self._images.items():
            numbers[method] = numbers.get(method, 0) + len(images)
        return [
            f"{method}: {number} map{' has' if number == 1 else 's have'} warnings; the report shows them"
            for method, number in numbers.items()
        ]


def _few(images: Sequence[str]) -> str:
    return first_few(list(map(cut_in_middle, images)), NAMED)
