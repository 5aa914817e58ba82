"""The last sentence of a report: how many of its sentences so few images allow, and how many would do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lumiscope.counts import counted
from lumiscope.runs import Outcome
from lumiscope.study.findings.claim import Claim, Decision, Rows, observed
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.family import images_for_medium

WORDS = {
    Outcome.SUPPORTED: "shown",
    Outcome.CONTRADICTED: "contradicted",
    Outcome.UNDECIDED: "undecided",
    Outcome.CANNOT_TELL: "beyond what so few images can tell",
}


def overview(tables: Rows, claims: Sequence[Claim], decisions: Sequence[Decision]) -> list[Claim]:
    """One sentence where images were tested, none elsewhere."""
    tested = [(claim, decision) for claim, decision in zip(claims, decisions, strict=True) if claim.hypotheses]
    images = [claim.images for claim, _ in tested if claim.images is not None]
    if not images:
        return []
    outcomes = Counter(claim.say(decision).outcome for claim, decision in tested)
    told = ", ".join(f"{outcomes[outcome]} {words}" for outcome, words in WORDS.items() if outcomes[outcome])
    rivals = max(test.rivals for claim, _ in tested for test in claim.hypotheses.values())
    wanted = images_for_medium(len(tested), max(rivals, 1))
    ahead = f"one of {rivals + 1} candidates is ahead of each other" if rivals > 1 else "one of two is ahead"
    enough = (
        f"that {ahead} by half the spread between images takes about {wanted} images to be shown here in four of five "
        f"studies; there {'is 1' if max(images) == 1 else f'are {max(images)}'}"
    )
    text = f"Of {counted(len(tested), 'tested sentence')}, {told}; {enough}.{_of_few_classes(groups_of(tables).few)}"
    return [
        Claim(
            observed(
                text,
                "what is undecided is no sign that there is nothing"
                if any(outcome.is_open for outcome in outcomes)
                else "",
            ),
            statistic="images for a medium difference",
            value=float(wanted),
            images=max(images),
            tables="findings",
        )
    ]


def _of_few_classes(classes: int) -> str:
    """What few classes mean for sentences on means."""
    if not classes:
        return ""
    kinds = (
        "class, and what is said of means is of images of it"
        if classes == 1
        else ("classes, and what is said of means is of images of these")
    )
    return f" They are of {classes} {kinds}."
