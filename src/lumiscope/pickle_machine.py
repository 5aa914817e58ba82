"""Pickles read without ever unpickling: nothing that a file names is looked up, imported or called.

A pickle is a program; `pickle.load` runs it, and a hostile one runs whatever its author likes. `opcodes` lists its
steps without taking them, and `PickleMachine` does what those for plain values say: push constants, fill lists and
dicts. Whoever needs more adds it to a machine of his own, and refuses every opcode that he does not expect.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from typing import IO, Any

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = ("INT", "LONG", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
TEXTS = ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
PUSHES = frozenset((*CONSTANTS, *NUMBERS, *TEXTS))
EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
TO_MEMO = frozenset(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"))
FROM_MEMO = frozenset(("GET", "BINGET", "LONG_BINGET"))
FROM_MARK = frozenset(("DICT", "LIST", "TUPLE", "SETITEMS", "APPENDS"))
FRAMING = frozenset(("PROTO", "FRAME", "STOP"))
PLAIN = frozenset(
    {"MARK", "SETITEM", "APPEND", *FRAMING, *PUSHES, *EMPTY, *SHORT_TUPLES, *TO_MEMO} | FROM_MEMO | FROM_MARK
)
"""What Python 3 writes, in any protocol, for dict, list, tuple, str, int, float, bool and None. No bytes."""


class BrokenPickleError(Exception):
    """The bytes are no pickle, or its opcodes do not fit together."""


def opcodes(content: bytes | IO[bytes]) -> Iterator[tuple[str, Any, int]]:
    """(name, argument, position) of every opcode up to STOP, not run. Errors: `BrokenPickleError`."""
    try:
        for opcode, argument, position in pickletools.genops(content):
            yield opcode.name, argument, position or 0
    except BrokenPickleError:
        raise
    except Exception as error:  # whatever the argument's parser stumbles over
        raise BrokenPickleError(str(error)) from error


class PickleMachine:
    """What the opcodes for plain values act on: a stack of values, which MARK divides, and a memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, name: str, argument: Any) -> None:
        """Do what one opcode says. Errors: `BrokenPickleError` for one that is not `PLAIN`, or does not fit."""
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
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.top()
        elif name in FROM_MEMO:
            if argument not in self.memo:
                raise BrokenPickleError(f"nothing was kept under {argument}")
            self.stack.append(self.memo[argument])
        elif name in FROM_MARK:
            self.fill(name, self.since_mark())
        elif name in ("SETITEM", "APPEND"):
            count = 2 if name == "SETITEM" else 1
            self.fill(name + "S", list(reversed([self.pop() for _ in range(count)])))
        elif name not in FRAMING:
            raise BrokenPickleError(f"the opcode {name} is not expected")

    def result(self) -> Any:
        """The one value that is left at STOP. Errors: `BrokenPickleError` for none or several."""
        value = self.pop()
        if self.stack or self.marks:
            raise BrokenPickleError("values are left over")
        return value

    def pop(self) -> Any:
        """Take the topmost value."""
        if not self.stack:
            raise BrokenPickleError("a value is missing")
        return self.stack.pop()

    def top(self, kind: type = object) -> Any:
        """Look at the topmost value, which must be of this kind."""
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise BrokenPickleError(f"a {kind.__name__} is missing")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        """Take the values since the last mark."""
        if not self.marks:
            raise BrokenPickleError("a mark is missing")
        values, self.stack = self.stack, self.marks.pop()
        return values

    def fill(self, name: str, values: list[Any]) -> None:
        """Make a list, tuple or dict of values, or add them to the topmost one."""
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
                raise BrokenPickleError("a key has no value")
            # Before the dict hashes it: the hash of a tuple that holds itself many times over takes for ever.
            for key in values[::2]:
                self.check_key(key)
            self.top(dict).update(zip(values[::2], values[1::2], strict=True))

    def check_key(self, key: object) -> None:
        """Errors: `BrokenPickleError` for a key of a dict that is not expected."""
        if not isinstance(key, str | int):
            raise BrokenPickleError("a key is neither text nor a whole number")
