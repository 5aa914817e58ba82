"""What nobody asked for: a place of the view that draws weight whatever the pictures show."""

from __future__ import annotations

from collections.abc import Iterator

from lumiscope.counts import counted
from lumiscope.runs import ALL_IMAGES, AuditRow, EffectRow
from lumiscope.short_name import short_name
from lumiscope.study.findings import floors
from lumiscope.study.findings.claim import Claim, Hypothesis, Rows, answer, by_model
from lumiscope.study.findings.registry import finding
from lumiscope.study.findings.titles import method_title
from lumiscope.world import MARK_BOX, SIZE


@finding("unasked_place", order=12, needs=(AuditRow, EffectRow))
def unasked_place(tables: Rows) -> Iterator[Claim]:
    """Whether the maps of all images, or of a class, lie at one place of the view whatever is in it."""
    for model, rows in by_model(tables.rows(AuditRow)).items():
        by_name = {_name(row): row for row in rows}
        strongest = min(rows, key=lambda row: (row.p_value, row.mirrored - row.weight))

        effect = _effect_of_mark(tables, model)

        def told(
            shown: list[str], by_name: dict[str, AuditRow] = by_name, model: str = model, effect: str = effect
        ) -> str:
            row = min((by_name[name] for name in shown), key=lambda row: (row.group != ALL_IMAGES, row.p_value))
            methods = [method_title(other.method) for other in map(by_name.get, shown) if other and _alike(other, row)]
            return (
                f"Unasked: {model} looks at the {row.place} of the view in {_whose(row)}, whatever they show. "
                f"{method_title(row.method)} has {row.weight:.0%} of its weight on this {row.area:.0%} of the area, "
                f"and {row.mirrored:.0%} on its mirror image{_others(methods)}."
                f"{effect if _has_mark(row) else ''}"
            )

        yield Claim(
            answer(
                supported=told,
                undecided=f"{model}: that a place of the view draws it, whatever the pictures show, is not shown.",
                cannot_tell=f"{model}: whether a place of the view draws it, whatever the pictures show, cannot be "
                f"told with {counted(max(row.images for row in rows), 'image')}.",
                meaning="look there for a stamp, a logo or a frame that gives the class away",
            ),
            hypotheses={
                name: Hypothesis(row.p_value, row.witnesses, floors.two_sided_sign_flips)
                for name, row in by_name.items()
            },
            statistic=f"share of weight on the {strongest.place}",
            value=strongest.weight,
            test="maps mirrored at random, the greatest difference of any place; twice the weight of its mirror image",
            images=max(row.images for row in rows),
            tables="audit, map_clusters",
        )


def _effect_of_mark(tables: Rows, model: str) -> str:
    """What the mark of pictures of the world really does; "" where it is not known."""
    effects = [row.effect for row in tables.rows(EffectRow) if row.model == model and row.kind == "mark"]
    if not effects:
        return ""
    mean = sum(effects) / len(effects)
    return f" Made without its mark, a picture has a logit that is {abs(mean):.1f} {'lower' if mean > 0 else 'higher'}."


def _has_mark(row: AuditRow) -> bool:
    """Whether the middle of the world's mark lies at that place."""
    left, top, right, bottom = (edge / SIZE for edge in MARK_BOX)
    return row.left <= (left + right) / 2 <= row.right and row.top <= (top + bottom) / 2 <= row.bottom


def _name(row: AuditRow) -> str:
    return f"{row.method} {row.group}"


def _alike(other: AuditRow, row: AuditRow) -> bool:
    return other.group == row.group and other.place == row.place and other.method != row.method


def _whose(row: AuditRow) -> str:
    images = counted(row.images, "image")
    return f"all {images}" if row.group == ALL_IMAGES else f"{images} that it calls {short_name(row.group)}"


def _others(methods: list[str]) -> str:
    return f"; so have {', '.join(methods)}" if methods else ""
