"""Maps and masks as arrays by image: .npz without pickles, and safetensors."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lumiscope.server.challenges import Challenge
from lumiscope.server.hand_ins._names import by_image
from lumiscope.server.hand_ins._zip_parts import zip_parts
from lumiscope.server.hand_ins.faults import THE_FILE, Faults

FLOATS = ("float16", "float32", "float64")
BOOL = "bool"
TENSORS = {"F16": "float16", "F32": "float32", "F64": "float64", "BOOL": BOOL}
LARGEST = 8  # bytes of a number
HEADER = 2**12  # bytes of an array's header
TENSOR_HEADER = 2**20  # bytes of the header of safetensors
LENGTH = 8  # bytes of its length
Arrays = Mapping[str, NDArray[Any]]


def read_npz(name: str, content: bytes, challenge: Challenge, faults: Faults) -> tuple[str, Arrays]:
    """The kind, and image -> (h, w) of each array of an .npz. Errors: `HandInRefused`."""
    most = 2 * len(challenge.images)
    size = math.prod(challenge.view) * LARGEST + HEADER
    parts = by_image(dict(zip_parts(content, ".npy", most, size, faults)), challenge, faults)
    arrays: dict[str, NDArray[Any]] = {}
    for image, part in parts.items():
        array = _npy(image, part, challenge.view, faults)
        if array is not None:
            arrays[image] = array
    return _of_one_kind(arrays, faults)


def read_safetensors(name: str, content: bytes, challenge: Challenge, faults: Faults) -> tuple[str, Arrays]:
    """The kind, and image -> (h, w) of each tensor. Errors: `HandInRefused`."""
    from safetensors import SafetensorError, deserialize

    header = _tensor_header(content, faults)
    if len(header) > 2 * len(challenge.images):
        raise faults.stop(THE_FILE, f"{len(challenge.images)} tensors, one for each image", f"{len(header):,}")
    named = by_image({name: (name, facts) for name, facts in header.items()}, challenge, faults)
    good: dict[str, str] = {}
    for image, (tensor, facts) in named.items():
        kind = TENSORS.get(str(facts.get("dtype"))) if isinstance(facts, dict) else None
        shape = facts.get("shape") if isinstance(facts, dict) else None
        if _fits(image, kind or _kind_shown(facts), shape, challenge.view, faults):
            good[image] = tensor
    try:
        tensors = dict(deserialize(content))  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise faults.stop(THE_FILE, "safetensors", f"a damaged file ({error})") from error
    arrays = {image: _tensor(tensors[tensor], challenge.view) for image, tensor in good.items()}
    return _of_one_kind(arrays, faults)


def _npy(image: str, part: bytes, view: tuple[int, int], faults: Faults) -> NDArray[Any] | None:
    """The array of an .npy, whose header is checked before anything is made of the numbers."""
    file = io.BytesIO(part)
    try:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, is_fortran, dtype = read(file, max_header_size=HEADER)
    except Exception as error:  # NumPy evaluates the header's text with what is left of Python's parser
        faults.add(image, "an array as NumPy saves it", f"a damaged one ({error})")
        return None
    if not _fits(image, dtype.name if not dtype.hasobject else "object", shape, view, faults):
        return None
    numbers = part[file.tell() :]
    if len(numbers) != math.prod(view) * dtype.itemsize:
        faults.add(image, f"{math.prod(view) * dtype.itemsize:,} bytes of numbers", f"{len(numbers):,}")
        return None
    array = np.frombuffer(numbers, dtype)
    return array.reshape(view[::-1]).T if is_fortran else array.reshape(view)


def _fits(image: str, kind: str, shape: object, view: tuple[int, int], faults: Faults) -> bool:
    """Whether numbers of this kind and shape are a map or a mask; if not, a fault says why."""
    if kind not in (*FLOATS, BOOL):
        faults.add(image, f"a map of {', '.join(FLOATS)}, or a mask of bool", f"{kind:.60}")
    sides = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else shape
    if sides != view:
        faults.add(image, f"{view[0]} x {view[1]} numbers (height, width), those of the model's view", f"{sides!r:.60}")
    return kind in (*FLOATS, BOOL) and sides == view


def _kind_shown(facts: object) -> str:
    return str(facts.get("dtype")) if isinstance(facts, dict) else "no description"


def _tensor_header(content: bytes, faults: Faults) -> dict[str, Any]:
    """Name -> facts of each tensor; no name twice. Errors: `HandInRefused`."""
    length = int.from_bytes(content[:LENGTH], "little")
    if len(content) < LENGTH or length > min(TENSOR_HEADER, len(content) - LENGTH):
        raise faults.stop(THE_FILE, f"safetensors, with a header of at most {TENSOR_HEADER:,} bytes", f"{length:,}")
    try:
        header = json.loads(content[LENGTH : LENGTH + length], object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise faults.stop(THE_FILE, "the header of safetensors, each name once", f"{error}") from error
    if not isinstance(header, dict):
        raise faults.stop(THE_FILE, "the header of safetensors", f"a {type(header).__name__}")
    header.pop("__metadata__", None)
    return header


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("a name stands there twice")
    return dict(pairs)


def _tensor(stored: Mapping[str, Any], view: tuple[int, int]) -> NDArray[Any]:
    return np.frombuffer(stored["data"], TENSORS[stored["dtype"]]).reshape(view)


def _of_one_kind(arrays: Arrays, faults: Faults) -> tuple[str, Arrays]:
    """All as maps, (h, w) float64, or all as masks, (h, w) bool; bytes of a mask are 0 or 1."""
    kinds = {image: array.dtype == np.bool_ for image, array in arrays.items()}
    if len(set(kinds.values())) > 1:
        raise faults.stop(THE_FILE, "maps, or masks", "both")
    if not kinds:
        return "", {}
    if all(kinds.values()):
        return "masks", {image: array.view(np.uint8) > 0 for image, array in arrays.items()}
    maps: dict[str, NDArray[Any]] = {}
    for image, array in arrays.items():
        maps[image] = np.asarray(array, np.float64)
        if not np.isfinite(maps[image]).all():
            faults.add(image, "finite numbers", f"{np.count_nonzero(~np.isfinite(maps[image])):,} NaN or infinite")
    return "maps", maps
