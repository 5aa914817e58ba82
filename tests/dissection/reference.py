"""The similarities of dissection once more, as slow and plain as their formulas: float64 scalars and loops.

Units are compared one by one with concepts one by one; nothing is shared with the package. Importing this module
registers them for the contract.
"""

from __future__ import annotations

import math

import numpy as np

from lumiscope.testing import replicates_similarity


def top_images(activation, count):
    """Indices of the highest values, highest first, ties to the lower index."""
    return sorted(range(len(activation)), key=lambda image: (-activation[image], image))[:count]


@replicates_similarity("cos")
def cos(activations, scores):
    def pair(a, p):
        lengths = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in p))
        return sum(x * y for x, y in zip(a, p, strict=True)) / lengths if lengths else math.nan

    return _pairs(activations, scores, pair)


@replicates_similarity("cos_cubed")
def cos_cubed(activations, scores):
    def cubes(column):
        mean = math.fsum(column) / len(column)
        cubed = [(x - mean) ** 3 for x in column]
        norm = math.sqrt(sum(x * x for x in cubed)) or 1
        return [x / norm for x in cubed]

    a_cubes = [cubes(column) for column in activations.T.tolist()]
    p_cubes = [cubes(column) for column in scores.T.tolist()]
    return np.array([[sum(x * y for x, y in zip(a, p, strict=True)) for p in p_cubes] for a in a_cubes])


@replicates_similarity("wpmi")
def wpmi(activations, scores):
    probabilities = _softmax_rows(scores, 2)
    likelihood = [
        [
            sum(math.log(probabilities[image][concept] + 1e-7) for image in top_images(activation, 28))
            for concept in range(scores.shape[1])
        ]
        for activation in activations.T.tolist()
    ]
    return _mutual_information(likelihood, 0.6)


@replicates_similarity("soft_wpmi")
def soft_wpmi(activations, scores):
    probabilities = _softmax_rows(scores, 10)
    likelihood = []
    for activation in activations.T.tolist():
        row = [0.0] * scores.shape[1]
        for rank, image in enumerate(top_images(activation, 100)):
            membership = 0.998 - rank / 100 * (0.998 - 0.97)
            for concept in range(scores.shape[1]):
                row[concept] += math.log1p(membership * (probabilities[image][concept] - 1) + 1e-7)
        likelihood.append(row)
    return _mutual_information(likelihood, 1.0)


@replicates_similarity("rank_reorder")
def rank_reorder(activations, scores):
    count = min(max(int(len(activations) * 0.05), 2), len(activations))
    generator = np.random.default_rng(0)
    permutations = [generator.permutation(count).tolist() for _ in range(5)]
    result = np.empty((activations.shape[1], scores.shape[1]))
    for unit, activation in enumerate(activations.T.tolist()):
        images = top_images(activation, count)
        t = [activation[image] for image in images]
        t_sorted = sorted(t)
        moves = [abs(t_sorted[i] - t_sorted[p[i]]) ** 3 for p in permutations for i in range(count)]
        baseline = sum(moves) / len(moves)
        for concept, column in enumerate(scores.T.tolist()):
            p = [column[image] for image in images]
            by_score = sorted(range(count), key=lambda place, p=p: (p[place], place))
            t_reordered = [0.0] * count
            for rank, place in enumerate(by_score):
                t_reordered[place] = t_sorted[rank]
            moved = sum(abs(x - y) ** 3 for x, y in zip(t, t_reordered, strict=True)) / count
            mean = sum(p) / count
            if baseline == 0:
                result[unit, concept] = math.nan
            elif mean <= 0:
                result[unit, concept] = -math.inf
            else:
                result[unit, concept] = -(moved / baseline) / mean**0.5
    return result


@replicates_similarity("pearson")
def pearson(activations, scores):
    def pair(a, p):
        if max(a) == min(a) or max(p) == min(p):
            return math.nan
        a_mean, p_mean = math.fsum(a) / len(a), math.fsum(p) / len(p)
        products = math.fsum((x - a_mean) * (y - p_mean) for x, y in zip(a, p, strict=True))
        spread = math.fsum((x - a_mean) ** 2 for x in a) * math.fsum((y - p_mean) ** 2 for y in p)
        return products / math.sqrt(spread)

    return _pairs(activations, scores, pair)


@replicates_similarity("auroc")
def auroc(activations, scores):
    def pair(a, p):
        p = _presence(p)
        won = weight = 0.0
        for i, (a_i, p_i) in enumerate(zip(a, p, strict=True)):
            for j, (a_j, p_j) in enumerate(zip(a, p, strict=True)):
                if i != j:
                    weight += p_i * (1 - p_j)
                    won += p_i * (1 - p_j) * ((a_i > a_j) + (a_i == a_j) / 2)
        return won / weight if weight else math.nan

    return _pairs(activations, scores, pair)


@replicates_similarity("f1")
def f1(activations, scores):
    def pair(a, p):
        return max(2 * hits / (count + total) for count, hits, total in _thresholds(a, _presence(p)))

    return _pairs(activations, scores, pair)


@replicates_similarity("iou")
def iou(activations, scores):
    def pair(a, p):
        return max(hits / (count + total - hits) for count, hits, total in _thresholds(a, _presence(p)))

    return _pairs(activations, scores, pair)


@replicates_similarity("average_precision")
def average_precision(activations, scores):
    def pair(a, p):
        area = recall_before = 0.0
        for count, hits, total in _thresholds(a, _presence(p)):
            recall = hits / total
            area += (recall - recall_before) * hits / count
            recall_before = recall
        return area

    return _pairs(activations, scores, pair)


def _pairs(activations, scores, pair):
    return np.array([[pair(a, p) for p in scores.T.tolist()] for a in activations.T.tolist()])


def _presence(column):
    lowest, highest = min(column), max(column)
    if lowest == highest:
        return [math.nan] * len(column)
    if lowest >= 0 and highest <= 1:
        return column
    return [(score - lowest) / (highest - lowest) for score in column]


def _thresholds(a, p):
    """For each value of the activation, from the highest down: images that reach it, their presence, all presence."""
    rows = []
    for threshold in sorted(set(a), reverse=True):
        reached = [image for image in range(len(a)) if a[image] >= threshold]
        rows.append((len(reached), math.fsum(p[image] for image in reached), math.fsum(p)))
    return rows


def _softmax_rows(scores, sharpness):
    rows = []
    for row in scores.tolist():
        highest = max(row)
        exponentials = [math.exp(sharpness * (score - highest)) for score in row]
        total = math.fsum(exponentials)
        rows.append([exponential / total for exponential in exponentials])
    return rows


def _mutual_information(likelihood, weight):
    result = np.array(likelihood)
    for concept in range(result.shape[1]):
        column = result[:, concept].copy()
        highest = column.max()
        average = highest + math.log(sum(math.exp(x - highest) for x in column)) - math.log(len(column))
        result[:, concept] -= weight * average
    return result
