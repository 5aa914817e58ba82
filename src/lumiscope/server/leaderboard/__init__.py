"""Where everybody stands: ranks as intervals, published bests that move by more than noise alone."""

from lumiscope.server.leaderboard.board import RANDOM, Board, Entry, count_entries, leaderboard, ranked_scores
from lumiscope.server.leaderboard.ladder import STEP, Released, beats_noise, release, rounded
from lumiscope.server.leaderboard.ranking import RankInterval, beyond_random, rank_intervals, shown_ahead

__all__ = [
    "RANDOM",
    "STEP",
    "Board",
    "Entry",
    "RankInterval",
    "Released",
    "beats_noise",
    "beyond_random",
    "count_entries",
    "leaderboard",
    "rank_intervals",
    "ranked_scores",
    "release",
    "rounded",
    "shown_ahead",
]
