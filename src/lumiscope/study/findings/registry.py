"""Findings by name. A new one is a module in `claims/` with a function under `@finding`.

@finding("blank_maps", order=90, needs=(ExplanationRow,))
def blank_maps(tables: Rows) -> Iterator[Claim]:
    for model, rows in by_model(tables.rows(ExplanationRow)).items():
        blank = sum(row.reason is not None for row in rows)
        text = f"{model}: {blank} of {len(rows)} maps show nothing."
        yield Claim(observed(text), statistic="blank maps", value=blank / len(rows), tables="explanations")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from lumiscope.registry import Registry
from lumiscope.study.findings.claim import Claim, Rows


@dataclass(frozen=True)
class Finding:
    """A kind of claim. `needs`: the tables that it reads, by their rows. `claims`: of the tables of a run."""

    name: str
    needs: tuple[type[Any], ...]
    claims: Callable[[Rows], Iterable[Claim]]


FINDINGS: Registry[Finding] = Registry("finding", package="lumiscope.study.findings.claims", group="lumiscope.findings")
"""Every finding by name, in the order in which a report tells them."""


def finding(
    name: str, *, order: int, needs: tuple[type[Any], ...]
) -> Callable[[Callable[[Rows], Iterable[Claim]]], Callable[[Rows], Iterable[Claim]]]:
    """Register the decorated function as the finding `name`: it gives no claim where the tables say nothing of it.

    `order`: the sentences of a report follow it. `needs`: as in `Finding`.
    """

    def register(claims: Callable[[Rows], Iterable[Claim]]) -> Callable[[Rows], Iterable[Claim]]:
        FINDINGS.register(name, Finding(name, needs, claims), defined_by=claims, order=order)
        return claims

    return register
