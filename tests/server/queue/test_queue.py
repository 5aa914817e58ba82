from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.server.database import Database, Score, Upload
from lumiscope.server.queue import (
    NEXT,
    ClaimLostError,
    KeyReusedError,
    Queue,
    QuotaError,
    State,
    TransitionError,
    VerdictError,
    WorkerOutdatedError,
)
from queued_hand_ins import HandClock, facts, new_queue, rejected, scored, scores, taken


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(database: Database, clock: HandClock) -> Queue:
    return new_queue(database, clock)


def states(queue: Queue, submission_id: int) -> list[str]:
    return [str(step.state) for step in queue.timeline(submission_id).steps]


def look(queue: Queue, clock: HandClock, seconds: float) -> list[int]:
    """Reap every five seconds for so long; what was put back."""
    moved = queue.reap()
    for _ in range(int(seconds / 5)):
        clock.pass_seconds(5)
        moved += queue.reap()
    return moved


def test_from_bytes_to_a_score_each_step_is_a_row(queue: Queue, clock: HandClock) -> None:
    submission = queue.receive("ada", "world", "a.json", b"1")
    clock.pass_seconds(7)
    claimed = taken(queue)
    assert (claimed.content, claimed.name, claimed.user, claimed.attempt) == (b"1", "a.json", "ada", 1)
    assert queue.progress(claimed, 3, 7, "line")
    clock.pass_seconds(5)
    assert queue.finish(claimed, scored()) is State.SCORED
    timeline = queue.timeline(submission.id)
    assert states(queue, submission.id) == ["received", "validated", "queued", "running", "scored"]
    assert [step.who for step in timeline.steps] == ["ada", "server", "queue", "w", "w"]
    assert [(step.at - timeline.steps[0].at).seconds for step in timeline.steps] == [0, 0, 0, 7, 12]
    assert (timeline.done, timeline.total, queue.submission(submission.id).log_tail) == (3, 7, "line")


def test_events_are_read_again_from_any_of_them_on(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    newest = 0
    for done in range(5):
        queue.progress(claimed, done, 7)
        (event,) = queue.events(submission.id, newest)[-1:]
        assert event.id > newest
        newest = event.id
    queue.finish(claimed, scored())
    events = queue.events(submission.id)
    assert [event.data.get("state", event.data.get("done")) for event in events] == [
        "received", "validated", "queued", "running", 4, "scored",
    ]  # fmt: skip
    assert [event.id for event in queue.events(submission.id, events[3].id)] == [event.id for event in events[4:]]


@pytest.mark.parametrize("before", State)
def test_no_other_state_follows_than_the_table_says(queue: Queue, before: State) -> None:
    submission = queue.receive("ada", "world", "a", b"1", at_once=False)
    with queue.database.writing() as session:
        session.merge(submission).state = before
    cancel = State.CANCELLED in NEXT[before]
    if cancel:
        assert queue.cancel(submission.id, "ada").state == State.CANCELLED
    else:
        with pytest.raises(TransitionError, match=f"is {before}: nothing can follow, not cancelled"):
            queue.cancel(submission.id, "ada")
    assert cancel is not before.is_final


def test_the_server_may_look_at_it_first(queue: Queue) -> None:
    good = queue.receive("ada", "world", "a", b"1", at_once=False)
    bad = queue.receive("ada", "world", "b", b"2", at_once=False)
    assert queue.claim("w") is None
    queue.admit(good.id)
    queue.reject(bad.id, rejected()["faults"])
    assert states(queue, good.id) == ["received", "validated", "queued"]
    assert states(queue, bad.id) == ["received", "rejected"]
    assert queue.submission(bad.id).faults[1]["where"] == "h1"
    with pytest.raises(TransitionError):
        queue.admit(bad.id)


def test_what_the_server_left_received_is_queued_by_the_reaper(queue: Queue, clock: HandClock) -> None:
    submission = queue.receive("ada", "world", "a", b"1", at_once=False)
    assert look(queue, clock, 55) == []
    assert look(queue, clock, 5) == [submission.id]
    assert queue.submission(submission.id).state == State.QUEUED


def test_the_same_key_hands_in_once(queue: Queue) -> None:
    first = queue.receive("ada", "world", "a", b"1", key="k")
    assert queue.receive("ada", "world", "a", b"1", key="k").id == first.id
    assert queue.receive("bob", "world", "a", b"1", key="k").id != first.id
    with pytest.raises(KeyReusedError, match=f"submission {first.id}: take another key"):
        queue.receive("ada", "world", "a", b"2", key="k")


@pytest.mark.parametrize(("content", "came"), [(b"", "0"), (b"x" * 101, "101")])
def test_sizes_are_bounded(queue: Queue, content: bytes, came: str) -> None:
    with pytest.raises(UsageError, match=f"1 to 100 bytes; got {came}"):
        queue.receive("ada", "world", "a", content)


def test_unknown_names_are_refused(queue: Queue) -> None:
    with pytest.raises(UnknownNameError, match="did you mean world"):
        queue.receive("ada", "wrld", "a", b"1")
    with pytest.raises(UsageError, match="there is no user 'eve'"):
        queue.receive("eve", "world", "a", b"1")
    with pytest.raises(UsageError, match="no submission number 999999"):
        queue.timeline(999_999)


def test_names_of_files_are_what_can_be_read(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "../\x00\x1b[31m\ud800" + "x" * 500, b"1")
    name = queue.submission(submission.id).name
    assert len(name) == 200
    assert name.isprintable()


def test_only_what_is_scored_counts_against_the_quota(queue: Queue, clock: HandClock) -> None:
    for number in range(3):
        queue.receive("ada", "world", "a", b"%d" % number)
    with pytest.raises(QuotaError, match=r"0 of 3 scored until 2026-12-01 00:00 UTC, 3 under way"):
        queue.receive("ada", "world", "a", b"x")
    queue.finish(taken(queue), scored())
    queue.finish(taken(queue), rejected())
    queue.cancel(taken(queue).submission_id, "ada")
    quota = queue.quota("ada", "world")
    assert (quota.scored, quota.under_way, quota.rejected, quota.left) == (1, 0, 2, 2)
    assert queue.quota("bob", "world").left == 3
    clock.time += timedelta(hours=12)  # midnight
    assert queue.quota("ada", "world").left == 3


def test_rejected_ones_have_a_larger_limit(queue: Queue) -> None:
    for number in range(5):
        queue.receive("ada", "world", "a", b"%d" % number)
        queue.finish(taken(queue), rejected())
    with pytest.raises(QuotaError, match=r"0 of 3 scored.*5 of 5 rejected"):
        queue.receive("ada", "world", "a", b"x")


def test_baselines_have_no_quota(queue: Queue) -> None:
    for number in range(9):
        queue.receive("ada", "world", "a", b"%d" % number, baseline="random")
    assert queue.quota("ada", "world").left == 3


def test_equal_bytes_have_their_score_at_once_and_free(queue: Queue) -> None:
    first = queue.receive("ada", "world", "a", b"1")
    queue.finish(taken(queue), scored())
    copy = queue.receive("bob", "world", "b", b"1")
    assert states(queue, copy.id) == ["received", "validated", "scored"]
    assert copy.copied_from == first.id
    assert queue.quota("bob", "world").left == 3
    with queue.database.reading() as session:
        one, other = session.scalars(select(Score).order_by(Score.id))
        assert len(session.scalars(select(Upload)).all()) == 1
    assert (one.hidden, one.hidden_mean, one.passes) == (other.hidden, other.hidden_mean, other.passes)
    for _ in range(4):
        queue.receive("bob", "world", "b", b"1")
    with pytest.raises(QuotaError, match="5 of 5"):
        queue.receive("bob", "world", "b", b"1")


def test_equal_bytes_that_wait_are_not_scored_again(queue: Queue) -> None:
    queue.receive("ada", "world", "a", b"1")
    copy = queue.receive("bob", "world", "b", b"1")
    queue.finish(taken(queue), scored())
    assert queue.claim("w") is None
    assert queue.submission(copy.id).state == State.SCORED


def test_after_a_change_equal_bytes_are_scored_anew(queue: Queue) -> None:
    queue.receive("ada", "world", "a", b"1")
    queue.finish(taken(queue), scored())
    queue.register(facts(fingerprint="f2"))
    assert queue.receive("bob", "world", "b", b"1").state == State.QUEUED


def test_users_take_turns(queue: Queue) -> None:
    numbers = [queue.receive("ada", "world", "a", b"%d" % number).id for number in range(3)]
    numbers += [queue.receive("bob", "world", "a", b"b%d" % number).id for number in range(2)]
    expected = [numbers[index] for index in (0, 3, 1, 4, 2)]
    assert sorted(numbers, key=queue.position) == expected
    assert [queue.position(number) for number in expected] == [1, 2, 3, 4, 5]
    order = []
    while (claimed := queue.claim("w")) is not None:
        order.append(claimed.submission_id)
        queue.finish(claimed, scored())
    assert order == expected
    assert queue.position(numbers[0]) is None


def test_a_user_is_worked_for_twice_at_a_time(queue: Queue) -> None:
    for number in range(3):
        queue.receive("ada", "world", "a", b"%d" % number)
    first, _second = taken(queue, "w1"), taken(queue, "w2")
    assert queue.claim("w3") is None
    queue.finish(first, scored())
    assert queue.claim("w3") is not None


def test_waiting_is_guessed_from_what_scoring_took(queue: Queue, clock: HandClock) -> None:
    for number in range(3):
        queue.receive("ada", "world", "a", b"%d" % number)
    last = queue.receive("bob", "world", "b", b"b")
    assert queue.expected_wait(last.id) is None
    for seconds in (10, 20):
        claimed = queue.claim("w")
        clock.pass_seconds(seconds)
        queue.finish(claimed, scored())
    # ada's first, then bob's; ada's two are left
    waiting = queue.submissions("ada")[0]
    assert queue.position(waiting.id) == 2
    assert queue.expected_wait(waiting.id) == pytest.approx((10 + 0.2 * (20 - 10)) * 2)
    assert queue.oldest_seconds()[State.QUEUED] == 30
    assert queue.oldest_seconds()[State.RUNNING] == 0


def test_a_silent_worker_loses_its_claim_within_a_lease(queue: Queue, clock: HandClock) -> None:
    submission = queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    assert look(queue, clock, 25) == []
    assert look(queue, clock, 5) == [submission.id]
    again = taken(queue, "other")
    assert (again.submission_id, again.attempt) == (submission.id, 2)
    assert not queue.heartbeat(claimed)
    for conclude in (lambda: queue.finish(claimed, scored()), lambda: queue.fail(claimed, "x")):
        with pytest.raises(ClaimLostError, match="it is running, by claim 2"):
            conclude()
    queue.finish(again, scored())
    assert states(queue, submission.id)[3:] == ["running", "queued", "running", "scored"]


def test_a_beating_worker_keeps_it(queue: Queue, clock: HandClock) -> None:
    queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    for _ in range(20):
        assert look(queue, clock, 25) == []
        assert queue.heartbeat(claimed)


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(days=-400)])
def test_jumps_of_the_clock_neither_take_work_away_nor_keep_it(queue: Queue, clock: HandClock, jump: timedelta) -> None:
    queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    queue.reap()
    clock.time += jump
    assert queue.reap() == []
    assert queue.heartbeat(claimed)
    assert look(queue, clock, 35) == [claimed.submission_id]
    queue.finish(taken(queue), scored())
    assert all(age >= 0 for age in queue.oldest_seconds().values())


def test_time_in_which_nobody_could_write_is_not_the_workers(queue: Queue, clock: HandClock, monkeypatch) -> None:
    queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    queue.reap()
    writing = type(queue.database).writing

    def slow(database: Database):
        clock.pass_seconds(300)  # until the lock is had
        return writing(database)

    clock.pass_seconds(5)
    with monkeypatch.context() as patched:
        patched.setattr(type(queue.database), "writing", slow)
        assert queue.reap() == []
    assert queue.heartbeat(claimed)


def test_after_three_attempts_it_has_failed_and_is_not_charged(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "a", b"1")
    for expected in (State.QUEUED, State.QUEUED, State.FAILED):
        assert queue.fail(taken(queue), "the disk is full", "log") is expected
    assert queue.timeline(submission.id).steps[-1].why == "the disk is full; given up after 3 attempts, not charged"
    assert queue.quota("ada", "world").left == 3
    assert queue.claim("w") is None


def test_what_is_given_back_loses_no_attempt(queue: Queue) -> None:
    queue.receive("ada", "world", "a", b"1")
    for _ in range(5):
        claimed = taken(queue)
        queue.give_back(claimed)
    assert (claimed.attempt, claimed.claim) == (1, 5)
    assert taken(queue).attempt == 1


def test_a_cancelled_one_is_stopped_and_not_charged(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "a", b"1")
    claimed = taken(queue)
    assert queue.cancel(submission.id, "ada").state == State.CANCELLED
    assert not queue.heartbeat(claimed)
    assert not queue.progress(claimed, 1, 2)
    with pytest.raises(ClaimLostError, match="it is cancelled"):
        queue.finish(claimed, scored())
    assert queue.quota("ada", "world").left == 3
    assert "not charged" in queue.timeline(submission.id).steps[-1].why


def test_a_challenge_edited_while_it_waits_or_runs(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "a", b"1")
    queue.register(facts(fingerprint="f2"))
    claimed = taken(queue)
    assert claimed.challenge_fingerprint == "f2"
    assert "changed since it was handed in" in queue.timeline(submission.id).steps[-1].why
    queue.register(facts(fingerprint="f3"))
    assert queue.finish(claimed, scored()) is State.QUEUED
    assert "scored anew" in queue.timeline(submission.id).steps[-1].why
    again = taken(queue)
    assert again.attempt == 1
    assert queue.finish(again, scored()) is State.SCORED


@pytest.mark.parametrize(("version", "remedy"), [(1, "update the worker"), (3, "rescore the challenge")])
def test_a_worker_of_another_scorer_gets_nothing(queue: Queue, version: int, remedy: str) -> None:
    queue.register(facts(scorer_version=2))
    assert queue.claim("w", version) is None
    queue.receive("ada", "world", "a", b"1")
    with pytest.raises(WorkerOutdatedError, match=f"version {version}.*for version 2: {remedy}"):
        queue.claim("w", version)
    assert queue.claim("w", 2) is not None


def changed(name: str, /, **values: object) -> dict[str, object]:
    images = scores()["images"]
    return {"images": [row | values if row["name"] == name else row for row in images]}


UNBELIEVABLE = [
    {},
    {"state": "won"},
    {"state": "scored"},
    {"state": "scored", "scores": {"images": []}},
    {"state": "scored", "scores": {"images": scores()["images"][1:]}},
    {"state": "scored", "scores": {"images": scores()["images"] * 2}},
    {"state": "scored", "scores": changed("h0", iou=float("nan"))},
    {"state": "scored", "scores": changed("h0", iou=None)},
    {"state": "scored", "scores": changed("h0", iou=True)},
    {"state": "scored", "scores": changed("h0", iou=1.01)},
    {"state": "scored", "scores": changed("h0", iou="1")},
    {"state": "scored", "scores": changed("h0", adjusted=float("-inf"))},
    {"state": "scored", "scores": changed("h0", passes=-1)},
    {"state": "scored", "scores": changed("h0", reason="x" * 501)},
    {"state": "scored", "scores": changed("h0", name="h9")},
    {"state": "rejected"},
    {"state": "rejected", "faults": []},
    {"state": "rejected", "faults": ["bad"]},
]


def test_verdicts_that_cannot_be_believed_score_nothing(database: Database) -> None:
    queue = new_queue(database, most_attempts=1)
    for number, verdict in enumerate(UNBELIEVABLE):
        queue.receive("ada", "world", "a", b"%d" % number)
        assert queue.finish(taken(queue), verdict) is State.FAILED, verdict
    with queue.database.reading() as session:
        assert session.scalars(select(Score)).all() == []


def test_nothing_else_of_an_image_is_kept(queue: Queue) -> None:
    queue.receive("ada", "world", "a", b"1")
    queue.finish(taken(queue), {"state": "scored", "scores": changed("p0", mask=[1, 0, 1], note="truth")})
    with queue.database.reading() as session:
        score = session.scalars(select(Score)).one()
    assert set(score.public[0]) == {"name", "iou", "adjusted", "faithfulness", "passes", "seconds_cpu", "reason"}
    assert (score.public_mean, score.passes, score.cpu_seconds) == (pytest.approx(0.6), 70, 3.5)


def test_two_submissions_at_most_are_chosen(queue: Queue) -> None:
    numbers = []
    for number in range(3):
        numbers.append(queue.receive("ada", "world", "a", b"%d" % number).id)
        queue.finish(taken(queue), scored())
    queue.choose("ada", "world", numbers[:2])
    queue.choose("ada", "world", numbers[1:])
    assert [queue.submission(number).chosen for number in numbers] == [False, True, True]
    with pytest.raises(UsageError, match="up to 2"):
        queue.choose("ada", "world", numbers)
    with pytest.raises(UsageError, match="no scored one of bob"):
        queue.choose("bob", "world", numbers[:1])


def test_faults_without_words_are_refused(queue: Queue) -> None:
    submission = queue.receive("ada", "world", "a", b"1", at_once=False)
    with pytest.raises(VerdictError, match="at least one"):
        queue.reject(submission.id, [])
    assert queue.submission(submission.id).state == State.RECEIVED
