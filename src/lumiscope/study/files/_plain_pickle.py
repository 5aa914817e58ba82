"""Pickles of plain values, read without ever unpickling: nothing that a file names is looked up, imported or called.

A pickle is a program; `pickle.load` runs it, and a hostile one runs whatever its author likes. Here the opcodes are
listed first (by `pickletools.genops`, which only reads them); one that plain values do not need refuses the whole file.
What is left can push constants and fill lists and dicts, and a machine of our own does that. `pickle` itself only
writes.
"""

from __future__ import annotations

import pickle
import pickletools
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from lumiscope.errors import UsageError
from lumiscope.files import MOST_SETTINGS

Plain: TypeAlias = "bool | int | float | str | list[Plain] | tuple[Plain, ...] | dict[str | int, Plain] | None"

MOST_OPCODES = 400_000
MOST_VALUES = 200_000  # with what is shared counted wherever it stands; 64 characters of text count as one
MOST_DEPTH = 32
MOST_BITS = 64  # of a whole number

HIGHEST_PROTOCOL = 5
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = ("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
PUSHES = frozenset((*CONSTANTS, *NUMBERS, *TEXTS))
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
TO_MEMO = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))
FROM_MEMO = frozenset(("GET", "BINGET", "LONG_BINGET"))
FROM_MARK = frozenset(("DICT", "LIST", "TUPLE", "SETITEMS", "APPENDS"))
ALLOWED = frozenset(
    {"PROTO", "FRAME", "MARK", "STOP", "SETITEM", "APPEND", *PUSHES, *EMPTY, *SHORT_TUPLES, *TO_MEMO}
    | FROM_MEMO
    | FROM_MARK
)
"""What Python 3 writes, in any protocol, for dict, list, tuple, str, int, float, bool and None. No bytes."""


def dump_plain(value: object) -> bytes:
    """Pickle a plain value. Errors: `UsageError` for one that `load_plain` would refuse."""
    return pickle.dumps(_Copier("the value").copy(value), protocol=4)


def load_plain(content: bytes, source: str = "the pickle") -> Plain:
    """Read a pickle of a plain value; `source` is what errors call it.

    Parts that the file shares between places are copied to each. Errors: `UsageError` for an opcode that plain values
    do not need (named, with its position), a damaged file, one with anything after its end, and one that is too large:
    2 MiB, 400,000 opcodes, 200,000 values, 32 levels, whole numbers of 64 bits.
    """
    if len(content) > MOST_SETTINGS:
        raise UsageError(f"{source} has {len(content):,} bytes; a file of parameters has at most {MOST_SETTINGS:,}")
    _check_opcodes(content, source)
    value: Plain = _Copier(source).copy(_build(content, source))
    return value


def _opcodes(content: bytes, source: str) -> Iterator[tuple[str, Any, int]]:
    """(name, argument, position) of every opcode, not run."""
    try:
        for opcode, argument, position in pickletools.genops(content):
            yield opcode.name, argument, position or 0
    except Exception as error:  # whatever the argument's parser stumbles over
        raise UsageError(f"{source} is not a pickle, or is damaged or cut off: {error}") from error


def _check_opcodes(content: bytes, source: str) -> None:
    """Refuse the file before anything is built."""
    for number, (name, argument, position) in enumerate(_opcodes(content, source)):
        if name not in ALLOWED:
            about = f" ({argument!r:.80})" if isinstance(argument, str) else ""
            raise UsageError(
                f"{source} was refused, and nothing of it was run: the opcode {name}{about} at byte {position} is not "
                "needed for a plain dict, list, tuple, str, int, float, bool or None. Turn numpy numbers into int or "
                "float, and functions into the name of a segmenter or None, then pickle it again."
            )
        if number >= MOST_OPCODES:
            raise UsageError(f"{source} was refused: it has more than {MOST_OPCODES:,} opcodes")
        if name == "PROTO" and argument > HIGHEST_PROTOCOL:
            raise UsageError(f"{source} has pickle protocol {argument}; known are 0 to {HIGHEST_PROTOCOL}")
        end = position + 1
    if end != len(content):
        raise UsageError(f"{source} was refused: {len(content) - end} bytes come after the end of its pickle")


class _Broken(Exception):
    """The opcodes do not fit together."""


class _Machine:
    """What the allowed opcodes act on: a stack of values, which MARK divides, and a memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any) -> None:
        """Do what one opcode other than STOP says."""
        if name in PUSHES:
            self.stack.append(CONSTANTS.get(name, argument))
        elif name in EMPTY:
            self.stack.append(EMPTY[name]())
        elif name == "MARK":
            self.marks.append(self.stack)
            self.stack = []
        elif name in SHORT_TUPLES:
            self.stack.append(tuple(reversed([self.pop() for _ in range(SHORT_TUPLES[name])])))
        elif name in TO_MEMO:
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.top(object)
        elif name in FROM_MEMO:
            if argument not in self.memo:
                raise _Broken(f"nothing was kept under {argument}")
            self.stack.append(self.memo[argument])
        elif name in FROM_MARK:
            self._fill(name, self._since_mark())
        elif name in ("SETITEM", "APPEND"):
            count = 2 if name == "SETITEM" else 1
            self._fill(name + "S", list(reversed([self.pop() for _ in range(count)])))

    def pop(self) -> Any:
        """Take the topmost value."""
        if not self.stack:
            raise _Broken("a value is missing")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        """Look at the topmost value, which must be of this kind."""
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise _Broken(f"a {kind.__name__} is missing")
        return self.stack[-1]

    def _since_mark(self) -> list[Any]:
        if not self.marks:
            raise _Broken("a mark is missing")
        values, self.stack = self.stack, self.marks.pop()
        return values

    def _fill(self, name: str, values: list[Any]) -> None:
        if name == "LIST":
            self.stack.append(values)
        elif name == "TUPLE":
            self.stack.append(tuple(values))
        elif name == "APPENDS":
            self.top(list).extend(values)
        else:
            if name == "DICT":
                self.stack.append({})
            if len(values) % 2:
                raise _Broken("a key has no value")
            keys = values[::2]
            # Before the dict hashes it: the hash of a tuple that holds itself many times over takes for ever.
            if any(not isinstance(key, str | int) for key in keys):
                raise _Broken("a key is neither text nor a whole number")
            self.top(dict).update(zip(keys, values[1::2], strict=True))


def _build(content: bytes, source: str) -> Any:
    machine = _Machine()
    position = 0
    try:
        for name, argument, at in _opcodes(content, source):
            position = at
            if name != "STOP" and name not in ("PROTO", "FRAME"):
                machine.run(name, argument)
        value = machine.pop()
        if machine.stack or machine.marks:
            raise _Broken("values are left over")
    except _Broken as error:
        raise UsageError(f"{source} is a damaged pickle: at byte {position} {error}") from error
    return value


class _Copier:
    """Copies a plain value so that nothing is shared, and counts; what holds itself is found to be too deep."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.count = 0

    def copy(self, value: Any, depth: int = 0) -> Any:
        """Return the copy. Errors: `UsageError` for a value that is not plain, too deep or too large."""
        self.count += 1 + (len(value) // 64 if isinstance(value, str) else 0)
        if depth > MOST_DEPTH or self.count > MOST_VALUES:
            raise UsageError(
                f"{self.source} was refused: it holds itself, is nested more than {MOST_DEPTH} levels deep or has more "
                f"than {MOST_VALUES:,} values"
            )
        kind = type(value)
        if kind is dict and all(isinstance(key, str | int) for key in value):
            return {self.copy(key, depth + 1): self.copy(part, depth + 1) for key, part in value.items()}
        if kind is list or kind is tuple:
            return kind(self.copy(part, depth + 1) for part in value)
        if kind is int and value.bit_length() > MOST_BITS:
            raise UsageError(f"{self.source} was refused: it has a whole number of more than {MOST_BITS} bits")
        if kind is str and any("\ud800" <= character <= "\udfff" for character in value):
            raise UsageError(f"{self.source} was refused: it has text that is not valid Unicode")
        if kind not in (str, int, float, bool, type(None)):
            what = "dict with other keys than text and whole numbers" if kind is dict else kind.__name__
            raise UsageError(f"{self.source}: expected plain values; got a {what}. Turn it into a plain one.")
        return value
