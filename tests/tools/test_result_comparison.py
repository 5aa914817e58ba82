"""Every way in which two results can differ is reported, by table and column; what is equal is not."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from result_comparison import Difference, compare_arrays, compare_files, compare_tables, equal_arrays

OTHER_NAN = np.array([0x7FC00001], np.uint32).view(np.float32)


def units(**columns: list[object]) -> pa.Table:
    return pa.table({"unit": [0, 1, 2], "score": [0.5, math.nan, 1.0], **columns})


class TestTables:
    def test_equal_tables_with_nan_and_lists_have_no_difference(self):
        tables = [units(best=[["fish", None], [], None], scores=[[0.1, math.nan], [], None]) for _ in range(2)]
        assert compare_tables("units", *tables) == []

    @pytest.mark.parametrize(
        ("score", "text"),
        [
            ([0.5, math.nan, math.nextafter(1.0, 2)], "differs in 1 of 3 rows, first row 2: 1.0 → 1.0000000000000002"),
            ([0.5, 0.0, 1.0], "differs in 1 of 3 rows, first row 1: nan → 0.0"),
            ([None, math.nan, 2.0], "differs in 2 of 3 rows, first row 0: 0.5 → None"),
        ],
    )
    def test_a_value_that_differs_is_counted_and_shown(self, score, text):
        differences = compare_tables("units", units(), units(score=score))
        assert differences == [Difference("units.score", "changed", text)]

    def test_negative_zero_is_another_value(self):
        differences = compare_tables("t", pa.table({"x": [0.0]}), pa.table({"x": [-0.0]}))
        assert [difference.text for difference in differences] == ["differs in 1 of 1 rows, first row 0: 0.0 → -0.0"]

    def test_a_value_inside_of_a_list_differs(self):
        differences = compare_tables("t", pa.table({"x": [[1.0, 2.0]]}), pa.table({"x": [[1.0, 3.0]]}))
        assert [difference.name for difference in differences] == ["t.x"]

    def test_columns_on_one_side(self):
        assert compare_tables("units", units(old=[1, 2, 3]), units(young=[1, 2, 3])) == [
            Difference("units.old", "missing", "the column is missing"),
            Difference("units.young", "new", "the column is new"),
        ]

    def test_other_type_order_and_number_of_rows(self):
        narrow = pa.table({"unit": pa.array([0, 1, 2], pa.int32())})
        assert [difference.text for difference in compare_tables("t", narrow, units().select(["unit"]))] == [
            "type int32 before, int64 now"
        ]
        assert [difference.text for difference in compare_tables("t", units(), units().select(["score", "unit"]))] == [
            "the columns stand in another order"
        ]
        assert compare_tables("t", units(), units().slice(1)) == [Difference("t.*", "changed", "3 rows before, 2 now")]

    def test_tables_on_one_side(self):
        assert compare_tables("units", None, units()) == [Difference("units.*", "new", "the table is new")]
        assert compare_tables("units", units(), None) == [Difference("units.*", "missing", "the table is missing")]

    def test_addresses_in_the_store_are_never_compared(self):
        before, after = (pa.table({"method": ["lime"], "location": [text], "key": [text]}) for text in "ab")
        assert compare_tables("explanations", before, after) == []
        assert [difference.name for difference in compare_tables("images", before, after)] == [
            "images.location",
            "images.key",
        ]


class TestArrays:
    def test_bits_decide_but_not_those_of_nan(self):
        values = np.array([1, 2], np.float32)
        assert equal_arrays(values, values.copy())
        assert not equal_arrays(values, np.nextafter(values, 9, dtype=np.float32))
        assert not equal_arrays(values, values.astype(float))
        assert not equal_arrays(values, values[None])
        assert equal_arrays(OTHER_NAN, np.array([np.nan], np.float32))
        assert not equal_arrays(np.zeros(1), -np.zeros(1))

    def test_maps_are_summed_up_by_method_and_field(self):
        before = {f"lime/values/objects/{image}": np.zeros(3) for image in "abc"}
        after = {**before, "lime/values/objects/b": np.array([0, 0.25, 0]), "lime/values/objects/c": np.ones(3)}
        assert compare_arrays(before, before) == []
        assert compare_arrays(before, after) == [
            Difference("maps.lime.values", "changed", "changed in 2 maps, first objects/b (by 0.25 at most)")
        ]

    def test_maps_and_fields_on_one_side(self):
        before = {"lime/values/m/a": np.zeros(1), "lime/shown/m/a": np.zeros(1)}
        after = {"lime/values/m/a": np.zeros(1), "lime/values/m/b": np.zeros(1)}
        assert compare_arrays(before, after) == [
            Difference("maps.lime.shown", "missing", "missing in 1 maps, first m/a"),
            Difference("maps.lime.values", "new", "new in 1 maps, first m/b"),
        ]

    def test_facts_are_shown(self):
        before, after = ({"lime/options/m/a": np.array(text)} for text in ('{"n": 1}', '{"n": 2}'))
        assert [difference.text for difference in compare_arrays(before, after)] == [
            'changed in 1 maps, first m/a ({"n": 1} → {"n": 2})'
        ]


def test_files():
    assert compare_files({"a": b"1", "b": b"1", "c": b"1"}, {"a": b"1", "b": b"2", "d": b"1"}) == [
        Difference("files.b", "changed", "other bytes"),
        Difference("files.c", "missing", "the file is missing"),
        Difference("files.d", "new", "the file is new"),
    ]


@pytest.mark.parametrize(
    ("name", "pattern", "listed"),
    [
        ("units.score", "units.score", True),
        ("units.score", "units.*", True),
        ("units.*", "units.*", True),
        ("units.*", "units.score", False),
        ("units.score", "layers.*", False),
        ("maps.lime.values", "maps.lime.*", True),
    ],
)
def test_what_a_pattern_lists(name, pattern, listed):
    assert Difference(name, "changed", "").is_listed([pattern]) == listed
