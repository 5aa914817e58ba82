"""Images of the built-in world: opened without drawing, drawn once, read back from an address."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from lumiscope.errors import ImageError, UnknownNameError, UsageError
from lumiscope.images import WorldImage, open_images, prefetch, read_mask, read_pixels, world_image
from lumiscope.images import _drawings as drawings
from lumiscope.world import MARK_BOX, OBJECTS, SCENES, describe, render, renderer_version


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """What the renderer was asked for, with nothing kept from earlier."""
    calls: list[tuple[int, int]] = []

    def counting(index: int, seed: int, mark: str | None) -> object:
        calls.append((index, seed))
        return render(index, seed, mark=mark)

    monkeypatch.setattr(drawings, "render", counting)
    drawings._kept.clear()
    return calls


def test_opening_draws_nothing(drawn: list[tuple[int, int]]) -> None:
    images = open_images("world:3@7")
    assert [item.id for item in images] == ["world-7-00000", "world-7-00001", "world-7-00002"]
    assert [item.class_names for item in images] == [
        (facts.object, facts.scene) for facts in (describe(index, 7) for index in range(3))
    ]
    assert not {item.sha256 for item in images} & {item.sha256 for item in open_images("world:3")}
    assert len(open_images("world:100000")) == 100_000
    assert drawn == []


def test_without_a_seed_it_is_0() -> None:
    assert list(open_images("world:2")) == [WorldImage(0, 0), WorldImage(1, 0)]


def test_every_seed_of_the_renderer_may_be_named() -> None:
    (item,) = open_images("world:1@4294967295")
    assert item.class_names == (describe(0, 4294967295).object, describe(0, 4294967295).scene)
    with pytest.raises(UsageError, match="seed to be from 0 to 4294967295; got 4294967296"):
        open_images("world:1@4294967296")


def test_pixels_mask_and_columns_are_the_renderers(drawn: list[tuple[int, int]]) -> None:
    (_, item) = open_images("world:2@3")
    scene = render(1, 3)
    np.testing.assert_array_equal(item.pixels, scene.pixels)
    assert item.mask is not None
    np.testing.assert_array_equal(item.mask, scene.mask)
    assert item.size == scene.pixels.shape[:2] == item.mask.shape
    assert (item.class_name, item.label) == (scene.object, None)
    assert item.columns == {
        "scene": scene.scene,
        "colour": scene.colour,
        "texture": scene.texture,
        "caption": scene.caption,
    }
    assert drawn == [(1, 3)], "drawn once for all of these"


def test_who_changes_pixels_changes_only_their_own() -> None:
    item = WorldImage(0)
    item.pixels[:] = 0
    item.mask[:] = False
    assert item.pixels.any()
    assert item.mask.any()


def test_the_picture_that_was_unused_longest_makes_room(
    drawn: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert drawings.KEPT * render(0).pixels.nbytes < 110e6
    monkeypatch.setattr(drawings, "KEPT", 2)
    for index in (0, 1, 0, 2, 0, 1):
        assert WorldImage(index).pixels.any()
    assert drawn == [(0, 0), (1, 0), (2, 0), (1, 0)]


@pytest.mark.parametrize("broken", [False, True])
def test_many_are_drawn_by_two_processes_alike(
    drawn: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    monkeypatch.setattr(drawings, "FEW", 4)
    if broken:
        monkeypatch.setattr(sys, "executable", "/bin/false")
    images = open_images("world:5@8")
    prefetch(images)
    assert drawn == [(index, 8) for index in (range(5) if broken else (0, 2, 4))]
    drawn.clear()
    for item in images:
        scene = render(int(item.id[-5:]), 8)
        np.testing.assert_array_equal(item.pixels, scene.pixels)
        np.testing.assert_array_equal(item.mask, scene.mask)
        assert item.columns["caption"] == scene.caption
    prefetch(images)
    assert drawn == [], "what is kept is not drawn again"


def test_few_and_too_many_are_drawn_when_they_are_looked_at(
    drawn: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    prefetch(open_images("world:3"))
    monkeypatch.setattr(drawings, "FEW", 1)
    monkeypatch.setattr(drawings, "KEPT", 2)
    prefetch(open_images("world:3"))
    assert drawn == []


def test_the_digest_tells_images_seeds_and_renderers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {WorldImage(index, seed).sha256 for index in range(3) for seed in range(3)}
    assert len(digests) == 9
    monkeypatch.setattr(world_image, "renderer_version", lambda: "another")
    assert WorldImage(0).sha256 not in digests


def test_an_address_leads_back() -> None:
    item = WorldImage(4, 2)
    np.testing.assert_array_equal(read_pixels(item.address), item.pixels)
    np.testing.assert_array_equal(read_mask(item.mask_address), item.mask)
    with pytest.raises(ImageError, match="another version"):
        read_pixels(item.address.replace(renderer_version(), "f00"))


def test_an_address_may_be_a_path(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="file not found"):
        read_pixels(str(tmp_path / "world.png"))


def test_the_classes_are_those_of_the_world() -> None:
    names = [item.class_names for item in open_images("world:60@5")]
    assert {first for first, _ in names} == set(OBJECTS)
    assert {second for _, second in names} == set(SCENES)


@pytest.mark.parametrize("spec", ["world:", "world:abc", "world:12@", "world:-3", "world:1.5", "world:3@x", "world: 3"])
def test_what_is_no_spec_says_how_one_looks(spec: str) -> None:
    with pytest.raises(UsageError, match="world:COUNT or world:COUNT@SEED"):
        open_images(spec)


@pytest.mark.parametrize("spec", ["world:0", "world:100001", "world:999999999999"])
def test_how_many_there_may_be(spec: str) -> None:
    with pytest.raises(UsageError, match=f"expected 1 to 100,000 images of the world; got {spec}"):
        open_images(spec)


def test_a_folder_of_such_a_name_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("world:2").mkdir()
    with pytest.raises(UsageError, match="holds no files"):
        open_images("./world:2")


def test_an_image_with_a_mark_is_another_image():
    plain, marked = WorldImage(4, 2), WorldImage(4, 2, "fish")
    assert marked.id == "world-2-00004-fish"
    assert marked.sha256 != plain.sha256
    assert np.array_equal(marked.pixels, render(4, 2, mark="fish").pixels)
    assert np.array_equal(read_pixels(marked.address), marked.pixels)
    assert np.array_equal(plain.pixels, render(4, 2).pixels)


def test_a_mark_of_no_class():
    with pytest.raises(UnknownNameError, match="fish"):
        WorldImage(0, 0, "fisch")


def test_pictures_may_have_the_mark_of_their_class():
    plain, marked = open_images("world:3@5"), open_images("world:3@5+mark")
    left, top, right, bottom = MARK_BOX
    for without, item in zip(plain, marked, strict=True):
        assert item.mark == describe(item.index, 5).object
        changed = (without.pixels != item.pixels).any(axis=2)
        assert changed[top:bottom, left:right].any()
        changed[top - 1 : bottom + 1, left - 1 : right + 1] = False
        assert not changed.any(), "nothing else moves; edges are smooth"
    with pytest.raises(UsageError, match=r"with \+mark at the end"):
        open_images("world:3@5+marks")
