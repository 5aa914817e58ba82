"""Methods of a plan, asked again by metrics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lumiscope.images import ImageSet
from lumiscope.models import BlackBox, TorchModel
from lumiscope.study import ExplainConfig, Explainers
from lumiscope.study.stages.explanation_plan import ExplanationPlan
from lumiscope.trust import Candidate

METHODS = ["gradcam", "lime", "random"]


def candidates(plan: ExplanationPlan, images: ImageSet) -> dict[str, Candidate]:
    prepared, (target,) = plan.prepare(images[:1])
    explainers = Explainers(plan, prepared.views[0], target)
    maps = [method.explain(prepared, [target], options)[0] for method, options in plan.methods]
    return {saliency.method: explainers.candidate(saliency) for saliency in maps}


def plan_of(model: TorchModel | BlackBox, methods: list[str], seed: int = 3) -> ExplanationPlan:
    return ExplanationPlan.make(
        model, ExplainConfig(methods=methods, options={"lime": {"num_samples": 40}}, target=1), seed=seed
    )


def test_the_same_view_gives_the_same_map_among_others(tiny: TorchModel, pictures: ImageSet) -> None:
    plan = plan_of(tiny, METHODS)
    fed = tiny.view(pictures[0]).fed
    for candidate in candidates(plan, pictures).values():
        assert candidate.explainer is not None
        changed, same = candidate.explainer([255 - fed, fed])
        np.testing.assert_allclose(same, candidate.values, atol=1e-5 * np.abs(candidate.values).max())
        assert np.array_equal(changed, candidate.values) == (candidate.name == "random")  # the same draws


def test_another_seed_is_that_of_a_study_with_it(tiny: TorchModel, pictures: ImageSet) -> None:
    plan = plan_of(tiny, METHODS)
    other = candidates(replace(plan, seed=plan.seed + 2), pictures)
    for name, candidate in candidates(plan, pictures).items():
        if name == "gradcam":
            assert candidate.reseeded is None
            continue
        assert candidate.reseeded is not None
        np.testing.assert_allclose(candidate.reseeded(2), other[name].values, atol=1e-6)


def test_pictures_are_prepared_once_for_all_methods(
    tiny: TorchModel, pictures: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(tiny, ["gradcam", "hirescam"])
    of_methods, prepared = candidates(plan, pictures), []
    make = ExplanationPlan.prepare_views
    monkeypatch.setattr(ExplanationPlan, "prepare_views", lambda *given: prepared.append(1) or make(*given))
    fed = tiny.view(pictures[0]).fed
    for candidate in of_methods.values():
        assert candidate.explainer is not None
        candidate.explainer([fed, 255 - fed])
    assert len(prepared) == 1


def test_a_model_that_can_only_predict(tiny: TorchModel, pictures: ImageSet) -> None:
    box = BlackBox(tiny.predict, tiny.geometry, classes=tiny.classes, activation="softmax")
    (candidate,) = candidates(plan_of(box, ["lime"]), pictures).values()
    assert candidate.explainer is not None
    fed = tiny.view(pictures[0]).fed
    assert [values.shape for values in candidate.explainer([fed, 255 - fed])] == [fed.shape[:2]] * 2
