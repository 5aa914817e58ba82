"""Slow perturbation methods: one hidden picture at a time, pixel by pixel; they take what a black box needs."""

from __future__ import annotations

import functools
import itertools
import math

import numpy as np
import torch

from attribution.references.segments import COLUMNS, GRID, ROWS, hidden_by_mean, segments_of
from lumiscope.testing import replicates


def occlusion(score, pixels, hidden, window, stride):
    """(H, W). `score`: of an (H, W, 3) picture."""
    height, width = pixels.shape[:2]
    whole = score(pixels)
    total, count = np.zeros((height, width)), np.zeros((height, width))
    top = 0
    while True:
        left = 0
        while True:
            picture = pixels.copy()
            for y in range(top, min(top + window, height)):
                for x in range(left, min(left + window, width)):
                    picture[y, x] = hidden[y, x]
            fall = whole - score(picture)
            total[top : top + window, left : left + window] += fall
            count[top : top + window, left : left + window] += 1
            if left + window >= width:
                break
            left += stride
        if top + window >= height:
            break
        top += stride
    return total / count


def smooth_mask(grid, shift, size):
    """(H, W) of one RISE mask: each pixel interpolates the four nearest cells of the shifted, enlarged grid."""
    cells = len(grid)
    lengths = [math.ceil(side / cells) for side in size]
    mask = np.zeros(size)
    for y, x in np.ndindex(*size):
        places = []
        for pixel, moved, length in ((y, shift[0], lengths[0]), (x, shift[1], lengths[1])):
            place = (pixel + moved + 0.5) * cells / ((cells + 1) * length) - 0.5
            places.append(min(max(place, 0), cells - 1))
        for row, column in np.ndindex(cells, cells):
            share = max(0, 1 - abs(places[0] - row)) * max(0, 1 - abs(places[1] - column))
            mask[y, x] += share * grid[row, column]
    return mask


def rise(probability, grids, shifts, size, keep):
    """(H, W) values, and the masks. `probability`: of what is seen through a mask, (H, W) in [0, 1]."""
    masks = [smooth_mask(grid, shift, size) for grid, shift in zip(grids, shifts, strict=True)]
    total = np.zeros(size)
    for mask in masks:
        total += probability(mask) * mask
    return total / (len(masks) * keep), masks


def kernelshap(worth, players):
    """(d,) Shapley values, by their definition: the mean gain of a player over all orders in which players may come.

    `worth`: of a set of players, a tuple.
    """
    values = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            share = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for before in itertools.combinations(others, size):
                values[player] += share * (worth(tuple(sorted((*before, player)))) - worth(before))
    return values


@replicates("occlusion", window=8, stride=6)
def occlusion_of(question):
    hidden = np.full_like(question.pixels, 128)
    window, stride = question.options["window"], question.options["stride"]
    return occlusion(
        lambda pixels: question.scores(question.image_of(pixels))[question.target],
        question.pixels,
        hidden,
        window,
        stride,
    )


@replicates("rise", num_masks=10, cells=4)
def rise_of(question):
    """Cells are drawn first, for all masks, then how far each mask is moved."""
    size, cells, count = question.pixels.shape[:2], question.options["cells"], question.options["num_masks"]
    generator, keep = np.random.default_rng(question.seed), question.options["keep_probability"]
    grids = generator.random((count, cells, cells)) < keep
    shifts = generator.integers(0, [math.ceil(side / cells) for side in size], (count, 2))
    grey = question.image_of(np.full_like(question.pixels, 128))

    def probability(mask):
        shown = torch.from_numpy(mask)
        return question.probabilities(shown * question.image + (1 - shown) * grey)[question.target]

    return rise(probability, grids, shifts, size, keep)[0]


@replicates("kernelshap", **GRID)
def kernelshap_of(question):
    segments, hidden = segments_of(question), hidden_by_mean(question)

    def worth(players):
        seen = np.where(np.isin(segments, players)[..., None], question.pixels, hidden)
        return question.probabilities(question.image_of(seen))[question.target]

    return kernelshap(functools.cache(worth), ROWS * COLUMNS)[segments]


REFERENCES = {"occlusion": occlusion, "rise": rise, "kernelshap": kernelshap}
