"""A run: the folder that a study wrote, read back. Needs no torch, and no model."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from lumiscope.errors import ImageError, StoreError, UsageError
from lumiscope.files import failure_in_words, read_bytes
from lumiscope.memo import Memo
from lumiscope.runs.manifest import Manifest, read_manifest
from lumiscope.runs.maps import map_from_arrays, mask_from_arrays, with_class_name
from lumiscope.runs.save_table import digest_of
from lumiscope.runs.table import TABLES, table_of
from lumiscope.runs.tables import ExplanationRow, ImageRow, JudgementRow, MaskRow, ModelRow, ProbingImageRow, SkippedRow
from lumiscope.store import Collection, Store
from lumiscope.types import BoolArray, ByteArray, SaliencyMap

if TYPE_CHECKING:
    from lumiscope.images import Geometry, View

STORE = ".store"
Row = TypeVar("Row")


class Run:
    """A run folder. Tables are read when asked for; maps come from the store beside the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self._rows: dict[type[Any], list[Any]] = {}
        self._collections: dict[str, Collection] = {}

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """Open a run folder.

        Errors: `UsageError` where it is none, or its study has not finished; `StoreError` where another version of
        lumiscope made it.
        """
        folder = Path(folder)
        try:
            is_run, has_finished = (folder / "study.toml").is_file(), (folder / "manifest.json").exists()
        except OSError as error:
            raise UsageError(f"expected a run folder; got {failure_in_words(error, folder)}") from error
        if not is_run:
            siblings = sorted(path.parent.name for path in folder.parent.glob("*/study.toml"))
            hint = f" Runs beside it: {', '.join(siblings[:8])}." if siblings else ""
            raise UsageError(f"expected a run folder, as `lumiscope run` writes it; {folder} is none.{hint}")
        if not has_finished:
            raise UsageError(f"the run {folder} has not finished: run the same command again, it goes on from there")
        run = cls(folder)
        _ = run.manifest
        return run

    @property
    def study_file(self) -> Path:
        """What was asked for; `lumiscope.load_study` and `lumiscope run --config` take it."""
        return self.folder / "study.toml"

    @functools.cached_property
    def manifest(self) -> Manifest:
        """How it was made: versions, machine, timings."""
        return read_manifest(self.folder / "manifest.json", self._again)

    @property
    def skipped(self) -> list[SkippedRow]:
        """What was left out."""
        return self.rows(SkippedRow)

    def rows(self, row: type[Row]) -> list[Row]:
        """The rows of a table, by their dataclass, such as `UnitRow`; none where the study had no such part."""
        if row not in self._rows:
            declared = table_of(row)
            table = self.table(declared.name)
            try:
                self._rows[row] = declared.rows(table)
            except (ValueError, TypeError) as error:
                raise self._damaged(declared.name, error) from error
        return self._rows[row]

    def table(self, name: str) -> pa.Table:
        """A table by name; an empty one where the study had no such part.

        Errors: `UsageError` for unknown names; `StoreError` for one that another version of lumiscope wrote.
        """
        if name not in TABLES:
            raise UsageError(f"a run has no table {name!r}; it has {', '.join(TABLES)}")
        path = self._table_file(name)
        digest = self.manifest.tables.get(name)
        if digest is None and not path.exists():
            return TABLES[name].schema.empty_table()
        try:
            content = read_bytes(path)
            if digest not in (None, digest_of(content)):
                raise ValueError("its bytes are not those that the run wrote")
            with pq.ParquetFile(pa.BufferReader(content)) as file:  # not `read_table`, which imports pandas
                # Threads of Arrow that still live when Python ends may end it with an abort (apache/arrow#34314).
                table = file.read(use_threads=False)
        except (OSError, ValueError, pa.ArrowException) as error:
            raise self._damaged(name, error) from error
        if lacking := TABLES[name].lacking(table):
            raise StoreError(
                f"expected the columns {', '.join(lacking)} in {self._table_file(name)}: another version of "
                f"lumiscope made this run. Run it again: {self._again}"
            )
        return table

    def saliency_map(self, model: str, image: str, method: str) -> SaliencyMap:
        """One map. Errors: `StoreError` where there is none."""
        row = self._explanations.get((model, image, method))
        if row is None:
            raise StoreError(f"the run {self.name} has no map of {method} for {image} by {model}")
        saliency = map_from_arrays(self._collection(row.location).get(row.key))
        return with_class_name(saliency, self._target_names.get((model, image), saliency.target.name))

    def mask(self, model: str, image: str, method: str) -> BoolArray | None:
        """(H, W) bool, the mask of a method, or of "ground_truth", on the model's view; None where there is none."""
        row = self._masks.get((model, image, method))
        return None if row is None else mask_from_arrays(self._collection(row.location).get(row.key))

    def view(self, model: str, image: str) -> View | None:
        """What the model saw of an image; None where its file is gone, or another picture by now."""
        if image not in self._images:
            raise UsageError(f"the run {self.name} has no image {image!r}")
        row = self._images[image]
        pixels = _pixels(row.path, row.sha256, self._model(model).shown)
        return None if pixels is None else self._geometry(model).view(pixels, image)

    def probing_pixels(self, image: str) -> ByteArray | None:
        """(H, W, 3) uint8 pixels of a probing image; None as for `view`."""
        return self._probing_pixels(image, next((row.shown for row in self.rows(ModelRow) if row.shown), None))

    def probing_view(self, model: str, image: str) -> View | None:
        """What the model saw of a probing image; None as for `view`."""
        pixels = self._probing_pixels(image, self._model(model).shown)
        return None if pixels is None else self._geometry(model).view(pixels, image)

    def _probing_pixels(self, image: str, shown: tuple[int, ...] | None) -> ByteArray | None:
        row = self._probing_images.get(image)
        return None if row is None else _pixels(row.path, row.sha256, shown)

    @functools.cached_property
    def memo(self) -> Memo:
        """What is kept in the store beside the run."""
        return Memo(self.store)

    @functools.cached_property
    def store(self) -> Store:
        """The store beside the run."""
        return Store(self.folder.parent / STORE)

    def _collection(self, location: str) -> Collection:
        if location not in self._collections:
            self._collections[location] = self.store.open_collection(location)
        return self._collections[location]

    def _table_file(self, name: str) -> Path:
        return self.folder / "tables" / f"{name}.parquet"

    def _damaged(self, name: str, error: Exception) -> StoreError:
        said = failure_in_words(error) if isinstance(error, OSError) else f"{error}."
        return StoreError(f"the table {self._table_file(name)} is damaged: {said} Run it again: {self._again}")

    @property
    def _again(self) -> str:
        return f"lumiscope run --config {self.study_file}"

    @functools.cached_property
    def _explanations(self) -> dict[tuple[str, str, str], ExplanationRow]:
        return {(row.model, row.image, row.method): row for row in self.rows(ExplanationRow)}

    @functools.cached_property
    def _target_names(self) -> dict[tuple[str, str], str]:
        return {(row.model, row.image): row.target_name for row in self.rows(JudgementRow)}

    @functools.cached_property
    def _masks(self) -> dict[tuple[str, str, str], MaskRow]:
        return {(row.model, row.image, row.method): row for row in self.rows(MaskRow)}

    @functools.cached_property
    def _images(self) -> dict[str, ImageRow]:
        return {row.image: row for row in self.rows(ImageRow)}

    @functools.cached_property
    def _probing_images(self) -> dict[str, ProbingImageRow]:
        return {row.image: row for row in self.rows(ProbingImageRow)}

    def _model(self, model: str) -> ModelRow:
        return next(row for row in self.rows(ModelRow) if row.model == model)

    def _geometry(self, model: str) -> Geometry:
        from lumiscope.images import Geometry

        row = self._model(model)
        resize_size = None
        if row.resize_height is not None and row.resize_width is not None:
            resize_size = (row.resize_height, row.resize_width)
        return Geometry(
            (row.input_height, row.input_width),
            mode=row.geometry,  # type: ignore[arg-type]
            resize_size=resize_size,
            interpolation=row.interpolation,
        )


def _pixels(address: str, sha256: str, shown: tuple[int, ...] | None) -> ByteArray | None:
    """The pixels at an address; None where they are gone or are not those whose digest was written down."""
    from lumiscope.images import read_digest, read_pixels

    try:
        return read_pixels(address, shown) if read_digest(address) == sha256 else None
    except ImageError:
        return None
