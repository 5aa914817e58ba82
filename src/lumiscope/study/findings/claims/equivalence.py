"""Which methods do as well as each other, within a stated margin: so one of them is enough."""

from __future__ import annotations

from collections.abc import Iterator

from lumiscope.counts import counted
from lumiscope.runs import MARGIN, ImageRow, MethodDifferenceRow
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model
from lumiscope.study.findings.classes import groups_of
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import pair_title


@finding("as_good", order=32, needs=(ImageRow, MethodDifferenceRow))
def as_good(tables: Rows) -> Iterator[Claim]:
    """Which methods overlap the true masks as far as each other, within 0.05 of IoU."""
    classes = groups_of(tables).witnesses(row.image for row in tables.rows(ImageRow))
    for model, rows in by_model(tables.rows(MethodDifferenceRow)).items():
        pairs = {
            pair_title(row.method_a, row.method_b): row
            for row in rows
            if row.measure == "truth" and row.p_equivalent is not None
        }
        if pairs:
            yield _as_good(model, pairs, classes)


def _as_good(model: str, pairs: dict[str, MethodDifferenceRow], classes: int) -> Claim:
    """`classes`: how many observations the images are at most."""
    closest = min(pairs, key=lambda name: abs(pairs[name].difference))
    images = max(row.images for row in pairs.values())

    def told(names: list[str]) -> str:
        return ", ".join(f"{name} ({pairs[name].difference:+.3f})" for name in names)

    what = f"overlap the true masks equally far, within {MARGIN:g} of IoU on average"
    return Claim(
        answer(
            supported=lambda shown: f"{model}: {told(shown)} {what}.",
            undecided=f"{model}: that any two methods {what}, is not shown; the closest are {told([closest])}.",
            cannot_tell=f"{model}: whether any two methods {what}, cannot be told with {counted(images, 'image')}.",
            meaning="so one of them is enough here",
        ),
        hypotheses={
            name: Hypothesis(
                row.p_equivalent if row.p_equivalent is not None else 1.0,
                min(row.images, classes),
                floors.equivalence,
            )
            for name, row in pairs.items()
        },
        statistic="difference of IoU of the closest",
        value=pairs[closest].difference,
        low=pairs[closest].low,
        high=pairs[closest].high,
        test="two one-sided paired t-tests; interval simultaneous over all pairs",
        images=images,
        tables="method_differences",
    )
