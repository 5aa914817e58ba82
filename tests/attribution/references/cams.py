"""Slow, plain float64 re-implementations: loops, and the whole network run again with a hook for every channel.

`REFERENCES[method](module, image, layer, target)` takes a float64 module, one normalised (3, H, W) image and gives
(values, display), both (H, W).
"""

from __future__ import annotations

import functools

import numpy as np
import torch

from lumiscope.testing import replicates

REFERENCES = {}


def replica(method):
    """Register a reference of the family: for the contract, and with its display for the tests here."""

    def register(function):
        @functools.wraps(function)
        def values(question):
            return function(question.network, question.image, question.layer, question.target)[0]

        REFERENCES[method] = function
        replicates(method)(values)
        return function

    return register


def run(module, image, layer, change=None):
    """Logits (classes,) and the layer's last output (C, h, w); `change` replaces that output."""
    part, calls, seen = module.get_submodule(layer), [], []
    handle = part.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        module(image[None])
    handle.remove()
    total = len(calls)
    calls.clear()

    def hook(_, __, output):
        calls.append(1)
        if len(calls) < total:
            return None
        seen.append(output.clone())
        return None if change is None else change(output.clone())

    handle = part.register_forward_hook(hook)
    try:
        logits = module(image[None])[0]
    finally:
        handle.remove()
    return logits, seen[0][0]


def half_pixel_resize(values, size):
    """Bilinear with half-pixel centres, pixel by pixel."""
    (h, w), (height, width) = values.shape, size
    out = np.zeros(size)
    for row in range(height):
        y = min(max((row + 0.5) * h / height - 0.5, 0), h - 1)
        top = min(int(y), h - 1)
        bottom = min(top + 1, h - 1)
        for column in range(width):
            x = min(max((column + 0.5) * w / width - 0.5, 0), w - 1)
            left = min(int(x), w - 1)
            right = min(left + 1, w - 1)
            upper = values[top, left] * (1 - (x - left)) + values[top, right] * (x - left)
            lower = values[bottom, left] * (1 - (x - left)) + values[bottom, right] * (x - left)
            out[row, column] = upper * (1 - (y - top)) + lower * (y - top)
    return out


def corner_resize(values, size):
    """Bilinear with the corners on the corners, pixel by pixel."""
    (h, w), (height, width) = values.shape, size
    out = np.zeros(size)
    for row in range(height):
        y = row * (h - 1) / (height - 1)
        top = min(int(y), h - 1)
        bottom = min(top + 1, h - 1)
        for column in range(width):
            x = column * (w - 1) / (width - 1)
            left = min(int(x), w - 1)
            right = min(left + 1, w - 1)
            upper = values[top, left] * (1 - (x - left)) + values[top, right] * (x - left)
            lower = values[bottom, left] * (1 - (x - left)) + values[bottom, right] * (x - left)
            out[row, column] = upper * (1 - (y - top)) + lower * (y - top)
    return out


def stretched(values):
    values = values - values.min()
    return values / (1e-7 + values.max())


def finished(activations, weights, size):
    """The CAM family's way from weights to (values, display)."""
    layer_map = np.zeros(activations.shape[1:])
    for weight, channel in zip(weights, activations.numpy(), strict=True):
        layer_map += float(weight) * channel
    return displayed(layer_map, size)


def displayed(layer_map, size):
    """The CAM family's way from a signed map of the layer to (values, display)."""
    positive = np.maximum(layer_map, 0)
    display = stretched(np.maximum(half_pixel_resize(stretched(positive), size), 0))
    return half_pixel_resize(positive, size), display


def gradient(module, image, layer, score, factor=1):
    """(C, h, w) activations, and the gradient of `score(logits)` to them, there or at a multiple of them."""
    leaves = []

    def make_leaf(output):
        leaves.append((factor * output.detach()).requires_grad_())
        return leaves[0].clone()

    with torch.enable_grad():
        logits, activations = run(module, image, layer, make_leaf)
        (slopes,) = torch.autograd.grad(score(logits), leaves[0])
    return activations.detach(), slopes[0]


@replica("gradcam")
def gradcam(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    weights = [float(channel.sum() / channel.numel()) for channel in slopes]
    return finished(activations, weights, tuple(image.shape[1:]))


@replica("hirescam")
def hirescam(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    layer_map = np.zeros(activations.shape[1:])
    for channel, slope in zip(activations.numpy(), slopes.numpy(), strict=True):
        layer_map += channel * slope
    return displayed(layer_map, tuple(image.shape[1:]))


@replica("layercam")
def layercam(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    layer_map = np.zeros(activations.shape[1:])
    for channel, slope in zip(activations.numpy(), slopes.numpy(), strict=True):
        layer_map += channel * np.maximum(slope, 0)
    return displayed(layer_map, tuple(image.shape[1:]))


@replica("xgradcam")
def xgradcam(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    weights = []
    for channel, slope in zip(activations.numpy(), slopes.numpy(), strict=True):
        total = sum(channel.flatten())
        weights.append(sum(s * a / (total + 1e-7) for s, a in zip(slope.flatten(), channel.flatten(), strict=True)))
    return finished(activations, weights, tuple(image.shape[1:]))


@replica("gradcampp")
def gradcampp(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    weights = []
    for channel, slope in zip(activations.numpy(), slopes.numpy(), strict=True):
        total, weight = sum(channel.flatten()), 0.0
        for s in slope.flatten():
            if s > 0:
                weight += s * s**2 / (2 * s**2 + total * s**3 + 1e-6)
        weights.append(weight)
    return finished(activations, weights, tuple(image.shape[1:]))


def first_component(products):
    """Centre each channel, project on the first right singular vector, turn it towards the mean of the channels."""
    rows = np.stack([channel.flatten() - channel.mean() for channel in products], axis=1)
    _, _, right = np.linalg.svd(rows, full_matrices=False)
    projected = rows @ right[0]
    mean = products.mean(0).flatten()
    if np.sum((projected - projected.mean()) * (mean - mean.mean())) < 0:
        projected = -projected
    return projected.reshape(products.shape[1:])


@replica("eigencam")
def eigencam(module, image, layer, target):
    with torch.no_grad():
        _, activations = run(module, image, layer)
    return displayed(first_component(activations.numpy()), tuple(image.shape[1:]))


@replica("eigengradcam")
def eigengradcam(module, image, layer, target):
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    return displayed(first_component((activations * slopes).numpy()), tuple(image.shape[1:]))


@replica("finercam")
def finercam(module, image, layer, target, alpha=1.0, comparisons=3):
    def difference(logits):
        distance = [(abs(float((logit - logits[target]).detach())), index) for index, logit in enumerate(logits)]
        others = [index for _, index in sorted(distance) if index != target][:comparisons]
        powers = logits.exp()
        shares = [powers[index] / powers.sum() for index in others]
        parts = [share * (logits[target] - alpha * logits[index]) for share, index in zip(shares, others, strict=True)]
        return sum(parts) / sum(shares)

    activations, slopes = gradient(module, image, layer, difference)
    weights = [float(channel.sum() / channel.numel()) for channel in slopes]
    return finished(activations, weights, tuple(image.shape[1:]))


@replica("shapleycam")
def shapleycam(module, image, layer, target, step=1e-6):
    """The second derivative along the activations by a central difference of gradients."""
    activations, slopes = gradient(module, image, layer, lambda logits: logits[target])
    _, above = gradient(module, image, layer, lambda logits: logits[target], 1 + step)
    _, below = gradient(module, image, layer, lambda logits: logits[target], 1 - step)
    product = (above - below) / (2 * step)
    weights = [float(channel.sum() / channel.numel()) for channel in slopes - product / 2]
    return finished(activations, weights, tuple(image.shape[1:]))


def fullgrad_terms(module, image, target):
    """The score, and x · dS/dx with b · dS/dz of every convolution, batch norm and linear layer of the module."""
    biases, leaves = [], [image[None].detach().requires_grad_()]

    def add_leaf(part, _, output):
        if isinstance(part, torch.nn.BatchNorm2d):
            bias = part.bias - part.running_mean * part.weight / (part.running_var + part.eps) ** 0.5
        else:
            bias = part.bias
        if bias is None:
            return None
        biases.append(bias.detach().view(1, -1, *[1] * (output.ndim - 2)))
        leaves.append(torch.zeros_like(output).requires_grad_())
        return output + leaves[-1]

    kinds = (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear)
    handles = [part.register_forward_hook(add_leaf) for part in module.modules() if isinstance(part, kinds)]
    with torch.enable_grad():
        score = module(leaves[0])[0, target]
        slopes = torch.autograd.grad(score, leaves, materialize_grads=True)
    for handle in handles:
        handle.remove()
    return float(score.detach()), [
        slopes[0] * image[None],
        *(slope * bias for slope, bias in zip(slopes[1:], biases, strict=True)),
    ]


@replica("fullgrad")
def fullgrad(module, image, layer, target):
    size = tuple(image.shape[1:])
    _, terms = fullgrad_terms(module, image, target)
    values = np.zeros(size)
    for term in terms:
        if term.ndim == 4:
            values += half_pixel_resize(sum(stretched(channel) for channel in term[0].abs().numpy()), size)
    return values, stretched(values)


@replica("ablationcam")
def ablationcam(module, image, layer, target):
    with torch.no_grad():
        logits, activations = run(module, image, layer)
        score, weights = float(logits[target]), []
        for channel in range(len(activations)):

            def ablate(output, channel=channel):
                output[0, channel] = 0
                return output

            without = float(run(module, image, layer, ablate)[0][target])
            weights.append((score - without) / (abs(score) or 1))
    return finished(activations, weights, tuple(image.shape[1:]))


@replica("scorecam")
def scorecam(module, image, layer, target):
    size = tuple(image.shape[1:])
    with torch.no_grad():
        _, activations = run(module, image, layer)
        scores = []
        for channel in activations.numpy():
            mask = corner_resize(channel, size)
            mask = (mask - mask.min()) / (mask.max() - mask.min() + 1e-8)
            masked = image * torch.from_numpy(mask)
            scores.append(float(module(masked[None])[0, target]))
    powers = np.exp(np.array(scores) - max(scores))
    return finished(activations, powers / powers.sum(), size)
