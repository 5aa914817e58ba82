"""`masks`: a concept is in an image where it covers at least one pixel of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.concepts import ConceptSet
from lumiscope.errors import ScorerError
from lumiscope.images import open_images
from lumiscope.scorers import load_scorer
from lumiscope.world import WORDS, render
from lumiscope.world.dataset import write_dataset


def everything(scorer):
    return ConceptSet("all", scorer.words, scorer.categories)


def test_the_worlds_own_annotations():
    """One pixel is enough, whatever kind of word it is."""
    images, scorer = open_images("world:12@3"), load_scorer("masks")
    scores = scorer.score(images, everything(scorer))
    assert scores.values.dtype == np.float32
    assert set(scores.words) == {word for words in WORDS.values() for word in words}
    for row, _ in enumerate(images):
        truth = render(row, 3).labels
        for column, word in enumerate(scores.words):
            kinds = [kind for kind, words in WORDS.items() if word in words]
            there = any((truth[kind] == WORDS[kind].index(word) + 1).any() for kind in kinds)
            assert scores.values[row, column] == there
    assert 0 < scores.values.mean() < 1
    assert dict(zip(scorer.words, scorer.categories, strict=True))["meadow"] == "place"


def test_a_folder_says_the_same_in_the_order_asked_for(tmp_path):
    write_dataset(tmp_path, 5, 2)
    files, scorer = open_images(str(tmp_path / "labels.csv")), load_scorer(f"masks:{tmp_path}")
    world_scorer = load_scorer("masks:world")
    concepts = ConceptSet.of(["red", "sky", "wheel", "fish"])
    expected = world_scorer.score(open_images("world:5@2"), concepts).values
    np.testing.assert_array_equal(scorer.score(files[::-1], concepts).values, expected[::-1])
    assert scorer.name == f"masks:{tmp_path}"
    assert scorer.words == world_scorer.words


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array(content, np.uint8)).save(path)


@pytest.fixture
def folder(tmp_path):
    """Two images; `tree` is an object and a part; the parts of the second image are not annotated."""
    (tmp_path / "concepts.csv").write_text("kind,number,word\nobject,1,cat\nobject,2,tree\npart,1,tree\npart,2,leaf\n")
    for name in ("a", "b"):
        write(tmp_path / f"images/{name}.png", np.zeros((2, 3, 3)))
    write(tmp_path / "labels/object/a.png", [[0, 0, 0], [0, 0, 1]])
    write(tmp_path / "labels/object/b.png", [[0, 2, 0], [0, 0, 0]])
    write(tmp_path / "labels/part/a.png", [[1, 0, 0], [0, 0, 0]])
    return tmp_path


def test_a_word_of_two_kinds_is_there_where_either_is(folder):
    write(folder / "labels/part/b.png", [[2, 0, 0], [0, 0, 0]])
    scorer = load_scorer(f"masks:{folder}")
    scores = scorer.score(open_images(str(folder / "images")), everything(scorer))
    assert scorer.words == ("cat", "tree", "leaf")
    assert scorer.categories == ("object", "object", "part")
    np.testing.assert_array_equal(scores.values, [[1, 1, 0], [0, 1, 1]])


def test_what_is_not_annotated_is_not_taken_for_absent(folder):
    scorer, images = load_scorer(f"masks:{folder}"), open_images(str(folder / "images"))
    with pytest.raises(ScorerError, match=r"1 of 2 images lack annotations \(part: 1\): 'b\.png'.*all 0"):
        scorer.score(images, everything(scorer))
    np.testing.assert_array_equal(scorer.score(images, ConceptSet.of(["cat"])).values, [[1], [0]])
    (folder / "labels/object/b.png").unlink()
    with pytest.raises(ScorerError, match=r"1 of 2 images lack annotations \(object: 1\): 'b\.png'"):
        scorer.score(images, ConceptSet.of(["cat"]))
    with pytest.raises(ScorerError, match="no label map of any of the 1 images"):
        scorer.score(images[1:], ConceptSet.of(["cat"]))


def test_what_is_lacking_is_told_by_kind_in_order(folder):
    kinds = ("texture", "scene", "material", "colour", "part")
    rows = [f"{kind},1,{kind} word" for kind in kinds]
    (folder / "concepts.csv").write_text("\n".join(["kind,number,word", "object,1,cat", "object,2,tree", *rows]))
    for kind in kinds[:-1]:
        write(folder / f"labels/{kind}/a.png", np.zeros((2, 3)))
    scorer, images = load_scorer(f"masks:{folder}"), open_images(str(folder / "images"))
    with pytest.raises(ScorerError, match=r"\(colour: 1, material: 1, part: 1, scene: 1, texture: 1\)"):
        scorer.check(images, everything(scorer))


def test_words_images_and_folders_without_annotations(folder):
    images = open_images(str(folder / "images"))
    with pytest.raises(ScorerError, match=r"masks: .*2 images do not: a\.png"):
        load_scorer("masks").score(images, ConceptSet.of(["fish"]))
    with pytest.raises(ScorerError, match=r"1 of 2 concepts: 'leave'. Nearest to 'leave': leaf"):
        load_scorer(f"masks:{folder}").score(images, ConceptSet.of(["cat", "leave"]))
    with pytest.raises(ScorerError, match=r"masks:/nowhere: /nowhere holds no annotations"):
        load_scorer("masks:/nowhere")
    write(folder / "labels/object/a.png", [[9, 0, 0], [0, 0, 0]])
    with pytest.raises(ScorerError, match=r"a\.png: number 9 of kind object"):
        load_scorer(f"masks:{folder}").score(images, ConceptSet.of(["cat"]))


def test_fingerprints_and_keys_follow_the_annotations(folder, tmp_path: Path):
    (first, second) = open_images(str(folder / "images"))
    scorer = load_scorer(f"masks:{folder}")
    before = scorer.fingerprint, scorer.image_key(first), scorer.image_key(second)
    write(folder / "labels/object/a.png", [[0, 0, 0], [0, 2, 1]])
    again = load_scorer(f"masks:{folder}")
    assert again.fingerprint == before[0]
    assert again.image_key(first) != before[1]
    assert again.image_key(second) == before[2]
    with (folder / "concepts.csv").open("a") as file:
        file.write("part,3,bark\n")
    assert load_scorer(f"masks:{folder}").fingerprint != before[0]


def test_a_word_of_several_kinds_has_the_category_of_the_first_kind_that_is_one(folder):
    """`mood` is no category; of the others the first counts."""
    rows = ("mood,1,tree", "object,1,tree", "part,1,tree", "part,2,calm", "mood,2,calm", "mood,3,odd")
    (folder / "concepts.csv").write_text("\n".join(("kind,number,word", *rows)) + "\n")
    scorer = load_scorer(f"masks:{folder}")
    assert scorer.words == ("tree", "calm", "odd")
    assert scorer.categories == ("object", "part", "other")
