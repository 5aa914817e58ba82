"""Composition: backdrop, other objects, the main object, what stands before it, light and noise."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from lumiscope.errors import UnknownNameError
from lumiscope.types import ByteArray
from lumiscope.world.renderer._brush import BACKDROPS, Brush
from lumiscope.world.renderer._pen import KINDS, Frame, Pen
from lumiscope.world.renderer.canvas import SIZE, Canvas, Developed, Paint
from lumiscope.world.renderer.captions import caption
from lumiscope.world.renderer.colours import COLOURS, some
from lumiscope.world.renderer.facts import draw_facts, generator
from lumiscope.world.renderer.mark import draw_mark
from lumiscope.world.renderer.omission import MARK, omission
from lumiscope.world.renderer.scene import Scene
from lumiscope.world.renderer.textures import PLAIN, TEXTURES
from lumiscope.world.renderer.vocabulary import OBJECTS, SCENES, part_number

RADIUS = (22.0, 46.0)  # of the main object, in pixels
SMALL = (8.0, 13.0)  # of other objects
_ROWS, _COLUMNS = ((np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE * 2 - 1).astype(np.float32)
_FROM_CENTRE = _ROWS**2 + _COLUMNS**2


def render(
    index: int, seed: int = 0, *, mark: str | None = None, without: str | Collection[str] | None = None
) -> Scene:
    """Draw image `index` of `seed`: the same in any order and process.

    `mark`: put the mark of this class of objects into the upper left corner (MARK_BOX). `without`: a word of the world
    (an object, part, texture, colour or scene), or "mark", or several: the same picture, but this is not painted; see
    `omission`.

    Raises UsageError for numbers that are not in 0..2^32 - 1, UnknownNameError for a mark of no class or a word that
    the world has not.
    """
    if mark is not None and mark not in OBJECTS:
        raise UnknownNameError("object", mark, OBJECTS)
    rng = generator(index, seed)
    facts = draw_facts(rng, index, seed)
    backdrop = BACKDROPS[facts.scene]
    left_out = (without,) if isinstance(without, str) else tuple(without or ())
    canvas = Canvas(omission(left_out, facts.scene))
    brush = Brush(canvas, part_number, rng)
    horizon = backdrop.draw(brush)
    frame = _main_frame(rng, facts.object, horizon)
    for _ in range(rng.integers(0, 4)):
        backdrop.piece(brush, rng.uniform(0, SIZE), rng.uniform(horizon, SIZE - 4), rng.uniform(6, 12))
    others = _others(rng, facts.object)
    before = [rng.random() < 0.3 for _ in others]
    places = [_other_frame(rng, frame, name, horizon) for name in others]
    for name, place, is_before in zip(others, places, before, strict=True):
        if not is_before:
            _draw(canvas, rng, name, place)
    _draw(canvas, rng, facts.object, frame, facts.colour, facts.texture)
    for name, place, is_before in zip(others, places, before, strict=True):
        if is_before:
            _draw(canvas, rng, name, place)
    for _ in range(rng.integers(0, 3)):
        x, y = frame.x + rng.uniform(-0.9, 0.9) * frame.radius, frame.y + rng.uniform(0.9, 1.1) * frame.radius
        backdrop.piece(brush, x, y, rng.uniform(0.25, 0.5) * frame.radius)
    if mark and MARK not in left_out:
        draw_mark(canvas, mark)
    picture = canvas.develop()
    labels = _labels(picture, facts.scene)
    seen = [name for name in others if (labels["object"] == OBJECTS.index(name) + 1).any()]
    return Scene(
        index=index,
        seed=seed,
        pixels=_lit(picture, backdrop.tint, rng),
        object=facts.object,
        scene=facts.scene,
        colour=facts.colour,
        texture=facts.texture,
        labels=labels,
        mask=picture.mask,
        caption=caption(facts, seen),
        mark=mark,
        without=left_out,
    )


def _main_frame(rng: np.random.Generator, name: str, horizon: float) -> Frame:
    radius = rng.uniform(*RADIUS)
    x = rng.uniform(0.7 * radius, SIZE - 0.7 * radius)
    flip = int(rng.choice((-1, 1)))
    feet = KINDS[name].feet
    if feet is not None:
        ground = rng.uniform(max(horizon + 5, (0.9 + feet) * radius), SIZE - 3)
        return Frame(x, ground - feet * radius, radius, rng.uniform(-7, 7), flip)
    return Frame(x, rng.uniform(0.8 * radius, SIZE - 0.8 * radius), radius, rng.uniform(-26, 26), flip)


def _others(rng: np.random.Generator, main: str) -> list[str]:
    names = [name for name in OBJECTS if name != main]
    return [names[k] for k in rng.choice(len(names), rng.choice((0, 1, 2), p=(0.5, 0.35, 0.15)), replace=False)]


def _other_frame(rng: np.random.Generator, main: Frame, name: str, horizon: float) -> Frame:
    """A small object that does not stand on the middle of the main one."""
    radius = rng.uniform(*SMALL)
    low = radius if KINDS[name].feet is None else max(horizon - radius, radius)
    tries = rng.uniform((radius, low), (SIZE - radius, SIZE - radius), (8, 2))
    distances = np.hypot(tries[:, 0] - main.x, tries[:, 1] - main.y)
    far = np.flatnonzero(distances > main.radius + 0.6 * radius)
    x, y = tries[far[0] if far.size else distances.argmax()]
    return Frame(float(x), float(y), radius, rng.uniform(-10, 10), int(rng.choice((-1, 1))))


def _draw(
    canvas: Canvas, rng: np.random.Generator, name: str, frame: Frame, colour: str | None = None, texture: str = ""
) -> None:
    """Draw an object; the main one is the one whose colour is given."""
    kind = KINDS[name]
    is_main = colour is not None
    paint = some(colour or COLOURS[rng.integers(len(COLOURS))], rng)
    texture = texture or (PLAIN, *TEXTURES)[rng.integers(1 + len(TEXTURES))]
    number = OBJECTS.index(name) + 1
    if kind.feet is not None:
        foot, radius = frame.y + kind.feet * frame.radius, frame.radius
        canvas.shadow(Paint(paint, object=number), frame.x, foot, 0.9 * radius, 0.2 * radius)
    kind.draw(Pen(canvas, frame, number, part_number, paint, texture, rng, is_main))


def _labels(picture: Developed, scene: str) -> dict[str, ByteArray]:
    paints = picture.paints
    number = SCENES.index(scene) + 1
    return {
        "scene": picture.lookup([number if paint.part and not paint.object else 0 for paint in paints]),
        "object": picture.lookup([paint.object for paint in paints]),
        "part": picture.lookup([paint.part for paint in paints]),
        "colour": picture.colours,
        "texture": picture.lookup([paint.texture.number if paint.texture else 0 for paint in paints]),
    }


def _lit(picture: Developed, tint: tuple[float, float, float], rng: np.random.Generator) -> ByteArray:
    """Light from one side, a darker rim, and the noise of a camera."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.13)
    gain = 1 + np.float32(strength * np.cos(angle)) * _COLUMNS + np.float32(strength * np.sin(angle)) * _ROWS
    gain -= np.float32(rng.uniform(0, 0.1)) * _FROM_CENTRE
    gain *= np.float32(rng.uniform(0.84, 1.1))
    pixels = rng.standard_normal((SIZE, SIZE, 3), np.float32)
    pixels *= np.float32(rng.uniform(1.5, 8))
    lit = picture.pixels * gain[..., None]
    lit *= np.asarray(tint * rng.uniform(0.97, 1.03, 3), np.float32)
    pixels += lit
    return np.clip(pixels, 0, 255, out=pixels).astype(np.uint8)
