"""Pickles of plain values, read without ever unpickling; see `lumiscope.pickle_machine`.

The opcodes are listed first; one that plain values do not need refuses the whole file. `pickle` itself only writes.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, TypeAlias

from lumiscope.errors import UsageError
from lumiscope.files import MOST_SETTINGS
from lumiscope.pickle_machine import PLAIN, BrokenPickleError, PickleMachine, opcodes

Plain: TypeAlias = "bool | int | float | str | list[Plain] | tuple[Plain, ...] | dict[str | int, Plain] | None"

MOST_OPCODES = 400_000
MOST_VALUES = 200_000  # with what is shared counted wherever it stands; 64 characters of text count as one
MOST_DEPTH = 32
MOST_BITS = 64  # of a whole number

HIGHEST_PROTOCOL = 5


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
        yield from opcodes(content)
    except BrokenPickleError as error:
        raise UsageError(f"{source} is not a pickle, or is damaged or cut off: {error}") from error


def _check_opcodes(content: bytes, source: str) -> None:
    """Refuse the file before anything is built."""
    for number, (name, argument, position) in enumerate(_opcodes(content, source)):
        if name not in PLAIN:
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


def _build(content: bytes, source: str) -> Any:
    machine = PickleMachine()
    position = 0
    try:
        for name, argument, at in _opcodes(content, source):
            position = at
            machine.run(name, argument)
        return machine.result()
    except BrokenPickleError as error:
        raise UsageError(f"{source} is a damaged pickle: at byte {position} {error}") from error


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
