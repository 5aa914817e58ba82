"""Whatever is explained, the model is judged by what it predicts."""

from __future__ import annotations

import pytest

from lumiscope.report import run as run_study
from lumiscope.study import Study

LABELS = [0, 1, 2, 3, 0, 1, 2]


@pytest.mark.parametrize(
    ("target", "explained"), [("predicted", None), ("label", LABELS), ("fish", [2] * 7), (1, [1] * 7)]
)
def test_a_prediction_is_right_where_it_is_the_label_whatever_is_explained(
    study: Study, target: str | int, explained: list[int] | None
) -> None:
    alone = study.model_copy(update={"target": target, "methods": ["gradcam"], "probe": None, "scorer": None})
    result = run_study(alone)
    predicted = [row["class_index"] for row in result.table("predictions").to_pylist() if row["rank"] == 1]
    rows = result.table("explanations").to_pylist()
    assert [row["target_index"] for row in rows] == (predicted if explained is None else explained)
    assert [row["label_index"] for row in rows] == LABELS
    right = [label == best for label, best in zip(LABELS, predicted, strict=True)]
    assert [row["correct"] for row in rows] == right
    assert 0 < sum(right) < len(right), "the model is right of some and wrong of others"
    accuracy = next(row for row in result.table("findings").to_pylist() if row["statistic"] == "accuracy")
    assert accuracy["value"] == pytest.approx(sum(right) / 7)


def test_an_image_without_a_label_is_neither_right_nor_wrong(study: Study) -> None:
    alone = study.model_copy(update={"images": "pictures/p3.png", "methods": ["gradcam"], "probe": None})
    result = run_study(alone.model_copy(update={"scorer": None, "target": "label"}))
    (row,) = result.table("explanations").to_pylist()
    (best,) = [row["class_index"] for row in result.table("predictions").to_pylist() if row["rank"] == 1]
    assert (row["target_index"], row["label_index"], row["correct"]) == (best, None, None)
    assert not [row for row in result.table("findings").to_pylist() if row["statistic"] == "accuracy"]
