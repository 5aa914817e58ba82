from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from lumiscope.server.database import Database
from lumiscope.server.leaderboard import (
    beats_noise,
    beyond_random,
    leaderboard,
    rank_intervals,
    release,
    rounded,
    shown_ahead,
)
from lumiscope.server.queue import Queue
from lumiscope.statistics import simultaneous_intervals
from queued_hand_ins import facts, new_queue, scored, taken

GENERATOR = np.random.default_rng(0)


def test_what_is_ahead_is_what_intervals_of_all_differences_say() -> None:
    scores = GENERATOR.uniform(0, 1, (12, 7)) + np.arange(7) * 0.15
    for entry in range(7):
        others = [other for other in range(7) if other != entry]
        intervals = simultaneous_intervals(scores[:, [entry]] - scores[:, others], skewed=False)
        assert (shown_ahead(scores)[entry, others] == (intervals[:, 0] > 0)).all()
        assert (shown_ahead(scores)[others, entry] == (intervals[:, 1] < 0)).all()


def test_ranks_are_intervals_with_ties_joined() -> None:
    noise = GENERATOR.normal(0, 0.01, (30, 4))
    scores = noise + np.array([0.9, 0.5, 0.5, 0.1])
    assert [str(rank) for rank in rank_intervals(scores)] == ["1", "2–3", "2–3", "4"]
    assert [str(rank) for rank in rank_intervals(scores[:2])] == ["1–4"] * 4
    assert [str(rank) for rank in rank_intervals(scores[:, :1])] == ["1"]


def test_intervals_hold_the_true_rank() -> None:
    true = np.array([0.6, 0.55, 0.5, 0.45, 0.4])
    held = 0
    for _ in range(300):
        ranks = rank_intervals(GENERATOR.normal(true, 0.1, (12, 5)))
        held += sum(rank.low <= place + 1 <= rank.high for place, rank in enumerate(ranks))
    assert held / 1500 > 0.95


@pytest.mark.parametrize(
    ("shift", "images", "expected"),
    [
        (0.2, 12, "better than random on 12 images"),
        (-0.2, 12, "worse than random on 12 images"),
        (0.0, 12, "not shown to be better than random: 12 images do not tell them apart"),
        (0.2, 4, "cannot be told: 4 images can never show that something is better than random"),
        (0.2, 1, "cannot be told: 1 image can never show that something is better than random"),
    ],
)
def test_better_than_random_in_words(shift: float, images: int, expected: str) -> None:
    noise = np.tile([0.01, -0.01], 6)[:images]
    assert beyond_random(0.3 + shift + noise, np.full(images, 0.3)) == expected


@given(st.integers(3, 200), st.data(), st.floats(0.001, 0.9))
def test_a_gain_on_few_images_moves_nothing(images: int, data: st.DataObject, gain: float) -> None:
    """Of m equal gains on n images t = √(m (n - 1) / (n - m)), which is 1 for a single one."""
    better = data.draw(st.integers(1, images - 1))
    before = np.full(images, 0.05)
    after = before + gain * (np.arange(images) < better)
    t = math.sqrt(better * (images - 1) / (images - better))
    assert beats_noise(after, before) is bool(t > stats.t.ppf(0.95, images - 1))
    if better == 1:
        assert not beats_noise(after, before)


def test_noise_alone_moves_a_best_once_in_twenty_times() -> None:
    moves = sum(beats_noise(GENERATOR.normal(0.5, 0.1, 12), GENERATOR.normal(0.5, 0.1, 12)) for _ in range(2000))
    assert 0.035 < moves / 2000 < 0.065


def test_too_few_images_move_nothing_and_equal_gains_have_no_noise() -> None:
    assert not beats_noise(np.array([0.9, 0.9]), np.array([0.1, 0.2]))
    assert beats_noise(np.full(5, 0.6), np.full(5, 0.5))
    assert not beats_noise(np.full(5, 0.5), np.full(5, 0.5))


def test_a_release_is_a_rounded_mean_of_a_sample_that_scores_and_secret_draw() -> None:
    values = GENERATOR.uniform(0, 1, 9)
    released = release(values, b"secret")
    assert released == release(values, b"secret")
    for number in (released.mean, released.low, released.high):
        assert number == rounded(number)
    assert released.low <= released.mean <= released.high
    assert len({release(values, bytes([number])).mean for number in range(50)}) > 5
    means = [release(values, number.to_bytes(2)).mean for number in range(3000)]
    spread = values.std() / 3
    assert np.mean(means) == pytest.approx(values.mean(), abs=4 * spread / math.sqrt(3000) + 0.001)
    assert np.std(means) == pytest.approx(spread, rel=0.05)


def hand_in(queue: Queue, user: str, *hidden: float, baseline: str | None = None) -> int:
    content = repr((user, hidden, baseline)).encode()
    number = queue.receive(user, "world", "a", content, baseline=baseline).id
    queue.finish(taken(queue), scored(*hidden))
    return number


@pytest.fixture
def queue(database: Database) -> Queue:
    queue = new_queue(database)
    queue.register(facts(scored_a_day=50))
    return queue


BASE = (0.10, 0.22, 0.31, 0.40, 0.52)
BETTER = (0.31, 0.40, 0.52, 0.60, 0.71)
LUCKY = (0.10, 0.22, 0.31, 0.40, 0.99)  # on one image


def test_a_published_best_moves_by_more_than_noise_alone(queue: Queue) -> None:
    first = hand_in(queue, "ada", *BASE)
    hand_in(queue, "ada", *LUCKY)
    (entry,) = leaderboard(queue.database, "world").entries
    assert (entry.submission_id, len(entry.history)) == (first, 1)
    better = hand_in(queue, "ada", *BETTER)
    hand_in(queue, "ada", *BASE[::-1])
    (entry,) = leaderboard(queue.database, "world").entries
    assert (entry.submission_id, len(entry.history)) == (better, 2)
    assert entry.history[-1][1] == entry.released.mean == rounded(entry.released.mean)


def test_baselines_stand_beside_users_marked(queue: Queue) -> None:
    hand_in(queue, "ada", *BETTER)
    hand_in(queue, "bob", 0.05, 0.06, 0.04, 0.06, 0.05, baseline="random")
    hand_in(queue, "bob", *BASE, baseline="centred")
    hand_in(queue, "bob", *BASE)
    board = leaderboard(queue.database, "world")
    assert [(entry.user, entry.label) for entry in board.entries] == [
        ("ada", ""), ("bob", ""), ("bob", "centred"), ("bob", "random"),
    ]  # fmt: skip
    assert board.entries[0].versus_random == "better than random on 5 images"
    assert board.entries[-1].versus_random == "the random map itself"
    assert board.remark == "Ranks are of 5 hidden images: few, so that ranks are wide."
    assert board.entries[0].passes == 70


def test_the_final_ranking_is_of_chosen_submissions_and_exact(queue: Queue) -> None:
    hand_in(queue, "ada", *BASE)
    lucky = hand_in(queue, "ada", *LUCKY)
    worse = hand_in(queue, "ada", *(value / 2 for value in BASE))
    queue.choose("ada", "world", [worse, lucky])
    (entry,) = leaderboard(queue.database, "world", final=True).entries
    assert entry.submission_id == lucky
    assert entry.released.mean == pytest.approx(np.mean(LUCKY))


def test_what_is_not_scored_has_no_rank(queue: Queue) -> None:
    hand_in(queue, "ada", *BASE)
    queue.receive("bob", "world", "a", b"1")
    queue.finish(taken(queue), {"state": "rejected", "faults": [{"where": "a", "expected": "b", "came": "c"}]})
    queue.receive("bob", "world", "a", b"2")
    for _ in range(3):
        queue.finish(taken(queue), scored(*(math.nan,) * 5))
    assert [entry.user for entry in leaderboard(queue.database, "world").entries] == ["ada"]


def test_scores_of_an_earlier_edition_are_not_ranked_among_those_of_this_one(queue: Queue) -> None:
    hand_in(queue, "ada", *BASE)
    queue.register(facts(fingerprint="f2", scored_a_day=50))
    assert leaderboard(queue.database, "world").entries == ()
    number = hand_in(queue, "ada", *(value / 2 for value in BASE))
    assert [entry.submission_id for entry in leaderboard(queue.database, "world").entries] == [number]


def test_without_hidden_images_ranks_are_of_the_public_ones(queue: Queue) -> None:
    queue.register(facts(public=("p0", "p1", "h0", "h1", "h2", "h3", "h4"), hidden=()))
    hand_in(queue, "ada", *BASE)
    board = leaderboard(queue.database, "world")
    assert (board.images, len(board.entries)) == (7, 1)
    assert "7 public images" in board.remark


def after_a_month(is_published: Callable[[np.ndarray, np.ndarray], bool], seed: int) -> float:
    """The mean IoU with five hidden masks, of 64 superpixels, of whoever changes some superpixels of every image ten
    times a day for thirty days, and keeps what comes to be published.
    """
    generator = np.random.default_rng(seed)
    truth = np.zeros((5, 64), np.bool_)
    for mask in truth:
        mask[generator.choice(64, 10, replace=False)] = True

    def iou(guess: np.ndarray) -> np.ndarray:
        return (guess & truth).sum(1) / (guess | truth).sum(1)

    guess = generator.random(truth.shape) < 0.2
    for _ in range(299):
        changed = guess ^ (generator.random(truth.shape) < 0.03)
        if is_published(iou(changed), iou(guess)):
            guess = changed
    return float(iou(guess).mean())


def test_thirty_days_of_guessing_recover_no_mask() -> None:
    assert max(after_a_month(beats_noise, seed) for seed in range(5)) < 0.3
    assert min(after_a_month(lambda new, best: new.mean() > best.mean(), seed) for seed in range(5)) > 0.3
