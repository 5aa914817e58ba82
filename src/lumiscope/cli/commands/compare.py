"""`lumiscope compare`: the agreement of a run's methods."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lumiscope.cli.command import command
from lumiscope.cli.options import JSON
from lumiscope.cli.output import print_rows


@command("compare", order=70)
def compare(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    masks: Annotated[
        str | None, typer.Option(help="Other rules than the run's: 'gradcam=top:20%,lime=lime'; rules: {mask_rules}.")
    ] = None,
    by_image: Annotated[bool, typer.Option("--by-image", help="One row an image and pair, not the means.")] = False,
    json: JSON = False,
) -> None:
    """Show how far the methods of a run agree.

    IoU of their masks, with the areas. Chance is the IoU of masks of these areas placed at random; the ceiling is what
    these areas allow at most. Rows with `ground_truth` compare with the true masks. Sorted, highest first.
    """
    from lumiscope.agreement import compare_run, parse_rules
    from lumiscope.runs import AgreementRow, AgreementSummaryRow, Run, as_json, table_of

    agreement = compare_run(Run.open(run), masks=parse_rules(masks) if masks else None)
    rows = agreement.by_image if by_image else agreement.summary
    names = table_of(AgreementRow if by_image else AgreementSummaryRow).schema.names
    hidden = {"rule_a", "rule_b", "reason"} if by_image else set()
    print_rows(map(as_json, rows), [name for name in names if name not in hidden], as_json=json)
