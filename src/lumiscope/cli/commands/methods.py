"""`lumiscope methods`: what can explain, and how it can be told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_json, print_rows, progress, say

if TYPE_CHECKING:
    from lumiscope.attribution import AttributionMethod, OptionHelp

COLUMNS = ["option", "values", "default", "meaning"]


@command("methods", order=110)
def methods(
    method: Annotated[str | None, typer.Argument(help="Tell the options of this one, with what they mean.")] = None,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="List the trust metrics instead, with what maps that know nothing score.")
    ] = False,
    json: JSON = False,
) -> None:
    """List the attribution methods, their cost and options; with a name, what each option of it means.

    \b
        lumiscope methods
        lumiscope methods lime
        lumiscope methods --metrics
    """
    if metrics:
        _list_metrics(as_json=json)
        return
    from lumiscope.attribution import METHODS

    if method is not None:
        _tell(METHODS[method], as_json=json)
        return
    rows = [_facts(entry) | {"options": _defaults(entry)} for entry in METHODS.values()]
    if not json:
        rows = [row | {"options": ", ".join(row["options"])} for row in rows]
    print_rows(rows, ["method", "title", "passes", "mask_rule", "options", "citation"], as_json=json)
    if not json:
        say("lumiscope methods NAME tells what the options of a method mean.")


def _tell(method: AttributionMethod[Any], *, as_json: bool) -> None:
    """One method: its options, and those of the segmenters where it has segments."""
    from lumiscope.attribution import option_help, segmenter_help

    options = option_help(method.options_type)
    segmenters = segmenter_help() if "segmenter" in _defaults(method) else []
    if as_json:
        facts = _facts(method) | {"options": [_row(option) for option in options]}
        print_json(
            facts | ({"segmenters": [_row(segmenter, "segmenter") for segmenter in segmenters]} if segmenters else {})
        )
        return
    say(f"{method.title}. {method.citation}\nCost: {method.passes}. Mask: {method.mask_rule}.")
    rows = [_row(option) | {"default": str(option.default)} for option in options]
    for segmenter in segmenters:
        defaults = ", ".join(f"{name}={value}" for name, value in segmenter.default.items())
        rows.append(_row(segmenter) | {"option": f"segmenter_options of {segmenter.name}", "default": defaults})
    print_rows(rows, COLUMNS, as_json=False)
    say(f"Set one with --option {method.name}.{options[0].name}={options[0].default}; values are JSON or text.")


def _list_metrics(*, as_json: bool) -> None:
    """Every trust metric, and the mean scores of baselines on a few pictures of the world."""
    from lumiscope.study import null_scores
    from lumiscope.trust import METRICS

    nulls = null_scores(track=progress)
    rows = [
        {
            "metric": metric.name,
            "title": metric.title,
            "default": metric.by_default,
            "property": metric.property,
            "better": metric.direction,
            "range": list(metric.range) if as_json else _range(metric.range),
            "needs": sorted(metric.needs) if as_json else ", ".join(sorted(metric.needs)),
            **nulls[metric.name],
            "verdict": metric.verdict,
            "caution": metric.caution,
            "citation": metric.citation,
        }
        for metric in METRICS.values()
    ]
    print_rows(rows, list(rows[0]), as_json=as_json)
    if not as_json:
        say(
            "random, blob, centred, constant: mean scores of maps that know nothing, computed now on pictures of the "
            "world; a score means something only beside them."
        )


def _range(bounds: tuple[float | None, float | None]) -> str:
    low, high = ("" if bound is None else f"{bound:g}" for bound in bounds)
    return f"{low} … {high}"


def _facts(method: AttributionMethod[Any]) -> dict[str, Any]:
    return {
        "method": method.name,
        "title": method.title,
        "passes": method.passes,
        "needs_gradients": method.needs_gradients,
        "needs_layer": method.needs_layer,
        "mask_rule": method.mask_rule,
        "citation": method.citation,
    }


def _defaults(method: AttributionMethod[Any]) -> dict[str, Any]:
    from lumiscope.attribution import option_help

    return {option.name: option.default for option in option_help(method.options_type)}


def _row(option: OptionHelp, name: str = "option") -> dict[str, Any]:
    return {name: option.name, "values": option.values, "default": option.default, "meaning": option.meaning}
