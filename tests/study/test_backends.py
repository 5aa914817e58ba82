"""Which backend a study takes, what it says of it, and that maps do not depend on it beyond the tolerance."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import lumiscope
from lumiscope.errors import UnknownNameError
from lumiscope.memo import Memo
from lumiscope.models import TorchModel, available_backends
from lumiscope.store import Store
from lumiscope.study import ExplainConfig, ExplanationPlan
from lumiscope.study.stages.backends import remembered_choice
from lumiscope.study.stages.stored_maps import StoredMaps

FEW = {"lime": {"num_samples": 40, "random_seed": 1}}
METHODS = ["gradcam", "ablationcam", "scorecam", "lime"]


def explained(model, pictures, backend, precision="exact", methods=METHODS):
    return lumiscope.explain(model, pictures, methods=methods, options=FEW, backend=backend, precision=precision)


@pytest.mark.parametrize("backend", [name for name in available_backends() if name != "eager"])
def test_every_backend_gives_the_maps_of_torch(tiny, pictures, backend):
    for ours, expected in zip(explained(tiny, pictures, backend), explained(tiny, pictures, "eager"), strict=True):
        scale = max(float(np.abs(expected.values).max()), 1e-6)
        np.testing.assert_allclose(ours.values, expected.values, atol=1e-3 * scale, rtol=0)
        np.testing.assert_allclose(ours.display(), expected.display(), atol=1e-3, rtol=0)


def test_fast_is_near(tiny, pictures):
    for ours, expected in zip(
        explained(tiny, pictures, "auto", "fast", ["gradcam"]),
        explained(tiny, pictures, "eager", "exact", ["gradcam"]),
        strict=True,
    ):
        np.testing.assert_allclose(ours.display(), expected.display(), atol=0.02, rtol=0)


def test_auto_takes_the_fastest_that_is_installed_and_says_why(tiny, pictures):
    choice = remembered_choice(tiny, "auto", "exact", pictures, perturbs=True, memo=Memo())
    assert choice.backend == available_backends()[0] == "openvino"
    assert 0 <= choice.error <= 1e-4
    assert "logits differ from torch float32 by" in choice.why


def test_few_passes_are_not_worth_a_backend(tiny, pictures):
    choice = remembered_choice(tiny, "auto", "exact", pictures, perturbs=False, memo=Memo())
    assert (choice.backend, choice.asked) == ("torch", "auto")


def test_what_was_chosen_is_remembered(tiny, pictures, tmp_path, monkeypatch):
    store = Store(tmp_path / "store")
    first = remembered_choice(tiny, "auto", "exact", pictures, perturbs=True, memo=Memo(store))
    monkeypatch.setattr(TorchModel, "choose_backend", lambda *_, **__: pytest.fail("chosen twice"))
    assert remembered_choice(tiny, "auto", "exact", pictures, perturbs=True, memo=Memo(Store(store.root))) == first


@pytest.mark.parametrize(("count", "checked"), [(2, [1, 2]), (4, [1, 2, 3, 4]), (6, [1, 2, 3, 4])])
def test_a_backend_is_checked_on_the_first_four_pictures_that_can_be_read(
    tiny, pictures, workplace, monkeypatch, count, checked
):
    seen = []
    monkeypatch.setattr(TorchModel, "choose_backend", lambda _, asked, *rest, **__: seen.append(rest[1]))
    (workplace / "pictures" / "p0.png").write_bytes(b"no picture")
    with contextlib.suppress(AttributeError):  # of the choice that was not made
        remembered_choice(tiny, "auto", "exact", pictures[: count + 1], perturbs=True, memo=Memo())
    ((*views,),) = seen
    assert [view.item_id for view in views] == [f"p{number}" for number in checked]


def test_the_pictures_that_a_backend_is_checked_on_are_those_that_are_explained(tiny, pictures, monkeypatch):
    seen = []
    choose = TorchModel.choose_backend

    def noted(model, asked, precision, views, **more):
        seen.append([view.item_id for view in views])
        return choose(model, asked, precision, views, **more)

    monkeypatch.setattr(TorchModel, "choose_backend", noted)
    explained(tiny, pictures[2:5], "auto", methods=["lime"])
    assert seen == [["p2", "p3", "p4"]]


def test_unknown_names_are_errors(tiny, pictures):
    with pytest.raises(UnknownNameError, match="unknown backend 'openvin': did you mean openvino"):
        explained(tiny, pictures, "openvin")
    with pytest.raises(UnknownNameError, match="unknown precision 'fats': did you mean fast"):
        explained(tiny, pictures, "auto", "fats")


def test_results_are_kept_under_the_backend_that_made_them(tiny, pictures, tmp_path):
    store = Store(tmp_path / "store")

    def missing(backend):
        """The methods whose maps of some image are not kept yet."""
        config = ExplainConfig(methods=METHODS, options=FEW, backend=backend)
        maps = StoredMaps(ExplanationPlan.make(tiny, config, images=pictures), Memo(store))
        return set().union(*maps.missing(pictures).values())

    lumiscope.explain(tiny, pictures, methods=METHODS, options=FEW, backend="torch", store=store)
    assert missing("torch") == set()
    # Those of few passes are torch's, whatever the backend.
    assert missing("openvino") == {"scorecam", "lime"}


def test_the_manifest_names_the_backend(study):
    run = lumiscope.run(study)
    (choice,) = run.manifest.backends
    assert choice.model == "make"
    assert choice.backend in available_backends()
    assert run.manifest.methods["gradcam"].backend == "torch"
    assert run.manifest.methods["lime"].backend == choice.backend
    assert choice.why in (run.folder / "report.html").read_text().replace("&#39;", "'")
