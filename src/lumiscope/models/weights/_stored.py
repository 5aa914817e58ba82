"""A tensor that still lies in its file: its shape is known, its numbers are read when they are asked for."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from lumiscope.errors import WeightsError


class Stored(Protocol):
    """As much of a tensor in a file as choosing among tensors needs."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        ...

    def load(self) -> torch.Tensor:
        """Read it. Errors: `WeightsError`."""
        ...


def numel(tensor: Stored) -> int:
    """How many numbers it has."""
    return math.prod(tensor.shape)


@dataclass(frozen=True, eq=False)
class Storage:
    """Numbers in a row in a file. `start`: bytes before the first. `count`: of numbers. `swapped`: order of bytes."""

    path: Path
    start: int
    count: int
    dtype: torch.dtype
    swapped: bool = False


@dataclass(frozen=True, eq=False)
class StorageTensor:
    """A strided view of a storage, as torch keeps it. `offset`, `stride`: in numbers. Errors: see `checked`."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @classmethod
    def checked(cls, storage: Storage, offset: object, shape: object, stride: object) -> StorageTensor:
        """Build it. Errors: `ValueError` for a view that goes beyond its storage, or is none."""
        whole = [offset, *_tuple(shape), *_tuple(stride)]
        if any(not isinstance(number, int) or number < 0 for number in whole) or len(_tuple(shape)) != len(
            _tuple(stride)
        ):
            raise ValueError(f"a tensor of size {shape!r:.80} and stride {stride!r:.80} is none")
        tensor = cls(storage, int(offset), _tuple(shape), _tuple(stride))  # type: ignore[call-overload]
        if numel(tensor) and tensor.offset + tensor.extent > storage.count:
            raise ValueError(f"a tensor of {tensor.shape} goes beyond the {storage.count} numbers of its storage")
        return tensor

    @property
    def extent(self) -> int:
        """How many numbers of the storage lie between its first and its last, both included."""
        return 1 + sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))

    def load(self) -> torch.Tensor:
        """Read the numbers that it spans, and no others. Errors: `WeightsError` where the file ends before."""
        width = self.storage.dtype.itemsize
        if not numel(self):
            return torch.empty(self.shape, dtype=self.storage.dtype)
        with self.storage.path.open("rb") as file:
            file.seek(self.storage.start + self.offset * width)
            content = bytearray(file.read(self.extent * width))
        if len(content) < self.extent * width:
            raise WeightsError(f"{self.storage.path} cannot be read as weights: it is damaged; it ends within a tensor")
        if self.storage.swapped:
            part = width // 2 if self.storage.dtype.is_complex else width
            np.frombuffer(content, f"u{part}").byteswap(inplace=True)
        numbers = torch.frombuffer(content, dtype=self.storage.dtype)
        return numbers.as_strided(self.shape, self.stride).contiguous()


@dataclass(frozen=True, eq=False)
class MadeTensor:
    """A tensor that is made of others when it is asked for."""

    shape: tuple[int, ...]
    make: Callable[[], torch.Tensor]

    def load(self) -> torch.Tensor:
        """Make it."""
        return self.make()


def other_order(name: str) -> bool:
    """Whether numbers in this order of bytes, "little" or "big", have to be turned round here."""
    return name != sys.byteorder


def _tuple(numbers: object) -> tuple[int, ...]:
    return tuple(numbers) if isinstance(numbers, tuple | list) else ()
