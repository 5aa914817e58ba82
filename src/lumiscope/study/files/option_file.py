"""Files of options as nested dicts: JSON and TOML, with paths that are relative to the file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lumiscope.errors import UsageError
from lumiscope.files import MOST_SETTINGS, failure_in_words, parse_toml, read_bytes

MASK = "mask:"


def file_content(path: Path) -> bytes:
    """What is in a file. Errors: `UsageError` where it cannot be read, or has more than 2 MiB."""
    try:
        return read_bytes(path, MOST_SETTINGS)
    except OSError as error:
        raise UsageError(f"expected a file of options at {failure_in_words(error, path)}") from error


def parsed(path: Path, content: bytes) -> Any:
    """Read TOML where the file ends in .toml, else JSON. Errors: `UsageError`, also for a name that comes twice."""
    kind = "TOML" if path.suffix.lower() == ".toml" else "JSON"
    try:
        text = content.decode("utf-8-sig")
        return parse_toml(text) if kind == "TOML" else json.loads(text, object_pairs_hook=_without_twins)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid {kind}: {error}") from error


def tables(content: object, place: str, expected: str) -> dict[str, dict[str, Any]]:
    """`content` as names with a dict each. Errors: `UsageError` with `place` and what was `expected` there."""
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise UsageError(f"{place}: expected {expected}; got {_kind(content)}")
    for name, table in content.items():
        if not isinstance(table, dict) or not all(isinstance(key, str) for key in table):
            raise UsageError(f"{place}: expected the parameters of {name!r} by name; got {_kind(table)}")
    return content


def absolute_mask(options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A segmenter `mask:FILE` is relative to the `folder` of the file that names it."""
    return _with_mask(options, lambda file: os.path.abspath(folder / Path(file).expanduser()))


def relative_mask(options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The other way round, for a file in `folder` that is written."""
    return _with_mask(options, lambda file: os.path.relpath(os.path.expanduser(file), folder))


def refuse_code(options: dict[str, Any], method: str) -> None:
    """Errors: `UsageError` for a segmenter `python:…`: a file from elsewhere must not choose code that is run."""
    if str(options.get("segmenter", "")).startswith("python:"):
        raise UsageError(
            f"a file of parameters must not choose code that is run; got the segmenter {options['segmenter']!r}. "
            f"If you trust it, give it yourself: --option {method}.segmenter={options['segmenter']}"
        )


def _with_mask(options: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    segmenter = options.get("segmenter")
    if not isinstance(segmenter, str) or not segmenter.startswith(MASK):
        return options
    return {**options, "segmenter": MASK + change(segmenter.removeprefix(MASK))}


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"{', '.join(twice)} stands there twice")
    return dict(pairs)


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
