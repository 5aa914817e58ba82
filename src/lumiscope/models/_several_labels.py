"""What a softmax assumes of a network, and names that hint at one of which several classes may be true at once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lumiscope.errors import UsageError

ASSUMED = (
    "its scores are taken for logits of a softmax, which assumes that exactly one class is true; where several may be, "
    "say --activation sigmoid"
)
MULTI_LABEL = re.compile(
    r"multi[-_ ]?label|(?<![a-z])(attributes?|tags?|tagger|tagging|coco|voc(20\d\d)?|celeba|chexpert|padchest|mimic|"
    r"chest[-_ ]?x[-_ ]?rays?|chestx-?ray14|nih|openimages|nus[-_ ]?wide)(?![a-z])",
    re.IGNORECASE,
)


def check_single_label(spec: str, names: Iterable[object]) -> None:
    """Check that nothing hints at several labels for a network whose scores are taken for logits of a softmax.

    `names`: of the network, its files and its classes' file; None for what is not there. Errors: `UsageError` where
    one of them does.
    """
    for name in (spec, *names):
        if isinstance(name, str) and (hint := MULTI_LABEL.search(name)):
            raise UsageError(
                f"expected to be told what makes probabilities of the logits of {spec}: {hint.group()!r} in {name!r} "
                "hints at several labels at once. Say --activation sigmoid (each class yes or no) or softmax (exactly "
                "one is true)."
            )
