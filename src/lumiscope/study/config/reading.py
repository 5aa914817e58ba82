"""From the text of a flag to the value of a field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from lumiscope.errors import UsageError


def split_list(text: str | None) -> list[str]:
    """The parts of a comma-separated list."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def read_target(text: str) -> str | int:
    """A class index where the text is a number, else a word or a class name."""
    return int(text) if re.fullmatch(r"-?[0-9]+", text) else text


def read_mask_rules(text: str) -> dict[str, str]:
    """ "gradcam=max:0.5,lime=lime" as {method: rule}. Errors: `UsageError`, `UnknownNameError`."""
    from lumiscope.agreement import parse_rules

    return parse_rules(text)


def read_method_options(pairs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Turn `["lime.num_samples=500"]` into `{"lime": {"num_samples": 500}}`. Errors: `UsageError`."""
    from lumiscope.models import parse_model_options

    options: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        method, dot, rest = pair.partition(".")
        if not dot:
            raise UsageError(f"expected a method's option as METHOD.KEY=VALUE; got {pair!r}. So lime.num_samples=500.")
        options.setdefault(method, {}).update(parse_model_options([rest]))
    return options


def read_model_options(pairs: Sequence[str]) -> dict[str, Any]:
    """Turn `["width=64"]` into `{"width": 64}`. Errors: `UsageError`."""
    from lumiscope.models import parse_model_options

    return parse_model_options(list(pairs))


def read_one_or_more(texts: Sequence[str]) -> str | list[str]:
    """The text of an option that was given once, or the texts."""
    return texts[0] if len(texts) == 1 else list(texts)


def read_numbers(text: str) -> list[float]:
    """ "0.5" or "r,g,b". Errors: `UsageError`."""
    try:
        return [float(part) for part in split_list(text)]
    except ValueError as error:
        raise UsageError(f"expected one number or three with commas; got {text!r}") from error


def read_band_numbers(text: str) -> list[int]:
    """ "3,2,1,7". Errors: `UsageError`."""
    try:
        return [int(part) for part in split_list(text)]
    except ValueError as error:
        raise UsageError(f"expected numbers of bands with commas, from 0; got {text!r}") from error


def read_size(text: str) -> list[int]:
    """ "224" or "height,width". Errors: `UsageError`."""
    try:
        return [int(part) for part in split_list(text.replace("x", ","))]
    except ValueError as error:
        raise UsageError(f"expected '224' or 'height,width'; got {text!r}") from error
