"""The agreement of a finished run, under its own rules or others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lumiscope.agreement.agreement import Agreement, PairAgreement, summarise, with_other_images
from lumiscope.agreement.compare import compare_masks
from lumiscope.agreement.masks import make_mask
from lumiscope.agreement.other_images import compare_other_images
from lumiscope.errors import UnknownNameError
from lumiscope.runs import (
    GROUND_TRUTH,
    TRUTH_RULE,
    VOID,
    AgreementRow,
    AgreementSummaryRow,
    ExplanationRow,
    ImageGroups,
    ImageRow,
    RunReader,
)
from lumiscope.types import BoolArray


@dataclass(frozen=True)
class RunAgreement:
    """`by_image`: one row an image and pair. `summary`: means over images."""

    by_image: list[AgreementRow]
    summary: list[AgreementSummaryRow]


def compare_run(run: RunReader, *, masks: Mapping[str, str] | None = None) -> RunAgreement:
    """Compare the maps of a run. `masks`: rules that replace the run's own; None: what the run has.

    Errors: `UnknownNameError` for a method that the run has not; `UsageError` for a rule that does not fit.
    """
    if masks is None:
        return RunAgreement(run.rows(AgreementRow), run.rows(AgreementSummaryRow))
    rules = {**run.manifest.mask_rules, **masks}
    for method in masks:
        if method not in run.manifest.mask_rules:
            raise UnknownNameError("method of this run", method, run.manifest.mask_rules)
    methods_of: dict[tuple[str, str], list[str]] = {}
    for row in run.rows(ExplanationRow):
        methods_of.setdefault((row.model, row.image), []).append(row.method)
    pairs: dict[str, list[PairAgreement]] = {}
    compared: dict[str, dict[str, dict[str, BoolArray]]] = {}
    for (model, image), methods in methods_of.items():
        image_masks = dict(_masks(run, model, image, methods, rules))
        pairs.setdefault(model, []).extend(compare_masks(image, image_masks))
        compared.setdefault(model, {})[image] = {name: mask for name, (mask, _) in image_masks.items()}
    rows = [row for model, of_model in pairs.items() for row in Agreement(tuple(of_model), model).table_rows()]
    seed, groups = run.manifest.seed, ImageGroups.of(run.rows(ImageRow))
    others = {model: compare_other_images(masks_of, groups=groups, seed=seed) for model, masks_of in compared.items()}
    rows = with_other_images(rows, others)
    return RunAgreement(rows, summarise(rows, others, groups=groups, seed=seed))


def _masks(
    run: RunReader, model: str, image: str, methods: Iterable[str], rules: Mapping[str, str]
) -> Iterator[tuple[str, tuple[BoolArray, str]]]:
    for method in methods:
        yield method, (make_mask(run.saliency_map(model, image, method), rules[method]), rules[method])
    for name in (GROUND_TRUTH, VOID):
        mask = run.mask(model, image, name)
        if mask is not None:
            yield name, (mask, TRUTH_RULE)
