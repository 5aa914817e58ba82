"""Where units fire on the probing images that show them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lumiscope.dissection import shown_images, shown_units
from lumiscope.dissection.crops import crop_box
from lumiscope.errors import LumiscopeError
from lumiscope.images import ImageSet, open_images
from lumiscope.models import TorchModel
from lumiscope.progress import Track, silent
from lumiscope.store import Store
from lumiscope.study.config import model_names
from lumiscope.study.load_configured import load_configured
from lumiscope.study.run_folder import STORE, Run
from lumiscope.study.unit_maps import top_image_maps

logger = logging.getLogger(__name__)
Row = dict[str, Any]


def crops_of_shown(
    model: TorchModel, images: ImageSet, units: pa.Table, *, store: Store | None = None, track: Track = silent
) -> list[Row]:
    """Rows of the table `unit_crops` for the units of `model` that a report shows (see `shown_units`).

    `images`: the probing images. `units`: a units table. Units of layers without maps have none.
    """
    mine = units.filter(pc.equal(units["model"], model.name))
    return _crops(model, images, shown_units(mine.to_pylist()), store, track)


def crops_of_unit(run: Run, unit: Mapping[str, Any], *, track: Track = silent) -> list[Row]:
    """Rows of `unit_crops` for one row of a run's units table: those of the run, else made with the model.

    Where the model or the images are not there any more, or not what they were, there are none, and a warning says so.
    """
    table = run.table("unit_crops").to_pylist()
    kept = [row for row in table if all(row[key] == unit[key] for key in ("model", "layer", "unit"))]
    if kept:
        return kept
    try:
        model = _model_of(run, unit["model"])
        found = open_images(str(run.study.probe), on_error="skip")
    except LumiscopeError as error:
        logger.warning("the pictures are not cropped: %s", error)
        return []
    if model is None:
        logger.warning("the pictures are not cropped: the model %s is not what it was in this run", unit["model"])
        return []
    digests = dict(zip(*(run.table("probing_images")[name].to_pylist() for name in ("image", "sha256")), strict=True))
    shown = tuple(item for item in found if item.id in shown_images(unit) and item.sha256 == digests.get(item.id))
    return _crops(model, ImageSet(shown, found.source), [unit], Store(run.folder.parent / STORE), track)


def _model_of(run: Run, name: str) -> TorchModel | None:
    """A model of the run; None where it is another one by now."""
    configs = dict(zip(model_names(run.study.models), run.study.models, strict=True))
    model = load_configured(configs[name], name)
    models = run.table("models")
    (before,) = models.filter(pc.equal(models["model"], name))["fingerprint"].to_pylist()
    return model if isinstance(model, TorchModel) and model.fingerprint == before else None


def _crops(
    model: TorchModel, images: ImageSet, units: Iterable[Mapping[str, Any]], store: Store | None, track: Track
) -> list[Row]:
    places = {item.id: place for place, item in enumerate(images)}
    layers: dict[str, dict[int, list[str]]] = {}
    for unit in units:
        layers.setdefault(unit["layer"], {})[unit["unit"]] = [name for name in shown_images(unit) if name in places]
    rows: list[Row] = []
    for layer, wanted in layers.items():
        indices = {number: [places[name] for name in names] for number, names in wanted.items()}
        maps = top_image_maps(model, images, layer, indices, store=store, track=track)
        for number, found in maps.items():
            place = {"model": model.name, "layer": layer, "unit": number}
            rows += [{**place, **row} for row in _boxes(wanted[number], found, model.geometry.input_size)]
    return rows


def _boxes(names: Sequence[str], maps: np.ndarray[Any, Any], size: tuple[int, int]) -> Iterator[Row]:
    """The parts of the view on which a unit fires; an image on which it fires everywhere has none."""
    height, width = size
    for name, unit_map in zip(names, maps, strict=True):
        left, top, right, bottom = crop_box(unit_map, size)
        if (left, top, right, bottom) != (0, 0, width, height):
            ends = {"left": left / width, "top": top / height, "right": right / width, "bottom": bottom / height}
            yield {"image": name, **ends}
