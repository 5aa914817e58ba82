"""Arrays of NumPy in a pickle, which hold their numbers themselves: what the pickle says of them, not yet made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from lumiscope.errors import WeightsError

NUMBERS = frozenset("fiubc")  # the kinds of dtypes that torch has


@dataclass(frozen=True)
class Encoded:
    """Bytes that an older pickle writes as a text, a letter each; made when they are asked for."""

    text: str

    def __repr__(self) -> str:
        return repr(self.text.encode("latin1", "backslashreplace"))


class ArrayKind:
    """A dtype. `code`: as "f4". `order`: of bytes, "<", ">", "=" or "|"."""

    def __init__(self, code: object, order: object = "=") -> None:
        self.code = code
        self.order = order

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """What numbers of this kind are read by; None for what is no number, such as objects and texts."""
        if not isinstance(self.code, str) or self.code[:1] not in NUMBERS or self.order not in ("<", ">", "=", "|"):
            return None
        return np.dtype(self.code).newbyteorder(self.order)


class ArrayTensor:
    """An array as a tensor. Its pickle names it first and fills it later; what is no number stays empty."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] | None = None
        self._content: bytes | bytearray | str = b""
        self._columns_first = False

    @property
    def filled(self) -> bool:
        """Whether it has numbers."""
        return self._dtype is not None

    def fill(self, shape: object, kind: object, content: object, *, columns_first: bool) -> None:
        """Take what the pickle says. Errors: `ValueError` for another number of bytes than shape and kind need."""
        dtype = kind.dtype if isinstance(kind, ArrayKind) else None
        if dtype is None:
            return
        sizes = shape if isinstance(shape, tuple) else (shape,)
        if not all(isinstance(size, int) and size >= 0 for size in sizes):
            raise ValueError(f"an array of size {sizes!r:.80} is none")
        stored = content.text if isinstance(content, Encoded) else content
        if not isinstance(stored, bytes | bytearray | str):
            stored = b""
        if len(stored) != math.prod(sizes) * dtype.itemsize:
            raise ValueError(f"an array of {sizes} {dtype} has {len(stored)} bytes")
        self.shape, self._dtype, self._content, self._columns_first = sizes, dtype, stored, columns_first

    def load(self) -> torch.Tensor:
        """Make it. Errors: `WeightsError` for a text that stands for no bytes, and numbers that torch has not."""
        try:
            content = self._content.encode("latin1") if isinstance(self._content, str) else bytes(self._content)
            numbers = np.frombuffer(content, self._dtype).reshape(self.shape, order="F" if self._columns_first else "C")
            return torch.from_numpy(np.array(numbers, numbers.dtype.newbyteorder("="), order="C"))
        except (UnicodeEncodeError, TypeError) as error:
            raise WeightsError(f"an array of NumPy cannot be read as weights: {str(error)[:200]}") from error
