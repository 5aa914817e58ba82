"""Slow, plain re-implementations of every trust metric. Importing this module registers them."""

from __future__ import annotations

import itertools
import math
from statistics import fmean

import numpy as np
import torch

from lumiscope.attribution import derive_seed
from lumiscope.testing import Known, Question, replicates_metric
from trust.hidden_pictures import blurred, filled, grey, mean_colour


def logit(question: Question, shown: np.ndarray, hidden=mean_colour) -> float:
    """Of the view, its mean colour or another picture where it is not shown."""
    picture = np.where(shown[:, :, None], question.pixels.astype(np.float64), hidden(question))
    return float(question.scores(question.image_of(picture))[question.target])


def filled_logit(question: Question, shown: np.ndarray) -> float:
    image = question.image.numpy()
    generator = torch.Generator().manual_seed(question.seed)
    noise = 0.01 * torch.randn(image.shape, generator=generator).double().numpy()
    picture = filled(image, shown) + noise * ~shown
    return float(question.scores(torch.from_numpy(picture))[question.target])


def spearman_over_orders(values: list[float], truth: list[float]) -> float:
    """The mean over random orders of ties, many of them; exact where there are none."""
    if len(set(truth)) == 1:
        return math.nan
    ranks = np.argsort(np.argsort(truth, kind="stable"), kind="stable")
    true_ranks = np.array([np.mean(ranks[np.array(truth) == value]) for value in truth])
    count = len(values)
    expected = np.zeros(count)
    for place, value in enumerate(values):
        below = sum(other < value for other in values)
        equal = sum(other == value for other in values)
        expected[place] = below + (equal - 1) / 2
    numerator = sum((a - expected.mean()) * (b - true_ranks.mean()) for a, b in zip(expected, true_ranks, strict=True))
    spread = math.sqrt(sum((place - (count - 1) / 2) ** 2 for place in range(count)))
    return numerator / (spread * math.sqrt(sum((rank - true_ranks.mean()) ** 2 for rank in true_ranks)))


def single_deletion(question: Question, maps: list[np.ndarray], regions: np.ndarray, *, sums: bool) -> list[float]:
    everything = np.ones(regions.shape, bool)
    whole = logit(question, everything)
    drops = [whole - logit(question, regions != number) for number in range(regions.max() + 1)]
    values = []
    for saliency in maps:
        parts = [saliency[regions == number] for number in range(regions.max() + 1)]
        said = [float(part.sum() if sums else part.mean()) for part in parts]
        values.append(math.nan if np.isnan(saliency).any() else spearman_over_orders(said, drops))
    return values


def grid(question: Question, side: int) -> np.ndarray:
    height, width = question.pixels.shape[:2]
    return np.array(
        [[row * side // height * side + column * side // width for column in range(width)] for row in range(height)]
    )


@replicates_metric("single_deletion_4")
def single_deletion_4(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return single_deletion(question, maps, grid(question, 4), sums=False)


@replicates_metric("single_deletion_7")
def single_deletion_7(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return single_deletion(question, maps, grid(question, 7), sums=False)


@replicates_metric("single_deletion_segments")
def single_deletion_segments(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return single_deletion(question, maps, known.superpixels, sums=True)


def areas(question: Question, saliency: np.ndarray, score=logit, most: int = 32) -> tuple[float, float]:
    """Insertion and deletion: at most 32 blocks, whole levels, ends nearest to equal shares."""
    shape = saliency.shape
    whole, nothing = score(question, np.ones(shape, bool)), score(question, np.zeros(shape, bool))
    if np.isnan(saliency).any() or whole - nothing < 0.1:
        return math.nan, math.nan
    thresholds = sorted(set(saliency.ravel().tolist()), reverse=True)
    shares = [float(np.mean(saliency >= threshold)) for threshold in thresholds]
    if len(thresholds) > most:
        kept = {
            min(range(len(shares)), key=lambda place, step=step: abs(shares[place] - step / most))
            for step in range(1, most + 1)
        }
        kept.add(len(shares) - 1)
        thresholds, shares = [thresholds[place] for place in sorted(kept)], [shares[place] for place in sorted(kept)]
    points = [(0.0, 0.0, 1.0)]
    for threshold, share in zip(thresholds, shares, strict=True):
        shown = saliency >= threshold
        points.append((share, *((score(question, mask) - nothing) / (whole - nothing) for mask in (shown, ~shown))))
    pairs = list(itertools.pairwise(points))
    insertion = sum((b[0] - a[0]) * fmean([a[1], b[1]]) for a, b in pairs)
    deletion = sum((b[0] - a[0]) * fmean([a[2], b[2]]) for a, b in pairs)
    return insertion, deletion


@replicates_metric("insertion")
def insertion(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return [areas(question, saliency)[0] for saliency in maps]


@replicates_metric("deletion")
def deletion(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return [areas(question, saliency)[1] for saliency in maps]


@replicates_metric("abpc")
def abpc(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return [inserted - deleted for inserted, deleted in (areas(question, saliency) for saliency in maps)]


def between(question: Question, maps: list[np.ndarray], score, most: int = 32) -> list[float]:
    return [inserted - deleted for inserted, deleted in (areas(question, values, score, most) for values in maps)]


@replicates_metric("abpc_blur")
def abpc_blur(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return between(question, maps, lambda question, shown: logit(question, shown, blurred))


@replicates_metric("abpc_grey")
def abpc_grey(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return between(question, maps, lambda question, shown: logit(question, shown, grey))


@replicates_metric("abpc_zeros")
def abpc_zeros(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    def score(question: Question, shown: np.ndarray) -> float:
        blank = question.image.numpy() * shown
        return float(question.scores(torch.from_numpy(blank))[question.target])

    return between(question, maps, score)


@replicates_metric("road")
def road(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return between(question, maps, filled_logit, 10)


def without(question: Question, known: Known, hidden: list[int]) -> float:
    return logit(question, ~np.isin(known.superpixels, hidden))


def superpixel_sums(saliency: np.ndarray, known: Known) -> list[float]:
    return [float(saliency[known.superpixels == number].sum()) for number in range(known.superpixels.max() + 1)]


@replicates_metric("sensitivity_n")
def sensitivity_n(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    count = known.superpixels.max() + 1
    sizes = sorted({round(math.exp(step / 5 * math.log(0.8 * count))) for step in range(6)})
    draws = np.random.default_rng(question.seed).random((len(sizes), 30, count))
    whole = logit(question, np.ones(known.superpixels.shape, bool))
    correlations = [[] for _ in maps]
    for size, draws_of_size in zip(sizes, draws, strict=True):
        subsets = [np.argsort(draw)[:size].tolist() for draw in draws_of_size]
        drops = [whole - without(question, known, subset) for subset in subsets]
        if max(drops) - min(drops) < 1e-4:
            continue
        for values, saliency in zip(correlations, maps, strict=True):
            each = superpixel_sums(saliency, known)
            values.append(correlation([sum(each[number] for number in subset) for subset in subsets], drops))
    return [fmean(values) if values else math.nan for values in correlations]


def correlation(first: list[float], second: list[float]) -> float:
    if max(first) - min(first) <= 1e-9 * max(abs(value) for value in first):
        return 0.0
    a, b = fmean(first), fmean(second)
    products = sum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    return products / math.sqrt(sum((x - a) ** 2 for x in first) * sum((y - b) ** 2 for y in second))


def falls(question: Question, maps: list[np.ndarray], known: Known, *, alone: bool) -> list[float]:
    """Ties by the mean of neighbouring sizes: a set of a size between two blocks falls between, too."""
    everything, count = list(range(known.superpixels.max() + 1)), known.superpixels.max() + 1
    whole, nothing = without(question, known, []), without(question, known, everything)
    values = []
    for saliency in maps:
        if np.isnan(saliency).any() or whole - nothing < 0.1:
            values.append(math.nan)
            continue
        sums = superpixel_sums(saliency, known)
        points = {}
        for threshold in [math.inf, *sorted(set(sums), reverse=True)]:
            first = [number for number in everything if sums[number] >= threshold]
            hidden = [number for number in everything if number not in first] if alone else first
            points[len(first)] = (whole - without(question, known, hidden)) / (whole - nothing)
        ends = sorted(points)
        wanted = [max(round(share * count), 1) for share in (0.01, 0.05, 0.1, 0.2, 0.5)]
        values.append(fmean(np.interp(wanted, ends, [points[end] for end in ends]).tolist()))
    return values


@replicates_metric("comprehensiveness")
def comprehensiveness(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return falls(question, maps, known, alone=False)


@replicates_metric("sufficiency")
def sufficiency(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return falls(question, maps, known, alone=True)


def shares(saliency: np.ndarray) -> np.ndarray:
    low, high = saliency.min(), saliency.max()
    return np.ones(saliency.shape) if low == high else (saliency - low) / (high - low)


def faded(question: Question, saliency: np.ndarray) -> np.ndarray:
    share = shares(saliency)[:, :, None]
    return share * question.pixels + (1 - share) * mean_colour(question)


def whole_and_faded(question: Question, saliency: np.ndarray) -> tuple[float, float]:
    images = (question.image, question.image_of(faded(question, saliency)))
    first, second = (float(question.probabilities(image)[question.target]) for image in images)
    return first, second


@replicates_metric("average_drop")
def average_drop(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    pairs = [whole_and_faded(question, saliency) for saliency in maps]
    return [math.nan if math.isnan(after) else max(before - after, 0) / before for before, after in pairs]


@replicates_metric("average_increase")
def average_increase(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    pairs = [whole_and_faded(question, saliency) for saliency in maps]
    return [math.nan if math.isnan(after) else float(after > before) for before, after in pairs]


@replicates_metric("adcc")
def adcc(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    values = []
    for saliency, drop in zip(maps, average_drop(question, maps, known), strict=True):
        if math.isnan(drop):
            values.append(math.nan)
            continue
        (again,) = known.explainer([np.round(faded(question, saliency)).astype(np.uint8)])
        constant = saliency.min() == saliency.max() or again.min() == again.max()
        coherency = 0.0 if constant else correlation(saliency.ravel().tolist(), again.ravel().tolist())
        parts = [coherency, 1 - shares(saliency).mean(), 1 - drop]
        values.append(3 / sum(1 / part for part in parts) if min(parts) > 0 else 0.0)
    return values


@replicates_metric("true_effects")
def true_effects(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    said = [[float(saliency[region].mean()) for region in known.effects.regions] for saliency in maps]
    return [
        math.nan if np.isnan(values).any() else spearman_over_orders(values, known.effects.drops.tolist())
        for values in said
    ]


def positive_share(saliency: np.ndarray, truth: np.ndarray) -> float:
    total = inside = 0.0
    for value, is_inside in zip(saliency.ravel().tolist(), truth.ravel().tolist(), strict=True):
        total += max(value, 0.0)
        inside += max(value, 0.0) * is_inside
    return inside / total if total else math.nan


@replicates_metric("mass_accuracy")
def mass_accuracy(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return [positive_share(saliency, known.truth) for saliency in maps]


@replicates_metric("energy")
def energy(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    area = known.truth.sum() / known.truth.size
    return [positive_share(saliency, known.truth) / area for saliency in maps]


@replicates_metric("pointing_game")
def pointing_game(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    objects = np.argwhere(known.truth)
    tolerance = 15 * min(known.truth.shape) / 224
    values = []
    for saliency in maps:
        peaks = np.argwhere(saliency == saliency.max())
        hits = [min(math.dist(peak, place) for place in objects) <= tolerance for peak in peaks]
        values.append(fmean(hits) if hits else math.nan)
    return values


def hits_at_true_area(saliency: np.ndarray, truth: np.ndarray) -> dict[int, float]:
    """How many of the highest pixels, as many as the object has, lie on it -> with which probability."""
    count, inside, chosen, sure = int(truth.sum()), truth.ravel(), 0, 0
    for level in sorted(set(saliency.ravel().tolist()), reverse=True):
        tied = saliency.ravel() == level
        size, right = int(tied.sum()), int((tied & inside).sum())
        if chosen + size > count:
            places = count - chosen
            ways = {hits: math.comb(right, hits) * math.comb(size - right, places - hits) for hits in range(places + 1)}
            return {sure + hits: number / math.comb(size, places) for hits, number in ways.items()}
        chosen, sure = chosen + size, sure + right
        if chosen == count:
            break
    return {sure: 1.0}


@replicates_metric("rank_accuracy")
def rank_accuracy(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    count = int(known.truth.sum())
    return [
        math.nan
        if np.isnan(saliency).any()
        else sum(hits * chance / count for hits, chance in hits_at_true_area(saliency, known.truth).items())
        for saliency in maps
    ]


@replicates_metric("mask_iou")
def mask_iou(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    count = int(known.truth.sum())
    return [
        math.nan
        if np.isnan(saliency).any()
        else sum(
            hits / (2 * count - hits) * chance for hits, chance in hits_at_true_area(saliency, known.truth).items()
        )
        for saliency in maps
    ]


def important(saliency: np.ndarray, known: Known) -> set[str]:
    names = zip(known.effects.names, known.effects.regions, strict=True)
    return {name for name, region in names if positive_share(saliency, region) / region.mean() >= 1.5}


@replicates_metric("deletion_check")
def deletion_check(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    return [
        math.nan
        if np.isnan(saliency).any()
        else float(known.effects.scores_without(frozenset(important(saliency, known))).argmax() != question.target)
        for saliency in maps
    ]


@replicates_metric("preservation_check")
def preservation_check(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    others = [frozenset(known.effects.names) - important(saliency, known) for saliency in maps]
    return [
        math.nan if np.isnan(saliency).any() else float(known.effects.scores_without(names).argmax() == question.target)
        for saliency, names in zip(maps, others, strict=True)
    ]


@replicates_metric("abpc_removal")
def abpc_removal(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    names, regions = known.effects.names, known.effects.regions

    def score(left_out: set[str]) -> float:
        return float(known.effects.scores_without(frozenset(left_out))[question.target])

    whole, nothing = score(set()), score(set(names))
    values = []
    for saliency in maps:
        if np.isnan(saliency).any():
            values.append(math.nan)
            continue
        said = {name: round(float(saliency[region].mean()), 9) for name, region in zip(names, regions, strict=True)}
        points = [(0.0, nothing - whole)]
        for threshold in sorted(set(said.values()), reverse=True):
            first = {name for name in names if said[name] >= threshold}
            points.append((len(first) / len(names), score(set(names) - first) - score(first)))
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))
        values.append(area / (whole - nothing))
    return values


@replicates_metric("contrast")
def contrast(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    drops = known.effects.drops.tolist()
    least = 0.05 * max(abs(drop) for drop in drops)
    values = []
    for saliency in maps:
        said = [float(saliency[region].mean()) for region in known.effects.regions]
        pairs = [
            1.0 if a > b else 0.5 if a == b else 0.0
            for (a, for_it), (b, against) in itertools.product(zip(said, drops, strict=True), repeat=2)
            if for_it > least and against < -least
        ]
        values.append(fmean(pairs) if pairs and not np.isnan(saliency).any() else math.nan)
    return values


def nearby(question: Question, item_id: str) -> list[np.ndarray]:
    generator = np.random.default_rng(derive_seed(0, item_id, "views nearby"))
    height, width, channels = question.pixels.shape
    pictures = []
    for _ in range(10):
        picture = np.zeros(question.pixels.shape, np.uint8)
        for row in range(height):
            for column in range(width):
                for channel in range(channels):
                    moved = float(question.pixels[row, column, channel]) + 255 * generator.uniform(-0.02, 0.02)
                    picture[row, column, channel] = min(max(round(moved), 0), 255)
        pictures.append(picture)
    return pictures


def relative_changes(pictures: list[np.ndarray], saliency: np.ndarray, known: Known) -> list[float]:
    length = math.sqrt(sum(value**2 for value in saliency.ravel().tolist()))
    if math.isnan(length) or length == 0:
        return [math.nan] * len(pictures)
    moved = [(known.explainer([picture])[0] - saliency).ravel().tolist() for picture in pictures]
    return [math.sqrt(sum(value**2 for value in change)) / length for change in moved]


@replicates_metric("max_sensitivity")
def max_sensitivity(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    pictures = nearby(question, known.item_id)
    return [max(relative_changes(pictures, saliency, known)) for saliency in maps]


@replicates_metric("mean_sensitivity")
def mean_sensitivity(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    pictures = nearby(question, known.item_id)
    return [fmean(relative_changes(pictures, saliency, known)) for saliency in maps]


@replicates_metric("relative_output_stability")
def relative_output_stability(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    pictures = nearby(question, known.item_id)
    before = question.scores(question.image)
    scores = [question.scores(question.image_of(picture)) for picture in pictures]
    ratios = [
        [
            change / (math.dist(after, before) / math.hypot(*before))
            for change, after in zip(relative_changes(pictures, saliency, known), scores, strict=True)
            if np.argmax(after) == np.argmax(before)
        ]
        for saliency in maps
    ]
    return [max(of_map) if of_map else math.nan for of_map in ratios]


def mid_ranks(values: list[float]) -> list[float]:
    return [sum(a < b for a in values) + (sum(a == b for a in values) - 1) / 2 for b in values]


def spearman(a: list[float], b: list[float]) -> float:
    """Pearson's correlation of midranks: 0 where one side is constant, NaN where both are."""
    if any(map(math.isnan, a + b)):
        return math.nan
    ranks = [[rank - (len(side) - 1) / 2 for rank in mid_ranks(side)] for side in (a, b)]
    lengths = [math.hypot(*side) for side in ranks]
    if 0 in lengths:
        return 0.0 if any(lengths) else math.nan
    return sum(x * y for x, y in zip(*ranks, strict=True)) / (lengths[0] * lengths[1])


def cells_14(saliency: np.ndarray) -> list[float]:
    rows, columns = ([int(side * step / 14) for step in range(15)] for side in saliency.shape)
    return [
        fmean(saliency[top:bottom, left:right].ravel().tolist())
        for top, bottom in itertools.pairwise(rows)
        for left, right in itertools.pairwise(columns)
    ]


@replicates_metric("seed_stability")
def seed_stability(question: Question, maps: list[np.ndarray], known: Known) -> list[float]:
    values = []
    for saliency in maps:
        cells = [cells_14(version) for version in (saliency, known.redraw(saliency, 1), known.redraw(saliency, 2))]
        values.append(fmean(spearman(a, b) for a, b in itertools.combinations(cells, 2)))
    return values
