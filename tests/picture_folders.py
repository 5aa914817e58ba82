"""Folders of pictures for tests, and what was made of them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from lumiscope.images import ImageSet


def save(path: Path, shade: int = 0, size: tuple[int, int] = (4, 3)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade,) * 3).save(path)
    return path


def ids(images: ImageSet) -> list[str]:
    return [item.id for item in images]


def names(images: ImageSet) -> list[str]:
    return [item.name for item in images]


def reasons(images: ImageSet) -> dict[str, str]:
    return {skipped.name: skipped.reason for skipped in images.skipped}


def csv(folder: Path, text: str) -> Path:
    path = folder / "list.csv"
    path.write_text(text, encoding="utf-8")
    return path
