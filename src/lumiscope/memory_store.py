"""Results in memory: what a `Store` is on disk, for whoever keeps nothing."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import StoreError
from lumiscope.files import writing
from lumiscope.store import Arrays, content_key

IN_MEMORY = 2**26  # bytes that a `MemoryStore` holds in memory; what comes later lies in an unnamed temporary file


class MemoryStore:
    """Results that live as long as this object; nothing is left on disk, whatever ends the process.

    The first `in_memory` bytes of arrays stay in memory, later ones lie in one unnamed temporary file.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._collections: dict[str, MemoryCollection] = {}
        self._left = in_memory
        self._file: IO[bytes] | None = None

    def collection(self, kind: str, scope: Mapping[str, Any]) -> MemoryCollection:
        """The results of one kind that share `scope` (JSON values)."""
        location = f"{kind}/{content_key(scope)[:32]}"
        return self._collections.setdefault(location, MemoryCollection(self, location))

    def open_collection(self, location: str) -> MemoryCollection:
        """The results at a location. Errors: `StoreError` where there are none."""
        if location not in self._collections:
            raise StoreError(f"expected results at {location}; there are none")
        return self._collections[location]

    def keep(self, array: NDArray[Any]) -> NDArray[Any] | _Spooled:
        """Take a copy of an array; `_Spooled.copy` or the array's own gives it back.

        Errors: `StoreError` where the disk is full.
        """
        if array.nbytes <= self._left:
            self._left -= array.nbytes
            return array.copy()
        with writing(Path(tempfile.gettempdir())):
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as this object
            offset = self._file.seek(0, 2)
            self._file.write(array.tobytes())
            self._file.flush()
        return _Spooled(self._file, offset, array.dtype, array.shape)


@dataclass(frozen=True)
class _Spooled:
    """An array in a file."""

    file: IO[bytes]
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def copy(self) -> NDArray[Any]:
        """The array."""
        self.file.seek(self.offset)
        count = int(np.prod(self.shape))
        return np.frombuffer(self.file.read(count * self.dtype.itemsize), self.dtype, count).reshape(self.shape).copy()


class MemoryCollection:
    """Results in a `MemoryStore`: key -> named arrays."""

    def __init__(self, store: MemoryStore, location: str) -> None:
        self.location = location
        self._store = store
        self._kept: dict[str, dict[str, NDArray[Any] | _Spooled]] = {}
        self._seconds: dict[str, float] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that have no result yet, in order."""
        return list(itertools.filterfalse(self._kept.__contains__, keys))

    def get(self, key: str) -> dict[str, NDArray[Any]]:
        """The arrays of one result. Errors: `StoreError` where there is none."""
        if key not in self._kept:
            raise StoreError(f"expected a result under {key} in {self.location}; there is none")
        return {name: array.copy() for name, array in self._kept[key].items()}

    def get_all(self, keys: Iterable[str]) -> dict[str, dict[str, NDArray[Any]]]:
        """The arrays of each of `keys`. Errors as `get`."""
        return {key: self.get(key) for key in keys}

    def put(self, results: Mapping[str, Arrays], seconds: float | None = None) -> None:
        """Keep results. `seconds`: what all of them together took, where that counts."""
        for key, arrays in results.items():
            self._kept[key] = {name: self._store.keep(np.asarray(array)) for name, array in arrays.items()}
            if seconds is not None:
                self._seconds[key] = seconds / len(results)

    def seconds_each(self, keys: Iterable[str]) -> float:
        """Mean seconds that a result took; NaN if unknown."""
        seconds = [self._seconds[key] for key in keys if key in self._seconds]
        return sum(seconds) / len(seconds) if seconds else float("nan")
