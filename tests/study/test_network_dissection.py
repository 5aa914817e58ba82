from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from lumiscope.dissection import detector_rows, network_dissection_rows
from lumiscope.dissection.overlaps import OverlapStream
from lumiscope.errors import ImageError, LayerError, UnknownNameError, UsageError
from lumiscope.images import Geometry, ImageSet, open_annotations, open_images
from lumiscope.memo import Memo
from lumiscope.models import TorchModel, load_model
from lumiscope.runs import NetworkDissectionRow
from lumiscope.store import Store
from lumiscope.study.stages import network_dissection as network_dissection_module
from lumiscope.study.stages.network_dissection import Passes, network_dissection
from lumiscope.world.dataset import write_dataset

KINDS = {"object": ("dog", "cat"), "texture": ("dotted", "woven", "dog")}


@pytest.fixture
def annotated(workplace: Path) -> Path:
    """Label maps of the seven pictures; p2 has no textures."""
    generator = np.random.default_rng(5)
    rows = [f"{kind},{number},{word}" for kind, words in KINDS.items() for number, word in enumerate(words, 1)]
    folder = workplace / "annotations"
    for kind, words in KINDS.items():
        (folder / "labels" / kind).mkdir(parents=True)
        for number in range(7):
            blocks = generator.integers(0, 1 + len(words), (5, 6))
            if (kind, number) != ("texture", 2):
                labels = np.kron(blocks, np.ones((10, 10), int)).astype(np.uint8)
                Image.fromarray(labels).save(folder / "labels" / kind / f"p{number}.png")
    (folder / "concepts.csv").write_text("kind,number,word\n" + "\n".join(rows) + "\n")
    return folder


def plainly(model: TorchModel, images: ImageSet, folder: Path, quantile: float) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds and (U, K) IoU of layer 1 in loops over images, units and concepts, in float64."""
    inputs = model.inputs([model.view(item) for item in images])
    with torch.no_grad():
        maps = model.module[1](model.module[0](inputs))
    values = maps.double().numpy().transpose(1, 0, 2, 3).reshape(6, -1)
    thresholds = np.quantile(values, 1 - quantile, axis=1, method="inverted_cdf")
    large = torch.nn.functional.interpolate(maps.double(), (32, 32), mode="bilinear", align_corners=False).numpy()
    iou = []
    for unit in range(6):
        for kind, words in KINDS.items():
            for number in range(1, 1 + len(words)):
                common = union = 0
                for place, item in enumerate(images):
                    path = folder / "labels" / kind / f"{item.path.stem}.png"
                    if path.exists():
                        labels = np.asarray(Image.open(path).resize((32, 32), Image.Resampling.NEAREST)) == number
                        fires = large[place, unit] > thresholds[unit]
                        common += (labels & fires).sum()
                        union += (labels | fires).sum()
                iou.append(common / union)
    return thresholds, np.array(iou).reshape(6, 5)


def test_equals_plain_loops(tiny: TorchModel, pictures: ImageSet, annotated: Path) -> None:
    thresholds, iou = plainly(tiny, pictures, annotated, 0.05)
    (layer,) = network_dissection(tiny, pictures, layers="1", annotations=annotated, quantile=0.05)
    assert layer.words == ("dog", "cat", "dotted", "woven", "dog")
    np.testing.assert_allclose(layer.threshold, thresholds, rtol=1e-6)
    np.testing.assert_allclose(layer.iou, iou, rtol=0, atol=1e-3)  # one pixel may lie on either side of a threshold
    assert (layer.concept == iou.argmax(1)).all()
    assert [row.category for row in network_dissection_rows([layer])] == [layer.categories[k] for k in layer.concept]


def test_every_image_meets_as_many_others_and_none_itself(
    tiny: TorchModel, pictures: ImageSet, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of seven images each meets the six others, the first ones, too."""
    met: list[tuple[object, list[object]]] = []
    add = OverlapStream.add

    def noted(self: OverlapStream, maps: torch.Tensor, labels: Any, others: Any = ()) -> object:
        met.append((labels.regions.tobytes(), [other.regions.tobytes() for other in others]))
        return add(self, maps, labels, others)

    monkeypatch.setattr(OverlapStream, "add", noted)
    network_dissection(tiny, pictures, layers="1", annotations=annotated, quantile=0.05)
    images = {image for image, _ in met}
    assert len(met) == len(images) == 7
    assert [set(others) for _, others in met] == [images - {image} for image, _ in met]


def test_a_word_of_two_kinds_says_which_in_formulas(
    tiny: TorchModel, pictures: ImageSet, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "dog" is an object and a texture here; the others are what they are called."""
    given: list[tuple[str, ...]] = []
    compositions = network_dissection_module._Sample.compositions

    def noted(self: Any, names: tuple[str, ...], track: object) -> object:
        given.append(tuple(names))
        return compositions(self, names, track)

    monkeypatch.setattr(network_dissection_module._Sample, "compositions", noted)
    network_dissection(tiny, pictures, layers="1", annotations=annotated, quantile=0.05, compositions=True)
    assert given == [("dog (object)", "cat", "dotted", "woven", "dog (texture)")]


def test_results_are_kept_and_computed_again_when_anything_has_changed(
    tiny: TorchModel, pictures: ImageSet, annotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, ...]] = []
    count = Passes.count

    def noted(self: Passes, layers: list[str]) -> object:
        counted.append(tuple(layers))
        return count(self, layers)

    monkeypatch.setattr(Passes, "count", noted)

    def dissect(layers: list[str], **options: object) -> list[NetworkDissectionRow]:
        kept = {"annotations": annotated, "memo": Memo(Store(Path("store"))), "quantile": 0.05, **options}
        return network_dissection_rows(network_dissection(tiny, pictures, layers=layers, **kept))

    first = dissect(["1"], compositions=True)
    assert dissect(["1"], compositions=True) == first
    assert counted == [("1",)]
    dissect(["1"], compositions=True, least_iou=0.5)
    assert len(counted) == 1, "the least IoU changes no count"
    dissect(["0", "1"], compositions=True)
    assert counted[1:] == [("0",)]
    dissect(["1"], compositions=True, quantile=0.1)
    path = annotated / "labels" / "object" / "p0.png"
    Image.fromarray(np.asarray(Image.open(path)).T[::-1].T.copy()).save(path)
    changed = dissect(["1"], compositions=True)
    assert counted[2:] == [("1",), ("1",)]
    assert changed != first


def test_the_seed_decides_only_the_pairs(tiny: TorchModel, pictures: ImageSet, annotated: Path) -> None:
    first, other = (
        network_dissection(tiny, pictures, layers="1", annotations=annotated, quantile=0.05, seed=seed)[0]
        for seed in (0, 1)
    )
    np.testing.assert_allclose(first.iou, other.iou, atol=1e-3)
    assert (first.p_value > 0).all()


def test_the_network_is_left_as_it_was(tiny: TorchModel, pictures: ImageSet, annotated: Path) -> None:
    tiny.module.train()
    before = {name: value.clone() for name, value in tiny.module.state_dict().items()}
    network_dissection(tiny, pictures, layers="1", annotations=annotated)
    assert tiny.module.training
    assert all(torch.equal(before[name], value) for name, value in tiny.module.state_dict().items())
    assert not any(part._forward_hooks for part in tiny.module.modules())


def test_what_cannot_be_dissected_is_said(tiny: TorchModel, pictures: ImageSet, annotated: Path) -> None:
    with pytest.raises(LayerError, match="one number an image"):
        network_dissection(tiny, pictures, layers="4", annotations=annotated)
    with pytest.raises(UnknownNameError):
        network_dissection(tiny, pictures, layers="layer9", annotations=annotated)
    with pytest.raises(ImageError, match="only pictures of the world"):
        network_dissection(tiny, pictures, layers="1")
    with pytest.raises(UsageError, match="between 0 and 1"):
        network_dissection(tiny, pictures, layers="1", annotations=annotated, quantile=5)


def test_a_single_image_has_no_chance_level(tiny: TorchModel, pictures: ImageSet, annotated: Path) -> None:
    (layer,) = network_dissection(tiny, pictures[:1], layers="1", annotations=annotated, quantile=0.05)
    assert np.isnan(layer.p_value).all()
    assert np.isfinite(layer.best_iou).all()


@pytest.mark.slow
def test_units_of_the_world_classifier_detect_objects_and_their_parts() -> None:
    model = load_model("world:objects")
    first, last = network_dissection(model, open_images("world:150"), layers=["stage1", "stage5"], compositions=True)
    rows = {row.category: row for row in detector_rows([last])}
    assert rows["object"].detectors + rows["part"].detectors == rows[None].detectors >= 50
    assert rows["object"].unique_detectors >= 8
    assert len(last.unique_detectors) > 2 * len(first.unique_detectors)
    assert (last.q_value[last.detector] <= 0.05).mean() > 0.9
    compositions = [composition for composition in last.compositions if composition is not None]
    assert compositions
    assert all(composition.iou >= 1.1 * composition.word_iou for composition in compositions)


def test_the_world_as_files_says_the_same(tmp_path: Path) -> None:
    write_dataset(tmp_path / "world", 25)
    model, files = load_model("world:objects"), open_images(str(tmp_path / "world" / "images"))
    (drawn,) = network_dissection(model, open_images("world:25"), layers="stage5")
    (read,) = network_dissection(model, files, layers="stage5", annotations=tmp_path / "world")
    assert network_dissection_rows([read]) == network_dissection_rows([drawn])


def test_label_maps_are_no_probing_images(tmp_path: Path) -> None:
    """The folder of a written world holds pictures, masks and label maps: as --probe it gives all of them."""
    write_dataset(tmp_path / "world", 2)
    model, everything = load_model("world:objects"), open_images(str(tmp_path / "world"))
    for folder in (tmp_path / "world", open_annotations(tmp_path / "world")):
        with pytest.raises(ImageError, match=r"10 of the 14 images are label maps, as labels/.*DIR/images"):
            network_dissection(model, everything, layers="stage5", annotations=folder)


def test_units_of_a_transformer_have_maps_of_patches() -> None:
    torch.manual_seed(0)
    network = timm.create_model("vit_tiny_patch16_224", num_classes=2, img_size=64, depth=1, embed_dim=24, num_heads=2)
    geometry = Geometry((64, 64), mode="squash")
    model = TorchModel(network.eval(), geometry, mean=(0.5,) * 3, std=(0.5,) * 3, classes=("a", "b"))
    (layer,) = network_dissection(model, open_images("world:12"), layers="blocks.0", quantile=0.05)
    assert len(layer) == 24
    assert np.isfinite(layer.best_iou).all()
    with pytest.raises(LayerError, match="one number an image"):
        network_dissection(model, open_images("world:12"), layers="blocks.0@class")
