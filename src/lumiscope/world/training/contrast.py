"""Contrastive training of the image and the text encoder."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch.nn import functional

from lumiscope.types import FloatArray, IntArray
from lumiscope.world.clip import WorldClip
from lumiscope.world.networks import normalised
from lumiscope.world.training._augment import lit, moved
from lumiscope.world.training._texts import fact_texts, fit_of_texts, presence, random_facts, swapped_texts
from lumiscope.world.training.fit import Task
from lumiscope.world.training.pictures import Pictures

TEXTS_EACH = 3
LARGEST_SCALE = 20.0
SHARE_ALL = 0.3
SHARES_SWAPPED = {"object": 1.0, "scene": 0.2, "colour": 0.4, "texture": 0.6}
"""Shares of the loss. With equal ones the scene, which is easy, keeps the rest from being learnt for a long time."""


def contrast(pictures: Pictures) -> Task:
    """Bring each picture near to texts that are true of it and far from others."""
    module = WorldClip()
    present = presence(pictures)

    def loss(indices: IntArray, rng: np.random.Generator) -> torch.Tensor:
        module.log_scale.data.clamp_(max=math.log(LARGEST_SCALE))
        embeddings = module.embed_images(lit(normalised(moved(pictures.pixels[indices], rng)), rng))
        embeddings = embeddings * module.log_scale.exp()
        losses = []
        for kind, share in SHARES_SWAPPED.items():
            texts = swapped_texts(pictures, indices, kind, rng)
            losses.append(share * _among_swapped(module, embeddings, texts, pictures.facts[kind][indices]))
        losses.append(SHARE_ALL * _among_all(module, embeddings, present[indices], rng))
        return torch.stack(losses).sum()

    return Task(module, loss)


def _among_all(
    module: WorldClip, embeddings: torch.Tensor, present: FloatArray, rng: np.random.Generator
) -> torch.Tensor:
    """InfoNCE in both directions over the batch's texts (Radford et al., CLIP, ICML 2021).

    A text may fit several pictures; as in UniCL (Yang et al., CVPR 2022) all of them are its targets, each as far as
    the text fits it.
    """
    facts = random_facts(np.repeat(present, TEXTS_EACH, axis=0), rng)
    texts = module.embed_texts(torch.from_numpy(fact_texts(facts, rng)))
    fits = torch.from_numpy(fit_of_texts(present, facts))
    logits = embeddings @ texts.T
    of_images = functional.cross_entropy(logits, fits / fits.sum(dim=1, keepdim=True))
    of_texts = functional.cross_entropy(logits.T, fits.T / fits.T.sum(dim=1, keepdim=True))
    return (of_images + of_texts) / 2


def _among_swapped(module: WorldClip, embeddings: torch.Tensor, texts: IntArray, true: IntArray) -> torch.Tensor:
    """Hard negatives: texts with one word exchanged (as in NegCLIP, Yuksekgonul et al., ICLR 2023).

    `texts`: (B, words, L). `true`: (B,) which of a picture's texts is true.
    """
    tokens = torch.from_numpy(texts)
    embedded = module.embed_texts(tokens.flatten(0, 1)).view(*tokens.shape[:2], -1)
    return functional.cross_entropy((embedded * embeddings[:, None]).sum(dim=2), torch.from_numpy(true))
