"""Where the maps are in a layer's output: every order of axes, any patch grid, any tokens in front."""

from __future__ import annotations

import pytest
import timm
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lumiscope.models.layers import layout_of, trace_layers
from lumiscope.models.layout import Layout, token_layout

sizes = st.integers(1, 5)


@given(kind=st.sampled_from(["maps", "channels_last", "tokens"]), h=sizes, w=sizes, prefix=sizes, channels=sizes)
def test_maps_are_where_they_were_put(kind, h, w, prefix, channels):
    maps = torch.randn(2, channels, h, w, generator=torch.Generator().manual_seed(0))
    output = {
        "maps": maps,
        "channels_last": maps.permute(0, 2, 3, 1),
        "tokens": torch.cat([torch.full((2, prefix, channels), torch.nan), maps.flatten(2).transpose(1, 2)], 1),
    }[kind].clone()
    layout = Layout(kind, (h, w), prefix if kind == "tokens" else 0)
    assert torch.equal(layout.maps(output), maps)
    assert output.shape[layout.channel_axis] == channels
    layout.maps(output).zero_()
    assert not layout.maps(output).any(), "a view: what is written to the maps is written to the output"


@pytest.mark.parametrize(
    ("count", "grids", "prefixes", "expected"),
    [
        (196, [(14, 14)], [], ((14, 14), 0)),
        (197, [(14, 14)], [], ((14, 14), 1)),
        (198, [(14, 14)], [], ((14, 14), 2)),
        (141, [(14, 10)], [], ((14, 10), 1)),
        (145, [(10, 14)], [5], ((10, 14), 5)),
        # the latest of two stages that fits, with one token more
        (65, [(16, 16), (8, 8)], [], ((8, 8), 1)),
        (257, [(16, 16), (8, 8)], [], ((16, 16), 1)),
        # 9 tokens are a map of 3×3, or of 2×2 and 5 registers: what the network says decides
        (9, [(3, 3), (2, 2)], [], ((3, 3), 0)),
        (9, [(3, 3), (2, 2)], [5], ((2, 2), 5)),
        # LeViT halves its tokens, rounding up, without a map
        (49, [(14, 14)], [], ((7, 7), 0)),
        (16, [(14, 14)], [], ((4, 4), 0)),
        # nothing fits: queries of a decoder, classes, a token alone
        (100, [(14, 14)], [], None),
        (206, [(14, 14)], [], None),
        (1, [(14, 14)], [], None),
        # no map at all: square patches of the 224×160 input, here of 16 and of 32 pixels
        (140, [], [], ((14, 10), 0)),
        (141, [], [], ((14, 10), 1)),
        (36, [], [1], ((7, 5), 1)),
    ],
)
def test_the_grid_of_tokens(count, grids, prefixes, expected):
    layout = token_layout(count, grids, prefixes, (224, 160))
    assert layout == (None if expected is None else Layout("tokens", *expected))


@settings(deadline=None, max_examples=10)
@given(rows=st.integers(1, 5), columns=st.integers(2, 6), registers=st.integers(0, 4))
def test_patches_of_a_class_token_network_keep_their_places(networks, rows, columns, registers):
    """Tokens that are the mean colours of their patches are the picture, smaller, whatever its proportions."""
    module = networks.seeded(lambda: networks.HubViT(patch=4, width=4, registers=registers))
    torch.nn.init.constant_(module.embeddings.proj.weight, 0)
    for channel in range(3):
        module.embeddings.proj.weight.data[channel, channel] = 1 / 16
    torch.nn.init.zeros_(module.embeddings.proj.bias)
    inputs = torch.randn(2, 3, 4 * rows, 4 * columns, generator=torch.Generator().manual_seed(0))
    layout = layout_of("embeddings", trace_layers(module, inputs))
    assert layout == Layout("tokens", (rows, columns), 1 + registers)
    small = torch.nn.functional.avg_pool2d(inputs, 4)
    torch.testing.assert_close(layout.maps(module.embeddings(inputs))[:, :3], small)


@pytest.mark.parametrize("size", [(64, 32), (48, 80)])
def test_a_vit_of_timm_with_other_proportions(size):
    options = {"depth": 1, "embed_dim": 8, "num_heads": 2, "dynamic_img_size": True, "num_classes": 4}
    module = timm.create_model("vit_tiny_patch16_224", pretrained=False, **options).eval()
    layers = trace_layers(module, torch.zeros(1, 3, *size))
    assert layout_of("blocks.0", layers) == Layout("tokens", (size[0] // 16, size[1] // 16), 1)
