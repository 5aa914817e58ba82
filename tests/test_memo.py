from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lumiscope import memo as memo_module
from lumiscope.errors import StoreError
from lumiscope.memo import AnyStore, Memo
from lumiscope.memory_store import MemoryStore
from lumiscope.store import Store, content_key


@pytest.fixture(params=["disk", "memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> AnyStore:
    return {"disk": Store(tmp_path), "memory": MemoryStore(), "file": MemoryStore(in_memory=0)}[request.param]


def test_results_are_there_once_they_were_put_and_belong_to_their_inputs(store: AnyStore) -> None:
    memo = Memo(store)
    results = memo.results("sums", {"seed": 1}, made_by=[content_key])
    assert results.missing(["a", "b"]) == ["a", "b"]
    arrays = {"values": np.arange(6.0).reshape(2, 3), "none": np.zeros((0, 4), np.int8)}
    results.put({"a": arrays}, seconds=3.0)
    assert "a" in results
    assert results.missing(["a", "b"]) == ["b"]
    read = results.get("a")
    for name, array in arrays.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype
    assert results.seconds_each(["a"]) == 3.0
    assert np.isnan(results.seconds_each(["b"]))
    assert "a" in memo.results("sums", {"seed": 1}, made_by=[content_key])
    assert "a" not in memo.results("sums", {"seed": 2}, made_by=[content_key])
    assert "a" not in memo.results("products", {"seed": 1}, made_by=[content_key])
    with pytest.raises(StoreError, match="b"):
        results.get("b")


def test_what_a_caller_changes_does_not_come_back(store: AnyStore) -> None:
    results = Memo(store).results("sums", {}, made_by=[content_key])
    given = np.arange(3.0)
    results.put({"a": {"values": given}})
    given[0] = 9
    results.get("a")["values"][1] = 9
    np.testing.assert_array_equal(results.get("a")["values"], [0, 1, 2])
    assert set(results.get_all(["a"])) == {"a"}


def test_the_same_code_and_inputs_make_a_value_once(store: AnyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def make() -> int:
        calls.append(1)
        return 7

    def value() -> int:
        return Memo(store).value(
            "answer", {"question": "?"}, make, made_by=[make], to_arrays=_arrays, from_arrays=lambda a: int(a["n"][0])
        )

    assert (value(), value(), len(calls)) == (7, 7, 1)
    monkeypatch.setattr(memo_module, "code_digest", lambda modules: "edited")
    assert (value(), value(), len(calls)) == (7, 7, 2)


def _arrays(value: int) -> Mapping[str, Any]:
    return {"n": np.array([value])}


def test_without_a_store_nothing_is_kept_longer_than_the_memo() -> None:
    Memo().results("sums", {}, made_by=[content_key]).put({"a": {"values": np.zeros(1)}})
    assert "a" not in Memo().results("sums", {}, made_by=[content_key])
