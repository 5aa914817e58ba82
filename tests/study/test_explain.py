from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lumiscope.study.map_store import from_arrays, to_arrays
from lumiscope.study.stored_explanations import StoredExplanations

from lumiscope.attribution import PreparedBatch
from lumiscope.errors import TargetError, UnknownNameError, UsageError
from lumiscope.images import ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import ExplanationPlan, explain, explain_each

LIME = {"lime": {"num_samples": 30}}


def make_plan(model: TorchModel, methods: list[str]) -> ExplanationPlan:
    options = LIME if "lime" in methods else None
    return ExplanationPlan.make(model, methods, target="predicted", layer=None, options=options, seed=0)


def test_maps_stand_image_by_image_in_the_order_of_the_methods(tiny: TorchModel, pictures: ImageSet) -> None:
    maps = explain(tiny, pictures[:2], methods=["scorecam", "gradcam"])
    assert [(one.item_id, one.method) for one in maps] == [
        ("p0", "scorecam"), ("p0", "gradcam"), ("p1", "scorecam"), ("p1", "gradcam"),
    ]  # fmt: skip
    assert {one.values.shape for one in maps} == {(32, 32)}


def test_targets(tiny: TorchModel, pictures: ImageSet) -> None:
    logits = tiny.predict([tiny.view(item) for item in pictures])

    def indices(target: str | int) -> list[int]:
        return [one.target.index for one in explain(tiny, pictures, methods="gradcam", target=target)]

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
        return {one.item_id: one.coefficients for one in explain(tiny, images, methods="lime", options=LIME, seed=seed)}

    forward, backward = coefficients(pictures[:3]), coefficients(pictures[2::-1])
    for item_id, expected in forward.items():
        np.testing.assert_allclose(backward[item_id], expected, rtol=1e-5, atol=1e-7)
    assert not np.allclose(coefficients(pictures[:1], seed=1)["p0"], forward["p0"])


def test_a_map_survives_the_store_whole(tiny: TorchModel, pictures: ImageSet) -> None:
    for one in explain(tiny, pictures[:1], methods=["gradcam", "lime"], options=LIME):
        back = from_arrays(to_arrays(one))
        assert type(back) is type(one)
        for name, value in vars(one).items():
            if isinstance(value, np.ndarray):
                np.testing.assert_array_equal(getattr(back, name), value)
            else:
                assert getattr(back, name) == value


def test_only_what_is_missing_is_computed(tiny: TorchModel, pictures: ImageSet, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first = StoredExplanations(make_plan(tiny, ["gradcam"]), store)
    assert first.compute(pictures[:4]) == []
    assert first.computed == {"gradcam": 4}
    more = StoredExplanations(make_plan(tiny, ["gradcam", "lime"]), store)
    more.compute(pictures)
    assert more.computed == {"gradcam": 3, "lime": 7}
    again = StoredExplanations(make_plan(tiny, ["gradcam", "lime"]), store)
    again.compute(pictures)
    assert again.computed == {"gradcam": 0, "lime": 0}
    expected = explain(tiny, pictures, methods=["gradcam", "lime"], options=LIME)
    stored = [one for item in pictures for one in again.read(item)]
    for one, other in zip(stored, expected, strict=True):
        assert (one.item_id, one.method) == (other.item_id, other.method)
        np.testing.assert_allclose(one.values, other.values, atol=1e-5)


def test_one_bad_image_takes_no_other_with_it(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = PreparedBatch.targets

    def fails_on_p3(prepared: PreparedBatch, *arguments: object) -> object:
        if any(view.item_id == "p3" for view in prepared.views):
            raise TargetError("expected finite scores")
        return whole(prepared, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(PreparedBatch, "targets", fails_on_p3)
    failed: list[object] = []
    plan = make_plan(tiny, ["gradcam"])
    kept = [item.id for item, _ in explain_each(plan, pictures, failed)]
    assert kept == ["p0", "p1", "p2", "p4", "p5", "p6"]
    assert [(one.name, one.reason) for one in failed] == [("pictures/p3.png", "expected finite scores")]
    with pytest.raises(TargetError):
        list(explain_each(plan, pictures, [], stop=True))
    with pytest.raises(TargetError):  # where every image fails, the fault is not the images'
        list(explain_each(plan, pictures[3:4], []))
