"""Seconds per image of lumiscope and of the peer packages, side by side in one run, and how far their results differ.

    python benchmarks/peers.py --images 2
    python benchmarks/peers.py --spec timm:resnet50 --weights random --images 1 --methods gradcam lime

Without --spec the real MobileNetV2 and pictures beside the project (../shared) are used. The peers are grad-cam and
lime, as the tests install them. Everything runs in float32 with the threads that torch chooses.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer
from pytorch_grad_cam import AblationCAM, GradCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from lumiscope.attribution import PreparedBatch, get_method
from lumiscope.images import open_images
from lumiscope.models import TorchModel, borrowed, load_model
from lumiscope.types import SaliencyMap

SHARED = Path(__file__).parents[2] / "shared" / "data"
CAMS = {"gradcam": GradCAM, "ablationcam": AblationCAM, "scorecam": ScoreCAM}
LIME = {"num_samples": 500, "random_seed": 0, "hide_color": 0, "num_features": 15}


def main() -> None:
    """Print one row a method, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", help="a model spec; default: the real MobileNetV2")
    parser.add_argument("--weights", help="as for lumiscope run")
    parser.add_argument("--images", type=int, default=1, help="how many of the ten real pictures")
    parser.add_argument("--methods", nargs="+", default=[*CAMS, "lime"])
    arguments = parser.parse_args()
    model = real_model() if arguments.spec is None else load_model(arguments.spec, weights=arguments.weights)
    pictures = open_images(SHARED / "imagenet10" / "labels.csv")[: arguments.images]
    print(f"{model.spec}, layer {model.target_layer}, {len(pictures)} images, {torch.get_num_threads()} threads\n")
    print("| method | lumiscope, s | peer, s | ratio | largest difference |\n|---|---|---|---|---|")
    for name in arguments.methods:
        ours, theirs, difference = compare(model, [model.view(item) for item in pictures], name)
        print(f"| {name} | {ours:.3f} | {theirs:.3f} | {theirs / ours:.1f} | {difference:.1e} |", flush=True)


def real_model() -> TorchModel:
    """The classifier beside the project."""
    return load_model(
        "timm:mobilenetv2_100",
        model_options={"pad_type": "same"},
        weights=SHARED / "models" / "mobilenetv2_imagenet.safetensors",
        classes=SHARED / "models" / "imagenet_classes.txt",
        mean=0.5,
        std=0.5,
        geometry="squash",
    )


def compare(model: TorchModel, views: list, name: str) -> tuple[float, float, float]:
    """Mean seconds of ours, of the peer's, and the largest difference of maps or coefficients."""
    method = get_method(name)
    options = method.options(LIME if name == "lime" else None)
    ours, theirs, differences = [], [], []
    for view in views:
        prepared = PreparedBatch(model, [view], layer=model.target_layer)
        targets = prepared.targets("predicted", [None])
        prepared = PreparedBatch(model, [view], layer=model.target_layer)  # nothing made beforehand counts
        ((saliency,), seconds) = timed(lambda p=prepared, t=targets: method.explain(p, t, options))
        ours.append(seconds)
        peer = peer_lime if name == "lime" else peer_cam
        difference, seconds = peer(model, view, saliency)
        theirs.append(seconds)
        differences.append(difference)
    return float(np.mean(ours)), float(np.mean(theirs)), max(differences)


def peer_cam(model: TorchModel, view: object, ours: SaliencyMap) -> tuple[float, float]:
    """Difference to grad-cam's map, and its seconds."""
    inputs = model.inputs([view]).contiguous()  # type: ignore[list-item]
    cam = CAMS[ours.method](model=model.module, target_layers=[model.layer(str(ours.layer))])
    target = [ClassifierOutputTarget(ours.target.index)]
    with contextlib.redirect_stderr(io.StringIO()):
        result, seconds = timed(lambda: cam(inputs, target))
    cam.activations_and_grads.release()
    return float(np.abs(result[0] - ours.display()).max()), seconds


def peer_lime(model: TorchModel, view: object, ours: SaliencyMap) -> tuple[float, float]:
    """Difference to lime's coefficients, and its seconds."""

    def predict(pictures: np.ndarray) -> np.ndarray:
        with borrowed(model.module), torch.no_grad():
            return model.module(model.inputs(pictures).contiguous()).softmax(1).numpy()

    explainer = LimeImageExplainer(random_state=0)
    with contextlib.redirect_stderr(io.StringIO()):
        result, seconds = timed(
            lambda: explainer.explain_instance(
                view.pixels,  # type: ignore[attr-defined]
                predict,
                hide_color=0,
                top_labels=1,
                num_features=LIME["num_features"],
                num_samples=LIME["num_samples"],
                random_seed=0,
            )
        )
    theirs = dict(result.local_exp[ours.target.index])
    coefficients = ours.coefficients  # type: ignore[attr-defined]
    return max(abs(theirs.get(segment, 0.0) - value) for segment, value in enumerate(coefficients)), seconds


def timed(work: Callable) -> tuple:
    """What `work` gives, and its seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
