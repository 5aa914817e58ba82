"""Content-addressed results on disk, shared by all runs.

    STORE/<kind>/<scope>/scope.json          what every result here depends on, readable
    STORE/<kind>/<scope>/<sha256>.safetensors  a shard: a planned batch of results, named after its own bytes
    STORE/<kind>/<scope>/<sha256>.json         what it cost (seconds); no result depends on it

A scope is the hash of everything that its results have in common (model fingerprint, method, options, code version,
…); inside it a result is found by its item key, the hash of what is its own (image bytes, seed, target). A shard is
written under a temporary name, then renamed, so it is there whole or not at all; processes may share a store, as the
worst that two can do is to compute the same shard twice. A shard whose bytes do not match its name is reported, moved
aside and computed again; so is whatever else lies under the name of one. What cannot be written or read ends the work:
it is a `StoreError`, never the fault of an image.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import struct
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lumiscope.errors import StoreError
from lumiscope.files import (
    MOST_FACTS,
    clear_parts,
    failure_in_words,
    parse_json,
    read_bytes,
    read_text,
    reason_of,
    write_atomically,
    writing,
)

logger = logging.getLogger(__name__)
Arrays: TypeAlias = Mapping[str, NDArray[Any]]
SUFFIX = ".safetensors"


def content_key(parts: object) -> str:
    """Sha256 (hex) of JSON values; the order of mapping keys does not matter. Errors: `TypeError` for other values."""
    return hashlib.sha256(canonical_json(parts).encode("utf-8", "surrogatepass")).hexdigest()


def canonical_json(parts: object) -> str:
    """The same JSON text for equal values."""
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def json_array(content: object) -> NDArray[np.uint8]:
    """JSON values as an array, as results are kept; `from_json_array` reads it back."""
    return np.frombuffer(json.dumps(content).encode(), np.uint8)


def from_json_array(array: NDArray[Any]) -> Any:
    """What `json_array` was made from; tuples come back as lists."""
    return json.loads(array.tobytes())


class Store:
    """The folder that holds all results. `damaged`: the shards that were moved aside since this object was made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.damaged: list[str] = []

    def clear_parts(self) -> None:
        """Remove what processes that are gone left half-written, also of results that nobody asks for any more."""
        for folder in self.root.glob("*/*"):
            clear_parts(folder)

    def collection(self, kind: str, scope: Mapping[str, Any]) -> Collection:
        """The results of one kind that share `scope` (JSON values)."""
        folder = self.root / kind / content_key(scope)[:32]
        return Collection(self, folder, scope)

    def open_collection(self, location: str) -> Collection:
        """The results in the folder `location`, relative to the store. Errors: `StoreError` where it is gone."""
        folder = self.root / location
        try:
            scope = parse_json(read_text(folder / "scope.json", MOST_FACTS))
            if not isinstance(scope, dict):
                raise ValueError(f"expected a JSON object; got {type(scope).__name__}")
        except (OSError, ValueError) as error:
            reason = reason_of(error)
            raise StoreError(f"the results in {folder} are gone or damaged ({reason}). Run the study again.") from error
        return Collection(self, folder, scope)


class Collection:
    """Results that share a scope: item key -> named arrays."""

    def __init__(self, store: Store, folder: Path, scope: Mapping[str, Any]) -> None:
        self.store = store
        self.folder = folder
        self.scope = dict(scope)
        self._shard_of: dict[str, Path] = {}
        self._shards: set[Path] = set()
        self._changed = 0  # when the folder had changed last, as it was read
        self._loaded: tuple[Path, dict[str, dict[str, NDArray[Any]]]] | None = None
        if self.folder.is_dir():
            clear_parts(self.folder)
            self._read_folder()
            self._write_scope()

    def __contains__(self, key: str) -> bool:
        return not self.missing([key])

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Those of `keys` that have no result yet, in order."""
        keys = list(keys)
        if any(key not in self._shard_of for key in keys):
            self._read_folder()
        return [key for key in keys if key not in self._shard_of]

    def get(self, key: str) -> dict[str, NDArray[Any]]:
        """The arrays of one result. Errors: `StoreError` where there is none or its shard was damaged meanwhile."""
        if key not in self._shard_of:
            self._changed = 0  # what was written within one tick of the clock shows no other time
            self._read_folder()
        path = self._shard_of.get(key)
        if path is None:
            raise StoreError(f"expected a result under {key} in {self.folder}; there is none. Run the study again.")
        if self._loaded is None or self._loaded[0] != path:
            content = _read_shard(path)
            if content is None:
                raise StoreError(f"the shard {path} was damaged or removed meanwhile. Run the study again.")
            self._loaded = (path, content)
        # copies: what a caller changes must not come back to the next one
        return {name: array.copy() for name, array in self._loaded[1][key].items()}

    def get_all(self, keys: Iterable[str]) -> dict[str, dict[str, NDArray[Any]]]:
        """The arrays of each of `keys`; every shard is read once, in whatever order the keys come. Errors as `get`."""
        wanted = list(dict.fromkeys(keys))
        _ = self.missing(wanted)  # takes in what others wrote
        return {key: self.get(key) for key in sorted(wanted, key=lambda key: str(self._shard_of.get(key, "")))}

    @property
    def location(self) -> str:
        """The folder relative to the store; `Store.open_collection` takes it."""
        return self.folder.relative_to(self.store.root).as_posix()

    def put(self, results: Mapping[str, Arrays], seconds: float | None = None) -> None:
        """Keep a planned batch of results in one shard. `seconds`: what it took to compute them, where that counts.

        Errors: `StoreError` where it cannot be written.
        """
        content = _shard_bytes(results)
        path = self.folder / (hashlib.sha256(content).hexdigest()[:40] + SUFFIX)
        with writing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write_scope()
            if seconds is not None:
                cost = {"seconds": seconds, "results": len(results)}
                write_atomically(path.with_suffix(".json"), json.dumps(cost).encode())
            write_atomically(path, content)
        self._shards.add(path)
        self._shard_of.update(dict.fromkeys(results, path))

    def seconds_each(self, keys: Iterable[str]) -> float:
        """Mean seconds that a result took when it was computed, over the shards that hold `keys`; NaN if unknown."""
        keys = list(keys)
        _ = self.missing(keys)
        shards = {self._shard_of[key] for key in keys if key in self._shard_of}
        costs = [_cost(shard) for shard in shards]
        count = sum(results for _, results in costs)
        return sum(seconds for seconds, _ in costs) / count if count else float("nan")

    def _write_scope(self) -> None:
        path, content = self.folder / "scope.json", json.dumps(self.scope, indent=1, sort_keys=True).encode()
        try:
            if read_bytes(path, MOST_FACTS) == content:
                return
        except OSError as error:
            logger.debug("%s is written again: %s", path, error)
        write_atomically(path, content)

    def _read_folder(self) -> None:
        """Take in the shards that are there, also those that other processes wrote meanwhile."""
        if not self.folder.is_dir():
            return
        changed = self.folder.stat().st_mtime_ns
        if changed == self._changed:
            return
        self._changed = changed
        for path in sorted(set(self.folder.glob("*" + SUFFIX)) - self._shards):
            self._shards.add(path)
            keys = _shard_keys(path)
            if keys is None:
                self._move_aside(path)
            else:
                self._shard_of.update(dict.fromkeys(keys, path))

    def _move_aside(self, path: Path) -> None:
        logger.warning("the shard %s is damaged; it is moved aside, and will be computed again", path)
        self.store.damaged.append(str(path))
        with contextlib.suppress(OSError):  # another process may have moved it already, or nobody may
            os.replace(path, path.with_suffix(".damaged"))


def _shard_bytes(results: Mapping[str, Arrays]) -> bytes:
    from safetensors.numpy import save

    arrays = {
        f"{key}/{name}": np.asarray(array, order="C")
        for key, parts in sorted(results.items())
        for name, array in sorted(parts.items())
    }
    return save(arrays)


def _verified(path: Path) -> bytes | None:
    """The bytes of a shard, or None where they do not match its name. Errors: `StoreError` where it cannot be read."""
    if path.exists() and not path.is_file():
        return None
    try:
        content = read_bytes(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the shard {failure_in_words(error, path)}") from error
    return content if hashlib.sha256(content).hexdigest()[:40] == path.stem else None


def _shard_keys(path: Path) -> set[str] | None:
    content = _verified(path)
    if content is None:
        return None
    try:
        (length,) = struct.unpack("<Q", content[:8])
        header = parse_json(content[8 : 8 + length])
        # one string for a key, in however many collections the same image has results
        return {sys.intern(name.partition("/")[0]) for name in header if name != "__metadata__"}
    except (struct.error, ValueError, TypeError):
        return None  # it bears the digest of its bytes, but they are no shard


def _read_shard(path: Path) -> dict[str, dict[str, NDArray[Any]]] | None:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = _verified(path)
    if content is None:
        return None
    try:
        arrays = load(content)
    except SafetensorError:
        return None
    results: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in arrays.items():
        key, _, part = name.partition("/")
        results.setdefault(key, {})[part] = array
    return results


def _cost(shard: Path) -> tuple[float, int]:
    try:
        cost = parse_json(read_text(shard.with_suffix(".json"), MOST_FACTS))
        return float(cost["seconds"]), int(cost["results"])
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return 0.0, 0
