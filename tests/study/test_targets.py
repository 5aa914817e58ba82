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


def test_kept_maps_follow_the_names_of_the_classes(explained, workplace: Path) -> None:
    names = (workplace / "classes.txt").read_text().splitlines()
    first = explained("pictures/p3.png", names[0])
    assert first.saliency_map("make", "p3", "gradcam").target.index == 0
    (workplace / "classes.txt").write_text("\n".join(reversed(names)) + "\n")
    second = explained("pictures/p3.png", names[0])
    assert second.saliency_map("make", "p3", "gradcam").target.index == len(names) - 1
    third = explained("pictures/p3.png", names[-1])  # the map that the first run kept
    (judgement,) = third.table("judgements").to_pylist()
    assert (judgement["target_index"], judgement["target_short_name"]) == (0, names[-1])
    assert third.saliency_map("make", "p3", "gradcam").target.name == names[-1]
