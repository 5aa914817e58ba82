"""The pickle in a torch file, read without running it: tensors as they lie in the file, all else inert.

What the pickle names is never looked up. A name that stands neither for tensors nor for a harmless standard type
refuses the file; an object of a harmless type is put in its place as an `Inert`, which holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

import torch

from lumiscope.models.weights import _globals
from lumiscope.models.weights._array import ArrayKind, ArrayTensor, Encoded
from lumiscope.models.weights._globals import Name, is_harmless, named, storage_dtype
from lumiscope.models.weights._stored import Storage, StorageTensor
from lumiscope.pickle_machine import PLAIN, BrokenPickleError, PickleMachine, opcodes

MOST_OPCODES = 4_000_000
MOST_BYTES = 256 * 2**20  # of a pickle; the numbers of tensors lie outside, those of arrays within
MOST_LINE = 2**16
MOST_KEY_PARTS = 64

TEXTS = frozenset(("STRING", "BINSTRING", "SHORT_BINSTRING"))
BYTES = frozenset(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"))
ALLOWED = PLAIN | TEXTS | BYTES | {"EMPTY_SET", "ADDITEMS", "FROZENSET", "GLOBAL", "STACK_GLOBAL", "REDUCE"}
ALLOWED |= {"NEWOBJ", "NEWOBJ_EX", "BUILD", "PERSID", "BINPERSID"}


class ForeignNameError(Exception):
    """The pickle names what loading would have to run."""


class RefusedPickleError(BrokenPickleError):
    """The pickle may be whole, but is larger than weights are, or holds what is never among them."""


class Inert:
    """An object of a harmless type that no weights are in. `name`: of its type."""

    def __init__(self, name: object) -> None:
        self.name = str(name)

    def __repr__(self) -> str:
        return self.name.removeprefix("builtins.")

    @property
    def tensor(self) -> str:
        """What kind of tensor it stands for whose numbers are not read; "" where it is none."""
        return _globals.OTHER_TENSORS.get(self.name.rpartition(".")[2], "")


def kind_of(value: object) -> str:
    """What a value of a pickle is called where it was saved."""
    if isinstance(value, StorageTensor | ArrayTensor):
        return "tensor" if isinstance(value, StorageTensor) else "array"
    if isinstance(value, Encoded):
        return "bytes"
    return str(value) if isinstance(value, Inert | Name) else type(value).__name__


FindStorage = Callable[[tuple[Any, ...], torch.dtype], Storage]
"""From what a pickle says of a storage, ("storage", type, key, place, count, …), and its dtype, to where it lies."""


def read_pickle(file: IO[bytes], storage: FindStorage) -> Any:
    """Read one pickle from where `file` stands.

    Returns dicts, lists, tuples, texts and numbers, with `StorageTensor`, `ArrayTensor` and `Inert` among them. Errors:
    `ForeignNameError` for a name that is not known to be harmless, `RefusedPickleError` for what is larger than weights
    are or has other keys, `BrokenPickleError` for anything else that is no pickle of tensors.
    """
    machine = _TensorMachine(storage)
    for number, (opcode, argument, _) in enumerate(opcodes(_Bounded(file))):  # type: ignore[arg-type]
        if opcode not in ALLOWED:
            raise BrokenPickleError(f"the opcode {opcode} is not expected in a file of weights")
        if number >= MOST_OPCODES:
            raise RefusedPickleError(f"it has more than {MOST_OPCODES:,} opcodes")
        machine.run(opcode, argument)
    return machine.result()


class _Bounded:
    """A file of which a pickle may read only so much."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left = MOST_BYTES

    def read(self, count: int) -> bytes:
        """Read `count` bytes. Errors: `BrokenPickleError` for more than a pickle may have."""
        self._take(count)
        return self.file.read(count)

    def readline(self) -> bytes:
        """Read a line. Errors: `BrokenPickleError` for a long one."""
        line = self.file.readline(MOST_LINE)
        self._take(len(line) if line.endswith(b"\n") else MOST_BYTES + 1)
        return line

    def _take(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise RefusedPickleError(
                f"its pickle has more than {MOST_BYTES:,} bytes (arrays of NumPy are part of it, tensors not)"
            )


class _TensorMachine(PickleMachine):
    """Plain values, tensors and inert objects."""

    def __init__(self, storage: FindStorage) -> None:
        super().__init__()
        self.find_storage = storage
        self.actions: dict[str, Callable[[], object]] = {
            "STACK_GLOBAL": self._stack_global,
            "REDUCE": self._reduce,
            "NEWOBJ": self._reduce,
            "NEWOBJ_EX": self._new_with_keywords,
            "BUILD": self._build,
            "BINPERSID": lambda: self._persistent(self.pop()),
            "EMPTY_SET": lambda: Inert("set"),
            "FROZENSET": lambda: (self.since_mark(), Inert("frozenset"))[1],
        }

    def run(self, name: str, argument: Any) -> None:
        """Do what one opcode says."""
        if name in TEXTS or name in BYTES:
            self.stack.append(argument)
        elif name == "GLOBAL":
            self.stack.append(_allowed(*argument.split(" ", 1)))
        elif name == "PERSID":
            raise BrokenPickleError("a storage is named in words")
        elif name == "ADDITEMS":
            self.since_mark()
        elif name in self.actions:
            value = self.actions[name]()  # which may change the stack for the one before a mark
            self.stack.append(value)
        else:
            super().run(name, argument)

    def fill(self, name: str, values: list[Any]) -> None:
        """Fill as plain values are filled; what an inert object is given is dropped."""
        if name in ("APPENDS", "SETITEMS") and self.stack and isinstance(self.stack[-1], Inert):
            return
        super().fill(name, values)

    def check_key(self, key: object) -> None:
        """Errors: `BrokenPickleError` for a key that holds itself or is no plain one."""
        _check_key(key)

    def _stack_global(self) -> Name:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise BrokenPickleError("a name is no text")
        return _allowed(module, name)

    def _new_with_keywords(self) -> object:
        self.pop()
        return self._reduce()

    def _reduce(self) -> object:
        arguments, called = self.pop(), self.pop()
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise BrokenPickleError("what is called has no name")
        try:
            return self._rebuilt(called, arguments)
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise BrokenPickleError(str(error)) from error

    def _rebuilt(self, called: Name, arguments: tuple[Any, ...]) -> object:
        if str(called) in _globals.MAPPINGS:
            return _mapping(called, arguments)
        if str(called) == "torch.Size":
            return tuple(arguments[0])
        if called.module == "torch._utils" and called.name in _globals.REBUILDS:
            return _tensor(called, arguments)
        if (part := _of_numpy(called, arguments)) is not None:
            return part
        if called.name in _globals.PARAMETERS or str(called) == "torch.nn.parameter.Parameter":
            return arguments[0] if arguments else Inert(called)
        if called.name == "_rebuild_from_type_v2":
            inner, _, of_inner = arguments[:3]
            return self._rebuilt(inner, of_inner) if isinstance(inner, Name) else Inert(called)
        return Inert(called)

    def _build(self) -> object:
        """Take the state of an object off; what a dict or tensor carries beside its content is no weight.

        An array of NumPy is filled by it.
        """
        state, filled = self.pop(), self.pop()
        if isinstance(filled, ArrayKind) and isinstance(state, tuple) and len(state) > 1:
            filled.order = state[1]
        elif isinstance(filled, ArrayTensor) and isinstance(state, tuple) and len(state) == 5:
            try:
                filled.fill(state[1], state[2], state[4], columns_first=bool(state[3]))
            except (ValueError, TypeError) as error:
                raise BrokenPickleError(str(error)) from error
        return filled

    def _persistent(self, said: object) -> Storage:
        if not isinstance(said, tuple) or len(said) < 5 or said[0] != "storage":
            raise BrokenPickleError("a storage is not named as torch names one")
        dtype = storage_dtype(said[1])
        if dtype is None or not isinstance(said[4], int) or said[4] < 0:
            raise BrokenPickleError(f"there is no storage of {said[4]!r:.40} numbers of {said[1]!s:.80}")
        return self.find_storage(said, dtype)


def _allowed(module: str, name: str) -> Name:
    asked = named(module, name)
    if not is_harmless(asked):
        raise ForeignNameError(str(asked).removeprefix("builtins."))
    return asked


def _mapping(called: Name, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    content = arguments[1:] if called.name == "defaultdict" else arguments
    mapping: dict[Any, Any] = {}
    for part in content[:1]:
        for key, value in part.items() if isinstance(part, dict) else part:
            _check_key(key)
            mapping[key] = value
    return mapping


def _tensor(called: Name, arguments: tuple[Any, ...]) -> StorageTensor:
    """What `_rebuild_tensor…(storage, offset, size, stride, …)` stands for."""
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, Storage):
        raise TypeError("a tensor has no storage")
    flags = arguments[7 if called.name == "_rebuild_tensor_v3" else 6 :]
    if flags and flags[0]:
        raise RefusedPickleError("a tensor is marked as conjugate or negative, which weights are not")
    if called.name == "_rebuild_tensor_v3":
        dtype = _globals.torch_constant(arguments[6])
        if not isinstance(dtype, torch.dtype):
            raise TypeError(f"there is no dtype {arguments[6]}")
        storage = Storage(storage.path, storage.start, storage.count // dtype.itemsize, dtype, storage.swapped)
    return StorageTensor.checked(storage, offset, shape, stride)


def _of_numpy(called: Name, arguments: tuple[Any, ...]) -> object:
    """An array, which its state fills, its dtype, or its bytes; None for everything else."""
    if str(called) == "_codecs.encode" and arguments[1:] == ("latin1",) and isinstance(arguments[0], str):
        return Encoded(arguments[0])
    if str(called) == "numpy.dtype":
        return ArrayKind(arguments[0])
    if called.name == "_reconstruct":
        return ArrayTensor()
    if called.name == "_frombuffer":
        content, kind, shape, order = arguments
        array = ArrayTensor()
        array.fill(shape, kind, content, columns_first=order == "F")
        return array
    return None


def _check_key(key: object) -> None:
    if _key_parts(key, depth=4) > MOST_KEY_PARTS:
        raise RefusedPickleError(f"a key is a {kind_of(key)} that is no text, number or short tuple of these")


def _key_parts(key: object, depth: int) -> int:
    """How many plain parts a key has; more than any key may have where it is nested deeper or holds something else."""
    if isinstance(key, tuple) and depth:
        return sum(_key_parts(part, depth - 1) for part in key[: MOST_KEY_PARTS + 1])
    plain = key is None or isinstance(key, str | int | float | bytes | Encoded | Inert | Name)
    return 1 if plain else MOST_KEY_PARTS + 1
