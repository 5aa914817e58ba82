"""What is true of every finding: it is declared, says what it needs, and its sentences follow from the tables alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from lumiscope.runs import ImageGroups, ImageRow, Outcome, TrustRow, TrustSummaryRow
from lumiscope.statistics import holm
from lumiscope.study import FINDINGS, Claim, Hypothesis, Tables, answer, find
from lumiscope.study.findings.claim import Decision
from lumiscope.study.findings.extremes import behind_the_first, extreme
from lumiscope.study.findings.family import decide, images_for_medium, sharing
from lumiscope.testing import planted_study


@pytest.mark.parametrize("name", FINDINGS)
def test_without_tables_nothing_is_claimed(name: str) -> None:
    entry = FINDINGS[name]
    assert entry.needs
    assert list(entry.claims(Tables())) == []


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_reads_no_table_but_those_it_needs(name: str) -> None:
    whole, entry = planted_study(0, 12).tables, FINDINGS[name]
    own = Tables()
    for row in entry.needs:
        own.write(row, whole.rows(row))
    assert [claim.say(Decision({}, 0.05)) for claim in entry.claims(own)] == [
        claim.say(Decision({}, 0.05)) for claim in entry.claims(whole)
    ]


def test_every_ending_of_a_claim_has_a_sentence_of_its_own() -> None:
    """Whatever the tests say, the outcome fits the sentence; what is answered says what it means for the reader."""
    for row_name, entry in FINDINGS.items():
        for claim in entry.claims(planted_study(1, 12, ("related",)).tables):
            if not claim.hypotheses:
                observed = claim.say(Decision({}, 0.05))
                assert observed.outcome is Outcome.OBSERVED, row_name
                assert observed.meaning, row_name
                continue
            shown, unshown = (dict.fromkeys(claim.hypotheses, p) for p in (0.0, 1.0))
            sentences = [
                claim.say(Decision(shown, 0.05)),
                claim.say(Decision(unshown, 0.05)),
                claim.say(Decision(unshown, 0.05, attainable=False)),
            ]
            assert sentences[0].outcome in {Outcome.SUPPORTED, Outcome.CONTRADICTED}, row_name
            assert sentences[0].meaning, row_name
            assert [sentence.outcome for sentence in sentences[1:]] == [Outcome.UNDECIDED, Outcome.CANNOT_TELL]
            assert sentences[0].text not in {sentence.text for sentence in sentences[1:]}, row_name
            if claim.images is None:
                continue  # units are always enough
            assert sentences[1].text != sentences[2].text, row_name
            assert "cannot be told with 12 images" in sentences[2].text or "of 12 images" in sentences[2].text


def claim_of(*p_values: float, floor: float = 0.0) -> Claim:
    tests = {str(number): Hypothesis(p, 10, lambda images: floor) for number, p in enumerate(p_values)}
    say = answer(supported="yes", undecided="perhaps", cannot_tell="never", contradicted={"1": "no"})
    return Claim(say, statistic="s", value=0.0, tables="t", hypotheses=tests)


def test_sentences_share_the_level_and_hypotheses_share_a_sentence() -> None:
    """Two sentences: each p-value counts twice; inside the first Holm's factors are 2 and 1."""
    first, second = decide([claim_of(0.01, 0.02), claim_of(0.03)])
    assert first.p_values == pytest.approx({"0": 0.04, "1": 0.04})
    assert second.p_values == pytest.approx({"0": 0.06})
    assert first.shown == ["0", "1"]
    assert second.shown == []


def test_what_can_never_be_shown_takes_no_share() -> None:
    """Tarone: with a floor of 0.06 the second can never be shown, so the first is alone."""
    first, second = decide([claim_of(0.04), claim_of(0.06, floor=0.06)])
    assert first.p_values["0"] == pytest.approx(0.04)
    assert first.attainable
    assert not second.attainable
    assert [sharing([0.0, 0.0, 0.03]), sharing([0.02, 0.02, 0.02]), sharing([])] == [2, 3, 1]


def test_an_answer_tells_support_from_contradiction() -> None:
    say = claim_of(1, 1).say
    assert say(Decision({"0": 0.01, "1": 0.01}, 0.05)).text == "yes"
    assert say(Decision({"0": 0.5, "1": 0.01}, 0.05)).outcome is Outcome.CONTRADICTED
    assert say(Decision({"0": 0.5, "1": 0.5}, 0.05)).text == "perhaps"
    assert say(Decision({"0": 0.5, "1": 0.5}, 0.05, attainable=False)).text == "never"


def test_a_medium_difference_takes_as_many_images_as_the_textbook_says() -> None:
    """Cohen: 80 % power at 5 %, two-sided, d = 0.5: (1.960 + 0.842)² / 0.25 = 31.4 by the normal approximation."""
    assert images_for_medium(1, 1) == 32, "which of both is ahead is seen in the data: half of 5 % for each"
    # 0.05 / (10 · 2) = 0.0025 is beyond 2.8070, and 0.2 / 3 beyond 1.5011
    assert images_for_medium(10, 3) == math.ceil((2.8070 + 1.5011) ** 2 / 0.25) == 75


def test_so_many_images_show_it_in_four_of_five_studies() -> None:
    """One of four methods, half a deviation of the paired differences ahead of each other one, among ten sentences."""
    shown = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=(75, 4)) / math.sqrt(2) - 0.5 * (np.arange(4) == 1)
        named = {f"{method}": {f"{row}": values[row, method] for row in range(75)} for method in range(4)}
        end = extreme(named, highest=False, groups=ImageGroups())
        shown += end.name == "1" and 10 * end.test.p_value <= 0.05
    assert 143 <= shown <= 187, "160 on average; further off with a probability of 0.003"


def test_who_is_behind_the_first_is_tested_as_often_as_there_are_others() -> None:
    """Ten images on which `a` is ahead of `b` by 1 and a little, and of `c` by nothing: one of 2^10 signs, twice."""
    little = dict(zip("0123456789", np.linspace(-0.01, 0.01, 10), strict=True))
    a = dict.fromkeys(little, 2.0)
    values = {
        "b": {image: 1 + more for image, more in little.items()},
        "a": a,
        "c": {i: 2 + m for i, m in little.items()},
    }
    values["c"]["0"] -= 0.001
    first, tests = behind_the_first(values, highest=True, groups=ImageGroups())
    assert (first, list(tests)) == ("a", ["b", "c"])
    assert tests["b"].p_value == pytest.approx(2 / 2**10)
    assert tests["c"].p_value > 0.5
    assert tests["b"].floor(10) == 2 / 2**10
    negated = {name: {image: -value for image, value in of.items()} for name, of in values.items()}
    assert behind_the_first(negated, highest=False, groups=ImageGroups())[1]["b"].p_value == tests["b"].p_value
    assert behind_the_first({"a": a}, highest=True, groups=ImageGroups()) is None


def test_of_methods_as_good_as_each_other_none_is_called_the_worse_choice() -> None:
    """At 5 % for each study, 10 of 200 are expected, and more than 20 have a probability of 0.001."""
    wrong = 0
    for seed in range(200):
        values = np.random.default_rng(seed).normal(size=(15, 4))
        named = {f"{method}": {f"{row}": values[row, method] for row in range(15)} for method in range(4)}
        _, tests = behind_the_first(named, highest=True, groups=ImageGroups())
        wrong += min(holm(np.array([test.p_value for test in tests.values()]))) <= 0.05
    assert wrong <= 20


def test_a_choice_needs_a_first_one_that_beats_maps_that_know_nothing() -> None:
    tables = planted_study(5, 100, ("related", "faithful")).tables
    (chosen, *_) = FINDINGS["choice_for_reasons"].claims(tables)
    assert (
        "use Grad-CAM: Ablation-CAM, Score-CAM and LIME are shown to be less faithful"
        in chosen.say(Decision(dict.fromkeys(chosen.hypotheses, 0.0), 0.05)).text
    )
    assert max(test.p_value for test in chosen.hypotheses.values()) < 0.01
    beaten = Tables()
    beaten.write(TrustRow, tables.rows(TrustRow))
    beaten.write(ImageRow, tables.rows(ImageRow))
    beaten.write(TrustSummaryRow, [replace(row, p_value=0.7) for row in tables.rows(TrustSummaryRow)])
    (chosen, *_) = FINDINGS["choice_for_reasons"].claims(beaten)
    assert {test.p_value for test in chosen.hypotheses.values()} == {0.7}


def test_the_last_sentence_counts_the_others() -> None:
    *others, last = find(planted_study(2, 30, ("related",)).tables)
    tested = [row for row in others if row.p_value is not None]
    shown = sum(row.outcome is Outcome.SUPPORTED for row in tested)
    assert last.claim.startswith(f"Of {len(tested)} tested sentences, {shown} shown, ")
    assert last.outcome is Outcome.OBSERVED


@pytest.mark.parametrize(("images", "few"), [(12, 3), (40, 0)])
def test_images_of_few_classes_are_said(images: int, few: int) -> None:
    """Four images a class: three classes of twelve images, and ten of forty, which count as ten."""
    last = planted_study(0, images, clustered=True).findings[-1]
    assert ("They are of 3 classes, and what is said of means is of images of these." in last.claim) == (few == 3)
    assert ("They are of" in last.claim) == bool(few)
