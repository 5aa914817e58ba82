"""Challenges: pictures to explain, true masks that stay sealed, a model, and what may be handed in."""

from lumiscope.server.challenges.challenge import FORMS, Challenge, ChallengeImage
from lumiscope.server.challenges.checking import check_challenge
from lumiscope.server.challenges.limits import Limits, parse_limits
from lumiscope.server.challenges.making import DEFAULT_METHODS, make_challenge, make_world_challenge
from lumiscope.server.challenges.opening import open_challenge
from lumiscope.server.challenges.publishing import packed_public_part, unpack_public_part

__all__ = [
    "DEFAULT_METHODS",
    "FORMS",
    "Challenge",
    "ChallengeImage",
    "Limits",
    "check_challenge",
    "make_challenge",
    "make_world_challenge",
    "open_challenge",
    "packed_public_part",
    "parse_limits",
    "unpack_public_part",
]
