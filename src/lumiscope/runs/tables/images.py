"""The tables `images` and `probing_images`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from lumiscope.runs.table import column, table


@table("images", "each image that was explained; columns of the user's list follow, one called as these as `user_NAME`")
class ImageRow:
    """One image. `user_columns`: columns of the user's own list."""

    image: str = column("its id: unique in the run, and what seeds derive from")
    file: str = column("what the user knows it by")
    path: str = column("a file, or the index, seed and renderer of a picture of the world")
    width: int = column("width of the upright image", unit="pixels", low=1)
    height: int = column("height of the upright image", unit="pixels", low=1)
    class_index: int | None = column("its label as a class index; null where unknown", low=0)
    class_name: str | None = column("its label as a class name, several as fish|meadow; null where unknown")
    has_mask: bool = column("whether there is a true mask")
    mask_path: str | None = column("where the true mask lies")
    sha256: str = column("digest of all that its pixels depend on")
    user_columns: Mapping[str, str | None] = dataclasses.field(default_factory=dict)

    @property
    def caption(self) -> str | None:
        """What it shows, where the user's list has a column of that name."""
        return self.user_columns.get("caption")


@table("probing_images", "each image that units were named from")
class ProbingImageRow:
    """One probing image."""

    image: str = column("its id: unique among the probing images")
    file: str = column("what the user knows it by")
    path: str = column("a file, or the index, seed and renderer of a picture of the world")
    sha256: str = column("digest of all that its pixels depend on")
