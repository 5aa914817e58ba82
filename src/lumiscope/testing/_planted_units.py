"""The units of a planted study."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lumiscope.runs import LayerRow, LowLevelRow, UnitRow
from lumiscope.study import Tables
from lumiscope.testing.fake_row import fake_row

LAYERS = ("first", "last")
CLUSTERS = 25  # of units in a layer, of 1 to 6 that have one label
CONTROLS = 3  # networks with random weights beside each model
PARTIAL, SPREAD, WITHIN = 0.2, 0.12, 0.05  # correlation beyond low-level features; of clusters, and of their units
WORDS = {
    f"{category} {number}": category for category in ("colour", "texture", "object", "place") for number in range(6)
}


def write_units(tables: Tables, rng: np.random.Generator, models: Sequence[str], *, planted: bool) -> None:
    """Units in clusters that respond alike and have one label; of `planted` ones the last layer of one differs."""
    words = list(WORDS)
    units: list[UnitRow] = []
    for model in models:
        for layer in LAYERS:
            own = planted and (model, layer) == (models[1], LAYERS[1])
            pool = [word for word in words if (WORDS[word] == "place") == own] if planted else words
            for cluster in range(CLUSTERS):
                label = pool[int(rng.integers(len(pool)))]
                for _ in range(int(rng.integers(1, 7))):
                    units.append(
                        fake_row(
                            UnitRow, model=model, layer=layer, unit=len(units), label=label, category=WORDS[label],
                            cluster=cluster, heldout_correlation=math.nan,
                        )
                    )  # fmt: skip
    tables.write(UnitRow, units)
    tables.write(LayerRow, [fake_row(LayerRow, model=model, layer=layer) for model in models for layer in LAYERS])


def write_controls(tables: Tables, rng: np.random.Generator, models: Sequence[str], *, planted: bool) -> None:
    """What labels say beyond low-level features, `planted`: a deviation more in models than in random networks."""
    rows: list[LowLevelRow] = []
    for model in models:
        for layer in LAYERS:
            for seed in (None, *range(CONTROLS)):
                mean = PARTIAL + SPREAD * (planted and seed is None)
                for cluster, shared in enumerate(rng.normal(mean, SPREAD, CLUSTERS)):
                    for partial in rng.normal(shared, WITHIN, int(rng.integers(1, 7))):
                        rows.append(
                            fake_row(
                                LowLevelRow, model=model, layer=layer, seed=seed, unit=len(rows), cluster=cluster,
                                label=next(iter(WORDS)), partial_correlation=float(partial), survives=True,
                            )
                        )  # fmt: skip
    tables.write(LowLevelRow, rows)
