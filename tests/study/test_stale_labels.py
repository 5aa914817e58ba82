"""An edit of anything that labels depend on never meets labels that were made before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.dissection import EvidenceOptions
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import dissect

ANY = EvidenceOptions(fdr=1, min_stability=0, draws=20, resamples=5)
Words = list[tuple[str, ...]]


@pytest.fixture
def words(tiny: TorchModel, pictures: ImageSet) -> Callable[..., Words]:
    """The word and the score of each unit, through a store that holds earlier ones; those without a store are equal."""

    def label(scorer: str, concepts: str | None = None, store: Store | None = None) -> Words:
        labels = dissect(
            tiny, pictures, layers="auto", scorer=scorer, concepts=concepts, similarity="cos", evidence=ANY, store=store
        )
        (layer,) = labels.layers
        best = [labels.concepts[index] if index >= 0 else "" for index in layer.concept]
        return list(zip(best, [f"{score:.5f}" for score in layer.score], strict=True))

    def checked(scorer: str, concepts: str | None = None) -> Words:
        kept = label(scorer, concepts, Store(Path("store")))
        assert kept == label(scorer, concepts)
        return kept

    return checked


def test_an_edited_concept_file(words: Callable[..., Words]) -> None:
    path = Path("concepts.txt")
    path.write_text("red\ngreen\nblue\n")
    first = words("table:scores.npz", str(path))
    path.write_text("blue\ngreen\nred\n")
    assert words("table:scores.npz", str(path)) == first
    path.write_text("\nwheel\ngreen\ncat\n")
    assert {word for word, _ in words("table:scores.npz", str(path))} <= {"wheel", "green", "cat", ""}


def test_an_edited_table(words: Callable[..., Words]) -> None:
    first = words("table:scores.npz")
    with np.load("scores.npz") as table:
        arrays = dict(table)
    np.savez("scores.npz", **(arrays | {"scores": 1 - arrays["scores"]}))
    assert words("table:scores.npz") != first


def test_edited_annotations(words: Callable[..., Words], pictures: ImageSet) -> None:
    Path("labels/object").mkdir(parents=True)
    Path("concepts.csv").write_text("kind,number,word\nobject,1,cat\nobject,2,dog\n")

    def annotate(numbers: np.ndarray) -> None:
        for item, number in zip(pictures, numbers, strict=True):
            Image.fromarray(np.full(item.size, number, np.uint8)).save(f"labels/object/{item.id}.png")

    numbers = np.random.default_rng(0).integers(0, 3, len(pictures))
    annotate(numbers)
    first = words("masks:.")
    annotate(2 - numbers)
    assert words("masks:.") != first
