"""What is wrong with a hand-in: each fault with its place, what was expected there and what came."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lumiscope.errors import UsageError
from lumiscope.printable import printable
from lumiscope.short_name import cut_in_middle

MOST = 100  # faults that are told of one hand-in
LONGEST = 300  # letters of a part of a fault
THE_FILE = "the file"


@dataclass(frozen=True)
class Fault:
    """`where`: the file, an image, or an image and a parameter. Texts of others are cut and made printable."""

    where: str
    expected: str
    came: str

    def __post_init__(self) -> None:
        for name, text in vars(self).items():
            object.__setattr__(self, name, printable(cut_in_middle(text, LONGEST)))

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}; got {self.came}"

    def to_json(self) -> dict[str, str]:
        """Its three texts."""
        return asdict(self)


class HandInRefused(UsageError):
    """A hand-in that cannot be scored. `faults`: all of them, up to 100."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        super().__init__("\n".join(map(str, faults)))


class Faults:
    """Faults as they are met, so that one reading tells all."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._untold = 0

    def add(self, where: str, expected: str, came: str) -> None:
        """Note one."""
        if len(self._faults) < MOST:
            self._faults.append(Fault(where, expected, came))
        else:
            self._untold += 1

    def stop(self, where: str, expected: str, came: str) -> HandInRefused:
        """What to raise where nothing more can be read: all that was noted, and this."""
        self.add(where, expected, came)
        return HandInRefused(self._told())

    @property
    def is_full(self) -> bool:
        """Whether more are only counted, so that no work for their words is needed."""
        return len(self._faults) >= MOST

    def refuse(self) -> None:
        """Errors: `HandInRefused` where there is any."""
        if self._faults:
            raise HandInRefused(self._told())

    def _told(self) -> tuple[Fault, ...]:
        if not self._untold:
            return tuple(self._faults)
        return (*self._faults, Fault(THE_FILE, f"at most {MOST} faults to tell", f"{self._untold} more"))
