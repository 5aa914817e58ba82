"""The held-out numbers of the world's models and of its image-text scorer.

python benchmarks/world_models.py [--images 2400] [--seed 1] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
from scipy.stats import binomtest

from lumiscope.concepts import ConceptSet
from lumiscope.images import open_images
from lumiscope.models import VisionModel, load_model
from lumiscope.scorers import load_scorer
from lumiscope.types import ByteArray, FloatArray
from lumiscope.world import OBJECTS, PLAIN, WORDS, describe, render, renderer_version
from lumiscope.world.pretrained import NAMES, read_notes

CONFUSIONS = 5
WANTED = {
    "objects": 0.95,
    "scenes": 0.95,
    "shortcut, right mark": 0.95,
    "clip: object": 0.95,
    "clip: scene": 0.95,
    "clip: colour": 0.80,
    "clip: texture": 0.60,
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2400, help="how many held-out images (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="their seed, another than the training's (%(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    notes = {name: read_notes(name) for name in NAMES}
    if str(given.seed) in {note["seed"] for note in notes.values()}:
        parser.error(f"--seed {given.seed}: the models were trained on these images")
    rows = measure(given.images, given.seed)
    if given.json:
        print(json.dumps({"images": given.images, "seed": given.seed, "weights": notes, "rows": rows}, indent=1))
    else:
        print_markdown(rows, notes, given.images, given.seed)


def measure(count: int, seed: int) -> list[dict[str, Any]]:
    """Render images 0..`count` - 1 of `seed` and ask every model; one row a question."""
    facts = [describe(index, seed) for index in range(count)]
    truth = {kind: [getattr(fact, kind) for fact in facts] for kind in ("object", "scene", "colour", "texture")}
    shifts = np.random.default_rng(seed).integers(1, len(OBJECTS), count)
    wrong = [OBJECTS[(OBJECTS.index(name) + k) % len(OBJECTS)] for name, k in zip(truth["object"], shifts, strict=True)]
    pixels = pictures(seed, [None] * count)
    shortcut = load_model("world:shortcut")
    marked_right, marked_wrong = pictures(seed, truth["object"]), pictures(seed, wrong)
    astray = named(shortcut, marked_wrong)
    rows = [
        row("objects", truth["object"], named(load_model("world:objects"), pixels)),
        row("scenes", truth["scene"], named(load_model("world:scenes"), pixels)),
        row("shortcut, right mark", truth["object"], named(shortcut, marked_right)),
        row("shortcut, wrong mark", truth["object"], astray),
        row("shortcut, wrong mark: says what the mark says", wrong, astray),
        row("shortcut, no mark", truth["object"], named(shortcut, pixels)),
    ]
    words = {kind: (*WORDS[kind], PLAIN) if kind == "texture" else WORDS[kind] for kind in truth}
    scores = clip_scores(count, seed, words)
    for kind, answers in truth.items():
        rows.append(row(f"clip: {kind}", answers, [words[kind][best] for best in scores[kind].argmax(axis=1)]))
    return rows


def clip_scores(count: int, seed: int, words: Mapping[str, Sequence[str]]) -> dict[str, FloatArray]:
    """For each kind of word (count, K) scores of images 0..`count` - 1 of `seed`, which are looked at once."""
    categories = {word: kind for kind, some in words.items() for word in some}
    concepts = ConceptSet("world", tuple(categories), tuple(categories.values()))
    values = load_scorer("world:clip").score(open_images(f"world:{count}@{seed}"), concepts).values
    return {kind: values[:, [concepts.words.index(word) for word in some]] for kind, some in words.items()}


def pictures(seed: int, marks: Sequence[str | None]) -> ByteArray:
    """(N, h, w, 3) uint8: image k of `seed` with the mark `marks[k]`."""
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        chunks = pool.map(picture, range(len(marks)), [seed] * len(marks), marks, chunksize=50)
        return np.stack(list(chunks))


def picture(index: int, seed: int, mark: str | None) -> ByteArray:
    """One image."""
    return render(index, seed, mark=mark).pixels


def named(model: VisionModel, pixels: ByteArray) -> list[str]:
    """What the model says each image is."""
    return [model.classes[best] for best in model.predict(pixels).argmax(axis=1)]


def row(what: str, truth: Sequence[str], said: Sequence[str]) -> dict[str, Any]:
    """Accuracy with its Wilson interval, and what is confused most often."""
    right = sum(a == b for a, b in zip(truth, said, strict=True))
    interval = binomtest(right, len(truth)).proportion_ci(method="wilson")
    confused = Counter((a, b) for a, b in zip(truth, said, strict=True) if a != b).most_common(CONFUSIONS)
    return {
        "what": what,
        "accuracy": right / len(truth),
        "low": interval.low,
        "high": interval.high,
        "wanted": WANTED.get(what),
        "confusions": [{"truth": a, "said": b, "images": images} for (a, b), images in confused],
    }


def print_markdown(rows: list[dict[str, Any]], notes: dict[str, dict[str, str]], count: int, seed: int) -> None:
    """Two tables: the numbers, and how the weights were made."""
    print(f"{count} images of seed {seed}, renderer {renderer_version()}\n")
    print("| question | right | 95 % interval | wanted | most frequent confusions |\n|---|---|---|---|---|")
    for question in rows:
        wanted = f"{question['wanted']:.0%}" if question["wanted"] else ""
        confused = ", ".join(f"{c['truth']} → {c['said']} {c['images']}" for c in question["confusions"])
        interval = f"{question['low']:.1%} to {question['high']:.1%}"
        print(f"| {question['what']} | {question['accuracy']:.1%} | {interval} | {wanted} | {confused} |")
    print("\n| weights | seed | images | epochs | steps | renderer | torch |\n|---|---|---|---|---|---|---|")
    for name, note in notes.items():
        print(
            f"| {name} | "
            + " | ".join(note[key] for key in ("seed", "images", "epochs", "steps", "renderer", "torch"))
            + " |"
        )


if __name__ == "__main__":
    main()
