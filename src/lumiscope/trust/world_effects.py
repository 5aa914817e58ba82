"""True effects in the built-in world: every thing of a picture is left out of it, one at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lumiscope.images import ImageItem, WorldImage
from lumiscope.models import VisionModel
from lumiscope.runs import EffectRow
from lumiscope.trust.effects import TrueEffects
from lumiscope.types import BoolArray, FloatArray, Target
from lumiscope.world import GREY, MARK, WORDS, Scene, render


def true_effects(model: VisionModel, item: ImageItem, target: Target) -> TrueEffects | None:
    """Return what each thing in a picture of the world does to the target's score; None for any other image.

    Things are the objects, parts, textures, colours, the backdrop and the mark that the picture shows: everything that
    `lumiscope.world.render` can leave out. A part of an object is a thing of its own beside the object, as is its
    colour. What changes no pixel of the model's view is no thing of it. A thing's place is where its label is seen;
    where there is none (the mark), the pixels that change.
    """
    if not isinstance(item, WorldImage):
        return None
    scene = render(item.index, item.seed, mark=item.mark)
    whole = model.geometry.view(scene.pixels, item.id)
    names, kinds, places, views = [], [], [], [whole]
    for kind, name, place in _things_of(scene):
        without = model.geometry.view(_without(item, frozenset({name})).pixels, item.id)
        changed = np.asarray((without.pixels != whole.pixels).any(axis=2))
        if not changed.any():
            continue
        seen = None if place is None else model.geometry.mask_on_view(place)
        names.append(name)
        kinds.append(kind)
        places.append(changed if seen is None or not seen.any() else seen)
        views.append(without)
    scores = model.predict(views)[:, target.index].astype(np.float64)
    regions = np.stack(places) if places else np.zeros((0, *whole.pixels.shape[:2]), np.bool_)

    return TrueEffects(tuple(names), tuple(kinds), regions, scores[0] - scores[1:], scores_without(model, item))


def scores_without(model: VisionModel, item: WorldImage) -> Callable[[frozenset[str]], FloatArray]:
    """What gives the (classes,) logits where a picture is made without all things of some names."""

    def scores(left_out: frozenset[str]) -> FloatArray:
        return np.asarray(model.predict([model.geometry.view(_without(item, left_out).pixels, item.id)])[0])

    return scores


def effect_rows(model: str, image: str, target: Target, effects: TrueEffects) -> list[EffectRow]:
    """The rows of the table `effects`, one a thing."""
    things = zip(effects.names, effects.kinds, effects.regions, effects.drops, strict=True)
    return [
        EffectRow(
            model=model,
            image=image,
            thing=name,
            kind=kind,
            area=float(region.mean()),
            effect=float(drop),
            target=target.name,
        )
        for name, kind, region, drop in things
    ]


def _things_of(scene: Scene) -> list[tuple[str, str, BoolArray | None]]:
    """Kind and word of all that a picture shows, with (128, 128) its place; None for the mark, which has no label."""
    things: list[tuple[str, str, BoolArray | None]] = [
        (kind, word, scene.labels[kind] == number)
        for kind, words in WORDS.items()
        for number, word in enumerate(words, 1)
        if word != GREY and (scene.labels[kind] == number).any()
    ]
    return things if scene.mark is None else [*things, (MARK, MARK, None)]


def _without(item: WorldImage, names: frozenset[str]) -> Scene:
    return render(item.index, item.seed, mark=item.mark, without=names)
