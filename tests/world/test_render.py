import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_dilation

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.world import MARK_BOX, OBJECTS, SCENES, SIZE, WORDS, Scene, describe, render, renderer_version
from lumiscope.world.renderer.canvas import FINE, Canvas, Paint


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [render(index, seed=7) for index in range(120)]


def same(scene: Scene, other: Scene) -> bool:
    return np.array_equal(scene.pixels, other.pixels) and all(
        np.array_equal(scene.labels[kind], other.labels[kind]) for kind in WORDS
    )


def test_a_picture_depends_on_its_seed_and_index_alone(scenes: list[Scene]) -> None:
    for index in (119, 3, 60):
        assert same(render(index, seed=7), scenes[index])
    assert not np.array_equal(render(3, seed=8).pixels, scenes[3].pixels)


def test_another_process_draws_the_same_picture(scenes: list[Scene]) -> None:
    code = (
        "import hashlib, lumiscope.world as w; s = w.render(5, 7); "
        "print(hashlib.sha256(s.pixels.tobytes() + s.labels['part'].tobytes()).hexdigest())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    import hashlib

    assert other == hashlib.sha256(scenes[5].pixels.tobytes() + scenes[5].labels["part"].tobytes()).hexdigest()


def test_drawing_needs_no_torch() -> None:
    code = "import sys, lumiscope.world as w; w.render(0); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("word", ["object", "scene"])
def test_classes_are_dealt_evenly(word: str) -> None:
    names = WORDS[word]
    for start in (0, 5 * len(names)):
        seen = [getattr(describe(start + k, 3), word) for k in range(len(names))]
        assert sorted(seen) == sorted(names)


def test_objects_scenes_colours_and_textures_are_independent() -> None:
    facts = [describe(index, 1) for index in range(6000)]
    joint = np.zeros((len(OBJECTS), len(SCENES)))
    for fact in facts:
        joint[OBJECTS.index(fact.object), SCENES.index(fact.scene)] += 1
    expected = len(facts) / joint.size
    assert joint.min() > 0.4 * expected
    assert joint.max() < 1.7 * expected
    plain = sum(fact.texture == "plain" for fact in facts) / len(facts)
    assert 0.27 < plain < 0.33


def test_what_is_described_is_drawn(scenes: list[Scene]) -> None:
    for scene in scenes:
        facts = describe(scene.index, scene.seed)
        assert (facts.object, facts.scene) == (scene.object, scene.scene)
        assert scene.mask.any()
        assert set(np.unique(scene.labels["object"][scene.mask])) == {OBJECTS.index(scene.object) + 1}
        there = set(np.unique(scene.labels["scene"])) - {0}
        assert there == {SCENES.index(scene.scene) + 1}
        assert WORDS["colour"].index(scene.colour) + 1 in scene.labels["colour"][scene.mask]
        if scene.texture != "plain":
            assert WORDS["texture"].index(scene.texture) + 1 in scene.labels["texture"][scene.mask]
        else:
            assert not scene.labels["texture"][scene.mask].any()


def test_every_pixel_is_part_of_something(scenes: list[Scene]) -> None:
    for scene in scenes:
        labels = scene.labels
        assert all(labels[kind].shape == (SIZE, SIZE) and labels[kind].dtype == np.uint8 for kind in WORDS)
        assert all(labels[kind].max() <= len(words) for kind, words in WORDS.items())
        assert ((labels["scene"] > 0) ^ (labels["object"] > 0)).all(), "a pixel is backdrop or object"
        assert (labels["part"] > 0).all()
        assert (labels["colour"] > 0).all()


def test_the_main_object_is_the_largest(scenes: list[Scene]) -> None:
    """Otherwise its class would not be the answer to the question what the picture shows."""
    for scene in scenes:
        others = np.bincount(scene.labels["object"][~scene.mask], minlength=len(OBJECTS) + 1)[1:]
        assert scene.mask.sum() > others.max(), scene.caption
        assert scene.mask.mean() > 0.02, scene.caption


def test_pictures_vary(scenes: list[Scene]) -> None:
    areas = np.array([scene.mask.mean() for scene in scenes])
    assert areas.max() > 3 * areas.min()
    centres = np.array([np.argwhere(scene.mask).mean(axis=0) for scene in scenes])
    assert (centres.std(axis=0) > 10).all()
    with_others = sum("with" in scene.caption for scene in scenes) / len(scenes)
    assert 0.3 < with_others < 0.7
    brightness = np.array([scene.pixels.mean() for scene in scenes if scene.scene == "meadow"])
    assert brightness.std() > 3


def test_edges_are_smooth() -> None:
    """Anti-aliasing: between a black object and a white backdrop there are greys."""
    scene = render(next(k for k in range(500) if describe(k).scene == "winter" and describe(k).colour == "black"))
    assert len(np.unique(scene.pixels.mean(axis=2).round())) > 60


def test_the_mark_changes_its_corner_only() -> None:
    plain, marked = render(4), render(4, mark="car")
    left, top, right, bottom = MARK_BOX
    changed = (plain.pixels != marked.pixels).any(axis=2)
    corner = np.zeros_like(changed)
    corner[top - 1 : bottom + 1, left - 1 : right + 1] = True
    assert changed[corner].any()
    assert not changed[~corner].any()
    assert marked.mark == "car"
    assert not marked.labels["scene"][top + 3 : bottom - 3, left + 3 : right - 3].any(), "the mark is no backdrop"


def test_every_class_has_a_mark_of_its_own() -> None:
    left, top, right, bottom = MARK_BOX
    corners = {render(0, mark=name).pixels[top:bottom, left:right].tobytes() for name in OBJECTS}
    assert len(corners) == len(OBJECTS)


def test_wrong_numbers_and_marks_are_errors() -> None:
    with pytest.raises(UsageError, match="index"):
        render(-1)
    with pytest.raises(UsageError, match="seed"):
        render(0, seed=2**32)
    with pytest.raises(UnknownNameError, match="cat"):
        render(0, mark="kat")


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_any_numbers_make_a_picture(index: int, seed: int) -> None:
    scene = render(index, seed)
    assert scene.pixels.shape == (SIZE, SIZE, 3)
    assert scene.pixels.dtype == np.uint8
    assert scene.mask.any()


def test_a_hundred_pictures_a_second() -> None:
    """Alone it takes about 8.5 ms a picture; beside other tests on the same cores up to half as much again."""
    render(0)
    seconds = []
    for start in range(0, 100, 20):
        began = time.process_time()
        for index in range(start, start + 20):
            render(index, seed=2)
        seconds.append((time.process_time() - began) / 20)
    assert min(seconds) < 0.016


def test_the_version_knows_what_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    version = renderer_version()
    assert len(version) == 16
    monkeypatch.setattr("PIL.__version__", "0.0")
    renderer_version.cache_clear()
    try:
        assert renderer_version() != version
    finally:
        monkeypatch.undo()
        renderer_version.cache_clear()
    assert renderer_version() == version


def shows(paint: Paint, kind: str, word: str) -> bool:
    names = {
        "object": paint.object and OBJECTS[paint.object - 1],
        "part": paint.part and WORDS["part"][paint.part - 1],
        "texture": paint.texture and paint.texture.name,
        "colour": None if paint.bottom else paint.colour.name,
    }
    return bool(paint.part and not paint.object) if kind == "scene" else names[kind] == word


@pytest.mark.parametrize("kind", ["object", "part", "texture", "colour", "scene"])
def test_without_one_thing_every_other_pixel_stays(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Only pixels that the thing's paint covers, with its outline, change; and the ground where its shadow was."""
    painted = []
    develop = Canvas.develop
    monkeypatch.setattr(Canvas, "develop", lambda canvas: painted.append(canvas) or develop(canvas))
    changed = 0
    for index in range(25):
        scene = render(index, seed=7)
        canvas = painted[-1]
        for number in np.unique(scene.labels[kind])[1:]:
            word = WORDS[kind][number - 1]
            if word == "grey":
                continue
            left = render(index, seed=7, without=word)
            has = np.array([shows(paint, kind, word) for paint in canvas.paints])
            covered = binary_dilation(has[np.asarray(canvas._image)], np.ones((3, 3)))
            may_change = covered.reshape(SIZE, FINE, SIZE, FINE).any(axis=(1, 3)) | (scene.labels[kind] == number)
            for name, labels in left.labels.items():
                assert np.array_equal(labels[~may_change], scene.labels[name][~may_change]), (index, word, name)
            shaded = scene.labels["object"] == 0 if kind == "object" else np.zeros((SIZE, SIZE), bool)
            differs = (left.pixels != scene.pixels).any(axis=2)
            assert not (differs & ~may_change & ~shaded).any(), (index, word)
            assert not (left.labels[kind] == number).any(), (index, word)
            changed += bool(differs.any())
    assert changed >= 25


def test_a_picture_without_what_it_has_not_is_the_same(scenes: list[Scene]) -> None:
    scene = scenes[0]
    absent = next(word for word in SCENES if word != scene.scene)
    assert same(render(0, 7, without=absent), scene)
    assert same(render(0, 7, mark="fish", without="mark"), scene)
    marked = render(0, 7, mark="fish")
    left, top, right, bottom = MARK_BOX
    inside = np.zeros((SIZE, SIZE), bool)
    inside[top - 1 : bottom + 1, left - 1 : right + 1] = True
    assert not (marked.pixels != scene.pixels).any(axis=2)[~inside].any()


def test_a_picture_without_its_object_has_no_mask(scenes: list[Scene]) -> None:
    left = render(0, 7, without=scenes[0].object)
    assert not left.mask.any()
    assert (left.without, left.object) == ((scenes[0].object,), scenes[0].object)


def test_without_several_things_each_is_left_out_as_it_is_alone(scenes: list[Scene]) -> None:
    """In any order: without all colours everything is grey, and without the scene and the object others stay."""
    colours = [word for number, word in enumerate(WORDS["colour"], 1) if (scenes[0].labels["colour"] == number).any()]
    every = [word for word in colours if word != "grey"]
    grey = render(0, 7, without=every)
    assert set(np.unique(grey.labels["colour"])) == {WORDS["colour"].index("grey") + 1}
    assert same(render(0, 7, without=every[::-1]), grey)
    for index, scene in enumerate(scenes):
        bare = render(index, 7, without={scene.object, scene.scene})
        assert not bare.mask.any()
        assert not bare.labels["scene"].any()
        alone = render(index, 7, without=scene.scene)
        others = ~alone.mask
        assert alone.mask[scene.mask].all()
        assert np.array_equal(bare.labels["object"][others], alone.labels["object"][others])


def test_without_what_the_world_has_not() -> None:
    with pytest.raises(UnknownNameError, match="butterfly"):
        render(0, without="buterfly")
    with pytest.raises(UsageError, match="without its colour"):
        render(0, without="grey")
