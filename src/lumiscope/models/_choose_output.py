"""Which of the outputs of a model are its scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models._candidates import SCORES, Candidate
from lumiscope.models._features import has_unit_length
from lumiscope.models._last_step import ends_in_features
from lumiscope.models._output_evidence import OutputEvidence
from lumiscope.models._score_kind import kind_of

CLOSE = 1e-4
NOTHING_SEEN = OutputEvidence()
LABELS = (
    "whole numbers are labels, never scores. If they are saturated probabilities, say what makes probabilities of its "
    "numbers: --activation none, softmax or sigmoid."
)


def choose_output(
    among: Sequence[Candidate],
    spec: str,
    *,
    output: str | None,
    names: int | None,
    evidence: Callable[[], OutputEvidence] = lambda: NOTHING_SEEN,
    said: bool = False,
) -> Candidate:
    """The scores among at least one candidate: the one asked for, else the one that fits the number of class names.

    Of several those by which `_signs` tells. `evidence`: makes what the network shows of them, if that is needed.
    `said`: whether the user says what the numbers are, so that whole ones alone are no labels.
    Errors: `UnknownNameError` for an `output` that is not there, `ModelError` where none fits, all are labels, or it
    cannot be told which of several is meant.
    """
    if output is not None:
        return _asked_for(output, among, spec)
    scores = [candidate for candidate in among if not candidate.is_label]
    if not scores and not (said and len(among) == 1):
        raise ModelError(f"expected (batch, classes) scores of {spec}; got {in_words(among)}: {LABELS}")
    scores = scores or list(among)
    fitting = [candidate for candidate in scores if names is None or candidate.fits(names)]
    if not fitting:
        if len(among) == 1:
            return among[0]
        raise ModelError(
            f"expected an output of {spec} with a number for each of {names} class names; its outputs are "
            f"{in_words(among)}. Check --classes FILE (one name a line), and say which is meant by --output NAME."
        )
    return fitting[0] if len(fitting) == 1 else _told_by_signs(fitting, among, spec, evidence(), names)


def _asked_for(output: str, among: Sequence[Candidate], spec: str) -> Candidate:
    known = [candidate.name for candidate in among]
    if known == [""]:
        raise UsageError(f"{spec} has a single output; got --output {output}. Leave it out.")
    if output not in known:
        raise UnknownNameError(f"output of {spec}", output, known, hint=f"Its outputs are {in_words(among)}.")
    return among[known.index(output)]


def _told_by_signs(
    fitting: Sequence[Candidate], among: Sequence[Candidate], spec: str, evidence: OutputEvidence, names: int | None
) -> Candidate:
    """The candidate that is left when every sign has spoken.

    By place, as in (scores, those of an auxiliary classifier), the first of equally many numbers is meant.
    """
    for sign in _signs(evidence, fitting):
        fitting = [candidate for candidate in fitting if sign(candidate)] or fitting
    by_place = all(candidate.last_name.isdecimal() and candidate.outputs > 1 for candidate in fitting)
    if len(fitting) == 1 or (by_place and len({candidate.outputs for candidate in fitting}) == 1):
        return fitting[0]
    others = "" if len(fitting) == len(among) else f" Its outputs are {in_words(among)}."
    advice = "" if names else ", or give the class names (--classes FILE), whose number may tell"
    raise ModelError(
        f"expected one output of {spec} that is seen to be its scores; {in_words(fitting)} may be.{others} Say "
        f"which is meant by --output NAME{advice}."
    )


def _signs(evidence: OutputEvidence, among: Sequence[Candidate]) -> tuple[Callable[[Candidate], bool], ...]:
    """What tells scores from other numbers, the surest first: names, values, and how the numbers were computed."""
    return (
        lambda candidate: candidate.last_name in SCORES,
        lambda candidate: not candidate.is_features,
        lambda candidate: not candidate.is_whole,
        lambda candidate: candidate.outputs in evidence.declared,
        lambda candidate: not has_unit_length(candidate.rows),
        lambda candidate: candidate.name not in evidence.features,
        lambda candidate: candidate.name not in evidence.summaries and not _is_confidence(candidate, among),
        lambda candidate: not ends_in_features(candidate.rows),
        lambda candidate: candidate.name in evidence.weighed,
        lambda candidate: candidate.name in evidence.classifiers,
        lambda candidate: kind_of(candidate.rows.detach().float().cpu().numpy()) == "shares",
        lambda candidate: candidate.name in evidence.derived,
        lambda candidate: candidate.last_name == SCORES[0],
    )


def _is_confidence(candidate: Candidate, among: Sequence[Candidate]) -> bool:
    """Whether it is one number an image, the highest score or probability that another candidate gives."""
    if candidate.outputs != 1:
        return False
    numbers = candidate.rows.detach().float().cpu()[:, 0]
    others = [other.rows.detach().float().cpu() for other in among if other.outputs > 1]
    forms = [form for rows in others for form in (rows, rows.softmax(1), rows.sigmoid())]
    return any(torch.allclose(numbers, form.amax(1), rtol=0, atol=CLOSE) for form in forms)


def in_words(among: Sequence[Candidate]) -> str:
    """ "0 (512 numbers), 1 (10 numbers), 2 (a label)"."""
    return ", ".join(f"{candidate.name or 'the tensor'} ({_numbers(candidate)})" for candidate in among)


def _numbers(candidate: Candidate) -> str:
    if candidate.is_label:
        return "a label"
    return "1 number" if candidate.outputs == 1 else f"{candidate.outputs} numbers"
