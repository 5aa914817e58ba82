"""The tables of docs/real-run.md from a run folder.

python benchmarks/real_run.py runs/NAME
"""

from __future__ import annotations

import sys
from collections import defaultdict

from lumiscope.runs import (
    GROUND_TRUTH,
    AgreementRow,
    AgreementSummaryRow,
    JudgementRow,
    ModelRow,
    PredictionRow,
    Run,
)


def main() -> None:
    """Print the tables as Markdown."""
    run = Run.open(sys.argv[1])
    machine = run.manifest.machine
    print(f"{machine.processor}, {machine.cores} cores, torch {run.manifest.versions['torch']}\n")
    predictions(run)
    overlaps(run)
    seconds(run)


def predictions(run: Run) -> None:
    """Label and prediction of every image."""
    print("| image | label | predicted | probability |\n|---|---|---|---|")
    labels = {(row.model, row.image): row.label_short_name for row in run.rows(JudgementRow)}
    for row in run.rows(PredictionRow):
        if row.rank == 1:
            label = labels.get((row.model, row.image)) or "no such class"
            predicted = row.short_name if label == row.short_name else f"**{row.short_name}**"
            print(f"| {row.image} | {label} | {predicted} | {row.probability:.3f} |")
    print()


def overlaps(run: Run) -> None:
    """IoU of every pair on every image, with means, chance and ceiling."""
    images: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    model = run.rows(ModelRow)[0].model
    for row in run.rows(AgreementRow):
        if row.model == model:
            images[row.image][row.method_a, row.method_b] = row.iou
    summary = [row for row in run.rows(AgreementSummaryRow) if row.model == model]
    pairs = [(row.method_a, row.method_b) for row in summary]
    titles = [f"{a} / {'truth' if b == GROUND_TRUTH else b}" for a, b in pairs]
    print("| image | " + " | ".join(titles) + " |\n|---|" + "---|" * len(pairs))
    for image, ious in images.items():
        print(f"| {image} | " + " | ".join(f"{ious[pair]:.2f}" if pair in ious else "" for pair in pairs) + " |")
    for column in ("iou", "chance", "ceiling"):
        print(f"| mean {column} | " + " | ".join(f"{getattr(row, column):.2f}" for row in summary) + " |")
    print()


def seconds(run: Run) -> None:
    """Seconds per method and image."""
    print("| model | method | seconds an image |\n|---|---|---|")
    for timing in run.manifest.timings:
        each = timing.seconds_each
        print(f"| {timing.model} | {timing.method} | {'unknown' if each is None else f'{each:.3g}'} |")


if __name__ == "__main__":
    main()
