"""Slow, plain LIME with scikit-learn: takes what it needs to explain a black box, one segment at a time."""

from __future__ import annotations

import numpy as np

from attribution.references.segments import GRID, segments_of
from lumiscope.testing import replicates


def lime(probabilities, pixels, segments, seed, num_samples, num_features, hide_color, label):
    """(d,) coefficients, intercept, weighted R2; with scikit-learn, one segment at a time."""
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score

    count = segments.max() + 1
    samples = np.random.RandomState(seed).randint(0, 2, num_samples * count).reshape(num_samples, count)
    samples[0] = 1
    hidden = pixels.copy()
    for segment in range(count):
        inside = segments == segment
        hidden[inside] = pixels[inside].mean(0).astype(np.uint8) if hide_color is None else hide_color
    outputs, weights = [], []
    for sample in samples:
        image = pixels.copy()
        for segment in range(count):
            if not sample[segment]:
                image[segments == segment] = hidden[segments == segment]
        outputs.append(probabilities(image)[label])
        cosine = sample.sum() / np.sqrt(sample.sum() * count) if sample.any() else 0
        weights.append(np.sqrt(np.exp(-((1 - cosine) ** 2) / 0.25**2)))
    outputs, weights = np.array(outputs), np.array(weights)
    if num_features <= 6:
        kept = greedy(samples, outputs, weights, num_features)
    else:
        ridge = Ridge(alpha=0.01).fit(samples, outputs, weights)
        kept = sorted(range(count), key=lambda segment: -abs(ridge.coef_[segment]))[:num_features]
    final = Ridge(alpha=1).fit(samples[:, kept], outputs, weights)
    coefficients = np.zeros(count)
    coefficients[kept] = final.coef_
    return coefficients, final.intercept_, r2_score(outputs, final.predict(samples[:, kept]), sample_weight=weights)


def greedy(samples, outputs, weights, count):
    """Forward selection: the columns that, one after the other, raise the weighted R2 most."""
    from sklearn.linear_model import LinearRegression

    kept = []
    for _ in range(min(count, samples.shape[1])):
        left = [column for column in range(samples.shape[1]) if column not in kept]
        scores = []
        for column in left:
            chosen = samples[:, [*kept, column]]
            scores.append(LinearRegression().fit(chosen, outputs, weights).score(chosen, outputs, weights))
        kept.append(left[int(np.argmax(scores))])
    return kept


@replicates("lime", **GRID, num_samples=24, num_features=4)
def lime_of(question):
    segments = segments_of(question)
    coefficients, _, _ = lime(
        lambda pixels: question.probabilities(question.image_of(pixels)),
        question.pixels,
        segments,
        question.seed,
        question.options["num_samples"],
        question.options["num_features"],
        None,
        question.target,
    )
    return coefficients[segments]


REFERENCES = {"lime": lime}
