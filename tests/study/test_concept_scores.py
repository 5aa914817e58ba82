"""Concept scores through the store: each computed once, found by content, never stale."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope import columns
from lumiscope.columns import ColumnFile, Columns
from lumiscope.concepts import ConceptSet, load_concepts
from lumiscope.errors import ScorerError, UsageError
from lumiscope.images import ImageItem, ImageSet, open_images
from lumiscope.memo import Memo
from lumiscope.runs import ProbingImageRow
from lumiscope.scorers import ConceptScores, Scorer, load_scorer
from lumiscope.scorers.world_clip import WorldClipScorer
from lumiscope.store import Store
from lumiscope.study import DissectConfig, ExplainConfig, RunConfig
from lumiscope.study.open_study import OpenStudy
from lumiscope.study.stage import STAGES, Tables, run_stage
from lumiscope.study.stages import stored_scores as module
from lumiscope.testing import fake_row

CONCEPTS = ConceptSet.of(["fish", "red", "sky"])


@dataclass
class Counting:
    """Scores that are known: image number plus length of the word; it remembers which images it was asked for."""

    name: str = "counting"
    fingerprint: str = "1"
    words: None = None
    categories: None = None
    asked: list[str] = field(default_factory=list)
    fails_at: str = ""
    nan_at: tuple[str, str] = ("", "")

    def image_key(self, item: ImageItem) -> str:
        return item.sha256

    def check(self, images: ImageSet, concepts: ConceptSet) -> None:
        return

    def score(self, images, concepts, *, track=None) -> ConceptScores:
        ids = [item.id for item in images]
        if self.fails_at in ids:
            raise KeyboardInterrupt
        self.asked += ids
        values = np.array([[value(item, word) for word in concepts.words] for item in ids], np.float32)
        if self.nan_at[0] in ids and self.nan_at[1] in concepts.words:
            values[ids.index(self.nan_at[0]), concepts.words.index(self.nan_at[1])] = np.nan
        return ConceptScores(values, concepts.words)


def stored_scores(scorer: Scorer, images: ImageSet, concepts: ConceptSet, store: Store | None = None) -> Columns:
    """The scores as the stage computes them and labels read them."""
    study = OpenStudy(
        run=RunConfig(),
        explain=ExplainConfig(),
        dissect=DissectConfig(),
        models={},
        probe=images,
        memo=Memo(store),
        given_scorer=scorer,
        given_concepts=concepts,
    )
    tables = Tables()
    tables.write(ProbingImageRow, [fake_row(ProbingImageRow, image=item.id) for item in images])
    STAGES["concept_scores"].check(study)
    run_stage("concept_scores", study, tables)
    return study.concept_scores(tuple(item.id for item in images))


def value(image_id: str, word: str) -> float:
    return int(image_id[-5:]) + len(word) / 100


def expected(images: ImageSet, concepts: ConceptSet = CONCEPTS) -> np.ndarray:
    return np.array([[value(item.id, word) for word in concepts.words] for item in images], np.float32)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD", 3)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.mark.usefixtures("small_shards")
def test_scores_are_the_scorers_and_computed_once(store: Store) -> None:
    images, scorer = open_images("world:8"), Counting()
    for kept in (None, store, store):
        np.testing.assert_array_equal(stored_scores(scorer, images, CONCEPTS, store=kept), expected(images))
    assert len(scorer.asked) == 16
    np.testing.assert_array_equal(
        stored_scores(Counting(), images, CONCEPTS, store=Store(store.root)), expected(images)
    )


@pytest.mark.usefixtures("small_shards")
def test_probing_sets_share_the_images_that_they_share(store: Store) -> None:
    scorer, images = Counting(), open_images("world:10")
    stored_scores(scorer, images[:4], CONCEPTS, store=store)
    shuffled = ImageSet(tuple(images[index] for index in (9, 2, 5, 0, 2, 7, 1)), "shuffled")
    scores = stored_scores(scorer, shuffled, CONCEPTS, store=store)
    np.testing.assert_array_equal(scores, expected(shuffled))
    assert scorer.asked[4:] == [images[index].id for index in (9, 5, 7)]


@pytest.mark.usefixtures("small_shards")
def test_a_stopped_run_goes_on_with_the_shard_it_was_at(store: Store) -> None:
    images = open_images("world:8")
    with pytest.raises(KeyboardInterrupt):
        stored_scores(Counting(fails_at=images[7].id), images, CONCEPTS, store=store)
    scorer = Counting()
    np.testing.assert_array_equal(stored_scores(scorer, images, CONCEPTS, store=store), expected(images))
    assert scorer.asked == [images[6].id, images[7].id]


@pytest.mark.usefixtures("small_shards")
def test_a_damaged_shard_is_computed_again(store: Store) -> None:
    images = open_images("world:8")
    stored_scores(Counting(), images, CONCEPTS, store=store)
    shard = sorted(store.root.rglob("*.safetensors"))[0]
    shard.write_bytes(shard.read_bytes()[:-1] + b"x")
    scorer = Counting()
    np.testing.assert_array_equal(stored_scores(scorer, images, CONCEPTS, store=store), expected(images))
    assert len(scorer.asked) in (2, 3)


@pytest.mark.parametrize("kept", [True, False])
def test_more_than_memory_should_hold_is_a_file(store: Store, monkeypatch: pytest.MonkeyPatch, kept: bool) -> None:
    monkeypatch.setattr(module, "SHARD", 3)
    monkeypatch.setattr(columns, "SMALL", 4 * 8 * 3 - 1)
    images = open_images("world:8")
    scores = stored_scores(Counting(), images, CONCEPTS, store=store if kept else None)
    assert isinstance(scores, ColumnFile)
    assert scores.shape == (8, 3)
    np.testing.assert_array_equal(scores[:, 0:3], expected(images))
    monkeypatch.setattr(columns, "SMALL", 4 * 8 * 3)
    assert isinstance(stored_scores(Counting(), images, CONCEPTS, store=store), np.ndarray)


def test_an_edited_concept_file_never_gets_old_scores(store: Store, tmp_path: Path) -> None:
    images, path, scorer = open_images("world:3"), tmp_path / "concepts.txt", Counting()
    for text in ("fish\nred\nlong word\n", "red\nfish\nlong word\n", "fish\n\nred\n", "fish\nreds\nlong word\n"):
        path.write_text(text)
        concepts = load_concepts(path)
        np.testing.assert_array_equal(
            stored_scores(scorer, images, concepts, store=store), expected(images, concepts), strict=True
        )
    assert len(scorer.asked) == 12
    path.write_text("red\tanimal\nfish\tplant\nlong word\n")  # the categories do not matter to the scores
    stored_scores(scorer, images, load_concepts(path), store=store)
    assert len(scorer.asked) == 12


def test_another_scorer_never_gets_old_scores(store: Store) -> None:
    images, scorer = open_images("world:3"), Counting()
    stored_scores(scorer, images, CONCEPTS, store=store)
    stored_scores(Counting(fingerprint="2", asked=scorer.asked), images, CONCEPTS, store=store)
    assert len(scorer.asked) == 6


@pytest.mark.parametrize("kept", [True, False])
def test_scores_that_are_not_finite_are_named_and_never_kept(store: Store, kept: bool) -> None:
    images = open_images("world:3")
    where = store if kept else None
    with pytest.raises(ScorerError, match=r"counting: 1 scores .*nan for image 'world-0-00001' and concept 'red'"):
        stored_scores(Counting(nan_at=(images[1].id, "red")), images, CONCEPTS, store=where)
    np.testing.assert_array_equal(stored_scores(Counting(), images, CONCEPTS, store=where), expected(images))


def test_nothing_to_score_is_said(store: Store) -> None:
    images = open_images("world:3")
    with pytest.raises(UsageError, match="got 0 images, 3 concepts"):
        stored_scores(Counting(), images[:0], CONCEPTS, store=store)
    with pytest.raises(UsageError, match="got 3 images, 0 concepts"):
        stored_scores(Counting(), images, ConceptSet("none", (), ()), store=store)


@pytest.fixture
def embedded(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """The ids of images and the words that `world:clip` has embedded."""
    images: list[str] = []
    words: list[str] = []
    embed_images, embed_words = WorldClipScorer.embed_images, WorldClipScorer.embed_words

    def count_images(self: WorldClipScorer, items):
        images.extend(item.id for item in items)
        return embed_images(self, items)

    def count_words(self: WorldClipScorer, asked):
        words.extend(asked)
        return embed_words(self, asked)

    monkeypatch.setattr(WorldClipScorer, "embed_images", count_images)
    monkeypatch.setattr(WorldClipScorer, "embed_words", count_words)
    return images, words


def test_vectors_of_images_and_words_are_computed_once(store: Store, embedded) -> None:
    seen_images, seen_words = embedded
    images, more = open_images("world:4"), ConceptSet.of(["sky", "cat", "red"])

    def scores(concepts: ConceptSet, prompts: tuple[str, ...] = (), where: ImageSet = images) -> np.ndarray:
        scorer = load_scorer("world:clip", prompts=prompts)
        values = stored_scores(scorer, where, concepts, store=store)
        np.testing.assert_allclose(values, scorer.score(where, concepts).values, atol=1e-6)
        del seen_images[-len(where) :], seen_words[-len(concepts) :]  # what `score` itself has embedded
        return np.asarray(values)

    first = scores(CONCEPTS)
    assert (len(seen_images), seen_words) == (4, ["fish", "red", "sky"])
    second = scores(more)
    assert (len(seen_images), seen_words[3:]) == (4, ["cat"])
    np.testing.assert_array_equal(second[:, [0, 2]], first[:, [2, 1]])
    prompted = scores(CONCEPTS, ("a photo of the {}",))
    assert (len(seen_images), len(seen_words)) == (4, 7)
    assert not np.allclose(prompted, first)
    scores(CONCEPTS, (), open_images("world:5"))
    assert (seen_images[4:], len(seen_words)) == (["world-0-00004"], 7)


def test_an_edited_table_is_read_again(store: Store, tmp_path: Path) -> None:
    images = open_images("world:2")
    for factor in (1, 2):
        table = np.arange(6, dtype=np.float32).reshape(2, 3) * factor
        names, words = np.array([item.path.name for item in images]), np.array(CONCEPTS.words)
        np.savez(tmp_path / "table.npz", scores=table, images=names, concepts=words)
        scores = stored_scores(load_scorer(f"table:{tmp_path / 'table.npz'}"), images, CONCEPTS, store=store)
        np.testing.assert_array_equal(scores, table)


def test_two_images_of_one_name_are_noticed_across_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD", 1)
    for number in (0, 1):
        (tmp_path / f"{number}").mkdir()
        Image.fromarray(np.full((4, 4, 3), number, np.uint8)).save(tmp_path / f"{number}" / "a.png")
    np.savez(tmp_path / "t.npz", scores=np.ones((1, 1)), images=np.array(["a.png"]), concepts=np.array(["dog"]))
    with pytest.raises(ScorerError, match=r"same file name"):
        stored_scores(load_scorer(f"table:{tmp_path / 't.npz'}"), open_images(str(tmp_path)), ConceptSet.of(["dog"]))


def test_edited_annotations_are_read_again(store: Store, tmp_path: Path) -> None:
    def label(name: str, number: int) -> None:
        for folder, pixels in (("labels/object", np.full((2, 2), number)), ("images", np.zeros((2, 2, 3)))):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / folder / f"{name}.png")

    (tmp_path / "concepts.csv").write_text("kind,number,word\nobject,1,cat\nobject,2,dog\n")
    label("a", 1)
    label("b", 2)
    images, concepts = open_images(str(tmp_path / "images")), ConceptSet.of(["cat", "dog"])

    def scores() -> list[list[float]]:
        return stored_scores(load_scorer(f"masks:{tmp_path}"), images, concepts, store=store)[:, 0:2].tolist()

    assert scores() == [[1, 0], [0, 1]]
    label("a", 2)
    assert scores() == [[0, 1], [0, 1]]
