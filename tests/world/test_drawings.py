import numpy as np
import pytest

from lumiscope.world import OBJECTS, PARTS, SCENES, WORDS, caption, describe, render
from lumiscope.world.renderer._brush import BACKDROPS, Brush
from lumiscope.world.renderer._outlines import box
from lumiscope.world.renderer._pen import KINDS, Frame, Pen
from lumiscope.world.renderer.canvas import SIZE, Canvas, Paint
from lumiscope.world.renderer.captions import with_article
from lumiscope.world.renderer.colours import some
from lumiscope.world.renderer.facts import Facts
from lumiscope.world.renderer.vocabulary import part_number


def drawn(name: str, seed: int, radius: float = 40, angle: float = 0) -> Canvas:
    canvas, rng = Canvas(), np.random.default_rng(seed)
    canvas.paint(Paint(some("white", rng)), [box(0, 0, SIZE, SIZE)])
    frame = Frame(64, 64, radius, angle)
    KINDS[name].draw(Pen(canvas, frame, OBJECTS.index(name) + 1, part_number, some("red", rng), "striped", rng, True))
    return canvas


def test_the_world_is_as_large_as_it_says() -> None:
    assert len(OBJECTS) >= 10
    assert len(SCENES) >= 8
    assert len(WORDS["colour"]) == 11
    assert len(WORDS["texture"]) == 6


def test_no_word_has_two_meanings() -> None:
    words = [word for kind in WORDS.values() for word in kind]
    assert len(words) == len(set(words))


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_shows_the_parts_that_it_names(name: str) -> None:
    kind = KINDS[name]
    assert len(kind.parts) >= 2
    for seed in range(5):
        canvas = drawn(name, seed)
        picture = canvas.develop()
        seen = {
            PARTS[paint.part - 1]
            for number, paint in enumerate(canvas.paints)
            if number > 1 and (picture.centre == number).any()
        }
        assert seen == set(kind.parts)
        assert any(paint.texture for paint in canvas.paints[1:]), "some part carries the pattern"


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_fills_its_frame_and_stands_on_its_feet(name: str) -> None:
    for seed in range(5):
        canvas = drawn(name, seed)
        rows, columns = np.nonzero(canvas.develop().centre > 1)
        assert rows.min() > 64 - 1.15 * 40
        assert columns.min() > 64 - 1.15 * 40
        assert columns.max() < 64 + 1.15 * 40
        feet = KINDS[name].feet
        if feet is not None:
            assert rows.max() == pytest.approx(64 + feet * 40, abs=2.5)


def test_parts_are_shared_between_classes() -> None:
    owners = {part: [kind.name for kind in KINDS.values() if part in kind.parts] for part in PARTS}
    for part in ("wheel", "window", "wing", "leaf"):
        assert len(owners[part]) >= 2, part


@pytest.mark.parametrize("name", SCENES)
def test_a_backdrop_covers_everything_with_the_parts_that_it_names(name: str) -> None:
    backdrop, seen = BACKDROPS[name], set()
    for seed in range(40):
        canvas = Canvas()
        brush = Brush(canvas, part_number, np.random.default_rng(seed))
        horizon = backdrop.draw(brush)
        assert 0.25 * SIZE < horizon < 0.85 * SIZE
        assert {PARTS[paint.part - 1] for paint in canvas.paints[1:]} <= set(backdrop.parts)
        for x in (20, 60, 100):
            backdrop.piece(brush, x, 110, 10)
        picture = canvas.develop()
        seen |= {
            PARTS[paint.part - 1] for number, paint in enumerate(canvas.paints) if (picture.centre == number).any()
        }
    assert seen == set(backdrop.parts)


def test_captions_are_english() -> None:
    assert caption(Facts("fish", "meadow", "orange", "striped"), ["cat"]) == (
        "an orange striped fish in a meadow, with a small cat"
    )
    assert caption(Facts("house", "night", "blue", "plain")) == "a plain blue house at night"
    assert with_article("orange") == "an orange"


def test_captions_name_what_is_seen() -> None:
    for index in range(60):
        scene, facts = render(index, 5), describe(index, 5)
        for word in (facts.object, facts.colour, facts.texture):
            assert word in scene.caption
        for number in np.unique(scene.labels["object"]):
            if number:
                assert OBJECTS[number - 1] in scene.caption
