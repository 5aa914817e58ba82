"""Under each image and model: the units that made the prediction, as the table `contributions` has them."""

from __future__ import annotations

from lumiscope.report.sections.images.why import why
from lumiscope.runs import ContributionRow, JudgementRow, accounts_of
from lumiscope.testing import fake_row


def row(image, rank, unit, label, contribution, **changes):
    facts = {
        "model": "objects", "image": image, "layer": "stage4", "rank": rank, "unit": unit, "label": label,
        "contribution": contribution, "share": contribution / 10, "removal_share": contribution / 10, "score": 11.0,
        "baseline_score": 1.0, "total": 9.98, "labelled_total": 6.5, "completeness_error": 0.002, "steps": 16,
    }  # fmt: skip
    return fake_row(ContributionRow, **{**facts, **changes})


def with_contributions(run, rows):
    run.tables[ContributionRow] = rows
    run.change(JudgementRow, lambda _: {"target_short_name": "sports car"})
    return run


RACER = [
    row("racer_01", 1, 12, "red", 3.0),
    row("racer_01", 2, 5, "wheel", 2.5),
    row("racer_01", 3, 9, None, -1.5),
    row("racer_01", 4, 3, "wheel", 1.0),
]


def words(page):
    return " ".join(page.text.split())


def test_labels_together_the_largest_first(fakes, read, tmp_path):
    run = with_contributions(fakes.fake_run(tmp_path), RACER)
    (account,) = accounts_of(run)
    concepts = why(account).concepts
    assert [(concept.name, concept.count, concept.addresses, round(concept.share, 6)) for concept in concepts] == [
        ("wheel", 2, "stage4:5, stage4:3", 0.35),
        ("red", 1, "stage4:12", 0.3),
        ("stage4:9", 1, "stage4:9", -0.15),
    ]
    assert [round(concept.width, 3) for concept in concepts] == [100, 85.714, 42.857]
    page = read(run)
    assert not page.unbalanced
    text = words(page)
    assert text.count("Why sports car?") == 1
    assert len([division for division in page.of("div") if division.get("class") == "why"]) == 1
    assert "wheel 2 units 0.35 red 0.30 stage4:9 −0.15" in text
    assert (
        "Together 50 % of the score's rise from 1.00, with the layer silent, to 11.00; all units with a label 65 %, "
        "all units 99.8 %." in text
    )
    assert "Caution" not in text


def test_an_incomplete_sum_and_a_layer_without_influence(fakes, read, tmp_path):
    rough = [row("racer_01", 1, 12, "red", 3.0, completeness_error=0.2)]
    nothing = {"share": float("nan"), "completeness_error": float("nan"), "baseline_score": 11.0}
    text = words(
        read(with_contributions(fakes.fake_run(tmp_path), [*rough, row("disc_02", 1, 12, "red", 0.0, **nothing)]))
    )
    assert "Caution: the sum misses 20.0 % of it, so the shares are rough." in text
    assert "Why sports car: its score does not depend on the units of stage4." in text


def test_a_share_that_rounds_to_nothing_has_no_sign(fakes, read, tmp_path):
    small = [row("racer_01", 1, 12, "red", 3.0, labelled_total=-0.01)]
    assert "all units with a label 0 %, all units" in words(read(with_contributions(fakes.fake_run(tmp_path), small)))


def test_nothing_where_there_are_none(page):
    assert not [division for division in page.of("div") if division.get("class") == "why"]
