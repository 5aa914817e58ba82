"""Results on disk: the same in, the same out; whatever is damaged is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lumiscope import store
from lumiscope.errors import StoreError
from lumiscope.store import Store, content_key, write_atomically

SCOPE = {"model": "abc", "method": "gradcam", "options": {"a": 1, "b": [1, 2]}}
KEYS = [content_key(number) for number in range(4)]
ARRAYS = {
    "float32": np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4),
    "float64": np.array([np.pi, np.nan, np.inf]),
    "float16": np.array([1.5], np.float16),
    "bool": np.array([[True, False]]),
    "int64": np.array([-(2**62), 2**62]),
    "uint8": np.arange(256, dtype=np.uint8),
    "empty": np.zeros((0, 5), np.float32),
    "scalar": np.array(2.5),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(20)[::3],
    "a/name/with/slashes": np.array([1]),
}


def collection(tmp_path, scope=SCOPE, kind="maps"):
    return Store(tmp_path).collection(kind, scope)


def assert_same(came, expected):
    assert came.keys() == expected.keys()
    for name, array in expected.items():
        assert came[name].dtype == array.dtype, name
        assert came[name].shape == array.shape, name
        np.testing.assert_array_equal(came[name], array)


def shards(tmp_path):
    return sorted(tmp_path.rglob("*.safetensors"))


def test_what_is_put_comes_back(tmp_path):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: ARRAYS, KEYS[1]: {"x": np.ones(2)}}, seconds=1)
    for reader in (writer, collection(tmp_path)):
        assert_same(reader.get(KEYS[0]), ARRAYS)
        assert_same(reader.get(KEYS[1]), {"x": np.ones(2)})
        assert KEYS[0] in reader
        assert KEYS[2] not in reader
        assert reader.missing([KEYS[3], KEYS[1], KEYS[2]]) == [KEYS[3], KEYS[2]]


def test_many_results_cost_one_reading_of_each_shard(tmp_path, monkeypatch):
    writer = collection(tmp_path)
    for start in (0, 2):
        writer.put({KEYS[number]: {"x": np.array([number])} for number in (start, start + 1)})
    read = []
    monkeypatch.setattr(
        store, "_read_shard", lambda path, original=store._read_shard: read.append(path) or original(path)
    )
    results = collection(tmp_path).get_all([KEYS[3], KEYS[0], KEYS[2], KEYS[1], KEYS[0]])
    assert {key: arrays["x"].item() for key, arrays in results.items()} == {key: n for n, key in enumerate(KEYS)}
    assert len(read) == len(set(read)) == 2
    with pytest.raises(StoreError, match="expected a result under nothing"):
        writer.get_all([KEYS[0], "nothing"])


def test_a_result_that_is_not_there(tmp_path):
    with pytest.raises(StoreError, match="expected a result under nothing"):
        collection(tmp_path).get("nothing")


@pytest.mark.parametrize("other", [{**SCOPE, "method": "lime"}, {**SCOPE, "options": {"a": 1, "b": [2, 1]}}, {}])
def test_scopes_share_nothing(tmp_path, other):
    collection(tmp_path).put({KEYS[0]: {"x": np.ones(2)}}, seconds=1)
    assert collection(tmp_path, other).missing(KEYS[:1]) == KEYS[:1]
    assert collection(tmp_path, kind="tables").missing(KEYS[:1]) == KEYS[:1]
    assert collection(tmp_path).missing(KEYS[:1]) == []


def test_the_order_of_a_scopes_keys_does_not_matter(tmp_path):
    collection(tmp_path).put({KEYS[0]: {"x": np.ones(2)}}, seconds=1)
    turned = {"options": {"b": [1, 2], "a": 1}, "method": "gradcam", "model": "abc"}
    assert KEYS[0] in collection(tmp_path, turned)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_a_key_depends_on_the_value_alone(value):
    turned = dict(reversed(value.items()))
    assert content_key(turned) == content_key(value)
    assert content_key(json.loads(json.dumps(value))) == content_key(value)
    assert content_key({**value, "one more": 1}) != content_key({**value, "one more": 2})


@pytest.mark.parametrize("value", [object(), {1, 2}, np.ones(2), b"bytes"])
def test_a_scope_that_is_no_json_is_an_error(tmp_path, value):
    with pytest.raises(TypeError):
        collection(tmp_path, {"value": value})
    assert not list(tmp_path.iterdir())


SCRIPT = """
import sys, numpy as np
from pathlib import Path
from lumiscope.store import Store
results = {"b" * 64: {"y": np.arange(3), "x": np.ones((2, 2), np.float32)}, "a" * 64: {"x": np.zeros(0)}}
if sys.argv[2] == "turned":
    results = {key: dict(reversed(parts.items())) for key, parts in reversed(results.items())}
Store(Path(sys.argv[1])).collection("maps", {"one": 1}).put(results, seconds=float(len(sys.argv[2])))
"""


def test_two_processes_write_the_same_file(tmp_path):
    contents = []
    for order in ("straight", "turned"):
        subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / order), order], check=True)
        (shard,) = shards(tmp_path / order)
        contents.append((shard.relative_to(tmp_path / order), shard.read_bytes()))
    assert contents[0] == contents[1]


def damage(path, way):
    content = bytearray(path.read_bytes())
    if way == "flipped":
        content[-1] ^= 1
    path.write_bytes({"empty": b"", "truncated": bytes(content[:-5]), "flipped": bytes(content)}[way])


@pytest.mark.parametrize("way", ["empty", "truncated", "flipped"])
def test_a_damaged_shard_is_noticed_moved_aside_and_computed_again(tmp_path, way):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}}, seconds=1)
    (hurt,) = shards(tmp_path)
    writer.put({KEYS[1]: {"x": np.zeros(8)}}, seconds=1)
    damage(hurt, way)

    store = Store(tmp_path)
    reader = store.collection("maps", SCOPE)
    assert store.damaged == [str(hurt)]
    assert reader.missing(KEYS[:2]) == KEYS[:1]
    assert_same(reader.get(KEYS[1]), {"x": np.zeros(8)})
    assert not hurt.exists()
    assert hurt.with_suffix(".damaged").exists()

    reader.put({KEYS[0]: {"x": np.ones(8)}}, seconds=1)
    assert hurt.exists()
    again = Store(tmp_path)
    assert_same(again.collection("maps", SCOPE).get(KEYS[0]), {"x": np.ones(8)})
    assert again.damaged == []


def test_a_shard_that_is_damaged_meanwhile_is_an_error_not_a_wrong_result(tmp_path):
    collection(tmp_path).put({KEYS[0]: {"x": np.ones(8)}}, seconds=1)
    reader = collection(tmp_path)
    damage(shards(tmp_path)[0], "flipped")
    with pytest.raises(StoreError, match="damaged or removed meanwhile"):
        reader.get(KEYS[0])


def test_what_a_killed_write_left_is_ignored(tmp_path):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}}, seconds=1)
    (writer.folder / ".abc123.part").write_bytes(b"half a shard")
    store = Store(tmp_path)
    reader = store.collection("maps", SCOPE)
    assert reader.missing(KEYS[:2]) == KEYS[1:2]
    assert store.damaged == []


def test_two_collections_on_one_folder(tmp_path):
    first, second = collection(tmp_path), collection(tmp_path)
    first.put({KEYS[0]: {"x": np.ones(3)}}, seconds=1)
    second.put({KEYS[0]: {"x": np.ones(3)}}, seconds=5)
    second.put({KEYS[1]: {"x": np.zeros(3)}}, seconds=1)
    assert len(shards(tmp_path)) == 2
    assert_same(first.get(KEYS[0]), {"x": np.ones(3)})
    third = collection(tmp_path)
    assert third.missing(KEYS) == KEYS[2:]


def test_what_another_process_writes_later_is_there(tmp_path):
    reader, writer = collection(tmp_path), collection(tmp_path)
    assert reader.missing(KEYS[:2]) == KEYS[:2]
    writer.put({KEYS[0]: {"x": np.ones(3)}}, seconds=4)
    assert_same(reader.get(KEYS[0]), {"x": np.ones(3)})
    os.utime(writer.folder, ns=(1, 1))
    assert KEYS[0] in reader
    writer.put({KEYS[1]: {"x": np.zeros(3)}}, seconds=2)
    assert reader.missing(KEYS[:3]) == KEYS[2:3]
    assert reader.seconds_each(KEYS[:2]) == 3
    writer.put({KEYS[2]: {"x": np.ones(1)}})
    assert reader.get_all(KEYS[:3]).keys() == set(KEYS[:3])


def test_seconds_each(tmp_path):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(1)}, KEYS[1]: {"x": np.ones(2)}}, seconds=6)
    writer.put({KEYS[2]: {"x": np.ones(3)}}, seconds=9)
    for reader in (writer, collection(tmp_path)):
        assert reader.seconds_each(KEYS[:1]) == 3
        assert reader.seconds_each(KEYS[2:]) == 9
        assert reader.seconds_each(KEYS) == 5
        assert np.isnan(reader.seconds_each(KEYS[3:]))


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"seconds": "x", "results": 1}'])
def test_an_unknown_cost_is_nan_and_no_result_depends_on_it(tmp_path, content):
    collection(tmp_path).put({KEYS[0]: {"x": np.ones(1)}}, seconds=6)
    cost = shards(tmp_path)[0].with_suffix(".json")
    if content is None:
        cost.unlink()
    else:
        cost.write_text(content)
    reader = collection(tmp_path)
    assert np.isnan(reader.seconds_each(KEYS[:1]))
    assert_same(reader.get(KEYS[0]), {"x": np.ones(1)})


def test_a_scope_is_readable(tmp_path):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(1)}}, seconds=6)
    assert json.loads((writer.folder / "scope.json").read_text()) == SCOPE


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "text, not bytes")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_results_cannot_be_changed_behind_the_stores_back(tmp_path):
    collection(tmp_path).put({KEYS[0]: {"x": np.ones(3)}}, seconds=1)
    reader = collection(tmp_path)
    came = reader.get(KEYS[0])["x"]
    came[0] = 7
    np.testing.assert_array_equal(reader.get(KEYS[0])["x"], np.ones(3))


@pytest.mark.parametrize("odd", ["folder", "pipe", "link to nowhere", "no shard in spite of its name"])
def test_what_stands_in_the_place_of_a_shard_is_moved_aside(tmp_path, odd):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}})
    (path,) = shards(tmp_path)
    path.unlink()
    if odd == "folder":
        path.mkdir()
    elif odd == "pipe":
        os.mkfifo(path)
    elif odd == "link to nowhere":
        path.symlink_to("nowhere")
    else:
        path = path.with_name(hashlib.sha256(b"[").hexdigest()[:40] + path.suffix)
        path.write_bytes(b"[")
    again = Store(tmp_path)
    reader = again.collection("maps", SCOPE)
    assert reader.missing(KEYS[:1]) == KEYS[:1]
    assert again.damaged == [str(path)]
    reader.put({KEYS[0]: {"x": np.ones(8)}})
    assert_same(collection(tmp_path).get(KEYS[0]), {"x": np.ones(8)})


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"model"'])
def test_a_damaged_scope_is_said_where_results_are_read_and_written_again_where_they_are_made(tmp_path, content):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}})
    scope = writer.folder / "scope.json"
    before = scope.read_text()
    scope.write_text(content)
    with pytest.raises(StoreError, match="Run the study again"):
        Store(tmp_path).open_collection(writer.location)
    collection(tmp_path)
    assert scope.read_text() == before


def test_a_folder_in_the_place_of_a_scope_is_said_in_words(tmp_path):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}})
    (writer.folder / "scope.json").unlink()
    (writer.folder / "scope.json").mkdir()
    with pytest.raises(StoreError, match=r"it is a folder, where a file is expected") as caught:
        Store(tmp_path).open_collection(writer.location)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("cost", ['{"seconds": 1e999, "results": 1e999}', "[]", "[" * 100_000, '{"seconds": "x"}'])
def test_what_says_what_results_cost_may_say_anything(tmp_path, cost):
    writer = collection(tmp_path)
    writer.put({KEYS[0]: {"x": np.ones(8)}}, seconds=2)
    (shard,) = shards(tmp_path)
    assert writer.seconds_each(KEYS[:1]) == 2
    shard.with_suffix(".json").write_text(cost)
    assert np.isnan(collection(tmp_path).seconds_each(KEYS[:1]))


def test_a_name_that_is_no_unicode_has_a_key_and_other_keys_are_as_they_were():
    assert content_key({"a": ["é", 1]}) == hashlib.sha256('{"a":["é",1]}'.encode()).hexdigest()
    assert content_key("a\udcff") != content_key("a\udcfe")


def test_half_written_files_of_results_that_nobody_asks_for_are_cleared(tmp_path):
    collection = Store(tmp_path).collection("maps", {"a": 1})
    collection.put({"key": {"x": np.ones(2)}})
    left, elsewhere = collection.folder / ".abc123.part", tmp_path / ".abc123.part"
    for path in (left, elsewhere):
        path.write_bytes(b"half a shard")
    Store(tmp_path).clear_parts()
    assert not left.exists()
    assert elsewhere.exists()  # no folder of results
    np.testing.assert_array_equal(Store(tmp_path).collection("maps", {"a": 1}).get("key")["x"], np.ones(2))
