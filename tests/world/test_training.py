"""What goes into the training: changes that keep pictures true, and texts that are true of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lumiscope.world import OBJECTS, PLAIN, SCENES, TEXTURES, WORDS, render
from lumiscope.world.text import CONCEPTS, FILLERS, NUMBERS, VOCABULARY
from lumiscope.world.training._augment import FARTHEST, LIGHT, OFFSET, lit, marked, moved
from lumiscope.world.training._texts import (
    COLOUR_AROUND,
    MOST_FACTS,
    OTHER_OBJECT,
    PART,
    fact_texts,
    fit_of_texts,
    presence,
    random_facts,
    swapped_texts,
)
from lumiscope.world.training.pictures import (
    MARK_COLUMNS,
    MARK_ROWS,
    QUALITIES,
    Pictures,
    open_pictures,
    render_pictures,
)

COUNT, SEED = 130, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    render_pictures(folder, COUNT, SEED, marks=2, workers=2)
    return folder


@pytest.fixture(scope="module")
def pictures(folder):
    return open_pictures(folder)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def column(word):
    return CONCEPTS.index(word)


@pytest.mark.parametrize("index", [0, 99, 100, 129])
def test_the_pictures_are_those_of_the_renderer(pictures, index):
    scene = render(index, SEED)
    np.testing.assert_array_equal(pictures.pixels[index], scene.pixels)
    for kind, words in QUALITIES.items():
        assert words[pictures.facts[kind][index]] == getattr(scene, kind)
    for kind, counts in pictures.seen.items():
        expected = [(scene.labels[kind] == number).sum() for number in range(1, len(WORDS[kind]) + 1)]
        assert counts[index].tolist() == expected


def test_a_mark_lies_within_its_box():
    with_mark, without = render(COUNT, SEED, mark="cat").pixels, render(COUNT, SEED).pixels
    rows, columns = np.nonzero((with_mark != without).any(axis=2))
    assert set(rows) <= set(range(MARK_ROWS.start, MARK_ROWS.stop))
    assert set(columns) <= set(range(MARK_COLUMNS.start, MARK_COLUMNS.stop))
    assert len(rows) > 100


def test_marks_are_put_where_the_renderer_puts_them(pictures, rng):
    pixels = pictures.pixels[:20].copy()
    objects = pictures.facts["object"][:20]
    result = marked(pixels, objects, pictures.marks, 1.0, rng)
    for before, after, number in zip(pictures.pixels, result, objects, strict=False):
        corner = after[MARK_ROWS, MARK_COLUMNS]
        assert any((corner == mark).all() for mark in pictures.marks[number])
        after[MARK_ROWS, MARK_COLUMNS] = before[MARK_ROWS, MARK_COLUMNS]
        np.testing.assert_array_equal(after, before)
    first = render(COUNT + 2, SEED, mark=OBJECTS[1]).pixels[MARK_ROWS, MARK_COLUMNS]
    np.testing.assert_array_equal(pictures.marks[1, 0], first)


def test_the_share_of_marked_pictures(rng):
    pixels = np.zeros((1000, 20, 20, 3), np.uint8)
    marks = np.ones((1, 1, 16, 16, 3), np.uint8)
    share = marked(pixels, np.zeros(1000, np.int64), marks, 0.9, rng).any(axis=(1, 2, 3)).mean()
    assert share == pytest.approx(0.9, abs=0.03)


def test_moving_is_a_shift_and_perhaps_a_mirror(rng):
    size = 64
    rows, columns = np.mgrid[:size, :size]
    pixels = np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8)
    results = moved(np.repeat(pixels[None], 200, axis=0), rng)
    middle = size // 2
    seen = set()
    for result in results.astype(int):
        down = result[middle, middle, 0] - middle
        direction = result[middle, middle + 1, 1] - result[middle, middle, 1]
        left = result[middle, 0 if direction > 0 else size - 1, 1]
        inside = slice(FARTHEST, size - FARTHEST)
        assert (result[inside, :, 0] == (rows + down)[inside]).all()
        assert (np.diff(result[:, inside, 1], axis=1) == direction).all()
        assert abs(down) <= FARTHEST
        assert left <= FARTHEST
        seen.add((down, direction))
    assert {direction for _, direction in seen} == {-1, 1}
    assert {down for down, _ in seen} == set(range(-FARTHEST, FARTHEST + 1))


def test_light_changes_all_channels_alike(rng):
    images = torch.randn(50, 3, 4, 4)
    changed = lit(images.clone(), rng)
    for before, after in zip(images, changed, strict=True):
        gain, offset = np.polyfit(before.numpy().ravel(), after.numpy().ravel(), 1)
        torch.testing.assert_close(after, before * gain + offset)
        assert abs(gain - 1) <= LIGHT + 1e-5
        assert abs(offset) <= OFFSET + 1e-5


def hand_made():
    """Two pictures: a small cat behind a red fish with a fin, in the night; and a plain yellow house in a room."""
    facts = {
        "object": np.array([OBJECTS.index("fish"), OBJECTS.index("house")]),
        "scene": np.array([SCENES.index("night"), SCENES.index("room")]),
        "colour": np.array([WORDS["colour"].index("red"), WORDS["colour"].index("yellow")]),
        "texture": np.array([TEXTURES.index("striped"), len(TEXTURES)]),
    }
    seen = {kind: np.zeros((2, len(WORDS[kind])), np.int64) for kind in ("object", "part", "colour")}
    seen["object"][0, [OBJECTS.index("fish"), OBJECTS.index("cat"), OBJECTS.index("bird")]] = 900, 100, 3
    seen["part"][0, [WORDS["part"].index("fin"), WORDS["part"].index("eye")]] = 50, 1
    seen["colour"][0, [WORDS["colour"].index("red"), WORDS["colour"].index("blue")]] = 900, 9000
    return Pictures(np.zeros((2, 8, 8, 3), np.uint8), facts, seen, np.zeros((12, 1, 16, 16, 3), np.uint8))


def test_presence_says_what_is_seen_and_how_much_it_matters():
    present = presence(hand_made())
    expected = {"fish": 1, "night": 1, "red": 1, "striped": 1, "cat": OTHER_OBJECT, "fin": PART, "blue": COLOUR_AROUND}
    assert {CONCEPTS[k]: present[0, k] for k in np.flatnonzero(present[0])} == pytest.approx(expected)
    assert {CONCEPTS[k] for k in np.flatnonzero(present[1])} == {"house", "room", "yellow", PLAIN}


def test_random_facts_are_true_and_weighty_ones_come_more_often(rng):
    present = presence(hand_made())[:1]
    facts = random_facts(np.repeat(present, 4000, axis=0), rng)
    assert facts.shape == (4000, MOST_FACTS)
    true = np.flatnonzero(present[0])
    assert set(facts.ravel()) == {-1, *true}
    assert (facts[:, 0] >= 0).all()
    counts = (facts >= 0).sum(axis=1)
    assert set(counts) == set(range(1, MOST_FACTS + 1))
    for row in facts[:200]:
        named = row[row >= 0]
        assert len(set(named)) == len(named)
    first = np.bincount(facts[:, 0], minlength=len(CONCEPTS)) / len(facts)
    expected = present[0] / present[0].sum()
    np.testing.assert_allclose(first, expected, atol=0.03)


def test_a_text_fits_as_well_as_its_facts():
    present = presence(hand_made())
    none = -1
    texts = [["fish", none], ["cat", "fin"], ["red", "room"], ["house", PLAIN]]
    facts = np.array([[word if word == none else column(word) for word in text] for text in texts])
    expected = [[1, OTHER_OBJECT * PART, 0, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(fit_of_texts(present, facts), expected, rtol=1e-6)


def test_texts_hold_their_facts_and_fillers(rng):
    facts = np.array([[column("fish"), -1, -1, -1], [column("red"), column("cat"), -1, -1]] * 50)
    words = [{VOCABULARY[number - 1] for number in row if number} for row in fact_texts(facts, rng)]
    assert all(row - set(FILLERS) == {"fish"} for row in words[::2])
    assert all(row - set(FILLERS) == {"red", "cat"} for row in words[1::2])
    assert set().union(*words) >= set(FILLERS)


def test_swapped_texts_differ_in_one_word(rng):
    pictures = hand_made()
    tokens = swapped_texts(pictures, np.array([1, 0, 1]), "colour", rng)
    assert tokens.shape[:2] == (3, len(WORDS["colour"]))
    assert tokens[:, :, 0].tolist() == [[NUMBERS[word] for word in WORDS["colour"]]] * 3
    assert (tokens[:, :, 1:] == tokens[:, :1, 1:]).all()
    allowed = {NUMBERS[word] for word in (*FILLERS, "house", "room", PLAIN)} | {0}
    assert set(tokens[[0, 2], :, 1:].ravel()) <= allowed
