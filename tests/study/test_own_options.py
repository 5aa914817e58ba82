"""Images with options of their own: what `explain` and the store make of them, and files that say what was used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lumiscope.attribution import METHODS
from lumiscope.errors import UnknownNameError, UsageError
from lumiscope.images import ImageSet
from lumiscope.memo import Memo
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import ExplainConfig, ExplanationPlan, explain
from lumiscope.study.config import Options
from lumiscope.study.files.lime_parameters import parameters_of, read_lime_parameters, save_lime_parameters
from lumiscope.study.stages.explanation_plan import PerImage
from lumiscope.study.stages.stored_maps import StoredMaps

BOTH, LIME = ["gradcam", "lime"], METHODS["lime"]


def make_plan(model: TorchModel, images: ImageSet, options: Options, per_image: PerImage) -> ExplanationPlan:
    config = ExplainConfig(methods=BOTH, options=options, backend="eager")
    return ExplanationPlan.make(model, config, seed=4, images=images, per_image=per_image)


def test_each_image_is_explained_with_its_own_options(tiny: TorchModel, pictures: ImageSet) -> None:
    common = {"lime": {"num_samples": 30, "num_features": 4}}
    image_options = {"p1": {"lime": {"num_features": 2}}, "p3": {"lime": {"num_samples": 20}}}
    mixed = explain(tiny, pictures[:5], methods=BOTH, options=common, per_image=image_options, backend="eager")
    assert [(saliency.item_id, saliency.method) for saliency in mixed[:4]] == [
        ("p0", "gradcam"), ("p0", "lime"), ("p1", "gradcam"), ("p1", "lime"),
    ]  # fmt: skip
    told = {
        saliency.item_id: (saliency.options["num_samples"], saliency.options["num_features"])
        for saliency in mixed[1::2]
    }
    assert told == {"p0": (30, 4), "p1": (30, 2), "p2": (30, 4), "p3": (20, 4), "p4": (30, 4)}
    (alone,) = explain(
        tiny, pictures[3:4], methods="lime", options={"lime": {"num_samples": 20, "num_features": 4}}, backend="eager"
    )
    np.testing.assert_allclose(mixed[7].values, alone.values, atol=1e-7)
    with pytest.raises(UnknownNameError, match="unknown image 'p9': did you mean p0"):
        explain(tiny, pictures[:1], methods="lime", per_image={"p9": {"lime": {}}})
    with pytest.raises(UnknownNameError, match="num_features"):
        explain(tiny, pictures[:1], methods="lime", per_image={"p0": {"lime": {"num_feature": 3}}})


def test_stored_maps_depend_on_the_options_of_their_image(tiny: TorchModel, pictures: ImageSet, tmp_path: Path) -> None:
    store, common = Store(tmp_path / "store"), {"lime": {"num_samples": 20}}
    image_options = {"p1": {"lime": {"num_samples": 30}}, "p5": {"lime": {"num_samples": 20}}}
    kept = {"methods": BOTH, "options": common, "seed": 4, "backend": "eager", "store": store}
    explain(tiny, pictures, **kept)
    first, second = (
        StoredMaps(make_plan(tiny, pictures, common, per_image), Memo(store)) for per_image in ({}, image_options)
    )
    assert first.missing(pictures) == {}
    assert second.missing(pictures) == {"p1": {"lime"}}, "p1 alone: the options of p5 are those of all"
    explain(tiny, pictures, per_image=image_options, **kept)
    stored = StoredMaps(make_plan(tiny, pictures, common, image_options), Memo(store))
    for item in pictures:
        lime = stored.read_one(item, "lime")
        assert lime.options["num_samples"] == (30 if item.id == "p1" else 20)
        places = [maps.results(LIME, item).location for maps in (first, stored)]
        assert (places[0] == places[1]) == (item.id != "p1")
    assert stored.results(LIME, pictures[1]).seconds_each([stored.key(pictures[1])]) > 0


def test_what_was_used_is_written_so_that_it_gives_the_same_maps(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path
) -> None:
    plan = make_plan(tiny, pictures, {"lime": {"num_samples": 30}}, {"p1": {"lime": {"num_features": 2}}})
    used = parameters_of(plan, pictures)
    assert (used["p0"].num_features, used["p1"].num_features) == (10, 2)
    assert len({parameters.random_seed for parameters in used.values()}) == 7
    for ending in (".json", ".toml", ".pkl"):
        path = tmp_path / f"used{ending}"
        save_lime_parameters(path, used)
        image_options = read_lime_parameters(path).for_images(pictures)
        again = explain(tiny, pictures, methods="lime", per_image=image_options, seed=99, backend="eager")
        for saliency, item in zip(again, pictures, strict=True):
            np.testing.assert_array_equal(saliency.values, plan.explain([item])[1][0].values)
    with pytest.raises(UsageError, match="--methods lime"):
        parameters_of(ExplanationPlan.make(tiny, ExplainConfig(methods=["gradcam"])), pictures)
