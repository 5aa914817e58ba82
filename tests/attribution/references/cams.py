"""Slow, plain float64 re-implementations: loops, and the whole network run again with a hook for every channel.

`REFERENCES[method](module, image, layer, target)` takes a float64 module, one normalised (3, H, W) image and gives
(values, display), both (H, W).
"""

from __future__ import annotations

import numpy as np
import torch


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
    positive = np.maximum(layer_map, 0)
    display = stretched(np.maximum(half_pixel_resize(stretched(positive), size), 0))
    return half_pixel_resize(positive, size), display


def gradcam(module, image, layer, target):
    leaves = []

    def make_leaf(output):
        leaves.append(output.detach().requires_grad_())
        return leaves[0].clone()

    with torch.enable_grad():
        logits, activations = run(module, image, layer, make_leaf)
        (gradient,) = torch.autograd.grad(logits[target], leaves[0])
    weights = [float(channel.sum() / channel.numel()) for channel in gradient[0]]
    return finished(activations.detach(), weights, tuple(image.shape[1:]))


def ablationcam(module, image, layer, target):
    with torch.no_grad():
        logits, activations = run(module, image, layer)
        score, weights = float(logits[target]), []
        for channel in range(len(activations)):

            def ablate(output, channel=channel):
                output[0, channel] = 0
                return output

            without = float(run(module, image, layer, ablate)[0][target])
            weights.append((score - without) / score)
    return finished(activations, weights, tuple(image.shape[1:]))


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


REFERENCES = {"gradcam": gradcam, "ablationcam": ablationcam, "scorecam": scorecam}
