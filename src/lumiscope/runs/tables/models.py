"""The table `models`."""

from __future__ import annotations

from lumiscope.runs.table import column, table

ASSUMED_OF_PREPROCESSING = "nothing states this model's preprocessing; assumed: "
"""How the note begins that says what was assumed of a model's preprocessing."""


@table("models", "each model: spec, fingerprint, target layer, what it sees, notes")
class ModelRow:
    """One model: what it is and what it sees."""

    model: str = column("its name in this run")
    spec: str = column("where it comes from, as `--model` takes it")
    fingerprint: str = column("digest of spec, options, weights and preprocessing")
    num_classes: int = column("how many classes", low=1)
    target_layer: str | None = column("where the CAM family looks, several with commas; null where no method does")
    input_height: int = column("height of its input", unit="pixels", low=1)
    input_width: int = column("width of its input", unit="pixels", low=1)
    resize_height: int | None = column("height of which the centre is cropped; null: nothing is cropped", unit="pixels")
    resize_width: int | None = column("width of which the centre is cropped; null: nothing is cropped", unit="pixels")
    geometry: str = column("crop or squash: how an image gets the input's shape")
    interpolation: str = column("how an image is resized")
    mean: str | None = column(
        "what is taken off each channel of [0, 1], with commas; null: the model normalises itself"
    )
    std: str | None = column("what each channel is divided by, with commas; null: the model does it itself")
    shown_bands: str | None = column("numbers, from 0, of the three bands of a file that are shown; null: pictures")
    notes: tuple[str, ...] = column("what a reader must know of it")

    @property
    def shown(self) -> tuple[int, ...] | None:
        """The numbers of the bands of a file that are shown; None: pictures are."""
        return None if self.shown_bands is None else tuple(int(part) for part in self.shown_bands.split(","))

    @property
    def assumed(self) -> str:
        """What was assumed of its preprocessing; "" where it or the user states all of it."""
        notes = (note for note in self.notes if note.startswith(ASSUMED_OF_PREPROCESSING))
        return next(notes, "").removeprefix(ASSUMED_OF_PREPROCESSING)
