from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lumiscope.attribution import AttributionMethod, PreparedBatch
from lumiscope.errors import TargetError, UnknownNameError, UsageError
from lumiscope.images import ImageSet, Skipped
from lumiscope.models import TorchModel
from lumiscope.runs import map_arrays, map_from_arrays
from lumiscope.store import Store
from lumiscope.study import ExplainConfig, Explaining, explain
from lumiscope.study.stages.explanations import prediction_rows

LIME = {"lime": {"num_samples": 30}}


def test_maps_stand_image_by_image_in_the_order_of_the_methods(tiny: TorchModel, pictures: ImageSet) -> None:
    maps = explain(tiny, pictures[:2], methods=["scorecam", "gradcam"])
    assert [(saliency.item_id, saliency.method) for saliency in maps] == [
        ("p0", "scorecam"), ("p0", "gradcam"), ("p1", "scorecam"), ("p1", "gradcam"),
    ]  # fmt: skip
    assert {saliency.values.shape for saliency in maps} == {(32, 32)}


def test_targets(tiny: TorchModel, pictures: ImageSet) -> None:
    logits = tiny.predict([tiny.view(item) for item in pictures])

    def indices(target: str | int) -> list[int]:
        return [saliency.target.index for saliency in explain(tiny, pictures, methods="gradcam", target=target)]

    assert indices("predicted") == logits.argmax(axis=1).tolist()
    assert indices("label") == [0, 1, 2, 3, 0, 1, 2]
    assert indices(2) == indices(np.int64(2)) == [2] * 7
    assert indices("hound") == indices("Dog") == [1] * 7
    with pytest.raises(TargetError, match=r"did you mean fish"):
        explain(tiny, pictures, methods="gradcam", target="fsh")
    with pytest.raises(TargetError, match="from 0 to 3"):
        explain(tiny, pictures, methods="gradcam", target=4)


def test_unknown_names_are_errors(tiny: TorchModel, pictures: ImageSet) -> None:
    with pytest.raises(UnknownNameError, match="did you mean gradcam"):
        explain(tiny, pictures, methods="gradcm")
    with pytest.raises(UnknownNameError, match="num_samples"):
        explain(tiny, pictures, methods="lime", options={"lime": {"num_sample": 3}})
    with pytest.raises(UnknownNameError, match="num_samples"):
        explain(tiny, pictures, methods="gradcam", options={"lime": {"num_sample": 3}})
    with pytest.raises(UnknownNameError, match="did you mean lime"):
        explain(tiny, pictures, methods="gradcam", options={"lme": {}})


def test_a_network_alone_is_no_model(tiny: TorchModel, pictures: ImageSet) -> None:
    with pytest.raises(UsageError, match=r"got the network Sequential. Wrap it: lumiscope.TorchModel\(network"):
        explain(tiny.module, pictures, methods="gradcam")  # type: ignore[arg-type]


def test_training_mode_is_warned_of_and_changes_nothing(
    tiny: TorchModel, pictures: ImageSet, caplog: pytest.LogCaptureFixture
) -> None:
    expected = explain(tiny, pictures[:1], methods="gradcam")
    assert caplog.messages == []
    tiny.module.train()
    (came,) = explain(tiny, pictures[:1], methods="gradcam")
    assert caplog.messages == ["tiny is in training mode: explained as in evaluation mode, and left as it is"]
    np.testing.assert_array_equal(came.values, expected[0].values)
    assert tiny.module.training


def test_seeds_belong_to_image_and_study_not_to_order(tiny: TorchModel, pictures: ImageSet) -> None:
    def coefficients(images: ImageSet, seed: int = 0) -> dict[str, np.ndarray]:
        return {
            saliency.item_id: saliency.coefficients
            for saliency in explain(tiny, images, methods="lime", options=LIME, seed=seed)
        }

    forward, backward = coefficients(pictures[:3]), coefficients(pictures[2::-1])
    for item_id, expected in forward.items():
        np.testing.assert_allclose(backward[item_id], expected, rtol=1e-5, atol=1e-7)
    assert not np.allclose(coefficients(pictures[:1], seed=1)["p0"], forward["p0"])


def test_a_map_survives_the_store_whole(tiny: TorchModel, pictures: ImageSet) -> None:
    for saliency in explain(tiny, pictures[:1], methods=["gradcam", "lime"], options=LIME):
        back = map_from_arrays(map_arrays(saliency))
        assert type(back) is type(saliency)
        for name, value in vars(saliency).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(back, name), value)
            else:
                assert getattr(back, name) == value


def test_only_what_is_missing_is_computed(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[tuple[str, int]] = []
    before = AttributionMethod.explain

    def counted(self: AttributionMethod[object], prepared: PreparedBatch, *rest: object) -> object:
        computed.append((self.name, len(prepared)))
        return before(self, prepared, *rest)  # type: ignore[arg-type]

    def explained(images: ImageSet, methods: list[str]) -> list[np.ndarray]:
        computed.clear()
        store = Store(tmp_path / "store")
        return [saliency.values for saliency in explain(tiny, images, methods=methods, options=LIME, store=store)]

    monkeypatch.setattr(AttributionMethod, "explain", counted)
    explained(pictures[:4], ["gradcam"])
    assert computed == [("gradcam", 4)]
    first = explained(pictures, ["gradcam", "lime"])
    assert computed == [("lime", 4), ("gradcam", 3), ("lime", 3)]
    again = explained(pictures, ["gradcam", "lime"])
    assert computed == []
    np.testing.assert_array_equal(again, first)
    expected = [saliency.values for saliency in explain(tiny, pictures, methods=["gradcam", "lime"], options=LIME)]
    np.testing.assert_allclose(again, expected, atol=1e-5)


def test_one_bad_image_takes_no_other_with_it(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PreparedBatch.targets

    def fails_on_p3(prepared: PreparedBatch, *arguments: object) -> object:
        if any(view.item_id == "p3" for view in prepared.views):
            raise TargetError("expected finite scores")
        return whole(prepared, *arguments)  # type: ignore[arg-type]

    def each(images: ImageSet, failed: list[Skipped], *, stop: bool = False) -> list[str]:
        config = ExplainConfig(methods=["gradcam"])
        return [item.id for item, _ in Explaining.of(tiny, images, config).each(failed, stop=stop)]

    monkeypatch.setattr(PreparedBatch, "targets", fails_on_p3)
    failed: list[Skipped] = []
    assert each(pictures, failed) == ["p0", "p1", "p2", "p4", "p5", "p6"]
    assert [(failure.name, failure.reason) for failure in failed] == [("pictures/p3.png", "expected finite scores")]
    with pytest.raises(TargetError):
        each(pictures, [], stop=True)
    with pytest.raises(TargetError):  # where every image fails, the fault is not the images'
        each(pictures[3:4], [])
    with pytest.raises(TargetError):  # whoever asks for maps of all images gets all or an error
        explain(tiny, pictures, methods="gradcam")


def test_of_classes_that_are_equally_probable_the_first_are_named() -> None:
    model = SimpleNamespace(name="m", activation="softmax", classes=tuple(map(str, range(300))))
    rows = prediction_rows(model, SimpleNamespace(id="a"), np.tile(np.float32([1, 3, 2]), 100))
    assert [(row.rank, row.class_name) for row in rows] == list(enumerate(["1", "4", "7", "10", "13"], 1))
    share = math.exp(3) / (100 * sum(map(math.exp, (1, 2, 3))))
    assert [row.probability for row in rows] == pytest.approx([share] * 5)
