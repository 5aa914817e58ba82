"""Why a model predicts what it does, in one sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from lumiscope.runs import Account, ContributionRow, JudgementRow, PredictionRow, accounts_of
from lumiscope.testing import fake_row


class Rows:
    """A run with these rows and nothing else."""

    def __init__(self, *rows: object) -> None:
        self._rows = rows

    def rows(self, row: type[Any]) -> list[Any]:
        return [entry for entry in self._rows if type(entry) is row]


def contribution(rank: int, unit: int, label: str | None, contribution: float, **changes: Any) -> ContributionRow:
    facts = {
        "model": "m", "image": "goldfish", "layer": "layer4", "rank": rank, "unit": unit, "label": label,
        "contribution": contribution, "share": contribution / 10, "removal_share": contribution / 10, "score": 11.0,
        "baseline_score": 1.0, "total": 9.98, "labelled_total": 6.0, "completeness_error": 0.002,
    }  # fmt: skip
    return fake_row(ContributionRow, **{**facts, **changes})


def judgement(model: str, image: str) -> JudgementRow:
    return fake_row(JudgementRow, model=model, image=image, target_short_name="goldfish")


def account(rows: Sequence[ContributionRow], *predictions: PredictionRow) -> Account:
    (only,) = accounts_of(Rows(*rows, *predictions, judgement("m", "goldfish")))  # type: ignore[arg-type]
    return only


def test_the_sentence() -> None:
    prediction = fake_row(PredictionRow, model="m", image="goldfish", rank=1, short_name="goldfish", probability=0.93)
    rows = [contribution(1, 12, "orange", 3.1), contribution(2, 99, "fin", 2.2), contribution(3, 7, None, -0.5)]
    goldfish = account(rows, prediction)
    assert goldfish.text() == (
        "goldfish (predicted goldfish, 0.93): orange 0.31 (layer4:12), fin 0.22 (layer4:99), layer4:7 -0.05; these 3 "
        "units are 48% of what the layer adds to the score, those with a label 60%, all units together 99.8%"
    )
    alone = goldfish.shown(1).text()
    assert alone.startswith("goldfish (predicted goldfish, 0.93): orange 0.31 (layer4:12); this unit is 31%")
    other = dataclasses.replace(goldfish, target="carp")
    assert other.text().startswith("goldfish (why carp; predicted goldfish, 0.93): orange")


def test_every_image_of_every_model_has_its_own() -> None:
    places = [("one", "a"), ("one", "b"), ("two", "a")]
    rows = [contribution(1, 12, "orange", 3.1, model=model, image=image) for model, image in places]
    judgements = [judgement(model, image) for model, image in places]
    accounts = accounts_of(Rows(*rows, *judgements))  # type: ignore[arg-type]
    assert [(told.model, told.image) for told in accounts] == places
    assert accounts_of(Rows()) == []  # type: ignore[arg-type]


def test_a_unit_without_evidence_is_told_by_what_it_is_like() -> None:
    said = account([contribution(1, 7, None, 3.1, nearest="carp"), contribution(2, 8, None, 0.1)]).text()
    assert "carp? 0.31 (layer4:7), layer4:8 0.01;" in said
    assert said.endswith("; a word with ? is only the nearest: the evidence for it does not suffice")


def test_a_share_that_rounds_to_nothing_has_no_sign() -> None:
    said = account([contribution(1, 12, "orange", -0.01, labelled_total=-0.01)]).text()
    assert "orange 0.00 (layer4:12); this unit is 0% of what the layer adds to the score" in said


def test_complete_is_within_a_hundredth() -> None:
    for error, complete in ((0.0, True), (0.01, True), (0.0101, False), (float("nan"), False)):
        told = account([contribution(1, 12, "orange", 3.1, completeness_error=error)])
        assert told.is_complete == complete
    assert "the sum misses" not in account([contribution(1, 12, "orange", 3.1, completeness_error=0.01)]).text()


def test_an_account_that_is_incomplete_or_undefined_says_so() -> None:
    rough = account([contribution(1, 12, "orange", 3.1, completeness_error=0.2)])
    assert rough.text().endswith("(the sum misses 20.0% of it: the shares are rough)")
    nothing = {"completeness_error": float("nan"), "share": float("nan"), "baseline_score": 11.0}
    empty = account([contribution(1, 12, "orange", 0.0, **nothing)])
    assert empty.text() == "goldfish (why goldfish): the score does not depend on layer4"


def test_what_is_known_of_single_units_is_said():
    """Off by 0.6 % at most; silencing orange alone takes 0.12 away, not 0.31, and fin's 0.225 is near enough."""
    rows = [
        contribution(1, 12, "orange", 3.1, error=0.006, removal_share=0.12),
        contribution(2, 99, "fin", 2.2, error=0.001, removal_share=0.225),
    ]
    assert account(rows).single_units == (
        "; single shares are within 0.6% of the score's rise; "
        "silencing one alone takes away another share, of orange 0.12"
    )
    assert account([contribution(1, 12, "orange", 3.1)]).single_units == ""
