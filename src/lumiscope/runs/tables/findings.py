"""The table `findings`."""

from __future__ import annotations

from enum import StrEnum

from lumiscope.runs.table import column, table

FAMILY_RULE = (
    "at most 5 % of reports on data that hold nothing contain a false sentence: p-values count all sentences of the "
    "report that are tested (Bonferroni over sentences, Holm inside one)"
)


class Outcome(StrEnum):
    """What became of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"  # the opposite is shown
    UNDECIDED = "undecided"
    CANNOT_TELL = "cannot be told"  # so few images could never show it
    OBSERVED = "observed"  # it tells what is there; nothing was tested

    @property
    def is_open(self) -> bool:
        """Whether the question has no answer."""
        return self in {Outcome.UNDECIDED, Outcome.CANNOT_TELL}


@table("findings", "each sentence of the summary with statistic, interval, test and the tables it came from")
class FindingRow:
    """One claim."""

    number: int = column("its number in the report", low=1)
    finding: str = column("the kind of claim")
    claim: str = column("the sentence")
    meaning: str = column(
        "what it means for the reader; empty where the question is open, or the sentence says it itself"
    )
    outcome: Outcome = column("what became of the claim")
    statistic: str = column("what was computed")
    value: float = column("its value")
    low: float | None = column("lower end of its interval; null without one")
    high: float | None = column("upper end of its interval; null without one")
    test: str | None = column("how it was tested, and how the interval was made")
    p_value: float | None = column(
        "smallest p-value of its hypotheses, corrected for all that the report tests; null where nothing was tested",
        low=0,
        high=1,
    )
    images: int | None = column("how many images it is about; null where it is about units", low=0)
    tables: str = column("the tables it was computed from")
    named_images: tuple[str, ...] = column("the images that the sentence names")

    @property
    def table_names(self) -> tuple[str, ...]:
        """The names of the tables that it was computed from."""
        return tuple(filter(None, self.tables.split(", ")))

    @property
    def text(self) -> str:
        """The sentence, and what it means as another one."""
        return f"{self.claim} {self.meaning[0].upper()}{self.meaning[1:]}." if self.meaning else self.claim
