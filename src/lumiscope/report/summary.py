"""The top of the report: what was done, what was found, and what the models say about each image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lumiscope.report.embed import Thumbnails
from lumiscope.report.glance import view_thumbnail
from lumiscope.report.labels import class_names, label_text
from lumiscope.report.numbers import counted, date, decimal, defined, p_value, significant

if TYPE_CHECKING:
    from lumiscope.study import Run

ROWS_SHOWN = 100


@dataclass(frozen=True)
class Finding:
    """One conclusion. `evidence`: its statistic, interval and test in one line. `tables`: where it came from."""

    claim: str
    evidence: str
    tables: str


@dataclass(frozen=True)
class Prediction:
    """What one model says about one image. `correct`: None where the image has no label for this model."""

    model: str
    name: str
    probability: float
    label: str | None
    correct: bool | None


@dataclass(frozen=True)
class PredictionRow:
    """One image with the predictions of every model. `thumbnail`: a CSS class, "" where the picture is gone.

    `caption`: what the image shows, "" if unknown.
    """

    image: str
    file: str
    caption: str
    label: str | None
    thumbnail: str
    predictions: tuple[Prediction | None, ...]

    @property
    def differs(self) -> bool:
        """Whether some model's prediction is not the label."""
        return any(prediction is not None and prediction.correct is False for prediction in self.predictions)


@dataclass(frozen=True)
class Summary:
    """View data of the header and the summary. `rows`: at most `ROWS_SHOWN` of `images` images."""

    title: str
    description: str
    date: str
    done: str
    findings: tuple[Finding, ...]
    models: tuple[str, ...]
    rows: tuple[PredictionRow, ...]
    images: int
    tallies: tuple[str, ...]


def summary_of(run: Run, thumbnails: Thumbnails) -> Summary:
    """Build the summary from the tables `findings`, `images`, `predictions` and `explanations`."""
    models = tuple(row["model"] for row in run.table("models").to_pylist())
    predictions = predictions_of(run)
    images = run.table("images").to_pylist() if predictions else []
    rows = [_row(image, models, predictions) for image in images]
    shown = rows if len(rows) <= ROWS_SHOWN else sorted(rows, key=lambda row: not row.differs)[:ROWS_SHOWN]
    return Summary(
        title=run.name,
        description=run.manifest.get("description") or "",
        date=date(run.manifest.get("finished")),
        done=_done(run),
        findings=tuple(_finding(row) for row in run.table("findings").to_pylist()),
        models=models,
        rows=tuple(replace(row, thumbnail=view_thumbnail(run, models, row.image, thumbnails)) for row in shown),
        images=len(rows),
        tallies=tuple(_tally(model, predictions.values()) for model in models) if predictions else (),
    )


def predictions_of(run: Run) -> dict[tuple[str, str], Prediction]:
    """The first prediction of each (model, image), with the label as that model's classes name it."""
    labelled = {(row["model"], row["image"]): row for row in run.table("explanations").to_pylist()}
    names = {row["image"]: class_names(row["class_name"]) for row in run.table("images").to_pylist()}
    found = {}
    for row in run.table("predictions").to_pylist():
        key = row["model"], row["image"]
        if row["rank"] != 1:
            continue
        if key in labelled:
            label, correct = labelled[key]["label_short_name"], labelled[key]["correct"]
        else:
            known = names.get(row["image"], ())
            label = next((name for name in known if name in (row["class_name"], row["short_name"])), None)
            correct = label is not None if known else None
            label = label or next(iter(known), None)
        found[key] = Prediction(row["model"], row["short_name"], row["probability"], label, correct)
    return found


def _row(
    image: Mapping[str, Any], models: Iterable[str], predictions: Mapping[tuple[str, str], Prediction]
) -> PredictionRow:
    said = tuple(predictions.get((model, image["image"])) for model in models)
    labels = [one.label for one in said if one is not None and one.label is not None]
    several = len(class_names(image["class_name"])) > 1
    label = labels[0] if labels and not several else label_text(image["class_name"])
    return PredictionRow(image["image"], image["file"], image.get("caption") or "", label, "", said)


def _tally(model: str, predictions: Iterable[Prediction]) -> str:
    judged = [said.correct for said in predictions if said.model == model and said.correct is not None]
    if not judged:
        return f"{model}: no image has a label in its classes"
    wrong, images = judged.count(False), counted(len(judged), "labelled image")
    return f"{model}: differs from the label on {wrong or 'none'} of {images}"


def _done(run: Run) -> str:
    parts = [counted(run.table("images").num_rows, "image")] if run.table("images").num_rows else []
    parts.append(counted(run.table("models").num_rows, "model"))
    if methods := run.manifest.get("methods"):
        parts.append(counted(len(methods), "explanation method"))
    table = run.table("layers")
    if layers := table.num_rows - table["layer"].null_count:
        probe = run.manifest.get("probe")
        probing = f" with {counted(probe['count'], 'probing image')}" if probe else ""
        parts.append(f"{counted(layers, 'layer')} dissected{probing}")
    return " · ".join(parts)


def _finding(row: Mapping[str, Any]) -> Finding:
    parts = []
    if defined(row["value"]):
        parts.append(f"{row['statistic']} {significant(row['value'])}".strip())
    if defined(row["low"]) and defined(row["high"]):
        digits = 3 if abs(row["high"]) < 10 else 1
        parts.append(f"interval {decimal(row['low'], digits)} to {decimal(row['high'], digits)}")
    if defined(row["p_value"]):
        parts.append(f"{row['test']}: {p_value(row['p_value'])}" if row["test"] else p_value(row["p_value"]))
    elif row["test"]:
        parts.append(row["test"])
    if row["images"] is not None:
        parts.append(counted(row["images"], "image"))
    return Finding(row["claim"], " · ".join(parts), row["tables"] or "")
