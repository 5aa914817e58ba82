"""The painter: shapes go into a buffer of paint numbers, from which both the picture and its labels are developed.

Every sub-pixel knows the paint on top of it, so the labels are exact where the picture is: what is hidden is not
labelled, and the edges of labels and picture are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from lumiscope.types import BoolArray, ByteArray, DoubleArray, FloatArray
from lumiscope.world.renderer.colours import GREY, PROTOTYPES, Colour, colour_number, in_grey
from lumiscope.world.renderer.textures import Texture

SIZE = 128
FINE = 3  # sub-pixels along each side of a pixel: odd, so that one lies at its centre
INK = 255
INK_RGB = (46, 36, 44)
SHADOW_DARKNESS = 0.38
STEPS = 16  # in which the colours of a gradient are named


@dataclass(frozen=True)
class Paint:
    """What a shape is and looks like.

    `object`, `part`: indices into OBJECTS and PARTS, plus 1; 0: none. `is_main`: belongs to the main object.
    `bottom`: the colour at the lower end of the painted area, where it differs from the top: a vertical gradient.
    `ink`: whether it has an outline. `greyed`: where a gradient has a colour of these names, it is grey.
    """

    colour: Colour
    object: int = 0
    part: int = 0
    texture: Texture | None = None
    is_main: bool = False
    bottom: Colour | None = None
    ink: bool = False
    greyed: frozenset[str] = frozenset()


BARE = Paint(Colour(GREY, PROTOTYPES[GREY]))


class Canvas:
    """A square of SIZE×SIZE pixels; coordinates in pixels, x to the right, y down, (0, 0) the upper left corner.

    It is grey where nothing is painted. `replaced`: what is painted in the place of each paint; None: nothing.
    """

    def __init__(self, replaced: Callable[[Paint], Paint | None] = lambda paint: paint) -> None:
        self._image = Image.new("L", (SIZE * FINE, SIZE * FINE))
        self._draw = ImageDraw.Draw(self._image)
        self._shadows: list[tuple[float, float, float, float]] = []
        self._gradients: dict[int, tuple[Colour, float, float]] = {}
        self._replaced = replaced
        self.paints = [BARE]

    def paint(self, paint: Paint, outlines: Sequence[DoubleArray]) -> None:
        """Fill the polygons `outlines`, each (N, 2) in pixels, with one paint."""
        if len(self.paints) == INK:
            raise ValueError(f"a canvas holds at most {INK - 1} paints")
        replaced = self._replaced(paint)
        if replaced is None:
            return
        paint, number = replaced, len(self.paints)
        self.paints.append(paint)
        if paint.bottom is not None:
            heights = [y for outline in outlines for y in (outline[:, 1].min(), outline[:, 1].max())]
            self._gradients[number] = (paint.bottom, max(min(heights), 0.0), min(max(heights), float(SIZE)))
        for outline in outlines:
            self._draw.polygon((outline * FINE).ravel().tolist(), fill=number)

    def shadow(self, of: Paint, x: float, y: float, width: float, height: float) -> None:
        """Let the soft shadow of what is painted so fall on the background around (x, y)."""
        if self._replaced(of) is not None:
            self._shadows.append((x, y, width, height))

    def develop(self) -> Developed:
        """Turn what was painted into a picture and labels."""
        fine = np.asarray(self._image)
        centre = fine[FINE // 2 :: FINE, FINE // 2 :: FINE]
        inked = np.array([paint.ink for paint in self.paints])
        picture = Image.fromarray(_outlined(fine, inked))
        picture.putpalette(self._palette())
        pixels = np.asarray(picture.convert("RGB").reduce(FINE), np.float32)
        self._grade(pixels, centre)
        self._pattern(pixels, fine)
        self._darken(pixels, centre)
        return Developed(pixels, centre, self._colours(centre), tuple(self.paints))

    def _palette(self) -> bytes:
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(self.paints)] = [paint.colour.rgb for paint in self.paints]
        palette[INK] = INK_RGB
        return palette.tobytes()

    def _grade(self, pixels: FloatArray, centre: ByteArray) -> None:
        """Add the vertical gradients."""
        slots = np.zeros(256, np.uint8)
        slots[list(self._gradients)] = np.arange(1, len(self._gradients) + 1)
        changes = np.zeros((len(self._gradients) + 1, SIZE, 3), np.float32)
        for slot, (number, (colour, top, bottom)) in enumerate(self._gradients.items(), 1):
            paint = self.paints[number]
            changes[slot] = _shares(top, bottom)[:, None] * np.subtract(colour.rgb, paint.colour.rgb)
            for row, name in enumerate(_names(paint.colour, colour, top, bottom) if paint.greyed else ()):
                if name in paint.greyed:
                    here = np.add(paint.colour.rgb, changes[slot, row])
                    changes[slot, row] = np.subtract(in_grey(here, name), paint.colour.rgb)
        pixels += changes[slots[centre], np.arange(SIZE)[:, None]]

    def _colours(self, centre: ByteArray) -> ByteArray:
        """(SIZE, SIZE) uint8: the number of each paint's colour, of a gradient the colour that it has in that row."""
        numbers = np.repeat([[paint.colour.number] for paint in self.paints], SIZE, axis=1).astype(np.uint8)
        for number, (colour, top, bottom) in self._gradients.items():
            paint = self.paints[number]
            names = _names(paint.colour, colour, top, bottom)
            numbers[number] = [colour_number(GREY if name in paint.greyed else name) for name in names]
        return np.asarray(numbers[centre, np.arange(SIZE)[:, None]])

    def _pattern(self, pixels: FloatArray, fine: ByteArray) -> None:
        """Add the textures, each weighed by how much of a pixel its paint covers."""
        for number, paint in enumerate(self.paints):
            if paint.texture is None:
                continue
            mask = Image.fromarray((fine == number).astype(np.uint8) * 255)
            box = mask.getbbox()
            if box is None:
                continue
            left, top, right, bottom = (box[0] // FINE, box[1] // FINE, -(-box[2] // FINE), -(-box[3] // FINE))
            covered = np.asarray(mask.crop((left * FINE, top * FINE, right * FINE, bottom * FINE)).reduce(FINE))
            x, y = np.meshgrid(np.arange(left, right) + 0.5, np.arange(top, bottom) + 0.5)
            amount = paint.texture.amount(x, y) * covered / 255
            change = np.subtract(paint.texture.second.rgb, paint.colour.rgb, dtype=np.float32)
            pixels[top:bottom, left:right] += amount[..., None].astype(np.float32) * change

    def _darken(self, pixels: FloatArray, centre: ByteArray) -> None:
        if not self._shadows:
            return
        ground = np.array([paint.object == 0 for paint in self.paints])[centre]
        y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) + 0.5
        light = np.ones((SIZE, SIZE), np.float32)
        for at_x, at_y, width, height in self._shadows:
            distance = ((x - at_x) / width) ** 2 + ((y - at_y) / height) ** 2
            light -= SHADOW_DARKNESS * np.exp(-2 * distance**2)
        pixels *= np.where(ground, np.maximum(light, 1 - SHADOW_DARKNESS), 1)[..., None]


@dataclass(frozen=True)
class Developed:
    """A picture without light and noise.

    `pixels`: (SIZE, SIZE, 3) float32 in 0..255. `centre`: (SIZE, SIZE) uint8, the index in `paints` of the paint at
    the centre of each pixel. `colours`: (SIZE, SIZE) uint8, the number of its colour there.
    """

    pixels: FloatArray
    centre: ByteArray
    colours: ByteArray
    paints: tuple[Paint, ...]

    def lookup(self, values: Sequence[int]) -> ByteArray:
        """(SIZE, SIZE) uint8: for each pixel the value of its paint."""
        return np.array(values, np.uint8)[self.centre]

    @property
    def mask(self) -> BoolArray:
        """(SIZE, SIZE) bool: where the main object is seen."""
        return np.array([paint.is_main for paint in self.paints])[self.centre]


def _shares(top: float, bottom: float) -> DoubleArray:
    """(SIZE,): for each row how far it is on the way from `top` to `bottom`, in [0, 1]."""
    return np.clip((np.arange(SIZE) + 0.5 - top) / (bottom - top), 0, 1)


def _names(first: Colour, last: Colour, top: float, bottom: float) -> list[str]:
    """For each row the name of a gradient's colour."""
    names = [first.mixed(last, step / STEPS).name for step in range(STEPS + 1)]
    return [names[step] for step in np.round(_shares(top, bottom) * STEPS).astype(int)]


def _outlined(fine: ByteArray, inked: BoolArray) -> ByteArray:
    """A copy with ink where two paints meet of which one has an outline."""
    outlined = fine.copy()
    lines = np.pad(inked, (0, 256 - len(inked)))[fine]
    for near, far in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        edge = ((fine[near] != fine[far]) & (lines[near] | lines[far])).view(np.uint8) * np.uint8(INK)
        outlined[near] |= edge  # ink has all bits set
        outlined[far] |= edge
    return outlined
