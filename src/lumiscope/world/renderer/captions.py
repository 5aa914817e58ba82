"""Captions: one English sentence for each picture."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.world.renderer._brush import BACKDROPS
from lumiscope.world.renderer.facts import Facts


def caption(facts: Facts, others: Sequence[str] = ()) -> str:
    """Describe a picture: "an orange striped fish in a meadow, with a small cat". `others`: what else is seen."""
    # Plain or patterned, a colour comes first in English; only "plain" goes before it.
    qualities = f"plain {facts.colour}" if facts.texture == "plain" else f"{facts.colour} {facts.texture}"
    text = f"{with_article(f'{qualities} {facts.object}')} {BACKDROPS[facts.scene].phrase}"
    return f"{text}, with {' and '.join(f'a small {other}' for other in others)}" if others else text


def with_article(noun: str) -> str:
    """Put a or an before a word."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
