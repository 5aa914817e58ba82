"""What a report asks of a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from lumiscope.memo import Memo
from lumiscope.types import BoolArray, ByteArray, SaliencyMap

if TYPE_CHECKING:
    from lumiscope.images import View
    from lumiscope.runs.manifest import Manifest

Row = TypeVar("Row")


class RunReader(Protocol):
    """A finished run, read. `Run` is one; so is whatever has these members, such as the fake run of the tests."""

    @property
    def name(self) -> str:
        """What the user knows it by."""
        ...

    @property
    def folder(self) -> Path:
        """Where its files are."""
        ...

    @property
    def manifest(self) -> Manifest:
        """How it was made."""
        ...

    def rows(self, row: type[Row]) -> list[Row]:
        """The rows of a table, by their dataclass; none where the study had no such part."""
        ...

    def saliency_map(self, model: str, image: str, method: str) -> SaliencyMap:
        """One map. Errors: `StoreError` where there is none."""
        ...

    def mask(self, model: str, image: str, method: str) -> BoolArray | None:
        """(H, W) bool, the mask of a method, or of "ground_truth", on the model's view; None where there is none."""
        ...

    def view(self, model: str, image: str) -> View | None:
        """What the model saw of an image; None where its file is gone, or another picture by now."""
        ...

    def probing_pixels(self, image: str) -> ByteArray | None:
        """(H, W, 3) uint8 pixels of a probing image; None as for `view`."""
        ...

    def probing_view(self, model: str, image: str) -> View | None:
        """What the model saw of a probing image; None as for `view`."""
        ...

    @property
    def memo(self) -> Memo:
        """What is kept beside the run, such as thumbnails that a report makes once."""
        ...
