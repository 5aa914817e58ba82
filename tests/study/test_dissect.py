from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch

from lumiscope.dissection import EvidenceOptions, label_units
from lumiscope.errors import UnknownNameError
from lumiscope.images import Geometry, ImageSet
from lumiscope.models import TorchModel
from lumiscope.store import Store
from lumiscope.study import dissect
from lumiscope.study.stages import labels as labels_module

SCORER = "table:scores.npz"


def plain_activations(model: TorchModel, images: ImageSet, last: int) -> np.ndarray:
    """Mean over space of what the first `last` + 1 parts give, image by image."""
    rows = []
    for item in images:
        with torch.no_grad():
            rows.append(model.module[: last + 1](model.inputs([model.view(item)]))[0].mean((1, 2)).numpy())
    return np.stack(rows)


def test_labels_equal_those_of_plain_activations(tiny: TorchModel, pictures: ImageSet) -> None:
    labels = dissect(tiny, pictures, layers=["0", "1"], scorer=SCORER, similarity="cos")
    table = np.load("scores.npz")
    assert [layer.layer for layer in labels.layers] == ["0", "1"]
    for layer in labels.layers:
        expected = label_units(
            plain_activations(tiny, pictures, int(layer.layer)),
            table["scores"],
            model="tiny",
            layer=layer.layer,
            similarity="cos",
        )
        np.testing.assert_array_equal(layer.concept, expected.concept)
        np.testing.assert_allclose(layer.score, expected.score, atol=1e-6)


def test_the_table_has_a_row_a_unit_and_categories(tiny: TorchModel, pictures: ImageSet) -> None:
    every = EvidenceOptions(fdr=1, min_stability=0)
    labels = dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="cos", evidence=every)
    table = labels.to_table().to_pylist()
    assert [row["unit"] for row in table] == list(range(6))
    category_of = {
        "red": "colour",
        "green": "colour",
        "blue": "colour",
        "dog": "animal",
        "cat": "animal",
        "wheel": "part",
    }
    (layer,) = labels.layers
    for row, place, margin in zip(table, layer.concept, layer.margin, strict=True):
        assert row["label"] == labels.concepts[place] == row["best_concepts"][0]
        assert row["category"] == category_of[row["label"]]
        assert row["margin"] == margin == row["best_scores"][0] - row["best_scores"][1]
    strict = dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="cos")
    assert {row["label"] for row in strict.to_table().to_pylist()} == {None}, "of seven images nothing can be told"


def test_activations_are_computed_once(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "store")
    first = dissect(tiny, pictures, layers=["0", "1"], scorer=SCORER, similarity="cos", store=store)
    seen: list[int] = []
    monkeypatch.setattr(tiny, "inputs", lambda views: seen.append(len(views)))
    again = dissect(tiny, pictures, layers=["0", "1"], scorer=SCORER, similarity="cos", store=Store(store.root))
    other = dissect(tiny, pictures, layers=["1"], scorer=SCORER, similarity="cos_cubed", store=Store(store.root))
    assert seen == []
    assert again.to_table().equals(first.to_table())
    assert other.similarity == "cos_cubed"


def test_words_may_be_a_list(tiny: TorchModel, pictures: ImageSet) -> None:
    labels = dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="cos", concepts=["dog", "red"])
    assert labels.concepts == ("dog", "red")
    assert labels.categories == ("animal", "colour")


class ChannelsLast(torch.nn.Module):
    """(h, w, C) maps as in Swin: a normalisation and a linear layer over the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.mix, self.head = torch.nn.LayerNorm(3), torch.nn.Linear(3, 5), torch.nn.Linear(5, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.mix(self.norm(x.permute(0, 2, 3, 1))).mean((1, 2)))


def test_channels_last_layers_have_their_channels_as_units(pictures: ImageSet) -> None:
    geometry = Geometry((32, 32), mode="squash")
    model = TorchModel(ChannelsLast().eval(), geometry, mean=(0.5,) * 3, std=(0.5,) * 3)
    labels = dissect(model, pictures, layers="mix", scorer=SCORER, similarity="cos")
    assert len(labels.layers[0]) == 5
    with torch.no_grad():
        x = model.inputs([model.view(item) for item in pictures]).permute(0, 2, 3, 1)
        expected = model.module.mix(model.module.norm(x)).mean((1, 2)).numpy()
    np.testing.assert_allclose(labels.layers[0].top_activations[:, 0], expected.max(axis=0), rtol=1e-4)


def test_few_images_are_said(tiny: TorchModel, pictures: ImageSet) -> None:
    labels = dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="soft_wpmi")
    assert any("7 probing images are few" in note for note in labels.notes)
    assert any("7 probing images cannot support" in note for note in labels.notes)


def test_what_was_left_out_of_a_concept_file_is_said(tiny: TorchModel, pictures: ImageSet) -> None:
    path = Path("words.txt")
    path.write_bytes(b"red\r\n\r\ndog\r\nred\r\n")
    labels = dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="cos", concepts=str(path))
    assert labels.concepts == ("red", "dog")
    assert labels.notes[:2] == (
        "Concepts words: 1 blank line was left out.",
        "Concepts words: 1 duplicate was left out.",
    )


def test_what_few_images_support_is_tried_out_once(
    tiny: TorchModel, pictures: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = Store(tmp_path), {"scorer": SCORER, "similarity": "cos"}
    first = dissect(tiny, pictures, layers="auto", **asked, store=store)
    tried_again = functools.wraps(labels_module.small_sample_notes)(lambda *_, **__: pytest.fail("tried again"))
    monkeypatch.setattr(labels_module, "small_sample_notes", tried_again)
    assert dissect(tiny, pictures, layers=tiny.layers[0].name, **asked, store=store).notes == first.notes


def test_unknown_names(tiny: TorchModel, pictures: ImageSet) -> None:
    with pytest.raises(UnknownNameError, match="layer"):
        dissect(tiny, pictures, layers="layr9", scorer=SCORER)
    with pytest.raises(UnknownNameError, match="did you mean cos"):
        dissect(tiny, pictures, layers="auto", scorer=SCORER, similarity="coss")
