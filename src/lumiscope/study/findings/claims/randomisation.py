"""Whether maps depend on what the network has learnt, and on the class that they explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lumiscope.runs import Dependence, RandomisationRow, Randomised
from lumiscope.study.findings.claim import Claim, Rows, by_model, observed
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title


@finding("random_parameters", order=39, needs=(RandomisationRow,))
def random_parameters(tables: Rows) -> Iterator[Claim]:
    """Which maps stay as they are when all parameters of the network are random."""
    yield from _claims(
        tables,
        Randomised.PARAMETERS,
        {
            Dependence.NETWORK: "with random parameters in the network, these methods give other maps",
            Dependence.NO_NETWORK: "these give the same ones, whatever it has learnt",
        },
        "a map that does not depend on the network cannot explain it",
        "what they show depends on what the network has learnt",
    )


@finding("other_class", order=40, needs=(RandomisationRow,))
def other_class(tables: Rows) -> Iterator[Claim]:
    """Which maps stay as they are when another class is explained."""
    yield from _claims(
        tables,
        Randomised.TARGET,
        {
            Dependence.CLASS: "for another class, these methods give other maps",
            Dependence.NO_CLASS: "these give the same ones for any class",
        },
        "a map that is the same for any class says what stands out, not why it is this class",
        "they answer to the class that is asked for",
    )


def _claims(
    tables: Rows, kind: Randomised, words: dict[Dependence, str], meaning: str, otherwise: str
) -> Iterator[Claim]:
    """`meaning`: where some maps stay as they are; `otherwise`: where all that can be told of do not."""
    for model, rows in by_model(row for row in tables.rows(RandomisationRow) if row.kind is kind).items():
        told = {verdict: [row for row in rows if row.verdict is verdict] for verdict in words}
        if not any(told.values()):
            continue
        parts = [f"{words[verdict]}: {_methods(of)}" for verdict, of in told.items() if of]
        if untold := [row for row in rows if row.verdict is Dependence.CANNOT_TELL]:
            parts.append(f"of these it cannot be told: {', '.join(method_title(row.method) for row in untold)}")
        independent = [row for row in rows if row.verdict in (Dependence.NO_NETWORK, Dependence.NO_CLASS)]
        yield Claim(
            observed(
                f"{model}: {'; '.join(parts)} (rank correlation with the maps as they are).",
                meaning if independent else otherwise,
            ),
            statistic="methods whose maps stay as they are",
            value=float(len(independent)),
            images=max(row.images for row in rows),
            tables="randomisation",
        )


def _methods(rows: Sequence[RandomisationRow]) -> str:
    return ", ".join(f"{method_title(row.method)} {row.similarity:.2f}" for row in rows)
