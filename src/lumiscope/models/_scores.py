"""What a network's scores are: which output, what makes probabilities of them, and whether an image has its own."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from lumiscope.errors import ModelError
from lumiscope.models._candidates import Candidate, candidates, choice_notes, no_scores
from lumiscope.models._choose_output import choose_output
from lumiscope.models._ending import Ending, are_made_of, find_ending
from lumiscope.models._features import is_headless, pooled_features
from lumiscope.models._first_run import first_run
from lumiscope.models._last_step import is_linear
from lumiscope.models._output_evidence import output_evidence
from lumiscope.models._probability_form import (
    AS_THEY_ARE,
    NATURAL_LOGARITHMS,
    ProbabilityForm,
    possible_forms,
    sure_form,
)
from lumiscope.models._score_kind import IN_WORDS, ScoreKind, kind_of
from lumiscope.models._several_labels import ASSUMED
from lumiscope.models._twin import twin
from lumiscope.models.channels import RGB
from lumiscope.models.guard import borrowed
from lumiscope.models.outputs import first_tensor, logits_of, with_complement
from lumiscope.models.vision_model import Activation

SAME = 1e-4  # of the largest score: what another number of rows may change by rounding
MIXED = 1e-2  # more than that is no rounding
QUIET = 0.25  # the contrast of a picture beside which others are loud
PERHAPS_NEGATED = (
    "its scores lie in [-1, 0]: if they are negated probabilities, let the network return them without the minus"
)
ALIKE = 1e-5  # what other rows beside it may change in as many rows
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scores:
    """How a network is read. `network`: it, or a twin with the same parts, that gives (B, classes) scores.

    `count`: classes. `single`: whether it gives one number an image. `activation`: what makes probabilities of the
    scores. `ending`: the softmax or sigmoid that was taken off; None: none was. `headless`: whether the numbers are
    features of no classes. `alone`: whether an image must be run alone, since its scores depend on its neighbours.
    `channels`: of the pictures that it takes.
    `assumed`: whether nobody says that the scores are logits of a softmax. `facts`: what tells the readings of one
    network apart; none where it is read as it is.
    """

    network: torch.nn.Module
    count: int
    single: bool
    activation: Activation
    notes: tuple[str, ...] = ()
    ending: Ending | None = None
    headless: bool = False
    alone: bool = False
    channels: int = RGB
    assumed: bool = False
    facts: tuple[str, ...] = ()

    def noting(self, note: str) -> Scores:
        """The same with a further note."""
        return replace(self, notes=(*self.notes, note))


def read_scores(
    network: torch.nn.Module,
    contrasts: Callable[[int], torch.Tensor],
    spec: str,
    *,
    channels: int | None = None,
    names: int | None = None,
    output: str | None = None,
    activation: Activation | None = None,
) -> Scores:
    """Read the scores of a network by running it on `contrasts(channels)`: (4, channels, H, W) noise.

    `channels`: of its pictures; None: RGB, where it does not run on that as `other_channels`.
    `names`: how many class names there are; None: unknown. `output`: the name of the output that is meant; None: as
    `choose_output`. `activation`: as the user says it; None: judged by the values. Errors: `ModelError` where the
    network does not run or gives no scores, `UnknownNameError` for an output that it does not have.
    """
    first = first_run(network, contrasts, spec, channels)
    network, inputs, returned = first.network, first.inputs, first.returned
    with borrowed(network), torch.enable_grad():
        network, returned, pooled = pooled_features(network, returned, inputs)
        among = candidates(returned, 2)
        if not among:
            logits_of(returned)  # says what is wrong with its shape
            raise ModelError(f"expected a classifier that returns (batch, classes) logits; {no_scores(returned)}")
        evidence = functools.partial(output_evidence, network, inputs[:2])
        said = activation is not None
        chosen = choose_output(among, spec, output=output, names=names, evidence=evidence, said=said)
        scores = replace(_chosen(network, returned, chosen), channels=inputs.shape[1], notes=first.notes)
        if activation == "raw":
            return replace(scores, activation="raw")
        for note in choice_notes(chosen, returned):
            scores = replace(scores.noting(note), facts=(f"output {chosen.name}",))
        if pooled or (names is None and activation is None and is_headless(network, chosen)):
            scores = replace(scores, headless=True, activation="raw")
            scores = scores.noting(f"it has no classifier: its {scores.count} outputs are features, no classes")
    with borrowed(scores.network), torch.no_grad():
        whole = scores.network
        if not scores.headless:
            scores = _activated(scores, inputs, chosen, activation)
        same = scores.network is whole
        together = logits_of(chosen.rows.detach()).float() if same else _rows(scores.network, inputs[:2])
        return _among_neighbours(scores, inputs, together, spec)


def _chosen(network: torch.nn.Module, returned: object, chosen: Candidate) -> Scores:
    if chosen.of(returned) is not first_tensor(returned):
        network = twin(network, lambda run, inputs: chosen.of(run(inputs)))
    single = chosen.outputs == 1
    return Scores(network, 2 if single else chosen.outputs, single, "sigmoid" if single else "softmax")


def _activated(scores: Scores, inputs: torch.Tensor, chosen: Candidate, said: Activation | None) -> Scores:
    """The scores with what makes probabilities of them."""
    kind = _kind(scores, inputs, chosen)
    forms = _forms(kind, chosen.rows.detach().float(), said, linear=is_linear(chosen.rows))
    ending = _checked_ending(scores, inputs, forms)
    if ending is not None and _agrees(said, ending, scores.single):
        return _before(ending, scores)
    if forms not in ([], [AS_THEY_ARE]):  # before it is asked about more pictures
        form = sure_form(_rows(scores.network, inputs, scores.single))
        if form is not None and said in (None, form.activation):
            return _undone(scores, form, said)
    complete = with_complement(scores.network) if scores.single else scores.network
    if said == "none" or (said is None and kind != "logits"):
        taken = replace(scores, network=complete, activation="none")
        return taken if said else taken.noting(f"its scores {IN_WORDS[kind]}; logits: --activation softmax or sigmoid")
    activation = scores.activation if said is None or scores.single else said
    taken = replace(scores, activation=activation, assumed=said is None and not scores.single)
    if kind == "logits":
        taken = taken.noting(ASSUMED) if taken.assumed else taken
        return taken.noting(PERHAPS_NEGATED) if said is None and _may_be_negated(scores, inputs, chosen) else taken
    return taken.noting(f"its scores {IN_WORDS[kind].partition(' and')[0]}, and the {activation} is applied to "
                        "them as asked; if they are probabilities, say --activation none")  # fmt: skip


def _forms(kind: ScoreKind, seen: torch.Tensor, said: Activation | None, *, linear: bool) -> list[ProbabilityForm]:
    """The forms in which the scores `seen`, (B, outputs), may be probabilities.

    `linear`: whether a layer without bounds made them; that they are within bounds is then by chance.
    """
    if kind == "shares" or (said is not None and kind == "chances"):
        return [AS_THEY_ARE]
    if not linear or kind == "chances":
        return possible_forms(seen)
    sure = sure_form(seen)
    return [] if sure is None else [sure]


def _agrees(said: Activation | None, ending: Ending, single: bool) -> bool:
    """Whether a network that ends so may be what the user says; of two classes softmax and sigmoid mean the same."""
    form = ending.form.activation
    if said in (None, ending.activation) or (single and (said == "softmax" or form == "none")):
        return True
    return said == form and (form != "softmax" or ending.pair != "")


def _may_be_negated(scores: Scores, inputs: torch.Tensor, chosen: Candidate) -> bool:
    """Whether all scores lie in [-1, 0], and no layer without bounds made them."""
    if is_linear(chosen.rows) or chosen.rows.min() < -1 or chosen.rows.max() > 0:
        return False  # before it is asked about more pictures
    rows = _rows(scores.network, inputs, scores.single)
    return bool(((rows >= -1) & (rows <= 0)).all() and rows.any())


def _undone(scores: Scores, form: ProbabilityForm, said: Activation | None) -> Scores:
    """The scores in the form that methods explain."""
    taken = replace(scores, network=form.undone(scores.network), activation=form.activation)
    if form == NATURAL_LOGARITHMS:
        return taken
    return replace(taken.noting(form.note(said)), facts=(*scores.facts, f"{form.written} by {form.factor:g}"))


def _before(ending: Ending, scores: Scores) -> Scores:
    """The scores of the network without its last step."""
    step = ending.step
    note = f"it ends in a {step}: its scores are {ending.form.written}, and methods explain what the {step} is given"
    note += ", negated" if ending.negated else ""
    cut = replace(scores, network=ending.without(scores.network), activation=ending.activation, ending=ending)
    return replace(cut.noting(note), facts=(*scores.facts, f"before the {step}"))


def _kind(scores: Scores, inputs: torch.Tensor, chosen: Candidate) -> ScoreKind:
    kind = kind_of(chosen.rows.detach().float().cpu().numpy())
    if kind == "logits" or (kind == "chances" and is_linear(chosen.rows)):
        return "logits"
    return kind_of(_rows(scores.network, inputs, scores.single).cpu().numpy())


def _rows(network: torch.nn.Module, inputs: torch.Tensor, single: bool = False) -> torch.Tensor:
    """(B, classes) float32 of a network; (B, 1) of one that gives a `single` number."""
    rows = logits_of(network(inputs.clone())).float()
    return rows[:, 1:] if single else rows


def _checked_ending(scores: Scores, inputs: torch.Tensor, forms: list[ProbabilityForm]) -> Ending | None:
    """The softmax or sigmoid that can be taken off a network: what is left gives the same probabilities.

    `forms`: in which its scores may be probabilities. The user's own code runs in other ways than it was written for,
    and may raise anything.
    """
    network, single = scores.network, scores.single
    try:
        ending = find_ending(lambda some: _rows(network, some, single), inputs[:2], forms) if forms else None
        if ending is None:
            return None
        logits, rows = _rows(ending.without(network), inputs), _rows(network, inputs, single)
    except Exception as error:
        logger.info("the last step of the network cannot be taken off: %s", error)
        return None
    made = logits.softmax(1) if ending.activation == "softmax" else logits.sigmoid()
    return ending if are_made_of(made, ending.form.probabilities(rows), SAME) else None


def _among_neighbours(scores: Scores, inputs: torch.Tensor, together: torch.Tensor, spec: str) -> Scores:
    """The scores, with whether a picture has others alone than among the `inputs`; `together`: those of the first two.

    Tried are pictures of very different contrast: what is taken of a whole batch, such as its maximum, is that of one.

    Errors: `ModelError` where it has, and does not run alone.
    """
    network = scores.network
    largest = float(together[together.isfinite()].abs().max()) if together.isfinite().any() else 0.0
    try:
        alone, reason = _rows(network, inputs[1:2]), ""
    except Exception as error:  # a network that needs several images raises whatever it likes
        alone, reason = together[:0], (str(error) or type(error).__name__).splitlines()[0]

    def same(rows: torch.Tensor, others: torch.Tensor, share: float) -> bool:
        return rows.shape == others.shape and torch.allclose(rows, others, 0, share * largest, equal_nan=True)

    if alone.shape != together[1:].shape:
        reason = reason or f"it gives {tuple(alone.shape)} scores"
        raise ModelError(
            f"expected {spec} to give a picture alone the scores that it gives it among others; it does not run on one "
            f"picture: {reason}. Look for batch norms without running statistics, and for squeeze()."
        )
    quiet = torch.cat([inputs[:1] * QUIET, inputs[1:2]])
    quiet_alone, quiet_among = _rows(network, quiet[:1]), _rows(network, quiet)[:1]
    if same(alone, together[1:], SAME) and same(quiet_alone, quiet_among, SAME):
        return scores
    if not same(_rows(network, inputs[:2]), together, SAME):
        return scores  # others each time, whatever is beside it
    nearly = same(alone, together[1:], MIXED) and same(quiet_alone, quiet_among, MIXED)
    if nearly and same(_rows(network, inputs[[2, 1]])[1:], together[1:], ALIKE):
        return scores  # rounded otherwise in another number of rows
    note = "its scores of a picture depend on those beside it, so each is run alone: slower, and the same every time"
    return replace(scores.noting(note), alone=True, facts=(*scores.facts, "alone"))
