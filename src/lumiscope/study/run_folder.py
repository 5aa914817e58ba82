"""A run: the folder that a study wrote, read back."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lumiscope.errors import ImageError, StoreError, UsageError
from lumiscope.images import Geometry, View, read_mask, read_pixels
from lumiscope.store import Collection, Store
from lumiscope.study.config import Study, load_study
from lumiscope.study.map_store import from_arrays
from lumiscope.study.schemas import SCHEMAS
from lumiscope.types import BoolArray, ByteArray, SaliencyMap

STORE = ".store"


class Run:
    """A run folder. Tables are read when asked for; maps come from the store beside the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """Open a run folder. Errors: `UsageError` where it is none, or its study has not finished."""
        folder = Path(folder)
        if not (folder / "study.toml").is_file():
            siblings = sorted(found.parent.name for found in folder.parent.glob("*/study.toml"))
            hint = f" Runs beside it: {', '.join(siblings[:8])}." if siblings else ""
            raise UsageError(f"expected a run folder, as `lumiscope run` writes it; {folder} is none.{hint}")
        if not (folder / "manifest.json").is_file():
            raise UsageError(f"the run {folder} has not finished: run the same command again, it goes on from there")
        return cls(folder)

    @functools.cached_property
    def study(self) -> Study:
        """What was asked for."""
        return load_study(self.folder / "study.toml")

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        """How it was made: versions, machine, timings."""
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        return content

    @functools.cached_property
    def mask_rules(self) -> dict[str, str]:
        """Per method, the rule that made its masks."""
        return {name: facts["mask_rule"] for name, facts in self.manifest["methods"].items()}

    @property
    def skipped(self) -> list[dict[str, str]]:
        """What was left out: what, name, reason."""
        rows: list[dict[str, str]] = self.table("skipped").to_pylist()
        return rows

    def table(self, name: str) -> pa.Table:
        """A table by name; an empty one where the study had no such part.

        Errors: `UsageError` for unknown names; `StoreError` for a table that another version of lumiscope wrote.
        """
        if name not in SCHEMAS:
            raise UsageError(f"a run has no table {name!r}; it has {', '.join(SCHEMAS)}")
        path = self.folder / "tables" / f"{name}.parquet"
        if not path.is_file():
            return SCHEMAS[name].empty_table()
        table = pq.read_table(path)
        lacking = [column for column in SCHEMAS[name].names if column not in table.column_names]
        if lacking:
            raise StoreError(
                f"expected the columns {', '.join(lacking)} in {path}: another version of lumiscope made this run. "
                f"Run it again: lumiscope run --config {self.folder / 'study.toml'}"
            )
        return table

    def saliency_map(self, model: str, image: str, method: str) -> SaliencyMap:
        """One map. Errors: `StoreError` where there is none."""
        row = self._explanations.get((model, image, method))
        if row is None:
            raise StoreError(f"the run {self.name} has no map of {method} for {image} by {model}")
        place, key = row
        if place not in self._collections:
            self._collections[place] = self._store.open_collection(place)
        return from_arrays(self._collections[place].get(key))

    def collection(self, kind: str, scope: Mapping[str, Any]) -> Collection:
        """What the store beside the run keeps of this kind; see `Store.collection`."""
        return self._store.collection(kind, scope)

    def view(self, model: str, image: str) -> View | None:
        """What the model saw of an image; None where its file is gone or cannot be read any more."""
        try:
            return self._geometry(model).view(read_pixels(self._image(image)["path"]), image)
        except ImageError:
            return None

    def truth(self, model: str, image: str) -> BoolArray | None:
        """The ground-truth mask on the model's view; None where there is none, or its file is gone."""
        address = self._image(image)["mask_path"]
        try:
            return None if address is None else self._geometry(model).mask_on_view(read_mask(address))
        except ImageError:
            return None

    def probing_pixels(self, image: str) -> ByteArray | None:
        """(H, W, 3) uint8 pixels of a probing image; None where its file is gone."""
        address = self._probing_paths.get(image)
        try:
            return None if address is None else read_pixels(address)
        except ImageError:
            return None

    def probing_view(self, model: str, image: str) -> View | None:
        """What the model saw of a probing image; None where its file is gone."""
        pixels = self.probing_pixels(image)
        return None if pixels is None else self._geometry(model).view(pixels, image)

    @functools.cached_property
    def _store(self) -> Store:
        return Store(self.folder.parent / STORE)

    @functools.cached_property
    def _collections(self) -> dict[str, Any]:
        return {}

    @functools.cached_property
    def _explanations(self) -> dict[tuple[str, str, str], tuple[str, str]]:
        rows = self.table("explanations").to_pylist()
        return {(row["model"], row["image"], row["method"]): (row["location"], row["key"]) for row in rows}

    @functools.cached_property
    def _images(self) -> dict[str, dict[str, Any]]:
        return {row["image"]: row for row in self.table("images").to_pylist()}

    def _image(self, image: str) -> dict[str, Any]:
        if image not in self._images:
            raise UsageError(f"the run {self.name} has no image {image!r}")
        return self._images[image]

    @functools.cached_property
    def _probing_paths(self) -> dict[str, str]:
        table = self.table("probing_images")
        return dict(zip(table["image"].to_pylist(), table["path"].to_pylist(), strict=True))

    def _geometry(self, model: str) -> Geometry:
        models = self.table("models")
        row = models.filter(pc.equal(models["model"], model)).to_pylist()[0]
        resize = (row["resize_height"], row["resize_width"])
        return Geometry(
            (row["input_height"], row["input_width"]),
            mode=row["geometry"],
            resize_size=None if resize[0] is None else resize,
            interpolation=row["interpolation"],
        )
