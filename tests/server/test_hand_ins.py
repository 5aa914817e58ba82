"""Hand-ins: every form is read, and every fault is told with what was expected and what came."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tomli_w
from PIL import Image
from safetensors.numpy import save

from lumiscope.errors import UnknownNameError
from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins import HandInRefused, read_hand_in, template
from lumiscope.study.files import dump_plain

VIEW = (128, 128)


def faults(name: str, content: bytes, challenge: Challenge) -> list[tuple[str, str, str]]:
    with pytest.raises(HandInRefused) as refused:
        read_hand_in(name, content, challenge)
    return [(fault.where, fault.expected, fault.came) for fault in refused.value.faults]


def png(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


@pytest.mark.parametrize("method", ["lime", "gradcam", "rise"])
def test_a_template_may_be_handed_in(method: str, challenge: Challenge) -> None:
    hand_in = read_hand_in("p.json", template(challenge, method), challenge)
    assert hand_in.kind == "parameters"
    assert tuple(hand_in.parameters) == challenge.names
    assert {name for methods in hand_in.parameters.values() for name in methods} == {method}
    assert json.loads(template(challenge)) == json.loads(template(challenge, "lime"))
    with pytest.raises(UnknownNameError, match="unknown method 'occlusion'"):
        template(challenge, "occlusion")


def test_the_same_parameters_in_every_format(challenge: Challenge) -> None:
    entries = {name: {"num_samples": 90, "num_features": 2, "random_seed": 4} for name in challenge.names}
    by_method = {name: {"lime": entry} for name, entry in entries.items()}
    no_effect = {"labels": (1,), "segmentation_fn": None}
    contents = {
        "a.json": json.dumps(entries).encode(),
        "b.toml": tomli_w.dumps(entries).encode(),
        "explain_params.pkl": dump_plain({name: entry | no_effect for name, entry in entries.items()}),
        "c.JSON": json.dumps(by_method).encode(),
        "d.toml": tomli_w.dumps(by_method).encode(),
    }
    for name, content in contents.items():
        hand_in = read_hand_in(name, content, challenge)
        assert hand_in.parameters == by_method, name
        assert hand_in.digest == hashlib.sha256(content).hexdigest()


def test_every_fault_of_parameters_is_told(challenge: Challenge) -> None:
    entries: dict[str, Any] = {
        "picture-01": {"lime": {"num_samples": 301, "segmenter": "mask:/etc/passwd", "num_feature": 3}},
        "picture-02.png": {"segmentation_fn": "python:os:system", "top_labels": -3, "hide_color": 300},
        "picture-03": {"gradcam": {"flips": 3}, "rise": {}},
        "kite": {},
    }
    assert faults("p.json", json.dumps(entries).encode(), challenge) == [
        ("kite", f"the name of an image, such as {', '.join(challenge.names)}", "a name that none has"),
        ("picture-04", "an entry for every image", "none"),
        ("picture-01: lime.num_feature", "a known option, such as num_features, num_samples", "3"),
        (
            "picture-01: lime.segmenter",
            "the name of a segmenter: quickshift, slic, felzenszwalb, watershed, grid",
            "'mask:/etc/passwd'",
        ),
        ("picture-01: lime.num_samples", "at most 300", "301"),
        (
            "picture-02: lime.segmentation_fn",
            "the name of a segmenter: quickshift, slic, felzenszwalb, watershed, grid",
            "'python:os:system'",
        ),
        ("picture-02: lime.top_labels", "top_labels of at least 0", "-3"),
        ("picture-02: lime.hide_color", "hide_color from 0 to 255", "300"),
        ("picture-02: lime.num_samples", "at most 300", "1,000, which it is by default"),
        ("picture-03", "the parameters of one method", "those of 2: gradcam, rise"),
        ("picture-03: gradcam.flips", "a valid boolean, unable to interpret input", "3"),
        ("picture-03: rise.num_masks", "at most 300", "4,000, which it is by default"),
    ]


def test_options_that_mean_something_together_are_judged_together(
    challenge: Challenge, parameters: Callable[..., bytes]
) -> None:
    good = {
        "num_samples": 9,
        "segmenter_options": {"n_segments": 9},
        "segmenter": "slic",
        "hide_color": 3,
        "hide": "color",
    }
    assert read_hand_in("p.json", parameters(good), challenge).parameters["picture-01"]["lime"] == good
    bad = {"picture-02": {"segmenter_options": {"n_segments": "x"}, "segmenter": "slic", "num_samples": 9}}
    ((where, expected, came),) = faults("p.json", parameters(good, **bad), challenge)
    assert where == "picture-02: lime.segmenter_options"
    assert expected.startswith("a valid integer")
    assert came == "{'n_segments': 'x'}"


def test_auto_samples_are_bounded_by_where_they_stop(challenge: Challenge, parameters: Callable[..., bytes]) -> None:
    auto = {"num_samples": "auto", "max_samples": 301}
    found = faults("p.json", parameters({"num_samples": 300}, **{"picture-03": auto}), challenge)
    assert found == [("picture-03: lime.max_samples", "at most 300", "301")]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back_as_they_were(dtype: str, order: str, challenge: Challenge, npz: Callable[..., bytes]) -> None:
    generator = np.random.default_rng(0)
    arrays = {name: np.asarray(generator.random(VIEW) > 0.5, dtype, order=order) for name in challenge.names}
    kind = "masks" if dtype == "bool" else "maps"
    by_format = {"a.npz": npz(arrays), "a.safetensors": save({n: np.ascontiguousarray(a) for n, a in arrays.items()})}
    for name, content in by_format.items():
        hand_in = read_hand_in(name, content, challenge)
        assert hand_in.kind == kind
        for image, array in getattr(hand_in, kind).items():
            assert (array == arrays[image]).all()
            assert array.dtype == (np.bool_ if kind == "masks" else np.float64)


def test_pictures_of_16_bits_are_maps_and_of_two_values_masks(challenge: Challenge) -> None:
    levels = np.random.default_rng(1).integers(0, 65536, VIEW).astype(np.uint16)
    maps = read_hand_in("m.zip", zipped({f"{name}.png": png(levels) for name in challenge.names}), challenge)
    assert maps.kind == "maps"
    assert (maps.maps["picture-03"] == levels).all()
    mask = levels > 40_000
    as_bits, as_bytes, as_ones = png(mask), png(mask.astype(np.uint8) * 255), png(mask.astype(np.uint8))
    parts = dict(zip((f"{name}.png" for name in challenge.names), (as_bits, as_bytes, as_ones, as_bits), strict=True))
    masks = read_hand_in("m.zip", zipped(parts), challenge)
    assert masks.kind == "masks"
    assert all((array == mask).all() for array in masks.masks.values())


def test_every_fault_of_maps_is_told(challenge: Challenge, npz: Callable[..., bytes]) -> None:
    holed = np.ones(VIEW)
    holed[3, 4:6] = np.nan, np.inf
    arrays = {
        "picture-01": np.zeros((64, 128)),
        "picture-02": np.zeros(VIEW, np.int64),
        "picture-03": holed,
        "stranger": np.zeros(VIEW),
    }
    size = "128 x 128 numbers (height, width), those of the model's view"
    assert faults("m.npz", npz(arrays), challenge) == [
        ("stranger", f"the name of an image, such as {', '.join(challenge.names)}", "a name that none has"),
        ("picture-04", "an entry for every image", "none"),
        ("picture-01", size, "(64, 128)"),
        ("picture-02", "a map of float16, float32, float64, or a mask of bool", "int64"),
        ("picture-03", "finite numbers", "2 NaN or infinite"),
    ]
    tensors = {"picture-01": np.zeros((64, 128), np.float32), "picture-02": np.zeros(VIEW, np.int64)}
    found = faults("m.safetensors", save(tensors), challenge)
    assert ("picture-01", size, "(64, 128)") in found
    assert ("picture-02", "a map of float16, float32, float64, or a mask of bool", "I64") in found


def test_maps_and_masks_do_not_go_together(challenge: Challenge, npz: Callable[..., bytes]) -> None:
    arrays = {name: np.zeros(VIEW, np.bool_ if name == "picture-01" else np.float32) for name in challenge.names}
    assert faults("m.npz", npz(arrays), challenge) == [("the file", "maps, or masks", "both")]


def test_soft_masks_colours_and_small_pictures_are_refused(challenge: Challenge) -> None:
    parts = {
        "picture-01.png": png(np.tile(np.arange(128, dtype=np.uint8), (128, 1))),
        "picture-02.png": png(np.zeros((*VIEW, 3), np.uint8)),
        "picture-03.png": png(np.zeros((128, 100), np.uint8)),
        "picture-04.png": png(np.zeros(VIEW, np.uint8))[:60],
    }
    found = faults("m.zip", zipped(parts), challenge)
    assert [where for where, _, _ in found] == list(challenge.names)
    assert [came for _, _, came in found][:3] == ["128 values", "colours", "128 x 100"]
    assert found[3][1] == "a whole PNG"


def test_what_a_challenge_does_not_accept_is_said(challenge: Challenge, npz: Callable[..., bytes]) -> None:
    import dataclasses

    strict = dataclasses.replace(challenge, accepts=("parameters",))
    content = npz({name: np.zeros(VIEW) for name in challenge.names})
    assert faults("m.npz", content, strict) == [("the file", "parameters, all that this challenge takes", "maps")]
