"""What a finding is made of: a question, tests of its hypotheses, and a sentence for each way it may end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from lumiscope.runs import Outcome

Row = TypeVar("Row")


class Rows(Protocol):
    """The tables of a run, finished or not."""

    def rows(self, row: type[Row], /) -> Sequence[Row]:
        """The rows of a table, by their dataclass; none where there is no such table."""
        ...


@dataclass(frozen=True)
class Hypothesis:
    """What is tested. `p_value`: not corrected; NaN is no evidence. `images`: how many the test had.

    `floor`: the smallest p-value that so many images could give, which falls as they grow. `rivals`: of how many others
    it says that one is ahead of each; 0: of none.
    """

    p_value: float
    images: int
    floor: Callable[[int], float]
    rivals: int = 0


@dataclass(frozen=True)
class Decision:
    """What may be said. `p_values`: of each hypothesis, corrected for all that the report tests.

    `level`: a hypothesis is shown where its p-value is no larger. `attainable`: whether so many images could show any.
    """

    p_values: Mapping[str, float]
    level: float
    attainable: bool = True

    @property
    def shown(self) -> list[str]:
        """The hypotheses that are shown, in order."""
        return [name for name, p_value in self.p_values.items() if p_value <= self.level]


@dataclass(frozen=True)
class Sentence:
    """What the report says. `meaning`: a clause that says what it means for the reader; "" for none."""

    outcome: Outcome
    text: str
    meaning: str = ""


@dataclass(frozen=True)
class Claim:
    """One question about a run, which one sentence answers.

    `hypotheses`: what is tested, by name; none: the sentence tells what was observed. `say`: the sentence for what the
    tests allow. `statistic`, `value`, `low`, `high`: what was computed, and its interval. `test`: how it was tested.
    `images`: how many it is about; None: it is about units. `tables`: those it was computed from. `named_images`: those
    that every sentence of it names.
    """

    say: Callable[[Decision], Sentence]
    statistic: str
    value: float
    tables: str
    hypotheses: Mapping[str, Hypothesis] = field(default_factory=dict)
    low: float | None = None
    high: float | None = None
    test: str | None = None
    images: int | None = None
    named_images: Sequence[str] = ()


def observed(text: str, meaning: str = "") -> Callable[[Decision], Sentence]:
    """The sentence of a claim that tests nothing."""
    return lambda decision: Sentence(Outcome.OBSERVED, text, meaning)


def answer(
    *,
    supported: Callable[[list[str]], str] | str,
    undecided: str,
    cannot_tell: str = "",
    contradicted: Mapping[str, str] | None = None,
    meaning: str = "",
    opposite: str = "",
    otherwise: str = "",
) -> Callable[[Decision], Sentence]:
    """The four sentences of a claim. `supported`: given the hypotheses that are shown, where it depends on them.

    `contradicted`: hypothesis -> the sentence where that is shown, and none that supports the claim. `cannot_tell`:
    what so few images can never show. `meaning`: of the claim where it is supported; `opposite`: where it is
    contradicted; `otherwise`: where it is neither.
    """
    against = contradicted or {}

    def say(decision: Decision) -> Sentence:
        shown = decision.shown
        support = [name for name in shown if name not in against]
        if support:
            text = supported if isinstance(supported, str) else supported(shown)
            return Sentence(Outcome.SUPPORTED, text, meaning)
        if shown:
            return Sentence(Outcome.CONTRADICTED, against[shown[0]], opposite)
        if not decision.attainable:
            return Sentence(Outcome.CANNOT_TELL, cannot_tell or undecided, otherwise)
        return Sentence(Outcome.UNDECIDED, undecided, otherwise)

    return say


class _OfModel(Protocol):
    @property
    def model(self) -> str:
        """The model that a row is about."""
        ...


ModelRow = TypeVar("ModelRow", bound=_OfModel)


def by_model(rows: Iterable[ModelRow]) -> dict[str, list[ModelRow]]:
    """Rows by their model, in order."""
    models: dict[str, list[ModelRow]] = {}
    for row in rows:
        models.setdefault(row.model, []).append(row)
    return models
