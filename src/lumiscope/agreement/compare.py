"""Compare every pair of methods, image by image, and every method with the ground truth where there is some."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lumiscope.agreement.agreement import Agreement, PairAgreement
from lumiscope.agreement.masks import make_mask
from lumiscope.agreement.overlap import overlap, overlap_with_truth
from lumiscope.agreement.rules import parse_rule
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.runs import GROUND_TRUTH, TRUTH_RULE, VOID
from lumiscope.types import BoolArray, SaliencyMap, Target

FALLBACK_RULE = "max:0.5"


@dataclass(frozen=True)
class _Masked:
    """What is kept of a map once it is a mask."""

    mask: BoolArray
    rule: str
    target: Target


def compare(
    maps: Iterable[SaliencyMap],
    *,
    masks: Mapping[str, str] | None = None,
    truth: Mapping[str, BoolArray] | None = None,
    model: str = "",
) -> Agreement:
    """Compare the masks of every pair of methods on every image.

    `maps`: one per image and method, in any order; images and methods keep the order in which they first appear, and
    `method_a` is the earlier one of a pair. `masks`: method -> rule ("top:20%", "max:0.5", "otsu", "lime"); other
    methods have their default (`default_rule`). `truth`: image -> (H, W) bool on the view; each method is compared
    with it, as method "ground_truth", where the image has one. Only the masks are held in memory, so `maps` may be
    a generator.
    Raises UnknownNameError for a rule or for a method in `masks` that does not exist; UsageError for a rule that does
    not fit, for masks of several sizes, and for maps of one image that are about several targets or twice by one
    method: agreement is between methods that answer one question.
    """
    rules = {method: str(parse_rule(rule)) for method, rule in (masks or {}).items()}
    methods: dict[str, str] = {}
    images: dict[str, dict[str, _Masked]] = {}
    for saliency in maps:
        if saliency.method not in methods:
            methods[saliency.method] = rules.get(saliency.method) or default_rule(saliency.method)
        image = images.setdefault(saliency.item_id, {})
        _check_comparable(saliency, image)
        rule = methods[saliency.method]
        image[saliency.method] = _Masked(make_mask(saliency, rule), rule, saliency.target)
    _check_names(rules, methods)
    rows: list[PairAgreement] = []
    compared: dict[str, dict[str, BoolArray]] = {}
    for item_id, by_method in images.items():
        masks_of_image = {name: (by_method[name].mask, by_method[name].rule) for name in methods if name in by_method}
        if truth is not None and item_id in truth:
            masks_of_image[GROUND_TRUTH] = truth[item_id], TRUTH_RULE
        rows += compare_masks(item_id, masks_of_image)
        compared[item_id] = {name: mask for name, (mask, _) in masks_of_image.items()}
    return Agreement(tuple(rows), model, compared)


def compare_masks(item_id: str, masks: Mapping[str, tuple[BoolArray, str]]) -> list[PairAgreement]:
    """Compare every pair of masks of one image. `masks`: method -> (H, W) bool mask and the rule that made it.

    The true mask stands under "ground_truth", and under "void" the pixels of which it says nothing.
    Errors: `UsageError` for masks of several sizes.
    """
    return [_pair(item_id, a, b, masks) for a, b in itertools.combinations(masks, 2) if VOID not in (a, b)]


def default_rule(method: str) -> str:
    """Return the rule that a registered attribution method asks for; "max:0.5" for any other name."""
    # Imported here, as reading or applying a rule needs no torch.
    from lumiscope.attribution import METHODS

    registered = METHODS.get(method)
    return FALLBACK_RULE if registered is None else str(parse_rule(registered.mask_rule))


def _check_names(rules: Mapping[str, str], methods: Iterable[str]) -> None:
    from lumiscope.attribution import METHODS

    known = dict.fromkeys([*methods, *METHODS])
    for method in rules:
        if method not in known:
            raise UnknownNameError("method", method, known, hint="It has a mask rule, but there is no map of it.")


def _check_comparable(saliency: SaliencyMap, image: Mapping[str, _Masked]) -> None:
    if saliency.method in {GROUND_TRUTH, VOID}:
        raise UsageError(f"{saliency.method} is a name of the truth in this comparison; give the method another name.")
    for method, other in image.items():
        if other.target.index != saliency.target.index:
            raise UsageError(
                f"the maps of one image must be about one target; for {saliency.item_id}, {method} explains "
                f"{_name(other.target)} and {saliency.method} explains {_name(saliency.target)}. Compare each target "
                "by itself."
            )
    if saliency.method in image:
        raise UsageError(
            f"expected one map per image and method; got two of {saliency.method} for {saliency.item_id}, about the "
            "same target. To compare layers, options or seeds of a method, give each its own method name."
        )


def _name(target: Target) -> str:
    return f"class {target.index} ({target.name})"


def _pair(item_id: str, a: str, b: str, masks: Mapping[str, tuple[BoolArray, str]]) -> PairAgreement:
    (mask_a, rule_a), (mask_b, rule_b) = masks[a], masks[b]
    if mask_a.shape != mask_b.shape:
        raise UsageError(
            f"the masks of one image must be of one size, that of the view; for {item_id}, that of {a} is "
            f"{mask_a.shape} and that of {b} is {mask_b.shape} (height, width)."
        )
    void = masks[VOID][0] if VOID in masks else None
    compared = overlap_with_truth(mask_a, mask_b, void) if b == GROUND_TRUTH else overlap(mask_a, mask_b)
    return PairAgreement(item_id, a, b, compared, rule_a, rule_b)
