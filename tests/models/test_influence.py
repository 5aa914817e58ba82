"""How the automatic layer of networks with tokens is found: by what the scores depend on."""

from __future__ import annotations

import pytest
import torch

from lumiscope.models._target_layer import _Influence, _stand_ins


def test_stand_ins_let_everything_through():
    """Factors of a norm and biases are near 1; a sum over n inputs has the spread of one of them."""
    network = torch.nn.Sequential(torch.nn.Conv2d(8, 500, 3), torch.nn.BatchNorm2d(500), torch.nn.Linear(500, 300))
    network.register_parameter("scale", torch.nn.Parameter(torch.zeros(())))
    weights = _stand_ins(network)
    assert weights.keys() == dict(network.named_parameters()).keys()
    for name in ("scale", "0.bias", "1.weight", "1.bias", "2.bias"):
        assert 7 / 8 <= weights[name].min() <= weights[name].max() <= 9 / 8
    for name, inputs in (("0.weight", 8 * 9), ("2.weight", 500)):
        assert weights[name].std() == pytest.approx(inputs**-0.5, rel=0.02)
        assert weights[name].abs().max() <= (3 / inputs) ** 0.5


class Told(_Influence):
    """The influence of layers a, b, …: those of `felt` are reached, and past each of `around` flows that before it."""

    def __init__(self, felt, around, score=torch.ones(1, requires_grad=True)):  # noqa: B008 - never changed
        super().__init__(score, {})
        self.felt, self.around = felt, around

    def reached(self, layers):
        return [layer for layer in layers if layer in self.felt]

    def flows_around(self, before, layer):
        assert self.felt.index(layer) == self.felt.index(before) + 1, "only neighbours are asked about"
        return layer in self.around


@pytest.mark.parametrize(
    ("felt", "around", "passage"),
    [
        ("abcd", "", "d"),
        ("abcd", "d", "c"),
        ("abcd", "cd", "b"),
        ("abcd", "bcd", "a"),
        ("ac", "c", "a"),
        ("ac", "", "c"),
        ("b", "", "b"),
        ("", "", None),
    ],
)
def test_the_last_passage_is_the_last_layer_that_nothing_flows_around(felt, around, passage):
    assert Told(felt, around).last_passage("abcd") == passage
    assert Told(felt, around, torch.ones(1)).last_passage("abcd") is None, "no gradient tells"
