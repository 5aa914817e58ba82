"""Where the CAM family looks, and what `--layers auto:5` dissects, in every classifier of torchvision and 94 of timm.

    python benchmarks/zoo.py                        # all: about ten minutes on one core
    python benchmarks/zoo.py torchvision:swin_t timm:volo_d1_224
    python benchmarks/zoo.py --part 1/4             # every fourth, from the first

Random weights, nothing is downloaded. Prints the Markdown table of docs/architectures.md. The last column says what is
suspicious, by what a plain gradient or the list of layers says, not by what the choice itself goes by:

- around NAME: with the gradient at this layer stopped, the picture still reaches the scores (a part inside a block, a
  part of a token mixer, one of several branches);
- no influence NAME: the scores do not depend on it (an auxiliary head);
- 1×1: the features before the pooling have one position, or none is left;
- without 28×28: a resolution of layers with weights, between the first and the last that are chosen, has no stage;
- other with other weights: another seed, or all parameters drawn anew, give another choice.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from typing import Any

import timm
import torch
import torchvision

from lumiscope.errors import LayerError
from lumiscope.models import select_layers
from lumiscope.models._target_layer import target_layer
from lumiscope.models.layers import Layer, trace_layers
from lumiscope.models.outputs import first_tensor

SIZE = 128  # of torchvision's networks; timm's take their own size
FIXED_SIZE = {"maxvit_t": 224}
TIMM = """
    beit_base_patch16_224 eca_halonext26ts mobileone_s0 cait_xxs24_224 coat_tiny convit_tiny convmixer_768_32
    convnext_atto cpubone_nano crossvit_tiny_240 csatv2 cs3darknet_s cspnext_tiny davit_tiny
    deit_tiny_patch16_224 densenet121 dla34 dpn48b edgenext_xx_small efficientformer_l1 efficientformerv2_s0
    efficientnet_b0 efficientvim_m1 efficientvit_b0 efficientvit_m0 eva02_tiny_patch14_224 fasternet_t0
    fastvit_t8 focalnet_tiny_srf gcvit_xxtiny ghostnet_050 hardcorenas_b hgnetv2_b0 hiera_tiny_224
    sam2_hiera_tiny hrnet_w18_small iformer_t inception_next_atto inception_resnet_v2 inception_v3 inception_v4
    lcnetv2_small levit_128s lowformer_b0 mambaout_femto maxvit_pico_rw_256 poolformer_s12 mixer_s32_224
    mobilenetv3_small_050 mobilenetv5_base mobilevit_xxs mvitv2_tiny naflexvit_so150m2_patch16_reg1_gap
    nasnetalarge nest_tiny_jx nextvit_small nf_regnet_b0 pit_ti_224 pnasnet5large pvt_v2_b0 rdnet_tiny
    regnetx_002 repghostnet_050 repvit_m1_0 res2next50 resnest26d resnet18 resnetv2_18 rexnet_150 selecsls42
    legacy_seresnet18 sequencer2d_s shvit_s1 skresnet18 starnet_s050 swiftformer_xs swin_tiny_patch4_window7_224
    swinv2_tiny_window8_256 swinv2_cr_tiny_224 tiny_vit_5m_224 tnt_s_patch16_224 tresnet_m twins_svt_small
    vgg11_bn visformer_tiny vit_tiny_patch16_224 vit_tiny_r_s16_p8_224 vit_relpos_small_patch16_rpn_224
    samvit_base_patch16_224 vitamin_small_224 volo_d1_224 vovnet39a legacy_xception xception41p
    xcit_nano_12_p8_224
"""  # one small network a family, spaces between


def main() -> None:
    """One row a network, and how many are suspicious."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*")
    parser.add_argument("--part", default="1/1", help="which of how many parts")
    given = parser.parse_args()
    number, parts = (int(text) for text in given.part.split("/"))
    classifiers = torchvision.models.list_models(torchvision.models)
    specs = [*(f"torchvision:{name}" for name in classifiers), *(f"timm:{name}" for name in TIMM.split())]
    specs = given.specs or specs[number - 1 :: parts]
    warnings.filterwarnings("ignore")
    print("| network | target layer | grid | `auto:5` | seconds | suspicious |\n|---|---|---|---|---|---|")
    for spec in specs:
        print(row(spec), flush=True)


def network(spec: str) -> tuple[torch.nn.Module, int]:
    """A network with random weights, and the side of its input."""
    torch.manual_seed(0)
    source, name = spec.split(":")
    if source == "timm":
        module: Any = timm.create_model(name).eval()
        return module, int(module.default_cfg["input_size"][1])
    size = FIXED_SIZE.get(name, SIZE if not name.startswith("vit_h") else 14 * 9)
    options = {"image_size": size} if name.startswith("vit_") else {}
    options |= {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, **options).eval(), size


def row(spec: str) -> str:
    """One network."""
    module, size = network(spec)
    inputs = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    started = time.perf_counter()
    layers = trace_layers(module, inputs)
    target, stages = chosen(layers, module, inputs)
    seconds = time.perf_counter() - started
    suspicious = lost_resolutions(layers, stages, size)
    redrawn(module)
    suspicious += bypassed(module, inputs, stages)
    again = trace_layers(module, inputs), module, inputs
    if chosen(*again) != (target, stages):
        suspicious.append("other with other weights: " + ", ".join((chosen(*again)[0], *chosen(*again)[1])))
    grids = {layer.name: layer.map_layout.grid for layer in layers if layer.has_map}
    side = "×".join(str(length) for length in grids.get(target, ())) or "-"
    cells = (spec, f"`{target}`", side, ", ".join(f"`{stage}`" for stage in stages), f"{seconds:.1f}")
    return f"| {' | '.join(cells)} | {'; '.join(suspicious)} |"


def chosen(layers: Sequence[Layer], module: torch.nn.Module, inputs: torch.Tensor) -> tuple[str, list[str]]:
    """The target layer and what `auto:5` means."""
    try:
        target = target_layer(layers, module, inputs[:1]).name
        return target, select_layers(["auto:5"], layers, lambda: target)
    except LayerError as error:
        return str(error)[:60], []


def redrawn(module: torch.nn.Module) -> None:
    """Draw all weights anew, those that begin as zeros or ones, too."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            scale = (1 / max(1, parameter[0].numel())) ** 0.5 if parameter.ndim > 1 else 0.3
            parameter.copy_(torch.randn_like(parameter) * scale + (parameter.ndim == 1))


def bypassed(module: torch.nn.Module, inputs: torch.Tensor, names: Sequence[str]) -> list[str]:
    """What flows around each of the layers, by the gradient of the scores to the pixels."""
    said = []
    for name in names:
        stopped, whole = influence(module, inputs, name, keep=False), influence(module, inputs, name, keep=True)
        if not whole:
            said.append(f"no influence {name}")
        elif stopped:
            said.append(f"around {name}")
    return said


def influence(module: torch.nn.Module, inputs: torch.Tensor, name: str, *, keep: bool) -> bool:
    """Whether the pixels reach the scores around a layer; or, with `keep`, whether the layer does."""
    pixels = inputs[:1].clone().requires_grad_()
    reached = []

    def stop(gradient: torch.Tensor) -> torch.Tensor:
        reached.append(bool(gradient.any()))
        return torch.zeros_like(gradient)

    def watch(_: torch.nn.Module, __: object, output: object) -> None:
        tensor = first_tensor(output)
        if tensor is not None and tensor.requires_grad:
            tensor.register_hook(stop)  # type: ignore[no-untyped-call]

    handle = module.get_submodule(name).register_forward_hook(watch)
    try:
        scores = first_tensor(module(pixels * 1))
        assert scores is not None
        (gradient,) = torch.autograd.grad((scores * torch.rand(scores.shape)).sum(), [pixels], allow_unused=True)
    finally:
        handle.remove()
    return any(reached) if keep else gradient is not None and bool(gradient.nan_to_num(0, 0, 0).any())


def lost_resolutions(layers: Sequence[Layer], names: Sequence[str], size: int) -> list[str]:
    """Resolutions of layers with weights that have no stage."""
    maps = [layer for layer in layers if layer.has_map and layer.weighted]
    grids = {layer.map_layout.grid for layer in layers if layer.name in names}
    if not grids:
        return ["no stage"]
    between = {layer.map_layout.grid for layer in maps if min(grids) < layer.map_layout.grid < max(grids)}
    between &= {(-(-size // 2**halvings),) * 2 for halvings in range(10)}  # attention may look like a map
    return [f"without {height}×{width}" for height, width in sorted(between - grids)]


if __name__ == "__main__":
    main()
