"""lumiscope beside its peers, grad-cam 1.5.7 and lime 0.2.0.1, job by job in one run: seconds, ratios, differences.

    python benchmarks/peers.py                            # every job: about 25 minutes on two cores
    python benchmarks/peers.py --jobs gradcam lime        # those whose names hold one of these words
    python benchmarks/peers.py --images 2 --json peers.json

Prints a Markdown table; `--json FILE` also writes every number. A job is run on the same views, layer and target by
both. Seconds are of one image, and hold everything but what is prepared once for a model (backends are converted and
checked, networks folded: the column "preparation"). A difference is the largest of any pixel of the maps in [0, 1], or
of LIME's coefficients as a share of the largest. Real weights need the folder `shared` beside the project; ResNet-50
has random weights, which cost the same time. With a GPU there are columns for it, too.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
import torch
from lime.lime_image import LimeImageExplainer  # type: ignore[import-untyped]
from pytorch_grad_cam import AblationCAM, GradCAM, ScoreCAM  # type: ignore[import-untyped]
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # type: ignore[import-untyped]

from lumiscope.attribution import METHODS, PreparedBatch, look_inside
from lumiscope.images import View, open_images
from lumiscope.models import Precision, TorchModel, borrowed, load_model
from lumiscope.types import ByteArray, DoubleArray, FloatArray, SaliencyMap, SegmentMap, Target

T = TypeVar("T")
SHARED = Path(__file__).parents[2] / "shared" / "data"
CAMS = {"gradcam": GradCAM, "ablationcam": AblationCAM, "scorecam": ScoreCAM}
LIME = {"num_samples": 500, "random_seed": 0, "hide_color": 0, "num_features": 15}
AS_THE_PEER: dict[str, dict[str, object]] = {"lime": {**LIME}, "ablationcam": {"denominator": "score"}}
REAL, RESNET = "MobileNetV2, real weights", "ResNet-50, random weights"


@dataclass(frozen=True)
class Job:
    """`images`: on how many of the ten pictures. `wanted`: the ratios hoped for, exact and fast."""

    name: str
    network: str
    method: str
    images: int
    wanted: tuple[float, float]
    layer: str | None = None


JOBS = (
    Job("gradcam-resnet50", RESNET, "gradcam", 10, (4, 6)),
    Job("ablationcam-real", REAL, "ablationcam", 10, (1000, 1000)),
    Job("ablationcam-resnet50-layer4", RESNET, "ablationcam", 1, (1000, 1000)),
    Job("ablationcam-resnet50-layer3", RESNET, "ablationcam", 1, (8, 8), "layer3"),
    Job("scorecam-real", REAL, "scorecam", 10, (6.5, 13)),
    Job("scorecam-resnet50", RESNET, "scorecam", 1, (3, 6)),
    Job("lime-real", REAL, "lime", 10, (3.5, 6)),
    Job("lime-resnet50", RESNET, "lime", 1, (1.3, 2.6)),
)


@dataclass(frozen=True)
class Case:
    """What both sides are given, and the peer's results."""

    views: list[View]
    layer: str
    targets: list[Target]
    theirs: list[FloatArray | DoubleArray]


@dataclass
class Side:
    """How lumiscope did. `seconds`: mean of an image; `ratio`: the peer's seconds over these."""

    backend: str
    preparation: float
    seconds: float
    ratio: float
    difference: float


@dataclass
class Result:
    """One job. `peer_seconds`: mean of an image."""

    job: Job
    images: int
    peer_seconds: float
    sides: dict[str, Side] = field(default_factory=dict)


def main() -> None:
    """Run the jobs asked for; print each row as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", nargs="+", default=[""], help="words that the names of jobs hold")
    parser.add_argument("--images", type=int, default=10, help="at most so many pictures a job")
    parser.add_argument("--json", type=Path, help="write every number here")
    arguments = parser.parse_args()
    jobs = [job for job in JOBS if any(word in job.name for word in arguments.jobs)]
    devices = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    print(f"{machine()}\n\n{header(devices)}")
    results = []
    for job in jobs:
        results.append(run(job, min(job.images, arguments.images), devices))
        print(row(results[-1]), flush=True)
    if arguments.json:
        content = {"machine": machine(), "results": [asdict(result) for result in results]}
        arguments.json.write_text(json.dumps(content, indent=1) + "\n")


def run(job: Job, count: int, devices: list[str]) -> Result:
    """One job by the peer, then by lumiscope in both precisions."""
    model = load(job.network, "cpu")
    pictures = open_images(SHARED / "imagenet10" / "labels.csv")[:count]
    views = [model.view(item) for item in pictures]
    layer = job.layer or model.target_layer
    targets = [PreparedBatch(model, [view]).targets("predicted", [None])[0] for view in views]
    peer = peer_lime if job.method == "lime" else peer_cam
    pairs = [peer(model, view, job.method, layer, to.index) for view, to in zip(views, targets, strict=True)]
    case = Case(views, layer, targets, [result for result, _ in pairs])
    result = Result(job, count, float(np.mean([seconds for _, seconds in pairs])))
    for device in devices:
        model = load(job.network, device)
        for precision in get_args(Precision):
            side = ours(model, job, case, precision)
            side.ratio = result.peer_seconds / side.seconds
            result.sides[precision if device == "cpu" else f"{precision} {device}"] = side
    return result


def ours(model: TorchModel, job: Job, case: Case, precision: Precision) -> Side:
    """lumiscope on the same views, prepared first: the way to run the model is chosen, made and used once."""
    method = METHODS[job.method]
    options = method.options(AS_THE_PEER.get(job.method))

    def explain(rows: slice) -> list[SaliencyMap]:
        looks = case.layer if method.needs_layer else None
        prepared = PreparedBatch(model, case.views[rows], layer=looks, session=session)
        return method.explain(prepared, case.targets[rows], options)

    started = time.perf_counter()
    choice = model.choose_backend("auto" if method.perturbs else "torch", precision, case.views[:4])
    session = model.session(choice)
    if method.needs_layer:
        session.split(case.layer)
    session.logits(model.inputs(case.views[:1]))
    preparation = time.perf_counter() - started
    if not method.perturbs:
        explain(slice(0, 1))
    started = time.perf_counter()
    maps = [saliency for at in range(0, len(case.views), 4) for saliency in explain(slice(at, at + 4))]
    seconds = (time.perf_counter() - started) / len(case.views)
    differences = [difference(saliency, other) for saliency, other in zip(maps, case.theirs, strict=True)]
    return Side(f"{choice.backend}, {choice.numbers}", preparation, seconds, float("nan"), max(differences))


def difference(ours: SaliencyMap, theirs: FloatArray | DoubleArray) -> float:
    """The largest difference of two maps in [0, 1], or of LIME's coefficients as a share of the largest."""
    if isinstance(ours, SegmentMap):
        return float(np.abs(ours.coefficients - theirs).max() / np.abs(theirs).max())
    return float(np.abs(ours.display() - theirs).max())


def load(network: str, device: str) -> TorchModel:
    """One of the two networks."""
    if network == REAL:
        model = real_model()
    else:
        model = look_inside(load_model("timm:resnet50", weights="random", geometry="squash"), "this benchmark")
    model.module.to(device)
    return model


def real_model() -> TorchModel:
    """The classifier beside the project."""
    model = load_model(
        "timm:mobilenetv2_100",
        model_options={"pad_type": "same"},
        weights=SHARED / "models" / "mobilenetv2_imagenet.safetensors",
        classes=SHARED / "models" / "imagenet_classes.txt",
        mean=0.5,
        std=0.5,
        geometry="squash",
    )
    return look_inside(model, "this benchmark")


def peer_cam(model: TorchModel, view: View, method: str, layer: str, target: int) -> tuple[FloatArray, float]:
    """grad-cam's map, (H, W) in [0, 1], and its seconds."""
    inputs = model.inputs([view]).contiguous()
    cam = CAMS[method](model=model.module, target_layers=[model.layer(layer)])
    with contextlib.redirect_stderr(io.StringIO()):
        result, seconds = timed(lambda: cam(inputs, [ClassifierOutputTarget(target)]))
    cam.activations_and_grads.release()
    return result[0], seconds


def peer_lime(model: TorchModel, view: View, method: str, layer: str, target: int) -> tuple[DoubleArray, float]:
    """lime's coefficients, (d,), and its seconds."""

    def predict(pictures: ByteArray) -> FloatArray:
        with borrowed(model.module), torch.no_grad():
            probabilities: torch.Tensor = model.module(model.inputs(pictures).contiguous()).softmax(1)
        return probabilities.numpy()

    explainer = LimeImageExplainer(random_state=0)
    with contextlib.redirect_stderr(io.StringIO()):
        result, seconds = timed(
            lambda: explainer.explain_instance(
                view.pixels,
                predict,
                labels=(target,),
                hide_color=0,
                top_labels=None,
                num_features=LIME["num_features"],
                num_samples=LIME["num_samples"],
                random_seed=0,
            )
        )
    coefficients = np.zeros(result.segments.max() + 1)
    for segment, value in result.local_exp[target]:
        coefficients[segment] = value
    return coefficients, seconds


def header(devices: list[str]) -> str:
    """The table's head: on the CPU ratios, on a GPU seconds."""
    columns = ["job", "images", "peer, s"]
    for device in devices:
        for precision in ("exact", "fast"):
            place = "" if device == "cpu" else f" on {device}"
            columns += [f"{precision}{place}, s", "ratio (wanted)" if device == "cpu" else "ratio", "difference"]
    return f"| {' | '.join(columns)} | preparation, s |\n|{'---|' * (len(columns) + 1)}"


def row(result: Result) -> str:
    """One job as a row of the table."""
    cells = [f"{result.job.method}, {result.job.network}" + (f", {result.job.layer}" if result.job.layer else "")]
    cells += [str(result.images), f"{result.peer_seconds:.3f}"]
    for side, wanted in zip(result.sides.values(), (*result.job.wanted, None, None), strict=False):  # the CPU's first
        cells += [f"{side.seconds:.4f} ({side.backend})", f"{side.ratio:.1f}" + (f" ({wanted:g})" if wanted else "")]
        cells += [f"{side.difference:.1e}"]
    cells += [" / ".join(f"{side.preparation:.1f}" for side in result.sides.values())]
    return f"| {' | '.join(cells)} |"


def machine() -> str:
    """What it ran on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{(names or [platform.processor()])[0]}, {torch.get_num_threads()} threads{gpu}; torch {torch.__version__}"


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` gives, and its seconds."""
    started = time.perf_counter()
    result = work()
    return result, time.perf_counter() - started


if __name__ == "__main__":
    main()
