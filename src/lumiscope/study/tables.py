"""Results as the rows of a run's tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from lumiscope.errors import UsageError
from lumiscope.images import CLASS_SEPARATOR, ImageItem, ImageSet
from lumiscope.models import BlackBox, TorchModel, VisionModel, label_index, mask_shows_label, probabilities, short_name
from lumiscope.store import write_atomically
from lumiscope.study.schemas import SCHEMAS
from lumiscope.study.stored_explanations import StoredExplanations
from lumiscope.types import FloatArray, SaliencyMap

Row = dict[str, Any]
TOP = 5


def write_tables(tables: Mapping[str, pa.Table], folder: Path) -> None:
    """Write every table as Parquet; the same tables give the same bytes."""
    for name, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        write_atomically(folder / f"{name}.parquet", sink.getvalue().to_pybytes())


def save_table(table: pa.Table, path: Path) -> None:
    """Write one table as .parquet or .csv; lists become text in a CSV. Errors: `UsageError` for other endings."""
    check_table_path(path)
    if path.suffix == ".parquet":
        write_tables({path.stem: table}, path.parent)
        return
    for place, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            joined = ["|".join(map(str, row or [])) for row in table.column(place).to_pylist()]
            table = table.set_column(place, column.name, pa.array(joined, pa.string()))
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    write_atomically(path, sink.getvalue().to_pybytes())


def check_table_path(path: Path) -> None:
    """Errors: `UsageError` for a file that `save_table` does not write."""
    if path.suffix not in (".parquet", ".csv"):
        raise UsageError(f"expected a file that ends in .parquet or .csv; got {path}")


def as_table(name: str, rows: Iterable[Row]) -> pa.Table:
    """Rows under the schema of the table `name`."""
    return pa.Table.from_pylist(list(rows), schema=SCHEMAS[name])


def model_row(model: TorchModel | BlackBox, target_layer: str | None, left_out: str | None = None) -> Row:
    """One model: what it is and what it sees. `left_out`: what this study could not ask of it, in words."""
    geometry = model.geometry
    resize = geometry.resize_size or (None, None)
    return {
        "model": model.name,
        "spec": model.spec,
        "fingerprint": model.fingerprint,
        "num_classes": len(model.classes),
        "target_layer": target_layer,
        "input_height": geometry.input_size[0],
        "input_width": geometry.input_size[1],
        "resize_height": resize[0],
        "resize_width": resize[1],
        "geometry": geometry.mode,
        "interpolation": geometry.interpolation,
        "mean": _numbers(model.mean),
        "std": _numbers(model.std),
        "notes": [*model.notes, *([left_out] if left_out else [])],
    }


def _numbers(given: Sequence[float] | None) -> str | None:
    return None if given is None else ", ".join(f"{number:g}" for number in given)


def image_table(images: ImageSet) -> pa.Table:
    """One row an image; further columns of the user's CSV follow as text."""
    rows = [_image_row(item) for item in images]
    schema = SCHEMAS["images"]
    further = dict.fromkeys(column for item in images for column in item.columns if column not in schema.names)
    for column in further:
        schema = schema.append(pa.field(column, pa.string()))
    for row, item in zip(rows, images, strict=True):
        row.update({column: item.columns.get(column) for column in further})
    return pa.Table.from_pylist(rows, schema=schema)


def _image_row(item: ImageItem) -> Row:
    height, width = item.size
    return {
        "image": item.id,
        "file": item.name,
        "path": item.address,
        "width": width,
        "height": height,
        "class_index": item.label,
        "class_name": CLASS_SEPARATOR.join(item.class_names) or None,
        "has_mask": item.has_mask,
        "mask_path": item.mask_address,
        "sha256": item.sha256,
    }


def probing_rows(images: ImageSet) -> list[Row]:
    """One row a probing image."""
    return [{"image": item.id, "file": item.name, "path": item.address, "sha256": item.sha256} for item in images]


def prediction_rows(model: VisionModel, item: ImageItem, logits: FloatArray) -> list[Row]:
    """The most probable classes of one image. `logits`: (classes,)."""
    shares = probabilities(logits[None], model.activation)[0]
    best = np.argsort(-logits, kind="stable")[:TOP]
    return [
        {
            "model": model.name,
            "image": item.id,
            "rank": rank,
            "class_index": int(index),
            "class_name": model.classes[index],
            "short_name": short_name(model.classes[index]),
            "probability": float(shares[index]),
            "logit": float(logits[index]),
        }
        for rank, index in enumerate(best, 1)
    ]


def explanation_row(
    model: VisionModel, item: ImageItem, saliency: SaliencyMap, predicted: int, stored: StoredExplanations
) -> Row:
    """One map: what it explains, whether the model was right, and where the map lies."""
    label = label_index(model, item)
    location, key = stored.address(saliency.method, item)
    return {
        "model": model.name,
        "image": item.id,
        "method": saliency.method,
        "target_index": saliency.target.index,
        "target_name": saliency.target.name,
        "target_short_name": short_name(saliency.target.name),
        "probability": saliency.target.probability,
        "label_index": label,
        "label_short_name": None if label is None else short_name(model.classes[label]),
        "correct": None if label is None else label == predicted,
        "mask_shows_label": mask_shows_label(model, item),
        "layer": saliency.layer,
        "details": json.dumps(dict(saliency.details), sort_keys=True),
        "undefined": str(saliency.details.get("undefined", "")),
        "location": location,
        "key": key,
    }


def skipped_rows(what: str, skipped: Sequence[Any]) -> list[Row]:
    """What was left out; a mask that was left out is told apart from its image."""
    return [
        {
            "what": "mask" if entry.name.startswith("mask of ") else what,
            "name": entry.name.removeprefix("mask of "),
            "reason": entry.reason,
        }
        for entry in skipped
    ]
