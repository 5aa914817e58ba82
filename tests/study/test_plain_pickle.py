"""Hostile pickles are refused before anything is run; plain ones come back as they were, from every protocol."""

from __future__ import annotations

import contextlib
import os
import pickle
import pickletools
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope.errors import UsageError
from lumiscope.files import MOST_SETTINGS
from lumiscope.pickle_machine import PLAIN as ALLOWED
from lumiscope.study.files.plain_pickle import MOST_DEPTH, dump_plain, load_plain

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text()
PLAIN = st.recursive(
    SCALARS,
    lambda parts: (
        st.lists(parts, max_size=4)
        | st.lists(parts, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(-5, 5), parts, max_size=4)
    ),
    max_leaves=20,
)


class Runs:
    """Unpickling it calls a function."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def typed(value: object) -> object:
    """A value with the types of all its parts, so that 1, 1.0 and True are three things."""
    if isinstance(value, dict):
        return dict, [(typed(key), typed(part)) for key, part in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [typed(part) for part in value]
    return type(value), value


@given(PLAIN, st.sampled_from(PROTOCOLS))
def test_plain_values_survive_every_protocol(value: object, protocol: int) -> None:
    assert typed(load_plain(pickle.dumps(value, protocol))) == typed(value)


@given(PLAIN)
def test_what_we_write_any_python_reads(value: object) -> None:
    assert typed(pickle.loads(dump_plain(value))) == typed(value)


def test_the_optimised_and_the_pure_python_picklers_are_read_too() -> None:
    value = {"goldfish": {"labels": (1,), "hide_color": [0, 255, 7], "num_samples": 300, "weight": -0.25}}
    for protocol in PROTOCOLS:
        assert load_plain(pickletools.optimize(pickle.dumps(value, protocol))) == value
        assert load_plain(pickle._dumps(value, protocol)) == value  # type: ignore[attr-defined]


def test_shared_parts_are_copied_to_each_place() -> None:
    entry = {"num_features": 5, "options": {"rows": 3}}
    back = load_plain(pickle.dumps({"a": entry, "b": entry}))
    assert back == {"a": entry, "b": entry}
    back["a"]["options"]["rows"] = 9
    assert back["b"]["options"]["rows"] == 3


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch {path}"),
        (eval, "open({path!r}, 'w')"),
        (exec, "open({path!r}, 'w')"),
        (getattr, "text", "upper"),
        (__import__, "os"),
        (pickle.loads, b"cos\nsystem\n(S'touch {path}'\ntR."),
        (open, "{path}", "w"),
    ],
)
def test_nothing_that_a_pickle_calls_is_called(protocol: int, call: tuple[object, ...], tmp_path: Path) -> None:
    path = str(tmp_path / "ran")
    arguments = [argument.replace("{path}", path) if isinstance(argument, str) else argument for argument in call[1:]]
    content = pickle.dumps({"goldfish": Runs(call[0], *arguments)}, protocol)
    with pytest.raises(UsageError, match=r"nothing of it was run: the opcode (STACK_)?GLOBAL|opcode SHORT_BINBYTES"):
        load_plain(content)
    assert not os.path.exists(path)


HOSTILE = {
    "GLOBAL": b"cos\nsystem\n(S'true'\ntR.",
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "REDUCE": b"NN)R.",
    "NEWOBJ": b"\x80\x02N)\x81.",
    "NEWOBJ_EX": b"\x80\x04N)}\x92.",
    "BUILD": b"}}b.",
    "EXT1": b"\x80\x02\x82\x01.",
    "EXT2": b"\x80\x02\x83\x01\x00.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
    "PERSID": b"Pabc\n.",
    "BINPERSID": b"NQ.",
    "BINBYTES": b"\x80\x03B\x01\x00\x00\x00a.",
    "BYTEARRAY8": b"\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00a.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
    "STRING": b"S'abc'\n.",
    "SHORT_BINSTRING": b"U\x01a.",
    "EMPTY_SET": b"\x80\x04\x8f.",
    "POP": b"NN0.",
    "DUP": b"N2\x86.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_opcodes_are_named_with_their_place(name: str) -> None:
    content = HOSTILE[name]
    first = next(
        (opcode.name, position) for opcode, _, position in pickletools.genops(content) if opcode.name not in ALLOWED
    )
    with pytest.raises(UsageError, match=rf"opcode {first[0]}\b.* at byte {first[1]} "):
        load_plain(content)


def test_every_opcode_of_the_language_that_is_not_needed_is_refused() -> None:
    """The list is what Python writes for plain values: no opcode more, so also none that Python gets some day."""
    written = set()
    shared = [1]
    values = [None, True, False, 0, 200, 70000, -1, 2**40, 2**63, 0.5, "a", "a" * 300, (), (1,), (1, 2), (1, 2, 3)]
    values += [(1, 2, 3, 4), [], [1], [1, 2], {}, {"a": 1}, {"a": 1, "b": 2}, [shared, shared], "x" * 70000]
    values += [[[number] for number in range(300)] * 2, 2**2039]
    for value in values:
        for protocol in PROTOCOLS:
            for dump in (pickle.dumps, pickle._dumps):  # type: ignore[attr-defined]
                written |= {opcode.name for opcode, _, _ in pickletools.genops(dump(value, protocol))}
    assert written <= ALLOWED
    assert ALLOWED - written == {"BINUNICODE8"}, "text of more than 4 GiB alone needs it"


@given(PLAIN, st.sampled_from(PROTOCOLS), st.data())
def test_a_file_cut_off_or_changed_gives_a_value_or_a_clear_error(value: object, protocol: int, data: object) -> None:
    content = bytearray(pickle.dumps(value, protocol))
    place = data.draw(st.integers(0, len(content) - 1))  # type: ignore[attr-defined]
    with pytest.raises(UsageError):
        load_plain(bytes(content[:place]))
    content[place] = data.draw(st.integers(0, 255))  # type: ignore[attr-defined]
    with contextlib.suppress(UsageError):  # anything else, a crash of the machine above all, fails
        load_plain(bytes(content))


@pytest.mark.parametrize(
    "content", [b"", b".", b"N", b"0.", b"(.", b"t.", b"Nt.", b"a.", b"NNs.", b"Na.", b"\xff", b"h\x05.", b"q\x00."]
)
def test_nonsense_is_a_clear_error(content: bytes) -> None:
    with pytest.raises(UsageError, match="pickle"):
        load_plain(content)


def test_what_comes_after_the_end_is_refused() -> None:
    with pytest.raises(UsageError, match="after the end"):
        load_plain(pickle.dumps({}) + pickle.dumps(Runs(os.system, "true")))


@pytest.mark.parametrize(
    "around",
    [lambda part: [part], lambda part: (part,), lambda part: {"a": part}, lambda part: {"a": 1, "b": 2, "c": part}],
    ids=["list", "tuple", "dict", "last of a dict"],
)
def test_thirty_two_levels_are_read_and_no_more(around: Callable[[object], object]) -> None:
    value: object = 1
    for _ in range(32):
        value = around(value)
    assert load_plain(pickle.dumps(value)) == value
    with pytest.raises(UsageError, match="nested more than 32 levels deep"):
        load_plain(pickle.dumps(around(value)))


def test_whole_numbers_of_64_bits_are_read_and_no_larger_ones() -> None:
    for number in (2**64 - 1, -(2**64) + 1):
        assert load_plain(pickle.dumps(number)) == number
    for number in (2**64, -(2**64)):
        with pytest.raises(UsageError, match="more than 64 bits"):
            load_plain(pickle.dumps(number))


def bombs() -> dict[str, bytes]:
    tree: tuple[object, ...] = ()
    for _ in range(60):
        tree = (tree, tree)
    itself: list[object] = []
    itself.append(itself)
    return {
        "2^60 places of one tuple": pickle.dumps(tree),
        "such a tuple as a key": b"\x80\x04}" + pickle.dumps(tree)[2:-1] + b"Ns.",
        "a list in itself": pickle.dumps(itself),
        "a dict in itself": b"}q\x00X\x01\x00\x00\x00ah\x00s.",
        "deeply nested": b"]" * (MOST_DEPTH + 2) + b"a" * (MOST_DEPTH + 1) + b".",
        "a hundred thousand levels": b"(" * 100_000 + b"t" * 100_000 + b".",
        "one text in many places": pickle.dumps(["x" * 100_000] * 10_000),
        "many values": pickle.dumps([[]] * 300_000),
        "a memo of 2^31 places": b"Nr\xff\xff\xff\x7f.",
        "text that claims 2^60 bytes": b"\x80\x04\x8d" + (2**60).to_bytes(8, "little") + b"a.",
        "a frame that claims 2^60 bytes": b"\x80\x04\x95" + (2**60).to_bytes(8, "little") + b"N.",
        "a number of a million bits": pickle.dumps(1 << 1_000_000),
        "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
        "too long": b"\x80\x04" + b"N" * MOST_SETTINGS,
        "half a character": b"X\x03\x00\x00\x00\xed\xa0\x80.",
    }


@pytest.mark.parametrize("name", bombs())
def test_bombs_end_soon_and_harmlessly(name: str) -> None:
    started = time.process_time()
    if name in ("a memo of 2^31 places", "a frame that claims 2^60 bytes"):
        assert load_plain(bombs()[name]) is None  # nothing is reserved for what a file only claims
    else:
        with pytest.raises(UsageError):
            load_plain(bombs()[name])
    assert time.process_time() - started < 5


@pytest.mark.parametrize("value", [b"a", {1, 2}, {(1,): 2}, {1.5: 2}, object(), 2**65, "\ud800", [lambda: 0]])
def test_what_is_not_plain_is_not_written(value: object) -> None:
    with pytest.raises(UsageError, match="the value"):
        dump_plain(value)
