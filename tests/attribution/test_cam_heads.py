"""What theory says of the CAM family: closed forms under a linear head, and where two methods are one."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from lumiscope.attribution import METHODS
from lumiscope.errors import ModelError

SIZE = (40, 56)
CLOSED = [
    "ablationcam",
    "eigengradcam",
    "finercam",
    "gradcam",
    "gradcampp",
    "hirescam",
    "layercam",
    "shapleycam",
    "xgradcam",
]


def explain(method, prepared, wanted="predicted", **options):
    chosen = METHODS[method]
    targets = prepared.targets(wanted, [None] * len(prepared))
    return chosen.explain(prepared, targets, chosen.options(options))


def stem(width=6, relu=True):
    return [nn.Conv2d(3, width, 5, stride=4, padding=2), nn.ReLU() if relu else nn.Identity()]


class MeanOfTokens(nn.Module):
    """(B, N, C) to the end, pooled over the tokens."""

    def __init__(self):
        super().__init__()
        self.proj = nn.Conv2d(3, 6, 8, stride=8)
        self.last = nn.Linear(6, 6)
        self.head = nn.Linear(6, 4)

    def forward(self, inputs):
        return self.head(self.last(self.proj(inputs).flatten(2).transpose(1, 2)).mean(1))


LINEAR = {
    "relu": (lambda: nn.Sequential(*stem(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)), "1"),
    "signed": (lambda: nn.Sequential(*stem(relu=False), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)), "1"),
    "wide": (lambda: nn.Sequential(*stem(40), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 7)), "1"),
    "no bias": (
        lambda: nn.Sequential(*stem(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(6, 4, False)),
        "1",
    ),
    "single logit": (lambda: nn.Sequential(*stem(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 1)), "1"),
    "one logit flat": (
        lambda: nn.Sequential(*stem(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 1), nn.Flatten(0)),
        "1",
    ),
    "pool then conv": (lambda: nn.Sequential(*stem(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(6, 4, 1)), "1"),
    "conv then pool": (lambda: nn.Sequential(*stem(), nn.Conv2d(6, 4, 1), nn.AdaptiveAvgPool2d(1)), "1"),
    "tokens": (MeanOfTokens, "last"),
}


def model_of(networks, torch_model, case, seed=0):
    factory, layer = LINEAR[case]
    return torch_model(networks.seeded(factory, seed), SIZE), layer


@pytest.mark.parametrize("method", CLOSED)
@pytest.mark.parametrize("case", LINEAR)
def test_the_closed_form_gives_what_differentiating_gives(networks, torch_model, prepare, method, case):
    model, layer = model_of(networks, torch_model, case)
    closed, general = prepare(model, layer), prepare(model, layer)
    assert closed.at(layer).linear_head is not None
    general.at(layer).linear_head = None
    for wanted in ("predicted", 1):
        for ours, expected in zip(explain(method, closed, wanted), explain(method, general, wanted), strict=True):
            scale = max(1e-3, float(expected.values.max()))
            np.testing.assert_allclose(ours.values, expected.values, atol=2e-5 * scale, rtol=0)
            np.testing.assert_allclose(ours.display(), expected.display(), atol=1e-4, rtol=0)


def test_with_the_closed_form_the_head_is_not_differentiated(networks, torch_model, prepare, monkeypatch):
    model, layer = model_of(networks, torch_model, "relu")
    prepared = prepare(model, layer)
    targets = prepared.targets(1, [None] * 3)
    assert prepared.at(layer).linear_head is not None
    prepared.logits, prepared.at(layer).maps
    runs = []
    handle = model.module[4].register_forward_hook(lambda *_: runs.append(torch.is_grad_enabled()))
    for method in CLOSED:
        METHODS[method].explain(prepared, targets, METHODS[method].options())
    handle.remove()
    assert not any(runs)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("target", [0, 3])
def test_weights_of_pooled_relu_features_under_a_linear_layer(networks, torch_model, prepare, seed, target):
    """g = W[c,k]/(h·w) everywhere, so that all weights can be written down."""
    model = torch_model(networks.seeded(networks.plain, seed), SIZE)
    prepared = prepare(model, "3")
    maps = prepared.at("3").maps.double()
    slopes = model.module[6].weight[target].detach().double() / maps[0, 0].numel()
    for row in range(3):
        score, totals = prepared.logits[row, target], maps[row].sum((1, 2))
        positive = slopes.clamp(min=0)
        shares = slopes**2 / (2 * slopes**2 + slopes**3 * totals + 1e-6)
        expected = {
            "gradcam": slopes,
            "hirescam": slopes,
            "xgradcam": slopes,
            "shapleycam": slopes,
            "layercam": positive,
            "ablationcam": slopes * totals / abs(score),
            "gradcampp": maps[0, 0].numel() * positive * shares,
        }
        for method, weights in expected.items():
            layer_map = torch.einsum("k,khw->hw", weights, maps[row]).clamp(min=0)
            values = nn.functional.interpolate(layer_map[None, None], SIZE, mode="bilinear")[0, 0].numpy()
            result = explain(method, prepared, target)[row].values
            np.testing.assert_allclose(result, values, atol=1e-5 * max(1, float(values.max())), err_msg=method)


def test_hires_cam_is_grad_cam_where_the_gradient_is_the_same_everywhere(networks, torch_model, prepare):
    """And not elsewhere: behind a further convolution the border counts less."""
    model = torch_model(networks.seeded(networks.plain), SIZE)
    for layer, same in (("3", True), ("1", False)):
        prepared = prepare(model, layer)
        for saliency, other in zip(explain("hirescam", prepared, 1), explain("gradcam", prepared, 1), strict=True):
            assert np.allclose(saliency.values, other.values, atol=1e-6) == same


@pytest.mark.parametrize(
    ("network", "layer"), [("plain", "1"), ("Residual", "stem"), ("Reused", "mix"), ("Dense", "one")]
)
def test_shapley_cam_is_grad_cam_where_the_head_is_piecewise_linear(networks, torch_model, prepare, network, layer):
    prepared = prepare(torch_model(networks.seeded(getattr(networks, network)), SIZE), layer)
    for saliency, other in zip(explain("shapleycam", prepared), explain("gradcam", prepared), strict=True):
        np.testing.assert_allclose(saliency.values, other.values, atol=1e-6 * max(1, other.values.max()))
        assert other.values.any()


def test_shapley_cam_of_a_quadratic_score_shares_it_out(networks, torch_model, prepare):
    """S = sum_k q_k m_k², m_k = mean A_k: g - H A / 2 is half of g, and times A it adds up to S."""

    class Quadratic(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 4, 8, stride=8)
            self.fc = nn.Linear(4, 3, bias=False)

        def forward(self, inputs):
            return self.fc(self.maps(inputs).mean((2, 3)) ** 2)

    module = networks.seeded(Quadratic)
    with torch.no_grad():
        module.fc.weight.abs_()
        module.maps.bias.abs_().add_(5)  # every activation is positive, so that nothing of the map is cut off
        module.maps.weight.mul_(0.1)
    prepared = prepare(torch_model(module, SIZE), "maps")
    for saliency, other in zip(explain("shapleycam", prepared, 2), explain("gradcam", prepared, 2), strict=True):
        np.testing.assert_allclose(saliency.values, other.values / 2, rtol=1e-5)
        assert other.values.min() > 0
    layer = prepared.at("maps")
    products = layer.gradients(prepared.targets(2, [None] * 3)) * layer.maps
    np.testing.assert_allclose(products.sum((1, 2, 3)) / 2, prepared.logits[:, 2], rtol=1e-5)


def test_a_head_that_cannot_be_differentiated_twice_is_an_error_in_words(networks, torch_model, prepare):
    class Fused(nn.Module):
        """The fused kernel of attention, asked for by name."""

        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 4, 8, stride=8)
            self.fc = nn.Linear(4, 3)

        def forward(self, inputs):
            tokens = self.maps(inputs).flatten(2).mT[:, None].contiguous()
            fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(tokens, tokens, tokens)[0]
            return self.fc(fused.mean((1, 2)))

    prepared = prepare(torch_model(networks.seeded(Fused), SIZE), "maps")
    assert explain("gradcam", prepared)[0].values.any()
    with pytest.raises(ModelError, match=r"differentiated twice behind maps; .* Use gradcam"):
        explain("shapleycam", prepared)


def test_attention_is_differentiated_twice_all_the_same(reference, networks, torch_model, prepare):
    """By torch's plain implementation, for the time of it."""

    class Attends(nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = nn.Conv2d(3, 4, 8, stride=8)
            self.fc = nn.Linear(4, 3)

        def forward(self, inputs):
            tokens = self.maps(inputs).flatten(2).mT[:, None]
            return self.fc(nn.functional.scaled_dot_product_attention(tokens, tokens, tokens).mean((1, 2)))

    module = networks.seeded(Attends)
    prepared = prepare(torch_model(module, SIZE), "maps", count=1)
    (saliency,) = explain("shapleycam", prepared)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        values, _ = reference.REFERENCES["shapleycam"](
            copy.deepcopy(module).double(), prepared.inputs.values[0].double(), "maps", saliency.target.index
        )
    np.testing.assert_allclose(saliency.values, values, atol=1e-4 * values.max())
    assert not np.allclose(saliency.values, explain("gradcam", prepared)[0].values, atol=1e-2 * values.max())
