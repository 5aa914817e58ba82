"""The evaluation server: hand-ins are received once, scored in a child that can do nothing else, and ranked.

`challenges`, `hand_ins`, `scoring`, `baselines`: what is asked, how it is read and scored, on any machine. `isolation`:
the child. `database`, `queue`, `leaderboard`: what the server knows. `web`, `service`, `serving`: the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumiscope.fronts import lazy_front

if TYPE_CHECKING:
    from lumiscope.server.challenges import Challenge, open_challenge
    from lumiscope.server.client import Client, ServerError

__all__ = ["Challenge", "Client", "ServerError", "open_challenge"]
_HOMES = {"challenges": ("Challenge", "open_challenge"), "client": ("Client", "ServerError")}
__getattr__ = lazy_front(__name__, _HOMES)
