from __future__ import annotations

import pytest

from lumiscope.errors import UsageError
from lumiscope.server.database import Database
from lumiscope.server.leaderboard import leaderboard
from lumiscope.server.queue import Difference, Rescoring
from queued_hand_ins import facts, new_queue, scored, scores, taken

BEFORE, AFTER = (0.1, 0.2, 0.3, 0.4, 0.5), (0.31, 0.40, 0.52, 0.60, 0.72)


def test_new_scores_lie_beside_the_old_ones_until_the_switch(database: Database) -> None:
    queue = new_queue(database)
    numbers = []
    for user in ("ada", "bob"):
        numbers.append(queue.receive(user, "world", f"{user}.json", user.encode()).id)
        queue.finish(taken(queue), scored(*BEFORE))
    rescoring = Rescoring(database, facts(scorer_version=2, scorer_fingerprint="s2"))
    assert rescoring.left() == numbers
    assert rescoring.content(numbers[1]) == ("bob.json", b"bob")
    rescoring.add(numbers[0], scores(AFTER))
    with pytest.raises(UsageError, match="1 submission of world must be scored anew first"):
        rescoring.switch()
    rescoring.add(numbers[1], scores(BEFORE))
    old = pytest.approx(0.3)
    assert rescoring.differences() == [
        Difference(numbers[0], (pytest.approx(0.6), pytest.approx(0.6)), (old, pytest.approx(0.51))),
        Difference(numbers[1], (pytest.approx(0.6), pytest.approx(0.6)), (old, old)),
    ]
    shown = {entry.user: entry.released for entry in leaderboard(database, "world").entries}
    assert shown["ada"] == shown["bob"]
    rescoring.switch()
    board = leaderboard(database, "world")
    assert [entry.user for entry in board.entries] == ["ada", "bob"]
    assert board.entries[0].released != board.entries[1].released
    assert board.entries[1].released == shown["bob"]
    assert rescoring.left() == []
