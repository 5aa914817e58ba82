"""`classes:MODEL`: a tiny sentence-transformers model with random weights, made and loaded by the library itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch

from lumiscope.concepts import ConceptSet
from lumiscope.errors import ScorerError, UsageError
from lumiscope.scorers import class_names, load_scorer
from scorers.tiny_models import write_sentence_model

library = pytest.importorskip("sentence_transformers", reason="needs sentence-transformers (the extra `text`)")
WORDS = ("cat", "dog", "red fish", "sky")


@dataclass(frozen=True)
class Item:
    class_names: tuple[str, ...] = ()
    columns: dict[str, str] = field(default_factory=dict)
    name: str = "x.png"


IMAGES = [Item(("dog",)), Item(("fish", "sky"), {"caption": "a cat of the sky"}), Item(("dog",))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A BERT of one layer over a vocabulary of eight words, with mean pooling; the weights come from a seed."""
    path = tmp_path_factory.mktemp("sentences")
    return write_sentence_model(path)


def one_by_one(folder, texts, words):
    """The largest cosine of one text and one word at a time."""
    model = library.SentenceTransformer(str(folder))

    def vector(text):
        embedding = model.encode([text])[0].astype(np.float64)
        return embedding / np.linalg.norm(embedding)

    return np.array([[max(vector(t) @ vector(w) for t in each) for w in words] for each in texts])


def test_scores_are_the_largest_cosine_over_the_class_names(folder):
    scores = load_scorer(f"classes:{folder}").score(IMAGES, ConceptSet.of(WORDS))
    assert scores.values.dtype == np.float32
    np.testing.assert_allclose(scores.values, one_by_one(folder, [i.class_names for i in IMAGES], WORDS), atol=2e-6)
    np.testing.assert_array_equal(scores.values[0], scores.values[2])
    assert scores.values[0, 1] == pytest.approx(1, abs=1e-6)


def test_scores_of_a_caption(folder):
    scorer = load_scorer(f"classes:{folder}@caption")
    scores = scorer.score(IMAGES[1:2], ConceptSet.of(WORDS))
    np.testing.assert_allclose(scores.values, one_by_one(folder, [["a cat of the sky"]], WORDS), atol=2e-6)
    assert (scorer.words, scorer.categories) == (None, None)


def test_images_without_a_text_are_counted_and_named(folder):
    images = [*IMAGES, Item(name="bare.png", columns={"captions": "x", "caption": " "})]
    with pytest.raises(ScorerError, match=r"1 of 4 images have no class names: 'bare\.png'.*class_name"):
        load_scorer(f"classes:{folder}").score(images, ConceptSet.of(WORDS))
    with pytest.raises(ScorerError, match=r"3 of 4 images have no text in the column 'caption'.*did you mean caption"):
        load_scorer(f"classes:{folder}@caption").score(images, ConceptSet.of(WORDS))


def test_keys_are_the_texts_and_the_fingerprint_the_files(folder, tmp_path):
    scorer = load_scorer(f"classes:{folder}")
    assert scorer.image_key(IMAGES[0]) == scorer.image_key(IMAGES[2]) != scorer.image_key(IMAGES[1])
    assert load_scorer(f"classes:{folder}@caption").image_key(IMAGES[1]) != scorer.image_key(IMAGES[1])
    copy = tmp_path / "copy"
    for path in (path for path in folder.rglob("*") if path.is_file()):
        (copy / path.relative_to(folder)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(folder)).write_bytes(path.read_bytes())
    assert load_scorer(f"classes:{copy}").fingerprint == scorer.fingerprint
    (copy / "model.safetensors").write_bytes(b"other weights")
    changed = load_scorer(f"classes:{copy}")
    assert changed.fingerprint != scorer.fingerprint
    with pytest.raises(ScorerError, match="cannot be loaded"):
        changed.score(IMAGES, ConceptSet.of(WORDS))


def test_nothing_global_moves_and_nothing_is_printed(folder, capfd):
    state = torch.get_rng_state()
    load_scorer(f"classes:{folder}").score(IMAGES, ConceptSet.of(WORDS))
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr() == ("", "")
    from transformers.utils import logging

    assert logging.is_progress_bar_enabled()


def test_a_model_with_code_of_its_own_is_refused(tmp_path):
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: ...\n")
    modules = [{"idx": 0, "name": "0", "path": "", "type": "mine.Model"}]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ScorerError, match=r"code of its own \('mine\.Model'\)"):
        load_scorer(f"classes:{tmp_path}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("rest", "kind", "message"),
    [
        ("/nowhere/model", ScorerError, r"no folder /nowhere/model.*HF_HUB_OFFLINE"),
        ("@caption", UsageError, "expected a model"),
        ("org/model@", UsageError, "expected a model"),
    ],
)
def test_specs_that_name_nothing(rest, kind, message):
    with pytest.raises(kind, match=message):
        load_scorer(f"classes:{rest}")


def test_a_folder_of_something_else(tmp_path: Path):
    with pytest.raises(ScorerError, match=r"expected the folder of a sentence-transformers model"):
        load_scorer(f"classes:{tmp_path}")


def test_a_hub_model_out_of_reach_names_the_offline_ways(monkeypatch):
    def unreachable(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr(library, "SentenceTransformer", unreachable)
    scorer = load_scorer("classes:sentence-transformers/all-MiniLM-L6-v2")
    with pytest.raises(ScorerError, match=r"cannot be loaded \(no network\).*classes:/path/to.*HF_HUB_OFFLINE"):
        scorer.score(IMAGES, ConceptSet.of(WORDS))


def test_the_library_may_be_missing(monkeypatch):
    monkeypatch.setitem(class_names.sys.modules, "sentence_transformers", None)
    with pytest.raises(
        ScorerError, match=r"sentence-transformers, which is not installed: pip install 'lumiscope\[text"
    ):
        load_scorer("classes:org/model")
