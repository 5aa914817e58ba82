"""Slow, plain programs of what is seen where a view is hidden."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from lumiscope.testing import Question


def mean_colour(question: Question) -> np.ndarray:
    pixels = question.pixels.astype(np.float64)
    return np.broadcast_to(np.round(pixels.mean(axis=(0, 1))), pixels.shape)


def grey(question: Question) -> np.ndarray:
    return np.full(question.pixels.shape, 128.0)


def blurred(question: Question) -> np.ndarray:
    """By a Gaussian of 1/20 of the shorter side, cut at 4 standard deviations, edges repeated; rounded."""
    sigma = min(question.pixels.shape[:2]) / 20
    reach = int(4 * sigma + 0.5)
    weights = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    picture = question.pixels.astype(np.float64)
    for axis in (0, 1):
        length = picture.shape[axis]
        sources = [np.clip(np.arange(length) + offset, 0, length - 1) for offset in range(-reach, reach + 1)]
        parts = [weight * np.take(picture, source, axis) for weight, source in zip(weights, sources, strict=True)]
        picture = sum(parts) / weights.sum()
    return np.round(picture)


def filled(image: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """(C, H, W) hidden pixels of an image as the weighted means of their neighbours: one equation each."""
    channels, height, width = image.shape
    if not shown.any():
        return np.broadcast_to(image.mean(axis=(1, 2), keepdims=True), image.shape).copy()
    places = [(row, column) for row in range(height) for column in range(width) if not shown[row, column]]
    number = {place: index for index, place in enumerate(places)}
    system, known = lil_matrix((len(places), len(places))), np.zeros((len(places), channels))
    for (row, column), index in number.items():
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            place = (row + down, column + right)
            if place == (row, column) or not (0 <= place[0] < height and 0 <= place[1] < width):
                continue
            weight = 1 / 12 if down and right else 1 / 6
            system[index, index] += weight
            if place in number:
                system[index, number[place]] = -weight
            else:
                known[index] += weight * image[:, place[0], place[1]]
    picture = image.copy()
    if places:
        picture[:, ~shown] = spsolve(system.tocsc(), known).reshape(len(places), channels).T
    return picture
