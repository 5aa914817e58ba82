"""What was made once is not made again: results by what they depend on, on disk or in memory.

A result's key is its inputs plus a digest of the code that makes it (`code_digest`), so nobody raises a version by
hand. `Memo.results` gives the results of one kind that share their inputs; in there each has a key of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from lumiscope.cell_digest import cell_digest
from lumiscope.code_digest import code_digest
from lumiscope.memory_store import MemoryStore
from lumiscope.store import Arrays, content_key

Value = TypeVar("Value")


class Results(Protocol):
    """Results that share what they depend on: key -> named arrays. In a store (`Collection`) or in memory."""

    def __contains__(self, key: str, /) -> bool: ...

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that have no result yet, in order."""
        ...

    def get(self, key: str) -> dict[str, NDArray[Any]]:
        """The arrays of one result; the caller's to change. Errors: `StoreError` where there is none."""
        ...

    def get_all(self, keys: Iterable[str]) -> dict[str, dict[str, NDArray[Any]]]:
        """The arrays of each of `keys`, in no particular order. Errors as `get`."""
        ...

    def put(self, results: Mapping[str, Arrays], seconds: float | None = None) -> None:
        """Keep a planned batch of results. `seconds`: what it took to compute them, where that counts."""
        ...

    def seconds_each(self, keys: Iterable[str]) -> float:
        """Mean seconds that a result took when it was computed; NaN if unknown."""
        ...

    @property
    def location(self) -> str:
        """Where they lie in the store."""
        ...


class AnyStore(Protocol):
    """A `Store` or a `MemoryStore`."""

    def collection(self, kind: str, scope: Mapping[str, Any]) -> Results:
        """The results of one kind that share `scope` (JSON values)."""
        ...

    def open_collection(self, location: str) -> Results:
        """The results at a location. Errors: `StoreError` where they are gone."""
        ...


class Memo:
    """Results that were made once. `store`: where they are; by default in memory, as long as this object lives."""

    def __init__(self, store: AnyStore | None = None) -> None:
        self.store: AnyStore = MemoryStore() if store is None else store
        self._open: dict[str, Results] = {}

    @property
    def folder(self) -> Path | None:
        """Where large temporary files may lie; None: where the system keeps them."""
        return getattr(self.store, "root", None)

    def results(self, kind: str, inputs: Mapping[str, Any], *, made_by: Iterable[object]) -> Results:
        """The results of one kind that share `inputs` (JSON values) and were made by the code that stands there now.

        `made_by`: the functions, classes or modules that make them; what these import counts, too, but not what they
        find in a registry, so an entry that was chosen by name is one of them. Of one that no file has, as in a
        notebook, its own code counts; see `cell_digest`.
        """
        scope = {**inputs, "code": _code_of(list(made_by))}
        place = f"{kind} {content_key(scope)}"
        if place not in self._open:  # to open one reads all that is there
            self._open[place] = self.store.collection(kind, scope)
        return self._open[place]

    def open(self, location: str) -> Results:
        """The results at a `Results.location`. Errors: `StoreError` where they are gone."""
        return self.store.open_collection(location)

    def value(
        self,
        kind: str,
        inputs: Mapping[str, Any],
        make: Callable[[], Value],
        *,
        made_by: Iterable[object],
        to_arrays: Callable[[Value], Arrays],
        from_arrays: Callable[[Mapping[str, NDArray[Any]]], Value],
    ) -> Value:
        """One value: that of an earlier call with the same inputs and code, else `make()`, which is kept."""
        results = self.results(kind, inputs, made_by=made_by)
        key = content_key(kind)
        if key in results:
            return from_arrays(results.get(key))
        value = make()
        results.put({key: to_arrays(value)})
        return value


def _code_of(makers: Sequence[object]) -> str:
    """A digest of what makes a result: of the modules, and of what no file has."""
    in_files = code_digest(frozenset(map(_module, makers)))
    in_cells = sorted(digest for maker in makers if (digest := cell_digest(maker)) is not None)
    return content_key([in_files, *in_cells]) if in_cells else in_files


def _module(maker: object) -> str:
    name = getattr(maker, "__module__", None) or getattr(maker, "__name__", None)
    if not isinstance(name, str):
        raise TypeError(f"expected functions, classes or modules that make a result; got {maker!r}")
    return name
