"""Labels in the format of CLIP-Dissect, for tools that were made for it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from lumiscope.files import write_atomically
from lumiscope.runs.tables import UnitRow

COLUMNS = ("layer", "unit", "description", "similarity")


def save_clip_dissect(units: Sequence[UnitRow], path: Path) -> None:
    """Write the units of one model as CLIP-Dissect writes its `descriptions.csv`: layer, unit, description, similarity.

    CLIP-Dissect describes every unit, and knows no evidence: the description is the most similar concept, whether or
    not it became the label. Where nothing could be compared (a dead unit) description and similarity are empty. What
    was labelled is in the units table.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in units:
        best = next(zip(row.best_concepts, row.best_scores, strict=False), ("", ""))
        writer.writerow([row.layer, row.unit, *best])
    write_atomically(path, text.getvalue().encode())


def save_clip_dissect_of_models(units: Sequence[UnitRow], folder: Path) -> list[Path]:
    """Write `MODEL.csv` for every model of a units table; what cannot be in a file name becomes "_"."""
    paths: list[Path] = []
    for model in dict.fromkeys(row.model for row in units):
        stem = re.sub(r"[^\w.@=-]", "_", model)
        twins = sum(path.stem.rpartition("~")[0] == stem or path.stem == stem for path in paths)
        paths.append(folder / (f"{stem}~{twins + 1}.csv" if twins else f"{stem}.csv"))
        save_clip_dissect([row for row in units if row.model == model], paths[-1])
    return paths
