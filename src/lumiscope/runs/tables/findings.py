"""The table `findings`."""

from __future__ import annotations

from lumiscope.runs.table import column, table


@table("findings", "each sentence of the summary with statistic, interval, test and the tables it came from")
class FindingRow:
    """One claim."""

    number: int = column("its number in the report", low=1)
    claim: str = column("the sentence")
    statistic: str = column("what was computed")
    value: float = column("its value")
    low: float | None = column("lower end of its interval; null without one")
    high: float | None = column("upper end of its interval; null without one")
    test: str | None = column("how it was tested, and how the interval was made")
    p_value: float | None = column("corrected p-value; null where nothing was tested", low=0, high=1)
    images: int | None = column("how many images it is about; null where it is about units", low=0)
    tables: str = column("the tables it was computed from")
    named_images: tuple[str, ...] = column("the images that the sentence names")
