"""Annotations: label maps of the world and of folders, and every way in which a folder can be wrong."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lumiscope.concepts import CATEGORIES
from lumiscope.errors import ImageError
from lumiscope.images import ImageSet, numbers_in, open_annotations, open_images
from lumiscope.world import WORDS, render
from lumiscope.world.dataset import write_dataset

LIST = "kind,number,word\nobject,1,cat\nobject,300,tree\npart,2,tree\nmood,7,calm\n"
SIZE = (6, 9)


def save(path: Path, labels: np.ndarray, palette: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(labels)
    if palette:
        picture.putpalette([5] * 768)
    picture.save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures: `a` annotated with objects in 16 bits and parts in a palette, `b` with objects only."""
    for name in ("a.png", "b.png"):
        save(tmp_path / "images" / name, np.zeros((*SIZE, 3), np.uint8))
    (tmp_path / "concepts.csv").write_text(LIST)
    objects = np.zeros(SIZE, np.uint16)
    objects[0, 1], objects[5, 8] = 1, 300
    save(tmp_path / "labels/object/a.png", objects)
    save(tmp_path / "labels/object/b.png", np.zeros(SIZE, np.uint8))
    save(tmp_path / "labels/part/a.png", np.full(SIZE, 2, np.uint8), palette=True)
    return tmp_path


def test_the_worlds_own_are_the_renderers() -> None:
    images = open_images("world:3@5")
    annotations = open_annotations(None, images)
    for index, item in enumerate(images):
        maps, truth = annotations.label_maps(item), render(index, 5).labels
        assert maps.keys() == truth.keys()
        for kind, labels in truth.items():
            np.testing.assert_array_equal(maps[kind], labels)
    for kind, words in WORDS.items():
        for number, word in enumerate(words, 1):
            index = annotations.numbers[kind][number]
            assert (annotations.kinds[index], annotations.words[index]) == (kind, word)
    assert annotations.categories[annotations.words.index(WORDS["scene"][0])] == "place"
    assert len({annotations.digest(item) for item in images}) == len(images)


def test_a_folder_written_from_the_world_says_what_the_world_says(tmp_path: Path) -> None:
    images = open_images(str(write_dataset(tmp_path / "w", 3, 4)))
    annotations, read = open_annotations(None, open_images("world:3@4")), open_annotations(tmp_path / "w", images)
    assert (read.words, read.kinds, read.categories, read.numbers) == (
        annotations.words,
        annotations.kinds,
        annotations.categories,
        annotations.numbers,
    )
    for drawn, stored in zip(annotations.images, read.images, strict=True):
        maps = read.label_maps(stored)
        for kind, labels in annotations.label_maps(drawn).items():
            np.testing.assert_array_equal(maps[kind], labels)


CAT, TREE = 1, 300


def namesakes(folder: Path, *maps: str, pictures: tuple[str, str] = ("1/c.png", "2/c.png")) -> tuple[ImageSet, Path]:
    """Two pictures of one name, and maps by name: those of the second hold a cat, those of the first a tree."""
    for name in pictures:
        save(folder / "same" / name, np.zeros((*SIZE, 3), np.uint8))
    for name in maps:
        save(folder / f"labels/object/{name}.png", np.full(SIZE, CAT if "2" in name else TREE, np.uint16))
    images = open_images(str(folder / "same"))
    assert [item.id for item in images] == ["c", "c-2"]
    return images, folder


class TestPicturesOfOneName:
    @pytest.mark.parametrize(
        ("maps", "numbers"),
        [
            (["c-2"], [None, CAT]),
            (["c", "c-2"], [TREE, CAT]),
            (["1/c"], [TREE, None]),
            (["2/c"], [None, CAT]),
            (["1/c", "2/c"], [TREE, CAT]),
            (["c", "2/c"], [TREE, CAT]),
        ],
    )
    def test_each_has_the_map_of_its_id_or_folder(self, folder, maps, numbers):
        images, _ = namesakes(folder, *maps)
        annotations = open_annotations(folder, images)
        label_maps = [annotations.label_maps(item) for item in images]
        assert [kinds["object"][0, 0] if kinds else None for kinds in label_maps] == numbers
        assert [len(annotations.annotated_kinds(item)) for item in images] == [number is not None for number in numbers]

    @pytest.mark.parametrize("maps", [["c"], ["c", "1/c"]])
    def test_a_map_that_may_be_of_either_names_both(self, folder, maps):
        images, _ = namesakes(folder, *maps)
        if maps == ["c"]:
            with pytest.raises(ImageError, match=r"/c\.png may be that of 1/c\.png or of 2/c\.png.*2/c\.png: c-2"):
                open_annotations(folder, images)
        else:
            assert open_annotations(folder, images).annotated_kinds(images[1]) == ()

    @pytest.mark.parametrize("maps", [["c"], ["d/c"]])
    def test_two_endings_in_one_folder(self, folder, maps):
        images, _ = namesakes(folder, *maps, pictures=("d/c.jpg", "d/c.png"))
        with pytest.raises(ImageError, match=r"may be that of d/c\.jpg or of d/c\.png"):
            open_annotations(folder, images)
        save(folder / "labels/object/c-2.png", np.full(SIZE, CAT, np.uint16))
        annotations = open_annotations(folder, images)
        assert [annotations.label_maps(item)["object"][0, 0] for item in images] == [TREE, CAT]

    def test_the_second_alone_never_gets_the_map_of_the_first(self, folder):
        images, _ = namesakes(folder, "c")
        with pytest.raises(ImageError, match="no label map of any of the 1 images"):
            open_annotations(folder, images[1:])


@pytest.mark.parametrize(("of_picture", "of_map"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_one_letter_in_two_spellings_is_one_name(folder: Path, of_picture: str, of_map: str) -> None:
    save(folder / "new" / unicodedata.normalize(of_picture, "d\u00e9/caf\u00e9.png"), np.zeros((*SIZE, 3), np.uint8))
    save(folder / "labels/object" / unicodedata.normalize(of_map, "caf\u00e9.png"), np.full(SIZE, CAT, np.uint8))
    images = open_images(str(folder / "new"))
    assert open_annotations(folder, images).label_maps(images[0])["object"].tolist() == np.full(SIZE, CAT).tolist()
    save(
        folder / "labels/object" / unicodedata.normalize(of_map, "d\u00e9/caf\u00e9.png"),
        np.full(SIZE, TREE, np.uint16),
    )
    assert open_annotations(folder, images).label_maps(images[0])["object"].tolist() == np.full(SIZE, TREE).tolist()


def test_numbers_of_8_and_16_bits_and_palettes_are_read(folder: Path) -> None:
    images = open_images(str(folder / "images"))
    annotations = open_annotations(folder, images)
    first, second = (annotations.label_maps(item) for item in images)
    assert first.keys() == {"object", "part"}
    assert second.keys() == {"object"}
    assert annotations.annotated_kinds(images[1]) == ("object",)
    assert (first["object"][0, 1], first["object"][5, 8], first["object"].sum()) == (1, 300, 301)
    assert (first["part"] == 2).all()
    assert annotations.words == ("cat", "tree", "tree", "calm")
    assert (annotations.numbers["object"][300], annotations.numbers["part"][2]) == (1, 2)
    assert annotations.categories == ("object", "object", "part", "other")
    assert set(annotations.categories) <= set(CATEGORIES)


def test_the_fingerprint_follows_maps_and_list(folder: Path) -> None:
    images = open_images(str(folder / "images"))

    def now() -> tuple[str, ...]:
        annotations = open_annotations(folder, images)
        return annotations.concepts_fingerprint, *map(annotations.digest, images)

    first = now()
    assert now() == first
    save(folder / "labels/object/b.png", np.ones(SIZE, np.uint8))
    second = now()
    (folder / "concepts.csv").write_text(LIST.replace("calm", "joy"))
    assert len({first, second, now()}) == 3


@pytest.mark.parametrize("largest", [0, 5, 2**20])
def test_the_numbers_of_a_map(largest: int) -> None:
    labels = np.array([[largest, 0, 3], [3, 0, largest]])
    assert numbers_in(labels) == sorted({0, 3, largest})


def test_a_map_is_turned_as_its_image_is(folder: Path) -> None:
    """An image that is stored lying on its side is annotated as it stands upright."""
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(np.zeros((9, 6, 3), np.uint8)).save(folder / "images/a.png", exif=exif)
    (item, _) = open_images(str(folder / "images"))
    assert item.size == SIZE == open_annotations(folder, [item]).label_maps(item)["object"].shape


def test_a_map_of_another_size_is_refused(folder: Path) -> None:
    save(folder / "labels/object/a.png", np.zeros((9, 6), np.uint8))
    images = open_images(str(folder / "images"))
    with pytest.raises(ImageError, match=r"object/a\.png: it has 6×9 pixels, the image has 9×6"):
        open_annotations(folder, images).label_maps(images[0])


def test_a_number_that_is_not_listed_is_refused(folder: Path) -> None:
    save(folder / "labels/object/a.png", np.full(SIZE, 99, np.uint8))
    images = open_images(str(folder / "images"))
    with pytest.raises(ImageError, match=r"object/a\.png: number 99 of kind object is not in .*concepts\.csv"):
        open_annotations(folder, images).label_maps(images[0])


@pytest.mark.parametrize(("void", "dtype"), [(255, np.uint8), (65535, np.uint16), (19, np.uint8)])
def test_void_is_read_as_nothing(folder: Path, void: int, dtype: type) -> None:
    (folder / "concepts.csv").write_text(f"{LIST}object,19,ignore\nobject,20,void\nobject,21,void\n")
    labels = np.array([[1, void, 0] * 3] * 6, dtype)
    save(folder / "labels/object/b.png", labels)
    images = open_images(str(folder / "images"))
    annotations = open_annotations(folder, images)
    assert annotations.label_maps(images[1])["object"].tolist() == [[1, 0, 0] * 3] * 6
    assert annotations.words == ("cat", "tree", "tree", "calm")


def test_255_that_is_listed_is_a_concept(folder: Path) -> None:
    (folder / "concepts.csv").write_text(f"{LIST}object,255,sky\n")
    save(folder / "labels/object/b.png", np.full(SIZE, 255, np.uint8))
    images = open_images(str(folder / "images"))
    assert (open_annotations(folder, images).label_maps(images[1])["object"] == 255).all()


def test_a_map_that_went_through_jpeg_is_refused(folder: Path) -> None:
    Image.fromarray(np.ones(SIZE, np.uint8)).save(folder / "labels/object/b.png", "JPEG")
    images = open_images(str(folder / "images"))
    with pytest.raises(ImageError, match=r"object/b\.png: JPEG changes the numbers of single pixels: save"):
        open_annotations(folder, images).label_maps(images[1])


def test_a_damaged_map_is_named(folder: Path) -> None:
    path = folder / "labels/part/a.png"
    path.write_bytes(path.read_bytes()[:40])
    images = open_images(str(folder / "images"))
    with pytest.raises(ImageError, match=r"part/a\.png: truncated"):
        open_annotations(folder, images).label_maps(images[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind;number;word\n", "expected the columns kind, number, word; got kind;number;word"),
        ("kind,number,word\n", "lists no concept"),
        ("", "got none"),
        ("kind,number,word\nobject,0,cat\n", "line 2: expected a whole number of 1 or more .*got '0'"),
        ("kind,number,word\nobject,x,cat\n", "got 'x'"),
        ("kind,number,word\nobject,1,\n", "line 2: word is empty"),
        ("kind,number,word\n../x,1,cat\n", "cannot be the name of a folder"),
        ("kind,number,word\nobject,1,cat\nobject,1,dog\n", "line 3: object 1 stands in line 2 already"),
        ("kind,number,word\nobject,1,cat\nobject,2,cat\n", "line 3: object cat stands in line 2 already"),
    ],
)
def test_a_list_that_is_wrong_is_refused_with_its_line(folder: Path, text: str, message: str) -> None:
    (folder / "concepts.csv").write_text(text)
    with pytest.raises(ImageError, match=message):
        open_annotations(folder, open_images(str(folder / "images")))


def test_a_list_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "concepts.csv").write_bytes("kind,number,word\nobject,1,Käse\n".encode("latin-1"))
    with pytest.raises(ImageError, match="not a CSV file in UTF-8"):
        open_annotations(folder, [])


def test_what_is_no_source_is_said(folder: Path, tmp_path: Path) -> None:
    images = open_images(str(folder / "images"))
    with pytest.raises(ImageError, match=r"there is no concepts\.csv"):
        open_annotations(folder / "images", images)
    with pytest.raises(ImageError, match=r"2 images do not: a\.png, b\.png.*Name a folder"):
        open_annotations(None, images)
    with pytest.raises(ImageError, match="no label map of any of the 2 images, which are named like world-0-00000"):
        open_annotations(folder, open_images("world:2"))
    (folder / "labels").rename(folder / "maps")
    with pytest.raises(ImageError, match="no folder labels"):
        open_annotations(folder, images)
