"""Files of LIME parameters: formats, lime's own keys, and which image is meant."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lumiscope.attribution.regions.lime_options import LimeOptions
from lumiscope.errors import LumiscopeError, UsageError
from lumiscope.study.files.lime_keys import LIME_KEYS, from_lime_keys, to_lime_keys
from lumiscope.study.files.lime_parameters import read_lime_parameters, save_lime_parameters

NAMES = {  # of REFERENCE section 7, and the files that they mean
    "goldfish": "n01443537_goldfish",
    "tiger_shark": "n01491361_tiger_shark",
    "kite": "n01608432_kite",
    "vulture": "n01616318_vulture",
    "common_iguana": "n01677366_common_iguana",
    "flamingo": "n02007558_flamingo",
    "American_coot": "n02018207_American_coot",
    "West_Highland_white_terrier": "n02098286_West_Highland_white_terrier",
    "racer": "n04037443_racer",
    "orange": "n07747607_orange",
}
ENTRY = {
    "labels": (1,),
    "top_labels": 5,
    "hide_color": 0,
    "num_features": 4,
    "num_samples": 300,
    "batch_size": 10,
    "segmentation_fn": None,
    "distance_metric": "cosine",
    "model_regressor": None,
    "random_seed": 7,
}
FORMATS = (".json", ".toml", ".pkl")
OPTIONS = st.builds(
    LimeOptions,
    segmenter=st.sampled_from(["quickshift", "slic", "felzenszwalb", "watershed", "grid"]),
    hide=st.sampled_from(["mean", "blur"]),
    num_samples=st.integers(2, 5000) | st.just("auto"),
    num_features=st.integers(1, 100),
    top_labels=st.integers(0, 10),
    min_weight=st.floats(0, 1),
    confidence=st.floats(0.5, 0.99),
    positive_only=st.booleans(),
    random_seed=st.none() | st.integers(0, 2**32 - 1),
) | st.builds(
    LimeOptions,
    segmenter=st.just("grid"),
    segmenter_options=st.fixed_dictionaries({"rows": st.integers(1, 20)}),
    hide_color=st.integers(0, 255) | st.tuples(*[st.integers(0, 255)] * 3),
)


def items(*ids: str) -> list[Any]:
    return [SimpleNamespace(id=item_id, name=f"{item_id}.JPEG") for item_id in ids]


def read(tmp_path: Path, content: object) -> Any:
    path = tmp_path / "given.pkl"
    path.write_bytes(pickle.dumps(content))
    return read_lime_parameters(path)


def test_the_file_that_is_handed_in_for_scoring_is_read(tmp_path: Path) -> None:
    content = {name: {**ENTRY, "num_features": number} for number, name in enumerate(NAMES, 1)}
    parameters = read(tmp_path, content)
    options = parameters.for_images(items(*NAMES.values()))
    assert list(options) == list(NAMES.values())
    assert options["n02018207_American_coot"]["lime"] == {
        "top_labels": 5, "hide_color": 0, "num_features": 7, "num_samples": 300, "random_seed": 7,
    }  # fmt: skip
    assert parameters.notes_on(items(*NAMES.values())) == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(options=st.dictionaries(st.text("abc ._-ü", min_size=1), OPTIONS, min_size=1, max_size=3))
@pytest.mark.parametrize("ending", FORMATS)
def test_what_is_written_is_read_back(ending: str, options: dict[str, LimeOptions], tmp_path: Path) -> None:
    path = tmp_path / f"parameters{ending}"
    save_lime_parameters(path, options)
    back = read_lime_parameters(path)
    assert {name: LimeOptions(**_tuples(given["lime"])) for name, given in back.options.items()} == options


def _tuples(given: Any) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def test_a_pickle_has_the_ten_keys_and_ours_only_where_lime_has_none(tmp_path: Path) -> None:
    path = tmp_path / "explain_params.pkl"
    grid = LimeOptions(segmenter="grid", segmenter_options={"rows": 3}, hide="blur", num_samples=50)
    save_lime_parameters(path, {"goldfish": LimeOptions(random_seed=3, hide_color=9), "kite": grid})
    content = pickle.loads(path.read_bytes())
    assert set(content["goldfish"]) == set(LIME_KEYS) == set(ENTRY)
    assert content["goldfish"] == {
        **ENTRY, "top_labels": 1, "hide_color": 9, "num_features": 10, "num_samples": 1000, "random_seed": 3,
    }  # fmt: skip
    assert set(content["kite"]) == {*LIME_KEYS, "hide"}
    assert content["kite"]["segmentation_fn"] == {"name": "grid", "options": {"rows": 3}}


def test_a_hostile_file_is_refused_and_not_run(tmp_path: Path) -> None:
    path = tmp_path / "explain_params.pkl"
    path.write_bytes(b"cos\nsystem\n(V" + f"touch {tmp_path}/ran".encode() + b"\ntR.")
    with pytest.raises(UsageError, match=r"explain_params.pkl was refused.*GLOBAL \('os system'\) at byte 0"):
        read_lime_parameters(path)
    assert os.listdir(tmp_path) == ["explain_params.pkl"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"segmentation_fn": None, "hide_color": None, "random_seed": None}, {}),
        ({"segmentation_fn": "slic"}, {"segmenter": "slic"}),
        (
            {"segmentation_fn": {"name": "grid", "options": {"rows": 2}}},
            {"segmenter": "grid", "segmenter_options": {"rows": 2}},
        ),
        ({"segmenter": "grid", "hide": "blur"}, {"segmenter": "grid", "hide": "blur"}),
        ({"labels": [3, 4], "batch_size": 64, "model_regressor": "ridge", "top_labels": 2}, {"top_labels": 2}),
        ({"labels": 3, "distance_metric": "cosine"}, {}),
    ],
)
def test_what_lime_s_keys_mean(entry: dict[str, Any], expected: dict[str, Any]) -> None:
    assert from_lime_keys(entry) == (expected, [])


def test_labels_decide_nothing_and_that_is_said(tmp_path: Path) -> None:
    parameters = read(tmp_path, {"goldfish": {"labels": (1,), "top_labels": None}, "kite": {"top_labels": None}})
    assert parameters.options["kite"] == {"lime": {"top_labels": 0}}
    (note,) = parameters.notes
    assert "--target" in note
    assert "goldfish, kite" in note


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"num_feature": 3}, "unknown LIME parameter 'num_feature': did you mean num_features"),
        ({"segmentation": None}, "did you mean segmentation_fn"),
        ({"num_samples": 1}, "num_samples of at least 2"),
        ({"num_samples": "many"}, "num_samples"),
        ({"hide_color": 300}, "from 0 to 255"),
        ({"distance_metric": "euclidean"}, "distance_metric 'cosine', the only one"),
        ({"model_regressor": "lasso"}, "model_regressor None or 'ridge'"),
        ({"batch_size": 0}, "batch_size"),
        ({"labels": ("goldfish",)}, "class indices"),
        ({"segmentation_fn": 3}, "segmentation_fn as None"),
        ({"segmentation_fn": {"name": "grid", "row": 3}}, "segmentation_fn as None"),
        ({"segmentation_fn": "slick"}, "did you mean slic"),
        ({"segmentation_fn": {"name": "grid", "options": {"row": 3}}}, "did you mean rows"),
        ({"segmentation_fn": None, "segmenter": "grid"}, "keep one"),
        ({"segmentation_fn": "python:os:system"}, "must not choose code that is run"),
        ({"segmenter": "python:os:system"}, "must not choose code that is run"),
        ("quickshift", "expected the parameters of 'goldfish' by name; got a str"),
    ],
)
def test_mistakes_name_the_file_the_image_and_the_key(entry: object, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, {"goldfish": entry})
    assert "given.pkl" in str(caught.value)
    assert "goldfish" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.json", b'{"goldfish": {}, "goldfish": {}}', "goldfish stands there twice"),
        ("a.json", b'{"goldfish": {"num_samples": 3, "num_samples": 4}}', "num_samples stands there twice"),
        ("a.json", b"[1, 2]", "got a list"),
        ("a.json", b"null", "got nothing"),
        ("a.json", b"{", "not valid JSON"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.json", b"\xff", "not valid JSON"),
        ("a.toml", b"goldfish = {", "not valid TOML"),
        ("a.toml", b"[goldfish]\n[goldfish]", "not valid TOML"),
        ("a.json", b" " * 3_000_000, "bytes"),
        ("a.pkl", b"\x80\x04]\x94.", "got a list"),
        ("a.pkl", b"not a pickle", "not a pickle"),
    ],
)
def test_files_that_are_no_parameters(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_lime_parameters(tmp_path / name)
    with pytest.raises(UsageError, match=r"at .*absent.json"):
        read_lime_parameters(tmp_path / "absent.json")


def test_mask_files_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    options = {"kite": LimeOptions(segmenter=f"mask:{tmp_path}/masks/kite.png")}
    for ending in FORMATS:
        path = tmp_path / "deep" / f"p{ending}"
        save_lime_parameters(path, options)
        assert b"../masks/kite.png" in path.read_bytes()
        assert read_lime_parameters(path).options["kite"]["lime"]["segmenter"] == f"mask:{tmp_path}/masks/kite.png"


def test_a_place_that_cannot_be_written_to_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LumiscopeError, match="cannot write to"):
        save_lime_parameters(tmp_path / "file" / "p.json", {"kite": LimeOptions()})


def test_the_ten_keys_of_every_option_are_plain() -> None:
    entry = to_lime_keys(json.loads(json.dumps(LimeOptions(top_labels=0).__dict__)))
    assert entry["top_labels"] is None
    assert from_lime_keys(entry)[0]["top_labels"] == 0
