"""Write the maps and masks of a run so that any revision can read them: `python tools/dump_maps.py runs/NAME maps.npz`.

Run with PYTHONPATH of the revision that made the run: only that one is sure to understand its store. Of lumiscope only
`Run.open`, `Run.saliency_map` and `Run.mask` are used. An array a field and map, named METHOD/FIELD/MODEL/IMAGE; the
field of a mask is `mask`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

import lumiscope

ARRAYS = ("values", "shown", "segments", "coefficients", "intervals", "top_classes", "top_coefficients")
FACTS = ("layer", "options", "details", "num_features", "min_weight", "positive_only")
TARGET_FACTS = ("index", "name", "logit", "probability")


def main() -> None:
    """Dump the run that the command line names."""
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    run = lumiscope.Run.open(folder)
    arrays: dict[str, NDArray[np.generic]] = {}
    explanations = pq.read_table(folder / "tables" / "explanations.parquet", columns=["model", "image", "method"])
    for row in explanations.to_pylist():
        saliency = run.saliency_map(row["model"], row["image"], row["method"])
        for field, array in fields_of(saliency).items():
            arrays[f"{row['method']}/{field}/{row['model']}/{row['image']}"] = array
    masks = folder / "tables" / "masks.parquet"
    for row in pq.read_table(masks, columns=["model", "image", "method"]).to_pylist() if masks.is_file() else ():
        mask = run.mask(row["model"], row["image"], row["method"])
        arrays[f"{row['method']}/mask/{row['model']}/{row['image']}"] = np.asarray(mask)
    np.savez(target, **arrays)  # type: ignore[arg-type]


def fields_of(saliency: lumiscope.SaliencyMap) -> dict[str, NDArray[np.generic]]:
    """The fields that the map has: arrays as they are, the rest as JSON."""
    arrays = {name: getattr(saliency, name, None) for name in ARRAYS}
    facts = {name: getattr(saliency, name) for name in FACTS if hasattr(saliency, name)}
    facts["target"] = [getattr(saliency.target, name) for name in TARGET_FACTS]
    return {
        **{name: np.asarray(array) for name, array in arrays.items() if array is not None},
        **{name: np.array(json.dumps(value, sort_keys=True, default=repr)) for name, value in facts.items()},
    }


if __name__ == "__main__":
    main()
