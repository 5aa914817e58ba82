"""The sentences of the summary: each computed from tables, tested, and counted against the whole report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lumiscope.runs import FindingRow
from lumiscope.study.findings.claim import Claim, Decision, Hypothesis, Rows, answer, by_model, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.family import decide
from lumiscope.study.findings.observations import observe
from lumiscope.study.findings.overview import overview
from lumiscope.study.findings.registry import FINDINGS, finding

__all__ = [
    "FINDINGS",
    "Claim",
    "DecidedClaim",
    "Hypothesis",
    "Rows",
    "answer",
    "by_model",
    "decided_claims",
    "find",
    "finding",
    "finding_rows",
    "groups_of",
    "observe",
    "observed",
    "tables_needed",
]


@dataclass(frozen=True)
class DecidedClaim:
    """What the report may say of a claim. `finding`: its kind."""

    finding: str
    claim: Claim
    decision: Decision


def find(tables: Rows) -> list[FindingRow]:
    """Every finding that the tables support, contradict or leave open, numbered."""
    return finding_rows(decided_claims(tables))


def decided_claims(tables: Rows) -> list[DecidedClaim]:
    """Every claim that the tables say something of, tested against the whole report."""
    claims = [(name, claim) for name, entry in FINDINGS.items() for claim in entry.claims(tables)]
    decisions = decide([claim for _, claim in claims])
    claims += [("overview", claim) for claim in overview(tables, [claim for _, claim in claims], decisions)]
    decisions += decide([claim for _, claim in claims[len(decisions) :]])
    return [DecidedClaim(name, claim, decision) for (name, claim), decision in zip(claims, decisions, strict=True)]


def finding_rows(claims: Sequence[DecidedClaim]) -> list[FindingRow]:
    """Their sentences, numbered."""
    return [_row(number, decided) for number, decided in enumerate(claims, 1)]


def tables_needed() -> tuple[type[Any], ...]:
    """The rows of all tables that some finding reads."""
    return tuple(dict.fromkeys(row for entry in FINDINGS.values() for row in entry.needs))


def _row(number: int, decided: DecidedClaim) -> FindingRow:
    claim, decision = decided.claim, decided.decision
    sentence = claim.say(decision)
    return FindingRow(
        number=number,
        finding=decided.finding,
        claim=sentence.text,
        meaning=sentence.meaning,
        outcome=sentence.outcome,
        statistic=claim.statistic,
        value=claim.value,
        low=claim.low,
        high=claim.high,
        test=claim.test,
        p_value=min(decision.p_values.values(), default=None),
        images=claim.images,
        tables=claim.tables,
        named_images=tuple(claim.named_images),
    )
