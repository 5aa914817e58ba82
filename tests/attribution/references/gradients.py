"""Slow gradient methods in plain float64, one image, one noisy copy, one step at a time.

`REFERENCES[method](module, image, layer, target)` gives (values, display), both (H, W); the layer is not looked at.
"""

from __future__ import annotations

import functools
from unittest import mock

import numpy as np
import torch

from lumiscope.testing import replicates

REFERENCES = {}


def replica(method, more=lambda question: {}, **options):
    """Register a reference of the family: for the contract, and with its display for the tests here.

    `more`: what else it is given, besides the question's network, image and target.
    """

    def register(function):
        @functools.wraps(function)
        def values(question):
            return function(question.network, question.image, None, question.target, **more(question))[0]

        REFERENCES[method] = function
        replicates(method, **options)(values)
        return function

    return register


def gradient(module, image, target):
    """(3, H, W) dS/dx."""
    leaf = image[None].clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(module(leaf)[0, target], leaf)[0][0]


def positive_part(values):
    positive = np.maximum(values, 0)
    return positive / positive.max() if positive.max() > 0 else positive


def largest_channel(gradients):
    values = np.zeros(gradients.shape[1:])
    for channel in gradients.numpy():
        values = np.maximum(values, np.abs(channel))
    return values, positive_part(values)


def sum_of_channels(contributions):
    values = np.zeros(contributions.shape[1:])
    for channel in contributions.numpy():
        values = values + channel
    return values, positive_part(values)


@replica("saliency")
def saliency(module, image, layer, target):
    return largest_channel(gradient(module, image, target))


@replica("input_x_gradient")
def input_x_gradient(module, image, layer, target):
    return sum_of_channels(image * gradient(module, image, target))


@replica("integrated_gradients", lambda question: {"steps": question.options["steps"]}, steps=6)
def integrated_gradients(module, image, layer, target, baseline=None, steps=50):
    start = torch.zeros_like(image) if baseline is None else baseline
    total = torch.zeros_like(image)
    places, shares = np.polynomial.legendre.leggauss(steps)
    for place, share in zip(places, shares, strict=True):
        total = total + share / 2 * gradient(module, start + (place + 1) / 2 * (image - start), target)
    return sum_of_channels((image - start) * total)


def noise_of(question):
    """What SmoothGrad adds: each copy has a generator of its own, seeded with the image's seed and its number."""
    width = question.options["noise"] * float(question.image.max() - question.image.min())
    generators = [np.random.default_rng((question.seed, copy)) for copy in range(question.options["num_samples"])]
    drawn = [generator.standard_normal(question.image.shape, dtype=np.float32) for generator in generators]
    return {"noise": [width * torch.from_numpy(each) for each in drawn]}


@replica("smoothgrad", noise_of, num_samples=3)
def smoothgrad(module, image, layer, target, noise=()):
    """`noise`: what is added, one array a copy."""
    total = torch.zeros_like(image)
    for sample in noise:
        total = total + gradient(module, image + sample, target)
    return largest_channel(total / len(noise))


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, inputs):
        ctx.save_for_backward(inputs)
        return torch.where(inputs > 0, inputs, 0)

    @staticmethod
    def backward(ctx, gradients):
        (inputs,) = ctx.saved_tensors
        return gradients * (gradients > 0) * (inputs > 0)


@replica("guided_backprop")
def guided_backprop(module, image, layer, target):
    def relu(inputs, inplace=False):
        return GuidedReLU.apply(inputs)

    with mock.patch("torch.nn.functional.relu", relu), mock.patch("torch.Tensor.relu", relu):
        return largest_channel(gradient(module, image, target))
