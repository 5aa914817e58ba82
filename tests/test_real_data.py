"""Real pictures and real classifiers, where they lie beside the project."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import dissection.reference  # noqa: F401 - registers the references
from lumiscope.concepts import ConceptSet, category_of
from lumiscope.images import ImageSet, open_images
from lumiscope.models import TorchModel, borrowed, label_index, load_model
from lumiscope.short_name import short_name
from lumiscope.study import dissect, explain
from lumiscope.testing import SIMILARITY_REFERENCES

SHARED = Path(__file__).parents[1].parent / "shared" / "data"
pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real pictures (../shared/data) are not here")
RIGHT = {
    "goldfish",
    "tiger shark",
    "common iguana",
    "flamingo",
    "American coot",
    "West Highland white terrier",
    "orange",
}


def classifier(name: str, classes: str, geometry: str) -> TorchModel:
    return load_model(
        "timm:mobilenetv2_100",
        model_options={"pad_type": "same"},
        weights=SHARED / "models" / name,
        classes=SHARED / "models" / classes,
        mean=0.5,
        std=0.5,
        geometry=geometry,
        interpolation="bilinear",
    )


@pytest.fixture(scope="module")
def imagenet() -> TorchModel:
    return classifier("mobilenetv2_imagenet.safetensors", "imagenet_classes.txt", "squash")


@pytest.fixture(scope="module")
def birds() -> TorchModel:
    return classifier("mobilenetv2_inat_birds.safetensors", "inat_bird_classes.txt", "squash")


@pytest.mark.parametrize(("geometry", "racer"), [("squash", "racer"), ("crop", "sports car")])
def test_predictions_of_the_ten_pictures(geometry: str, racer: str) -> None:
    model = classifier("mobilenetv2_imagenet.safetensors", "imagenet_classes.txt", geometry)
    pictures = open_images(SHARED / "imagenet10" / "labels.csv")
    best = model.predict([model.view(item) for item in pictures]).argmax(axis=1)
    names = {item.class_name: short_name(model.classes[index]) for item, index in zip(pictures, best, strict=True)}
    assert {name for name in names if names[name] == name} >= RIGHT
    assert names["racer"] == racer
    assert names["kite"] not in ("kite", "vulture"), "the picture shows flowers"


def test_labels_are_looked_up_by_name_in_another_list(imagenet: TorchModel, birds: TorchModel) -> None:
    pictures = open_images(SHARED / "imagenet10" / "labels.csv")
    assert [label_index(imagenet, item) for item in pictures] == [1, 3, 21, 23, 39, 130, 137, 203, 751, 950]
    assert [label_index(birds, item) for item in pictures] == [None] * 10
    assert len(birds.classes) == 965


def test_ablation_cam_has_its_closed_form(imagenet: TorchModel) -> None:
    """ReLU features, global average pooling, linear head: w_k = W[c, k] · mean(A_k) / S."""
    picture = open_images(SHARED / "imagenet10" / "labels.csv")[0]
    (ours,) = explain(imagenet, [picture], methods="ablationcam")
    with borrowed(imagenet.module), torch.no_grad():
        features = imagenet.module.forward_features(imagenet.inputs([imagenet.view(picture)]))[0].double()
    weight = imagenet.module.classifier.weight[ours.target.index].double().detach()
    weights = weight * features.mean((1, 2)) / ours.target.logit
    cam = torch.einsum("chw,c->hw", features, weights).clamp(min=0)
    expected = torch.nn.functional.interpolate(cam[None, None], size=(224, 224), mode="bilinear")[0, 0]
    np.testing.assert_allclose(ours.values, expected.numpy(), atol=1e-3 * float(expected.max()))


def test_the_target_layer_and_five_stages(imagenet: TorchModel) -> None:
    assert imagenet.target_layer == "bn2"
    assert imagenet.select_layers(["auto:5"]) == ["blocks.3", "blocks.4", "blocks.5", "blocks.6", "bn2"]


@pytest.mark.parametrize("similarity", ["cos", "cos_cubed", "wpmi", "soft_wpmi", "rank_reorder"])
def test_labels_equal_those_of_plain_loops(imagenet: TorchModel, similarity: str) -> None:
    files = sorted((SHARED / "imagenet1k_sample").iterdir())[::16]
    table = np.load(SHARED / "concepts" / "imagenet1k_sample_scores_3k.npz")
    columns = range(0, 3000, 20)
    words = tuple(str(table["concepts"][column]) for column in columns)
    labels = dissect(
        imagenet,
        open_images(files),
        layers="blocks.1.0",
        scorer=f"table:{SHARED}/concepts/imagenet1k_sample_scores_3k.npz",
        concepts=ConceptSet("every 20th", words, tuple(category_of(word) for word in words)),
        similarity=similarity,
    )
    rows = [list(table["images"]).index(path.name) for path in files]
    scores = table["scores"][np.ix_(rows, columns)].astype(np.float64)
    similarities = SIMILARITY_REFERENCES[similarity](activations_of_block(imagenet, open_images(files)), scores)
    layer, units = labels.layers[0], np.arange(24)
    best = np.nanargmax(similarities, axis=1)
    np.testing.assert_allclose(layer.score, similarities[units, best], rtol=1e-3, atol=1e-3)
    first = layer.best[:, 0]
    near = np.abs(similarities[units, first] - similarities[units, best]) < 1e-3
    assert ((first == best) | near).all()


def activations_of_block(model: TorchModel, images: ImageSet) -> np.ndarray:
    """(D, 24) means over space of what `blocks.1.0` gives, image by image and by hand."""
    net, rows = model.module, []
    with borrowed(net), torch.no_grad():
        for item in images:
            early = net.blocks[0](net.bn1(net.conv_stem(model.inputs([model.view(item)]))))
            rows.append(net.blocks[1][0](early)[0].mean((1, 2)).numpy())
    return np.array(rows, np.float64)
