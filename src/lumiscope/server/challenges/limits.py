"""What a hand-in may cost, and how many a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from lumiscope.errors import UsageError
from lumiscope.study import split_list, validated

COUNT = Annotated[int, Ge(1)]
MOST_BYTES = 2**30  # of an upload that any challenge may allow


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one hand-in, and of one submitter.

    `num_samples`: changed pictures that an option may ask for, whatever the method calls it. `passes`: pictures that
    may go through the network for one image. `upload_bytes`: of a file. `seconds`: CPU time of scoring. `memory_bytes`:
    that scoring may address. `scored_a_day`, `rejected_a_day`: hand-ins of a submitter.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    num_samples: COUNT = 2000
    passes: COUNT = 5000
    upload_bytes: Annotated[int, Ge(1), Le(MOST_BYTES)] = 2**24
    seconds: COUNT = 600
    memory_bytes: COUNT = 2**32
    scored_a_day: COUNT = 10
    rejected_a_day: COUNT = 50


def parse_limits(text: str | None) -> Limits:
    """Read "num_samples=500,seconds=60"; what is not named is as by default. Errors: `UsageError`."""
    given: dict[str, str] = {}
    for part in split_list(text):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or name in given:
            raise UsageError(f"expected limits as NAME=NUMBER with commas, each once; got {part!r}")
        given[name] = value
    return validated(Limits, given, "the limits")
