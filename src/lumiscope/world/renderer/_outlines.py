"""Outlines of shapes as (N, 2) points, x to the right and y down."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lumiscope.types import DoubleArray

_ANGLES = np.linspace(0, 2 * np.pi, 28, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], axis=1)
_STEPS = np.linspace(0, 1, 6, endpoint=False)[:, None, None]
_FEW = np.linspace(0, 2 * np.pi, 12, endpoint=False)
_SMALL_CIRCLE = np.stack([np.cos(_FEW), np.sin(_FEW)], axis=1)


def polygon(*points: tuple[float, float]) -> DoubleArray:
    """Straight lines between `points`."""
    return np.array(points, float)


def ellipse(x: float, y: float, width: float, height: float | None = None) -> DoubleArray:
    """Half axes `width` and `height` (None: a circle) around (x, y)."""
    return np.add(_CIRCLE * (width, width if height is None else height), (x, y))


def dot(x: float, y: float, radius: float) -> DoubleArray:
    """A small circle, with fewer points."""
    return _SMALL_CIRCLE * radius + (x, y)


def box(left: float, top: float, right: float, bottom: float) -> DoubleArray:
    """An upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def rounded(left: float, top: float, right: float, bottom: float, radius: float) -> DoubleArray:
    """An upright rectangle with round corners."""
    x, y = (right - radius, left + radius), (bottom - radius, top + radius)
    corners = ((x[0], y[0]), (x[1], y[0]), (x[1], y[1]), (x[0], y[1]))
    quarter = np.linspace(0, np.pi / 2, 5)
    arcs = [
        np.stack([np.cos(quarter + turn * np.pi / 2), np.sin(quarter + turn * np.pi / 2)], axis=1) * radius + corner
        for turn, corner in enumerate(corners)
    ]
    return np.concatenate(arcs)


def smooth(*points: tuple[float, float]) -> DoubleArray:
    """A closed curve through `points` (Catmull-Rom)."""
    p1 = np.array(points, float)
    place = np.arange(len(p1))
    p0, p2, p3 = p1[place - 1], p1[place + 1 - len(p1)], p1[place + 2 - len(p1)]
    t = _STEPS
    curve = (2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * (p1 - p2) + p3 - p0) * t**3) / 2
    return np.asarray(curve.transpose(1, 0, 2).reshape(-1, 2))


def line(points: Iterable[tuple[float, float]], width: float) -> DoubleArray:
    """A stroke of constant `width` along `points`."""
    path = np.array(list(points), float)
    before, after = np.concatenate([path[:1], path[:-1]]), np.concatenate([path[1:], path[-1:]])
    normal = (after - before)[:, ::-1] * (-width / 2, width / 2)
    normal /= np.hypot(*(after - before).T)[:, None]
    return np.concatenate([path + normal, (path - normal)[::-1]])


def turned(points: DoubleArray, degrees: float, x: float = 0.0, y: float = 0.0) -> DoubleArray:
    """Turn points around the origin, clockwise as seen, and move them by (x, y)."""
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]) + np.array((x, y)))
