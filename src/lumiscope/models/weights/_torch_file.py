"""Where the tensors of a file that `torch.save` wrote lie in it, for both of its forms; nothing of the file is run."""

from __future__ import annotations

import dataclasses
import os
import struct
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch

from lumiscope.errors import WeightsError
from lumiscope.models.weights._stored import Storage, other_order
from lumiscope.models.weights._tensor_pickle import MOST_BYTES, RefusedPickleError, read_pickle
from lumiscope.pickle_machine import BrokenPickleError

MAGIC = 0x1950A86A20F9469CFC6C
MOST_DIRECTORY = 64 * 2**20  # bytes of the list of entries, which zipfile reads whole
MOST_COMMENT = 2**16 + 128  # bytes at the end of an archive in which the record of its list lies
END, LARGE_END = struct.Struct("<12xL"), struct.Struct("<40xQ")  # of that record: the length of the list
LOCAL_HEADER = struct.Struct("<26xHH")  # of an entry in a zip archive: the lengths of its name and its extra field


def read_zip(path: Path) -> Any:
    """The content of a zip archive: `NAME/data.pkl`, and each storage as an entry `NAME/data/KEY`.

    Errors: `WeightsError` for an archive of something else, and one with compressed entries, which torch never writes:
    a small file could fill the memory. `BrokenPickleError`, `ForeignNameError`: as `read_pickle`.
    """
    _check_directory(path)
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        entries = {entry.filename: entry for entry in archive.infolist()}
        root = _root(path, entries)
        record = entries.get(f"{root}byteorder")
        order = archive.read(record).decode("ascii", "replace") if record and record.file_size < 16 else "little"

        def storage(said: tuple[Any, ...], dtype: torch.dtype) -> Storage:
            entry = entries.get(f"{root}data/{said[2]}")
            if entry is None or entry.file_size < said[4] * dtype.itemsize:
                raise BrokenPickleError(f"the storage {said[2]!r:.80} is not there, or too short")
            return Storage(path, _start(file, entry), said[4], dtype, other_order(order))

        with archive.open(entries[f"{root}data.pkl"]) as pickled:
            return read_pickle(pickled, storage)


def _check_directory(path: Path) -> None:
    """Errors: `BrokenPickleError` where an archive has a list of entries that is missing, or too long to be read."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - MOST_COMMENT))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    if at < 0 or len(end) < at + END.size:
        raise BrokenPickleError("it is an archive without a list of entries, as one that is cut off")
    (length,) = END.unpack_from(end, at)
    if at >= 76 and end.startswith(b"PK\x06\x07", at - 20):  # a large archive's own record lies before its locator
        (length,) = LARGE_END.unpack_from(end, at - 76)
    if length > MOST_DIRECTORY:
        raise RefusedPickleError(f"its list of entries has {length:,} bytes, more than {MOST_DIRECTORY:,}")


def _root(path: Path, entries: Mapping[str, zipfile.ZipInfo]) -> str:
    """The folder of an archive in which everything lies, with its slash."""
    roots = [name.removesuffix("data.pkl") for name in entries if name.endswith("data.pkl") and name.count("/") <= 1]
    if any(name.endswith("constants.pkl") for name in entries):
        raise WeightsError(
            f"{path} cannot be read as weights: it is a TorchScript archive. Save the state_dict() of the module in it."
        )
    if not roots:
        listed = ", ".join(list(entries)[:3])
        raise WeightsError(
            f"{path} cannot be read as weights: it is a zip archive that torch.save did not write; {listed}"
        )
    declared, size = sum(entry.file_size for entry in entries.values()), path.stat().st_size
    if declared > size or any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
        raise WeightsError(
            f"{path} cannot be read as weights: it is a compressed archive, whose {size:,} bytes unpack to "
            f"{declared:,}; torch.save compresses nothing. Save the state_dict anew."
        )
    if entries[f"{roots[0]}data.pkl"].file_size > MOST_BYTES:
        raise WeightsError(f"{path} cannot be read as weights: its data.pkl has more than {MOST_BYTES:,} bytes")
    return roots[0]


def _start(file: IO[bytes], entry: zipfile.ZipInfo) -> int:
    """The position of an entry's own bytes."""
    file.seek(entry.header_offset)
    header = file.read(LOCAL_HEADER.size)
    if len(header) < LOCAL_HEADER.size:
        raise BrokenPickleError("an entry lies beyond the end of the file")
    name, extra = LOCAL_HEADER.unpack(header)
    return entry.header_offset + LOCAL_HEADER.size + int(name) + int(extra)


def read_legacy(path: Path) -> Any:
    """The content of a file of torch before 1.6: five pickles, then the storages one after another.

    The fourth pickle is the content; it is read twice, as where its storages lie follows from how large they are.
    A pickle of arrays that torch did not write is its own content. Errors: `WeightsError` for one of something else;
    `BrokenPickleError`, `ForeignNameError`: as `read_pickle`.
    """
    sizes: dict[str, Storage] = {}

    def note(said: tuple[Any, ...], dtype: torch.dtype) -> Storage:
        view = said[5] if len(said) > 5 else None
        sizes[str(said[2])] = whole = Storage(path, 0, said[4], dtype)
        return whole if view is None else _view(whole, view)

    with path.open("rb") as file:
        first = read_pickle(file, note)
        if isinstance(first, dict | list | tuple) and not sizes:  # of arrays alone, as Detectron2's
            return first
        if first != MAGIC:
            raise WeightsError(f"{path} cannot be read as weights: it is a pickle that torch.save did not write")
        _, facts = read_pickle(file, note), read_pickle(file, note)
        begin = file.tell()
        read_pickle(file, note)
        keys = read_pickle(file, note)
        little = not isinstance(facts, dict) or facts.get("little_endian", True)
        placed = _placed(file, keys, sizes, other_order("little" if little else "big"))

        def storage(said: tuple[Any, ...], dtype: torch.dtype) -> Storage:
            if str(said[2]) not in placed:
                raise BrokenPickleError(f"the storage {said[2]!r:.80} is not there")
            view = said[5] if len(said) > 5 else None
            whole = placed[str(said[2])]
            return whole if view is None else _view(whole, view)

        file.seek(begin)
        return read_pickle(file, storage)


def _view(whole: Storage, said: Any) -> Storage:
    """The part of a storage that a file of torch 0.x names as a storage of its own: (key, offset, count)."""
    if not isinstance(said, tuple) or len(said) != 3 or not all(isinstance(number, int) for number in said[1:]):
        raise BrokenPickleError("a view of a storage is none")
    _, offset, count = said
    if offset < 0 or count < 0 or offset + count > whole.count:
        raise BrokenPickleError("a view goes beyond its storage")
    return dataclasses.replace(whole, start=whole.start + offset * whole.dtype.itemsize, count=count)


def _placed(file: IO[bytes], keys: Any, sizes: Mapping[str, Storage], swapped: bool) -> dict[str, Storage]:
    """Where each storage lies: in the order of `keys`, each after the eight bytes that say how many numbers it has."""
    placed: dict[str, Storage] = {}
    position = file.tell()
    for key in map(str, keys if isinstance(keys, list) else []):
        file.seek(position)
        size = int.from_bytes(file.read(8), "big" if swapped and sys.byteorder == "little" else "little")
        if key not in sizes or size != sizes[key].count:
            raise BrokenPickleError(f"the storage {key:.80} is not as long as its tensors say")
        placed[key] = dataclasses.replace(sizes[key], start=position + 8, swapped=swapped)
        position += 8 + size * sizes[key].dtype.itemsize
    return placed
