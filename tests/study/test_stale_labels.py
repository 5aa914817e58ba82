"""An edit of anything that labels depend on never meets labels that were made before it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from lumiscope.discovery import source_digest
from lumiscope.dissection import EvidenceOptions
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import concept_scores, concept_vectors, dissect

dissect_module = sys.modules[dissect.__module__]
ANY = EvidenceOptions(fdr=1, min_stability=0, draws=20, resamples=5)
Words = list[tuple[str, ...]]


@pytest.fixture
def words(tiny: TorchModel, pictures: ImageSet) -> Callable[..., Words]:
    """The word and the score of each unit, through a store that holds earlier ones; those without a store are equal."""

    def label(scorer: str, concepts: str | None = None, store: Store | None = None) -> Words:
        found = dissect(
            tiny, pictures, layers="auto", scorer=scorer, concepts=concepts, similarity="cos", evidence=ANY, store=store
        )
        (layer,) = found.layers
        best = [found.concepts[index] if index >= 0 else "" for index in layer.concept]
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


@pytest.mark.parametrize("module", [concept_scores, concept_vectors])
def test_scores_of_another_version(
    tiny: TorchModel, pictures: ImageSet, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(Path("store"))

    def label() -> int:
        dissect(tiny, pictures, layers="auto", scorer="table:scores.npz", evidence=ANY, store=store)
        return sum(1 for _ in store.root.glob("labels/*"))

    assert [label(), label()] == [1, 1]
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert label() == 2


def test_labels_of_other_code(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An edit in the package that makes labels: those that it made before are not taken."""
    package = tmp_path / "made_labels"
    (package / "evidence").mkdir(parents=True)
    for name in ("__init__.py", "evidence/__init__.py"):
        (package / name).write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    first = source_digest("made_labels")
    assert source_digest("made_labels") == first
    (package / "evidence" / "null.py").write_text("DRAWS = 10\n")
    assert source_digest("made_labels") != first

    store, asked = Store(Path("store")), {"layers": "auto", "scorer": "table:scores.npz", "similarity": "cos"}
    made: list[str] = []
    real = dissect_module.label_units
    monkeypatch.setattr(dissect_module, "label_units", lambda *a, **k: made.append(k["layer"]) or real(*a, **k))
    for code, times in (("lumiscope.dissection", 1), ("lumiscope.dissection", 1), ("made_labels", 2)):
        monkeypatch.setattr(dissect_module, "CODE", code)
        dissect(tiny, pictures, **asked, evidence=ANY, store=store)
        assert len(made) == times
