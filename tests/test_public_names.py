from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest

import lumiscope

SIGNATURES = {
    "load_model": (
        "spec, *, weights, classes, num_classes, model_options, mean, std, input_size, geometry, interpolation"
    ),
    "open_images": "source, *, on_error",
    "explain": "model, images, *, methods, target, layer, options, seed",
    "dissect": "model, probing_images, *, layers, scorer, concepts, similarity",
    "compare": "maps, *, masks",
    "evaluate": "model, images, maps, *, metrics",
    "run": "study",
}


def test_the_public_names_are_these() -> None:
    assert lumiscope.__all__ == [
        "Agreement", "BlackBox", "ConceptSet", "ImageItem", "ImageSet", "LumiscopeError", "ModelConfig", "Run",
        "SaliencyMap", "SegmentMap", "Study", "TorchModel", "Trust", "UnitLabels", "View", "VisionModel", "compare",
        "dissect", "evaluate", "explain", "load_concepts", "load_model", "load_scorer", "load_study", "open_images",
        "run", "write_report",
    ]  # fmt: skip
    for name in lumiscope.__all__:
        assert getattr(lumiscope, name).__doc__, name


def test_the_signatures_begin_as_promised() -> None:
    for name, promised in SIGNATURES.items():
        parameters = inspect.signature(getattr(lumiscope, name)).parameters.values()
        keyword = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
        positional = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
        first, _, rest = promised.partition(", *, ")
        assert positional == first.split(", ")
        assert keyword[: len(rest.split(", ")) if rest else 0] == (rest.split(", ") if rest else [])


@pytest.mark.parametrize("front", ["lumiscope", "lumiscope.study"])
def test_no_module_hides_a_name_that_is_imported_when_it_is_used(front: str) -> None:
    """Importing a module puts it into its package, where it would hide a function of the same name."""
    package = importlib.import_module(front)
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert not modules & set(package.__all__)
