"""The leaderboard: published bests and baselines, from what the database holds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from lumiscope.counts import counted
from lumiscope.server.database import ChallengeRow, Database, Publication, Score, Submission, User, in_edition
from lumiscope.server.leaderboard.ladder import Released
from lumiscope.server.leaderboard.ranking import FEWEST, RankInterval, beyond_random, rank_intervals
from lumiscope.statistics import mean_interval

FEW = 20  # images from which on intervals of ranks are of use
RANDOM = "random"
"""The label of the baseline that others must beat."""


@dataclass(frozen=True)
class Entry:
    """A row. `label`: of a baseline; "" for a user's. `released`: the hidden mean as it may be known.

    `public_mean`: of the public images; None without any. `passes`: of the model, in all; None where not known.
    `versus_random`: a sentence. `history`: what was published of this user, the first one first: (when, mean).
    """

    user: str
    label: str
    submission_id: int
    rank: RankInterval
    released: Released
    public_mean: float | None
    passes: int | None
    versus_random: str
    history: tuple[tuple[datetime, float], ...]


@dataclass(frozen=True)
class Board:
    """`remark`: what to know before reading it, such as that few images tell little. `final`: of chosen submissions."""

    challenge: str
    entries: tuple[Entry, ...]
    images: int
    remark: str
    final: bool


@dataclass(frozen=True)
class _Candidate:
    user: str
    submission: Submission
    score: Score
    released: Released
    history: tuple[tuple[datetime, float], ...]


def ranked_scores(score: Score) -> dict[str, float]:
    """By image, the IoU that a rank is of: of the hidden images, or of the public ones where nothing is hidden."""
    return {row["name"]: float(row["iou"]) for row in sorted(score.hidden or score.public, key=lambda row: row["name"])}


def leaderboard(database: Database, challenge: str, *, final: bool = False) -> Board:
    """Who stands where in `challenge`, by name.

    Each user has the published best, each baseline its label. `final`: each user has the better one of up to two chosen
    submissions, or the published best where none was chosen; and the mean is the true one.
    Only scores of the edition of the challenge and the scorer that count now are shown. Order: by what ranks are
    possible, then the released mean, then fewer passes.
    """
    with database.reading() as session:
        row = session.scalars(select(ChallengeRow).where(ChallengeRow.name == challenge)).one()
        candidates = _published(session, row)
        if final:
            candidates = _with_choices(session, row, candidates)
    images = len(row.hidden or row.public)
    return Board(challenge, _entries(candidates), images, _remark(row, images), final)


def count_entries(database: Database, challenge: str) -> int:
    """How many rows the leaderboard of `challenge` has."""
    with database.reading() as session:
        row = session.scalars(select(ChallengeRow).where(ChallengeRow.name == challenge)).one()
        return len(_published(session, row))


def _entries(candidates: Sequence[_Candidate]) -> tuple[Entry, ...]:
    if not candidates:
        return ()
    by_candidate = [ranked_scores(candidate.score) for candidate in candidates]
    ranks = rank_intervals(np.array([list(scores.values()) for scores in by_candidate]).T)
    random = next(
        (
            scores
            for candidate, scores in zip(candidates, by_candidate, strict=True)
            if candidate.submission.baseline == RANDOM
        ),
        None,
    )
    entries = [
        Entry(
            user=candidate.user,
            label=candidate.submission.baseline or "",
            submission_id=candidate.submission.id,
            rank=rank,
            released=candidate.released,
            public_mean=candidate.score.public_mean,
            passes=candidate.score.passes,
            versus_random=_versus(scores, random),
            history=candidate.history,
        )
        for candidate, scores, rank in zip(candidates, by_candidate, ranks, strict=True)
    ]
    return tuple(
        sorted(entries, key=lambda it: (it.rank.low, it.rank.high, -it.released.mean, _passes(it), it.user, it.label))
    )


def _passes(entry: Entry) -> float:
    return math.inf if entry.passes is None else entry.passes


def _versus(scores: Mapping[str, float], random: Mapping[str, float] | None) -> str:
    if random is None:
        return "not told: no random map was scored"
    if scores == random:
        return "the random map itself"
    return beyond_random(list(scores.values()), list(random.values()))


def _published(session: Session, challenge: ChallengeRow) -> list[_Candidate]:
    """The last publication of each user, and of each baseline."""
    query = (
        select(Publication, Score, Submission, User.name)
        .join(Score, Score.id == Publication.score_id)
        .join(Submission, Submission.id == Publication.submission_id)
        .join(User, User.id == Publication.user_id)
        .where(Publication.challenge_id == challenge.id, User.disabled_at.is_(None), *in_edition(Score, challenge))
        .order_by(Publication.id)
    )
    candidates: dict[tuple[str, str | None], _Candidate] = {}
    for publication, score, submission, user in session.execute(query):
        key = (user, submission.baseline)
        before = candidates[key].history if key in candidates else ()
        history = (*before, (publication.at, publication.released))
        released = Released(publication.released, publication.low, publication.high)
        candidates[key] = _Candidate(user, submission, score, released, history)
    return list(candidates.values())


def _with_choices(session: Session, challenge: ChallengeRow, published: Sequence[_Candidate]) -> list[_Candidate]:
    """The better one of those that each user chose, in place of the published one."""
    query = (
        select(Score, Submission, User.name)
        .join(Submission, Submission.id == Score.submission_id)
        .join(User, User.id == Submission.user_id)
        .where(
            Submission.challenge_id == challenge.id,
            Submission.chosen,
            User.disabled_at.is_(None),
            *in_edition(Score, challenge),
        )
        .order_by(Score.id)
    )
    chosen: dict[str, tuple[Score, Submission]] = {}
    for score, submission, user in session.execute(query):
        if user not in chosen or _mean(score) > _mean(chosen[user][0]):
            chosen[user] = (score, submission)
    candidates = []
    for candidate in published:
        score, submission = candidate.score, candidate.submission
        if submission.baseline is None and candidate.user in chosen:
            score, submission = chosen[candidate.user]
        candidates.append(_Candidate(candidate.user, submission, score, _true(score), candidate.history))
    return candidates


def _true(score: Score) -> Released:
    """The mean and its interval as they are; the contest is over."""
    values = list(ranked_scores(score).values())
    low, high = mean_interval(values, bounds=(0, 1))
    return Released(_mean(score), low, high)


def _remark(challenge: ChallengeRow, images: int) -> str:
    which = f"{'hidden' if challenge.hidden else 'public'} image"
    text = f"Ranks are of {counted(images, which)}: "
    if images < FEWEST:
        return text + "too few to tell any two entries apart."
    if images < FEW:
        return text + "few, so that ranks are wide."
    return text + "each entry's is one of those given, at 95 %."


def _mean(score: Score) -> float:
    return float(np.mean(list(ranked_scores(score).values())))
