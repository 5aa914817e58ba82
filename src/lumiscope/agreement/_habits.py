"""What is left of a map when all that centre and edges can make of it is taken out.

Two maps of one image lose the same to the picture's edges, those of different images lose different things. Whatever
else two methods show in every picture would look more alike in one picture than in two, by that alone. So of different
images the edges of both are taken out of both maps.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lumiscope.types import DoubleArray, FloatArray

Edges: TypeAlias = tuple[bytes, ...]
"""Of each image the mean of each cell, float64."""
DEGREE = 3  # of the polynomials of centre and edges that are taken out
GRAINS = (0.0, 0.75, 1.5)  # standard deviations of the blur under which edges are taken out, in cells
CENTRE = 0.25  # standard deviation of the centred Gaussian, in sides of the view
RIDGE = 1e-9  # of what two images' habits have in common, such as the centre, nothing is left to be taken out


@functools.lru_cache(512)
def habits(rows: int, columns: int, edges: bytes) -> DoubleArray:
    """(d, h) orthonormal columns: all that a polynomial of degree 3 can make of the ranks of centre and edges.

    The centre is a Gaussian; edges are taken as they are and blurred over two grains. `edges`: (d,) float64, the mean
    of each of rows x columns cells.
    """
    from scipy.ndimage import gaussian_filter

    grid = np.frombuffer(edges).reshape(rows, columns)
    x = _centre(rows, columns)
    # Ranks of a sum are no sum of ranks: polynomials follow what is left of it.
    powers = [x**i for i in range(DEGREE + 1)]
    for grain in GRAINS:
        y = _scaled_ranks((gaussian_filter(grid, grain) if grain else grid).ravel())
        powers += [x**i * y**j for i in range(DEGREE + 1) for j in range(1, DEGREE + 1 - i)]
    basis, strengths, _ = np.linalg.svd(np.stack(powers, axis=1), full_matrices=False)
    return np.asarray(basis[:, strengths > np.finfo(np.float64).eps * len(basis) * strengths[0]])


def cross_residual_likeness(a: DoubleArray, b: DoubleArray, sides: tuple[int, int], edges: Edges) -> DoubleArray:
    """(m, m): correlation of a's map of image i and b's of j, when the habits of both images are taken out of both.

    `a`, `b`: (m, d) residuals of length 1 of m images, each without the habits of its own image. `sides`: rows and
    columns of cells. 0 where nothing is left of a map.
    """
    shared = shared_habits(sides, edges)
    images, most = len(a), shared.inverse.shape[-1]
    of_a = (a @ shared.bases).reshape(images, images, most, 1)  # a's map of i in the habits of j
    of_b = (b @ shared.bases).reshape(images, images, most, 1)  # b's map of j in the habits of i
    left_of_a, left_of_b = (1 - (part * (shared.inverse @ part)).sum((2, 3)) for part in (of_a, of_b))
    lengths = np.sqrt(np.clip(left_of_a, 0, 1) * np.clip(left_of_b.T, 0, 1))
    products = a @ b.T + (of_a * (shared.crossed @ of_b.transpose(1, 0, 2, 3))).sum((2, 3))
    likeness: DoubleArray = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > RIDGE)
    return likeness


@dataclass(frozen=True)
class SharedHabits:
    """What the habits of m images have in common. `bases`: (d, m·h) those of all images, padded with zeros.

    With M the products of i's habits with j's: `inverse`: (m, m, h, h) of 1 - MᵀM, the products of what is left of j's
    habits without i's; `crossed`: (m, m, h, h) that times Mᵀ.
    """

    bases: DoubleArray
    inverse: DoubleArray
    crossed: DoubleArray


@functools.lru_cache(5)  # pairs of methods one after the other ask for the same sets of images
def shared_habits(sides: tuple[int, int], edges: Edges) -> SharedHabits:
    """Of the images with these edges; up to 28 MiB for 64 images."""
    bases = [habits(*sides, of_image) for of_image in edges]
    images, most = len(bases), max(basis.shape[1] for basis in bases)
    flat = np.concatenate([np.pad(basis, ((0, 0), (0, most - basis.shape[1]))) for basis in bases], axis=1)
    turned = (flat.T @ flat).reshape(images, most, images, most).transpose(0, 2, 3, 1)
    inverse = np.linalg.inv((1 + RIDGE) * np.eye(most) - turned @ turned.transpose(0, 1, 3, 2))
    return SharedHabits(flat, inverse, inverse @ turned)


def mean_ranks(values: DoubleArray | FloatArray) -> DoubleArray:
    """(d,) from 1; ties have their mean rank, and nothing has one beside NaN. A tenth of the time of scipy's."""
    if np.isnan(values).any():
        return np.full(len(values), np.nan)
    ordered = np.sort(values)
    return (ordered.searchsorted(values) + 1 + ordered.searchsorted(values, "right")) / 2


@functools.lru_cache(8)
def _centre(rows: int, columns: int) -> DoubleArray:
    """(d,) ranks, from -1 to 1, of the centred Gaussian."""
    y, x = ((np.arange(size) + 0.5) / size - 0.5 for size in (rows, columns))
    return _scaled_ranks(np.exp(-(y[:, np.newaxis] ** 2 + x**2) / (2 * CENTRE**2)).ravel())


def _scaled_ranks(values: DoubleArray) -> DoubleArray:
    """From -1 to 1."""
    return np.asarray(2 * mean_ranks(values) / len(values) - 1)
