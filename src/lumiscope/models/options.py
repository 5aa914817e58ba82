"""What a user may say about a model besides its spec."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.files import parse_json

Options = TypeVar("Options")


@dataclass(frozen=True)
class BuildOptions:
    """What the factory of a network is told. `num_classes`: None: as many as the source has.

    `derived`: nobody asked for that number; it is how many class names there are, and a factory need not take it.
    """

    num_classes: int | None = None
    derived: bool = False
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Return everything as keyword arguments."""
        classes = {} if self.num_classes is None else {"num_classes": self.num_classes}
        return {**self.keywords, **classes}


def parse_model_options(pairs: Iterable[str]) -> dict[str, Any]:
    """Turn `["pad_type=same", "drop_rate=0.1"]` into keyword arguments: JSON values where they are, else text."""
    options: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"expected a model option as key=value; got {pair!r}. For example pad_type=same.")
        try:
            options[key] = parse_json(text)
        except ValueError:
            options[key] = {"True": True, "False": False, "None": None}.get(text, text)
    return options


def source_options(kind: type[Options], given: Mapping[str, Any], source: str) -> Options:
    """Build the options of a source, a dataclass, from what the user gave.

    Errors: `UnknownNameError` with the nearest names, `UsageError` for a value that does not fit.
    """
    from pydantic import TypeAdapter, ValidationError

    known = [option.name for option in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise UnknownNameError(f"option of {source}", name, known)
    try:
        return TypeAdapter(kind).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][:1])
        raise UsageError(f"{source}: option {place}: {first['msg']}; got {first['input']!r}") from error


def channel_numbers(values: float | Iterable[float] | None, what: str) -> tuple[float, ...] | None:
    """One number for all channels, or one a channel. Errors: `UsageError` for none, and for a `std` of 0 or less."""
    if values is None:
        return None
    numbers = (float(values),) if isinstance(values, (int, float)) else tuple(float(value) for value in values)
    if not numbers or (what == "std" and min(numbers) <= 0):
        above = " above 0" if what == "std" else ""
        raise UsageError(f"expected numbers for {what}{above}, one or one a channel; got {values}")
    return numbers


def band_numbers(values: Iterable[int] | None, what: str) -> tuple[int, ...] | None:
    """Numbers of bands, from 0; three of `shown_bands`. Errors: `UsageError` for others."""
    if values is None:
        return None
    numbers = tuple(operator.index(value) for value in values)
    if not numbers or min(numbers) < 0 or (what == "shown_bands" and len(numbers) != 3):
        count = "three numbers" if what == "shown_bands" else "numbers"
        raise UsageError(f"expected {what} as {count} of bands, from 0; got {list(numbers)}")
    return numbers


LEAST_OF_255 = 10  # a mean or deviation of pixels in [0, 255] that are not all but black; 1.2 is a slip


def check_normalisation(mean: Sequence[float] | None, std: Sequence[float] | None) -> None:
    """Errors: `UsageError` for a mean or a standard deviation that pixels in [0, 1] cannot have.

    A `std` up to 1 only scales. Numbers that look like those of pixels in [0, 255] are shown divided.
    """
    for name, numbers in (("mean", mean), ("std", std)):
        if numbers is None or all(math.isfinite(number) and 0 <= number <= 1 for number in numbers):
            continue
        came = ", ".join(f"{number:g}" for number in numbers)
        advice = ""
        if all(0 <= number <= 255 for number in numbers) and max(numbers) >= LEAST_OF_255:
            flags = " ".join(
                f"--{key} {','.join(f'{number / (255 if max(given) >= 1 else 1):.4g}' for number in given)}"
                for key, given in (("mean", mean), ("std", std))
                if given is not None
            )
            advice = f" Of pixels in [0, 255], as these look, they are divided by 255: {flags}"
        raise UsageError(f"expected {name} of pixels in [0, 1], between 0 and 1; got {came}.{advice}")


LARGEST_SIDE = 2**13  # 800 MB of one view in float32


def height_width(size: int | Iterable[int] | None) -> tuple[int, int] | None:
    """One number for a square input or (height, width)."""
    if size is None:
        return None
    numbers = (size, size) if isinstance(size, int) else tuple(int(value) for value in size)
    if len(numbers) == 1:
        numbers *= 2
    if len(numbers) != 2 or min(numbers) < 1 or isinstance(size, bool):
        raise UsageError(f"expected an input size as one number or height and width; got {size}")
    if max(numbers) > LARGEST_SIDE:
        raise UsageError(f"expected an input size of at most {LARGEST_SIDE:,} pixels a side; got {size}")
    return numbers[0], numbers[1]
