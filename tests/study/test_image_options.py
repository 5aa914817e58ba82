"""Options of single images as files: which image is meant, any method's options, and mistakes that are named."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lumiscope.agreement import make_mask
from lumiscope.errors import UsageError
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.study import ExplainConfig, explain
from lumiscope.study.files import ImageOptions, file_names, options_of_images, read_image_options
from lumiscope.study.files.image_names import short_name

TOML = """
["n01443537_goldfish.JPEG".lime]
num_samples = 20
[kite.smoothgrad]
noise = 0.2
"""


def items(*ids: str) -> list[Any]:
    return [SimpleNamespace(id=item_id, name=f"{item_id}.JPEG") for item_id in ids]


def written(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("n01443537_goldfish.JPEG", "goldfish"),
        ("pictures/n01443537_goldfish.jpg", "goldfish"),
        ("pictures\\goldfish.png", "goldfish"),
        ("goldfish", "goldfish"),
        ("St._Bernard", "St._Bernard"),
        ("n123_goldfish", "n123_goldfish"),
    ],
)
def test_names_without_folder_ending_and_wnid(name: str, expected: str) -> None:
    assert short_name(name) == expected


def test_images_are_matched_and_strangers_named() -> None:
    images = items("n01443537_goldfish", "kite", "owl")
    said = {"goldfish": {"lime": {"num_features": 2}, "rise": {}}, "n01608432_kite.JPEG": {}, "emu": {}}
    options = ImageOptions("o.json", said)
    assert options.for_images(images) == {"n01443537_goldfish": said["goldfish"], "kite": {}}
    given = {"lime": {"num_features": 9, "num_samples": 5}, "gradcam": {"flips": True}}
    assert options.for_images(images, given)["n01443537_goldfish"] == {"lime": given["lime"], "rise": {}}
    without, absent = options.notes_on(images)
    assert without == "o.json has no parameters for owl: the options of all hold there"
    assert absent == "o.json has parameters for images that are not here: emu"


def test_the_whole_name_wins_and_what_fits_two_images_is_an_error() -> None:
    twins = items("n01443537_fish", "n02007558_fish")
    with pytest.raises(UsageError, match="'fish' may be each of n01443537_fish, n02007558_fish"):
        ImageOptions("o", {"fish": {}}).for_images(twins)
    assert list(ImageOptions("o", {"n02007558_fish": {}}).for_images(twins)) == ["n02007558_fish"]
    with pytest.raises(UsageError, match="'fish' and 'n01443537_fish' are both the image"):
        ImageOptions("o", {"fish": {}, "n01443537_fish": {}}).for_images(twins[:1])
    assert file_names(twins) == {"n01443537_fish": "n01443537_fish", "n02007558_fish": "n02007558_fish"}
    assert file_names(items("n01443537_fish", "kite")) == {"n01443537_fish": "fish", "kite": "kite"}


def test_both_formats_hold_options_of_any_method(tmp_path: Path) -> None:
    said = {"n01443537_goldfish.JPEG": {"lime": {"num_samples": 20}}, "kite": {"smoothgrad": {"noise": 0.2}}}
    (tmp_path / "o.toml").write_text(TOML)
    for path in (written(tmp_path / "o.json", said), tmp_path / "o.toml"):
        assert read_image_options(path) == ImageOptions(str(path), said)


def test_mask_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    said = {"a": {"kernelshap": {"segmenter": "mask:masks/a.png"}, "lime": {"segmenter": "mask:/b.png"}}}
    of_a = read_image_options(written(tmp_path / "o.json", said)).options["a"]
    assert of_a["kernelshap"]["segmenter"] == f"mask:{tmp_path}/masks/a.png"
    assert of_a["lime"]["segmenter"] == "mask:/b.png"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([1], "expected image names with the options of each, method by method; got a list"),
        ({"a": 1}, "expected the parameters of 'a' by name; got a int"),
        ({"a": {"lime": 1}}, "a: expected the parameters of 'lime' by name; got a int"),
        ({"a": {"lme": {}}}, "a: unknown method 'lme': did you mean lime"),
        ({"a": {"smoothgrad": {"noize": 1}}}, "a: unknown option of smoothgrad 'noize': did you mean noise"),
        ({"a": {"smoothgrad": {"noise": -1}}}, "a: smoothgrad: "),
        ({"a": {"kernelshap": {"segmenter": "python:os:system"}}}, "must not choose code that is run"),
        ({"a": {"num_samples": 3}}, "a: expected the parameters of 'num_samples' by name"),
    ],
)
def test_mistakes_name_the_file_the_image_and_the_method(content: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_image_options(written(tmp_path / "o.json", content))
    assert str(caught.value).startswith(str(tmp_path / "o.json"))
    assert said in str(caught.value)


def test_two_files_go_together_where_they_do_not_speak_of_the_same(tmp_path: Path) -> None:
    images = items("a", "b")
    config = ExplainConfig(
        options={"rise": {"num_masks": 7}},
        image_options=str(written(tmp_path / "o.json", {"a": {"rise": {"cells": 4}}, "emu": {}})),
        lime_params=str(written(tmp_path / "p.json", {"a": {"num_samples": 20}, "b": {}})),
    )
    per_image, notes = options_of_images(config, images)
    assert per_image == {
        "a": {"rise": {"cells": 4, "num_masks": 7}, "lime": {"num_samples": 20}},
        "b": {"lime": {}},
    }
    assert [note.rpartition("/")[2] for note in notes] == [
        "o.json has no parameters for b: the options of all hold there",
        "o.json has parameters for images that are not here: emu",
    ]
    written(tmp_path / "o.json", {"a": {"lime": {}}})
    with pytest.raises(UsageError, match=r"o.json and .*p.json both have options of lime for a: keep one"):
        options_of_images(config, images)
    assert options_of_images(ExplainConfig(), images) == ({}, [])


def test_each_image_has_the_map_of_its_own_options(tiny: TorchModel, pictures: ImageSet, tmp_path: Path) -> None:
    said = {"p1": {"gaussian": {"sigma": 0.1}, "kernelshap": {"num_features": 1, "segmenter": "grid"}}}
    config = ExplainConfig(image_options=str(written(tmp_path / "o.json", said)))
    per_image, _ = options_of_images(config, pictures[:2])
    common = {"kernelshap": {"num_samples": 20}}
    methods = ["gaussian", "kernelshap"]
    first, _, second, shapley = explain(
        tiny, pictures[:2], methods=methods, options=common, per_image=per_image, backend="eager"
    )
    assert [saliency.options["sigma"] for saliency in (first, second)] == [0.25, 0.1]
    assert first.values.mean() > second.values.mean()
    kept = np.unique(shapley.segments[make_mask(shapley, "lime")])
    assert kept.tolist() == [shapley.coefficients.argmax()], "the mask follows the options of the image, too"
