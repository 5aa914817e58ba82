"""From a hand-in to scores: the same numbers wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import torch

from lumiscope.agreement import overlap_with_truth
from lumiscope.attribution import PreparedBatch
from lumiscope.errors import UsageError
from lumiscope.models import VisionModel, class_index, default_name
from lumiscope.server.challenges import Challenge, ChallengeImage
from lumiscope.server.hand_ins import HandIn
from lumiscope.server.scoring._explained import Explained, Explainer
from lumiscope.server.scoring.scores import DIGITS, ImageScore, Scores
from lumiscope.study import load_configured
from lumiscope.trust import METRICS, Candidate, JudgedView, Undefined
from lumiscope.types import BoolArray, DoubleArray

FAITHFULNESS = "abpc"
Progress = Callable[[int, int], None]


def score(
    challenge: Challenge,
    hand_in: HandIn,
    truth: Mapping[str, BoolArray],
    only: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Scores:
    """Score a hand-in on the images whose true mask is there.

    `truth`: image -> (H, W) bool at the picture's size. `only`: those images alone; None: all of the challenge.
    `progress(done, total)`: told after each image. Maps and parameters become masks by the rule of their method, maps
    of nobody by `max:0.5`; masks are compared on the model's view. One thread and torch in float32 make the numbers,
    which are rounded to 6 digits: the same file gives the same scores here and on a server.
    Errors: `UsageError` for a true mask that is missing; `HandInRefused` for parameters that cannot be followed; those
    of models and images.
    """
    chosen = [image for image in challenge.images if only is None or image.name in only]
    if missing := [image.name for image in chosen if image.name not in truth]:
        raise UsageError(f"expected the true mask of every image that is scored; got none of {', '.join(missing)}")
    model = load_configured(challenge.model, challenge.model.name or default_name(challenge.model.spec))
    scores = []
    with _one_thread():
        explainer = Explainer(challenge, hand_in, model)
        for number, image in enumerate(chosen, 1):
            scores.append(_scored(model, image, explainer.explained(image), truth[image.name], challenge.seed))
            if progress is not None:
                progress(number, len(chosen))
    return Scores(tuple(scores))


def _scored(model: VisionModel, image: ChallengeImage, said: Explained, truth: BoolArray, seed: int) -> ImageScore:
    overlap = overlap_with_truth(said.mask, model.geometry.mask_on_view(truth))
    faithfulness, why = (None, "") if said.map is None else _faithfulness(model, image, said.map, seed)
    # A mask with nothing or all of the view says nothing: it is at chance, and no rank may leave it out.
    adjusted = 0.0 if overlap.reason else overlap.adjusted
    return ImageScore(
        name=image.name,
        iou=round(overlap.iou, DIGITS),
        adjusted=round(adjusted, DIGITS),
        faithfulness=faithfulness,
        passes=said.passes,
        seconds_cpu=round(said.seconds_cpu, DIGITS),
        reason="; ".join(filter(None, [said.reason, overlap.reason, why]))[:500],
    )


def _faithfulness(
    model: VisionModel, image: ChallengeImage, values: DoubleArray, seed: int
) -> tuple[float | None, str]:
    """The number, and why there is none."""
    prepared = PreparedBatch(model, [model.view(image.item)], seed=seed)
    label = None if image.target is None else class_index(model, image.target)
    (target,) = prepared.targets("label", [label])
    (result,) = METRICS[FAITHFULNESS].measure(JudgedView(prepared, target), [Candidate(FAITHFULNESS, values)])
    if isinstance(result, Undefined):
        return None, f"no faithfulness: {result.reason}"
    return round(float(result), DIGITS), ""


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of floats depend on how many threads share them; CPU seconds, too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
