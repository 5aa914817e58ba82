"""Scores of one edition of a challenge, by one scorer, can be compared."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import ColumnElement

from lumiscope.server.database.tables import Score


class Edition(Protocol):
    """A challenge as it is now, or as it will be."""

    @property
    def fingerprint(self) -> str:
        """Of all in it that matters for scores."""
        ...

    @property
    def scorer_version(self) -> int:
        """Of its scorer."""
        ...

    @property
    def scorer_fingerprint(self) -> str:
        """Of its scorer's code."""
        ...


def in_edition(score: type[Score], of: Edition) -> tuple[ColumnElement[bool], ...]:
    """Conditions: scores of this edition of the challenge, by its scorer."""
    return (
        score.challenge_fingerprint == of.fingerprint,
        score.scorer_version == of.scorer_version,
        score.scorer_fingerprint == of.scorer_fingerprint,
    )
