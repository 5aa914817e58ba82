"""What the server tells: submissions, challenges and leaderboards as they are shown and sent."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel

State = Literal["received", "validated", "queued", "running", "scored", "rejected", "failed", "cancelled"]


class Step(BaseModel):
    """One transition. `when`: ISO 8601, UTC."""

    when: str
    state: State
    who: str
    why: str


class FaultView(BaseModel):
    """One thing that is wrong. `where`: an image, an option, a field. `expected`, `came`: in words."""

    where: str
    expected: str
    came: str


class ImageScoreView(BaseModel):
    """One public picture. `iou`, `adjusted`, `faithfulness`: None where there is none; `reason` says why."""

    name: str
    iou: float | None = None
    adjusted: float | None = None
    faithfulness: float | None = None
    passes: int = 0
    reason: str = ""


class ScoresView(BaseModel):
    """The public part: mean IoU with its interval, and its pictures."""

    iou: float | None
    low: float | None
    high: float | None
    adjusted: float | None
    faithfulness: float | None
    passes: float
    cpu_seconds: float
    images: list[ImageScoreView]


class SubmissionView(BaseModel):
    """A submission, as its owner sees it.

    `ended`: nothing follows. `hidden`: the rounded mean IoU of the hidden part. `log`: its last lines.
    """

    id: int
    challenge: str
    file_name: str
    digest: str
    state: State
    ended: bool
    received: str
    position: int | None = None
    expected_wait: float | None = None
    attempt: int = 0
    progress: dict[str, int] | None = None
    why: str = ""
    faults: list[FaultView] = []
    iou: float | None = None
    hidden: float | None = None
    scores: ScoresView | None = None
    timeline: list[Step] = []
    log: str = ""


class SubmissionPage(BaseModel):
    """Some submissions, the newest first. `next`: the cursor of the page after it; None on the last one."""

    items: list[SubmissionView]
    next: int | None = None


class ChallengeView(BaseModel):
    """A challenge, without any truth."""

    name: str
    title: str
    text: str
    accepts: list[str]
    methods: list[str]
    images: list[str]
    public: list[str]
    limits: dict[str, Any]
    fingerprint: str
    ranked: int = 0


class HistoryView(BaseModel):
    """What was published of somebody before."""

    when: str
    mean: float


class RankedView(BaseModel):
    """A row of a leaderboard.

    `first`, `last`: the ranks that it may have. `mean`, `low`, `high`: mean IoU on the hidden pictures, as it may be
    known: rounded, of a bootstrap sample. `public`: on the public ones. `passes`: pictures through the network in all.
    `verdict`: whether it beats random maps, in words.
    """

    first: int
    last: int
    who: str
    baseline: bool
    mean: float
    low: float
    high: float
    public: float | None
    passes: int | None
    verdict: str
    submission: int
    history: list[HistoryView] = []


class BoardView(BaseModel):
    """A leaderboard, the best first. `images`: that ranks are of. `remark`: what to know before reading it."""

    challenge: str
    images: int
    remark: str
    final: bool
    rows: list[RankedView]


class LimeAnswer(BaseModel):
    """What the course's server answers: the mean IoU, and mean seconds an image."""

    avg_iou: float
    avg_time: float
