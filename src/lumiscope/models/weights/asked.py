"""What a user says about weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lumiscope.errors import UsageError

RANDOM, RANDOM_HEAD = "random", "random-head"
Weights = str | Path | Sequence[str | Path] | None


@dataclass(frozen=True)
class AskedWeights:
    """`file`: the user's own. `random`: none at all. `random_head`: layers that nobody trained are wanted."""

    file: Path | None = None
    random: bool = False
    random_head: bool = False

    @classmethod
    def of(cls, weights: Weights) -> AskedWeights:
        """A file or "random", and beside it "random-head"; None: the source's own. Errors: `UsageError` for others."""
        given = [] if weights is None else [weights] if isinstance(weights, str | Path) else list(weights)
        files = [Path(part) for part in given if part not in (RANDOM, RANDOM_HEAD)]
        if len(files) + (RANDOM in given) > 1:
            raise UsageError(
                f"expected one weight file, or {RANDOM!r}, and beside it {RANDOM_HEAD!r} if that is meant; "
                f"got {', '.join(map(str, given))}"
            )
        return cls(files[0] if files else None, RANDOM in given, RANDOM_HEAD in given)

    @property
    def pretrained(self) -> bool:
        """Whether the source's own weights are wanted."""
        return self.file is None and not self.random
