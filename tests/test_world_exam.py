"""The first exam: on pictures whose truth is known, explanations must be right. The numbers are in docs/world.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from lumiscope.study.builtin import SIMILARITY
from lumiscope.world import render

pytestmark = pytest.mark.slow

METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
FEWER_SAMPLES = {"lime": {"num_samples": 250}}
# As many pictures as the statements need: these methods cost hundreds of passes a picture.
FEWER_SCENES = {"lime": 60}
FEWER_MARKED = {"lime": 24, "scorecam": 40}


@pytest.fixture(scope="module")
def exam(load_module: Callable[[str, str], ModuleType]) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:  # for the other half, which lies beside it
        patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
        return load_module("world_exam", "../benchmarks/world_exam.py")


@pytest.mark.parametrize("method", METHODS)
def test_maps_find_the_object(exam: ModuleType, method: str) -> None:
    scenes = [render(index, exam.EXAM_SEED) for index in range(FEWER_SCENES.get(method, 100))]
    (result,) = exam.localisation(scenes, (method,), **FEWER_SAMPLES)
    assert result.iou.low > result.gaussian.high, "better than a guess at the centre, intervals apart"
    assert result.gaussian.low > result.random.high, "which is better than chance"
    assert result.p_gaussian < 0.001
    assert result.p_random < 0.001


@pytest.mark.parametrize("method", METHODS)
def test_maps_find_the_shortcut(exam: ModuleType, method: str) -> None:
    by_area = {row.area: row for row in exam.corner(FEWER_MARKED.get(method, 100), (method,), **FEWER_SAMPLES)}
    assert by_area["corner"].shortcut.low > by_area["corner"].objects.high
    assert by_area["corner"].p < 0.001
    assert by_area["mark"].p < 0.001


def test_class_units_get_their_own_class_s_name(exam: ModuleType) -> None:
    for result in exam.names(["soft_wpmi", SIMILARITY]):
        assert result.right >= 0.9 * result.units, result.wrong


def test_labels_are_true_of_the_pictures_that_they_rest_on(exam: ModuleType) -> None:
    for result in exam.truth([SIMILARITY]):
        assert result.true.low > 0.8
        assert result.true.low > result.chance.high


def test_classes_that_share_a_part_are_not_confused(exam: ModuleType) -> None:
    result = exam.confusion(600)
    assert result.accuracy >= 0.95
    assert result.worst_share <= 0.05, result.worst
    assert result.sharing <= 0.01


def test_the_measures_of_the_exam_are_right(exam: ModuleType) -> None:
    """What marks others must itself be checked: known masks and maps give known numbers."""
    import numpy as np

    from lumiscope.types import SaliencyMap, Target

    truth = np.zeros((128, 128), bool)
    truth[:64] = True
    assert exam.overlaps([truth, ~truth], [truth, truth]) == [1.0, 0.0]
    assert exam.largest(truth.astype(np.float32), 64 * 128).tolist() == truth.tolist()
    values = np.full((128, 128), -1.0, np.float32)
    values[:32, :32] = 1.0
    saliency = SaliencyMap("a", "m", Target(0, "fish", 1.0, 0.5), values)
    assert exam.weight_in((0, 0, 32, 32), saliency) == 1
    assert exam.weight_in((0, 0, 16, 32), saliency) == pytest.approx(0.5)
    assert exam.centred_gaussian().argmax() in (63 * 128 + 63, 63 * 128 + 64, 64 * 128 + 63, 64 * 128 + 64)
