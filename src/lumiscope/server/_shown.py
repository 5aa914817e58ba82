"""From what the database holds to what is shown of it."""

from __future__ import annotations

from datetime import datetime

from lumiscope.server._records import released_of, score_of
from lumiscope.server._views import (
    BoardView,
    FaultView,
    HistoryView,
    ImageScoreView,
    RankedView,
    ScoresView,
    Step,
    SubmissionView,
)
from lumiscope.server.database import Submission
from lumiscope.server.leaderboard import Board
from lumiscope.server.queue import Queue, State
from lumiscope.server.scoring import ImageScore, Scores


def submission_view(queue: Queue, row: Submission) -> SubmissionView:
    """A submission, as its owner sees it."""
    timeline = queue.timeline(row.id)
    state = State(row.state)
    scores = _scores(queue, row) if state == State.SCORED else None
    return SubmissionView(
        id=row.id,
        challenge=row.challenge.name,
        file_name=row.name,
        digest=row.digest,
        state=state.value,
        ended=state.is_final,
        received=_iso(row.received_at),
        position=timeline.position,
        expected_wait=None if timeline.expected_wait is None else round(timeline.expected_wait, 1),
        attempt=row.attempt,
        progress={"done": timeline.done, "total": timeline.total} if timeline.total else None,
        why=timeline.steps[-1].why if timeline.steps else "",
        faults=[FaultView(**fault) for fault in row.faults],
        iou=None if scores is None else scores.iou,
        hidden=released_of(queue.database, row.id) if scores is not None else None,
        scores=scores,
        timeline=[
            Step(when=_iso(step.at), state=step.state.value, who=step.who, why=step.why) for step in timeline.steps
        ],
        log=row.log_tail,
    )


def _scores(queue: Queue, row: Submission) -> ScoresView | None:
    score = score_of(queue.database, row.id)
    if score is None:
        return None
    scores = Scores(tuple(ImageScore(**row) for row in score.public))
    means = scores.means
    return ScoresView(
        iou=means.iou,
        low=means.low,
        high=means.high,
        adjusted=means.adjusted,
        faithfulness=means.faithfulness,
        passes=means.passes or 0,
        cpu_seconds=score.cpu_seconds,
        images=[
            ImageScoreView(
                name=image.name,
                iou=image.iou,
                adjusted=image.adjusted,
                faithfulness=image.faithfulness,
                passes=image.passes or 0,
                reason=image.reason,
            )
            for image in scores.images
        ],
    )


def board_view(board: Board) -> BoardView:
    """A leaderboard."""
    rows = [
        RankedView(
            first=entry.rank.low,
            last=entry.rank.high,
            who=entry.label or entry.user,
            baseline=bool(entry.label),
            mean=entry.released.mean,
            low=entry.released.low,
            high=entry.released.high,
            public=entry.public_mean,
            passes=entry.passes,
            verdict=entry.versus_random,
            submission=entry.submission_id,
            history=[HistoryView(when=_iso(when), mean=mean) for when, mean in entry.history],
        )
        for entry in board.entries
    ]
    return BoardView(challenge=board.challenge, images=board.images, remark=board.remark, final=board.final, rows=rows)


def _iso(moment: datetime) -> str:
    """ "2026-11-30T20:15:03Z"."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
