"""Which of a model's classes an image's label is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from lumiscope.images import ImageFile, WorldImage
from lumiscope.models import label_index, mask_shows_label, unmatched_labels


@dataclass(frozen=True)
class Names:
    """As much of a model as labels need."""

    classes: tuple[str, ...]


ANIMALS = Names(("cat", "dog, hound", "fish"))
PLACES = Names(("meadow", "sea, ocean"))
NUMBERED = Names(("class 0", "class 1"))


def item(*names: str, label: int | None = None, mask: bool = False) -> ImageFile:
    from pathlib import Path

    return ImageFile("a", "a.png", Path("a.png"), label, names, {}, Path("m.png") if mask else None)


@pytest.mark.parametrize(
    ("image", "animals", "places", "numbered"),
    [
        (item(), None, None, None),
        (item(label=1), 1, 1, 1),
        (item(label=7), None, None, None),
        (item("hound"), 1, None, None),
        (item("hound", label=0), 1, None, 0),
        (item("Fish", "ocean"), 2, 1, None),
        (item("ocean", "Fish"), 2, 1, None),
        (item("fish", "ocean", label=1), 2, 1, 1),
        (item("bird", "desert"), None, None, None),
    ],
)
def test_the_first_name_among_the_classes_decides(
    image: ImageFile, animals: int | None, places: int | None, numbered: int | None
) -> None:
    indices = [label_index(model, image) for model in (ANIMALS, PLACES, NUMBERED)]  # type: ignore[arg-type]
    assert indices == [animals, places, numbered]


def test_a_name_of_two_classes_is_no_label() -> None:
    assert label_index(Names(("crane", "crane", "fish")), item("crane", "fish")) is None  # type: ignore[arg-type]


def test_a_mask_shows_the_first_name() -> None:
    image = item("fish", "ocean", mask=True)
    assert mask_shows_label(ANIMALS, image) is True  # type: ignore[arg-type]
    assert mask_shows_label(PLACES, image) is False  # type: ignore[arg-type]
    assert mask_shows_label(NUMBERED, image) is None, "no label"  # type: ignore[arg-type]
    assert mask_shows_label(ANIMALS, item("fish", "ocean")) is None, "no mask"  # type: ignore[arg-type]
    assert mask_shows_label(ANIMALS, item(label=0, mask=True)) is True, "a number alone"  # type: ignore[arg-type]


def test_world_images_have_a_label_for_either_task() -> None:
    image = WorldImage(3)
    for name in image.class_names:
        assert label_index(Names(("other", name)), image) == 1  # type: ignore[arg-type]


def test_labels_that_are_no_class_are_counted() -> None:
    images = [item("hound"), item("bird"), item("bird", "wing"), item("ship"), item(label=7), item()]
    assert unmatched_labels(ANIMALS, images) == (  # type: ignore[arg-type]
        "4 of 5 labels are none of its classes ('bird', 'ship', '7'): these images count as without a label"
    )
    assert unmatched_labels(ANIMALS, images[:1]) == ""  # type: ignore[arg-type]
    assert unmatched_labels(NUMBERED, images[:1]).endswith("have no names, which --classes FILE gives")  # type: ignore[arg-type]
