"""Which similarity names units best, with many probing images and with few?

    python benchmarks/similarities.py
    python benchmarks/similarities.py --json --data ../shared/data

1. *Pictures*: the final units of a real ImageNet classifier, one a class; the probing images are one picture a class,
   the concepts 3,000 words scored by how near they are to the class's name. The share of classes whose unit gets the
   word that is nearest to its own class (any of several that are equally near). Left out where the data are not there.
2. *Classes*: the final units of world:objects and world:scenes, one a class, that get their class's name.
3. *Inside*: the units of stage 5 of both. How well the label's presence in 2,000 pictures correlates with the unit's
   activation, as a share of the best that any word has.

Labels are the most similar concepts, whatever the evidence says. Only *pictures, evidence* tells how many labels
stand, and how many of those are right. Fewer images are drawn at random, several times. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from lumiscope.attribution import look_inside
from lumiscope.concepts import ConceptSet
from lumiscope.dissection import SIMILARITIES, label_units, unit_probe
from lumiscope.images import ImageSet, open_images, prefetch
from lumiscope.models import TorchModel, load_model
from lumiscope.scorers import load_scorer
from lumiscope.study.stages.choose_concepts import choose_concepts
from lumiscope.study.stages.probe_images import probe_images
from lumiscope.types import BoolArray, FloatArray, IntArray

DATA = Path(__file__).parents[2] / "shared" / "data"
TABLE = Path("concepts") / "imagenet1k_sample_scores_3k.npz"
PROBE = "world:2000@1001"  # no model of the world was trained on that seed
MODELS = ("world:objects", "world:scenes")
DRAWS: Mapping[int, int] = {10: 20, 30: 10, 100: 5, 300: 2, 1000: 1, 2000: 1}  # images: how often they are drawn
Shares: TypeAlias = dict[int | str, float]
"""Images (or what is counted) -> share."""


@dataclass(frozen=True)
class Pictures:
    """A classifier's logits on one picture a class, (D, D), and the scores of words on these pictures, (D, K)."""

    logits: FloatArray
    scores: FloatArray

    @property
    def nearest(self) -> BoolArray:
        """(D, K): the word nearest to each class; several where they score alike."""
        return np.asarray(self.scores == self.scores.max(axis=1, keepdims=True))

    def share_right(self, similarity: str, images: IntArray) -> float:
        """Of the classes whose pictures are among `images`, the share whose unit gets its nearest word.

        The layer has the units of all classes, as a real layer has; but a class that no picture shows cannot be
        recognised, and is only compared where it changes the layer's average.
        """
        if SIMILARITIES[similarity].contrast:
            labels = labels_of(self.logits[images], self.scores[images], similarity)[images]
        else:
            labels = labels_of(self.logits[np.ix_(images, images)], self.scores[images], similarity)
        return float(np.mean(self.nearest[images, labels]))

    def with_evidence(self, similarity: str) -> Shares:
        """With all pictures: the share of units whose label stands, and how many of those, and of all, are right."""
        labels = label_units(self.logits, self.scores, model="", layer="", similarity=similarity)
        right = self.nearest[np.arange(len(labels)), labels.best[:, 0]]
        labelled = labels.concept >= 0
        return {
            "labelled": float(labelled.mean()),
            "right of these": float(right[labelled].mean()) if labelled.any() else float("nan"),
            "right of all": float(right.mean()),
        }


def real_pictures(data: Path = DATA) -> Pictures:
    """The real classifier's logits on the 1,000 pictures, one a class and in the order of the classes."""
    model = load_model(
        "timm:mobilenetv2_100",
        model_options={"pad_type": "same"},
        weights=data / "models" / "mobilenetv2_imagenet.safetensors",
        classes=data / "models" / "imagenet_classes.txt",
        mean=0.5,
        std=0.5,
        geometry="crop",
        interpolation="bilinear",
    )
    images = open_images(sorted((data / "imagenet1k_sample").iterdir()))
    scorer = load_scorer(f"table:{data / TABLE}")
    words = tuple(scorer.words or ())
    scores = scorer.score(images, ConceptSet("3k", words, ("other",) * len(words))).values
    return Pictures(model.predict([model.view(item) for item in images]), scores)


@dataclass(frozen=True)
class World:
    """What the world's models and scorers say of D pictures.

    `activations`: of (model, layer), (D, U). `scores`: of each scorer, (D, K) with the same words. `classes`: of each
    model.
    """

    words: tuple[str, ...]
    scores: Mapping[str, FloatArray]
    activations: Mapping[tuple[str, str], FloatArray]
    classes: Mapping[str, Sequence[str]]

    def share_named(self, scorer: str, similarity: str, images: IntArray, model: str) -> float:
        """The share of the class units that get their own class's name."""
        labels = labels_of(self.activations[model, "fc"][images], self.scores[scorer][images], similarity)
        named = [self.words[label] if label >= 0 else "" for label in labels]
        return float(np.mean([name == class_name for name, class_name in zip(named, self.classes[model], strict=True)]))

    def share_explained(self, scorer: str, similarity: str, images: IntArray, model: str) -> float:
        """How well the labels of stage 5 tell, on all pictures, where their units are active; 1: as any word could."""
        activations = self.activations[model, "stage5"]
        labels = labels_of(activations[images], self.scores[scorer][images], similarity)
        truth = SIMILARITIES["pearson"](activations, self.scores["masks"])
        chosen = np.where(labels >= 0, truth[np.arange(len(truth)), labels], 0)
        return float(chosen.mean() / truth.max(axis=1).mean())


def the_world(probe: str = PROBE) -> World:
    """Run both models and both scorers on pictures of the world."""
    images = open_images(probe)
    prefetch(images)
    masks = load_scorer("masks")
    concepts = choose_concepts(None, masks)
    scorers = {"world:clip": load_scorer("world:clip"), "masks": masks}
    models = {spec: look_inside(load_model(spec), "this benchmark") for spec in MODELS}
    return World(
        concepts.words,
        {name: scorer.score(images, concepts).values for name, scorer in scorers.items()},
        {
            (spec, layer): values
            for spec, model in models.items()
            for layer, values in activations_of(model, images, ("stage5", "fc")).items()
        },
        {spec: model.classes for spec, model in models.items()},
    )


def activations_of(model: TorchModel, images: ImageSet, layers: Sequence[str]) -> dict[str, FloatArray]:
    """(D, U) mean activations of each layer."""
    batches = [rows for _, rows in probe_images(model, images, {layer: unit_probe(model, layer) for layer in layers})]
    return {layer: np.concatenate([rows[layer] for rows in batches]) for layer in layers}


def labels_of(activations: FloatArray, scores: FloatArray, similarity: str) -> IntArray:
    """(U,) the most similar concept of each unit; -1 for a unit that is silent on these images."""
    return label_units(activations, scores, model="", layer="", similarity=similarity, options=None).concept


def draws(count: int, among: int) -> Iterator[IntArray]:
    """`count` of `among` images, at random, as often as DRAWS says."""
    for seed in range(DRAWS[count]):
        yield np.sort(np.random.default_rng(seed).choice(among, count, replace=False))


def compare_on_pictures(pictures: Pictures) -> dict[str, Shares]:
    """Similarity -> images -> mean share of units that are right."""
    among = len(pictures.logits)
    return {
        name: {
            count: float(np.mean([pictures.share_right(name, images) for images in draws(count, among)]))
            for count in DRAWS
            if count <= among
        }
        for name in SIMILARITIES
    }


def compare_on_world(world: World, scorer: str, what: str) -> dict[str, Shares]:
    """Similarity -> images -> mean over both models. `what`: "share_named" or "share_explained"."""
    ask = getattr(world, what)
    return {
        name: {
            count: float(
                np.mean([ask(scorer, name, images, model) for images in draws(count, 2000) for model in MODELS])
            )
            for count in DRAWS
        }
        for name in SIMILARITIES
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="where the real pictures are (%(default)s)")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    results = {}
    for part, by_similarity in compare(given.data):
        results[part] = by_similarity
        if not given.json:
            print(f"\n### {part}\n\n" + markdown(by_similarity), flush=True)
    if given.json:
        print(json.dumps(results, indent=1))


def compare(data: Path) -> Iterator[tuple[str, dict[str, Shares]]]:
    """Every part of the comparison: its name, and similarity -> images (or what is counted) -> share."""
    if data.is_dir():
        pictures = real_pictures(data)
        yield "pictures", compare_on_pictures(pictures)
        yield "pictures, evidence", {name: pictures.with_evidence(name) for name in SIMILARITIES}
    world = the_world()
    for scorer in world.scores:
        yield f"classes, {scorer}", compare_on_world(world, scorer, "share_named")
    yield "inside, world:clip", compare_on_world(world, "world:clip", "share_explained")


def markdown(by_similarity: Mapping[str, Shares]) -> str:
    """A table with a row a similarity."""
    heads = [f"{head:,}" if isinstance(head, int) else head for head in next(iter(by_similarity.values()))]
    rows = [
        [f"`{name}`", *("–" if np.isnan(share) else f"{share:.0%}" for share in shares.values())]
        for name, shares in by_similarity.items()
    ]
    lines = [["images" if "10" in heads else "share", *heads], ["---"] * (1 + len(heads)), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    main()
