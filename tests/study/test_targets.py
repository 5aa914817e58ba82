"""Whatever is explained, the model is judged by what it predicts."""

from __future__ import annotations

from pathlib import Path

import pytest

from lumiscope import ModelConfig, Run, Study, run

LABELS = [0, 1, 2, 3, 0, 1, 2]


@pytest.fixture
def explained(workplace: Path):
    """Grad-CAM of the tiny network for a target."""

    def explained(images: str, target: str | int) -> Run:
        model = ModelConfig(spec="python:tiny:make", classes="classes.txt", input_size=32, geometry="squash")
        return run(Study(images=images, models=[model], methods=["gradcam"], target=target, name="test"))

    return explained


def predicted_classes(result: Run) -> list[int]:
    return [row["class_index"] for row in result.table("predictions").to_pylist() if row["rank"] == 1]


@pytest.mark.parametrize(
    ("target", "targets"), [("predicted", None), ("label", LABELS), ("fish", [2] * 7), (1, [1] * 7)]
)
def test_a_prediction_is_right_where_it_is_the_label_whatever_is_explained(explained, target, targets) -> None:
    result = explained("labels.csv", target)
    predicted = predicted_classes(result)
    judgements = result.table("judgements").to_pylist()
    assert [row["target_index"] for row in judgements] == (targets or predicted)
    assert [row["label_index"] for row in judgements] == LABELS
    right = [label == best for label, best in zip(LABELS, predicted, strict=True)]
    assert [row["correct"] for row in judgements] == right
    assert 0 < sum(right) < len(right), "the model is right of some and wrong of others"
    accuracy = next(row for row in result.table("findings").to_pylist() if row["statistic"] == "accuracy")
    assert accuracy["value"] == pytest.approx(sum(right) / 7)


def test_an_image_without_a_label_is_neither_right_nor_wrong(explained) -> None:
    result = explained("pictures/p3.png", "label")
    (row,) = result.table("judgements").to_pylist()
    assert [row["target_index"]] == predicted_classes(result), "no label to explain: the prediction"
    assert (row["label_index"], row["label_short_name"], row["correct"]) == (None, None, None)
    assert not [row for row in result.table("findings").to_pylist() if row["statistic"] == "accuracy"]
