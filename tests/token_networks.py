"""Tiny networks of tokens and of maps whose channels come last; `models/networks.py` hands them on."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn


class Patches(nn.Module):
    """A token network: a 4-D patch embedding, then (B, N, C) to the end, as a ViT."""

    def __init__(self, width=8, classes=4):
        super().__init__()
        self.proj = nn.Conv2d(3, width, 8, stride=8)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs):
        tokens = self.proj(inputs).flatten(2).transpose(1, 2)
        return self.head((tokens + self.mlp(self.norm(tokens))).mean(1))


class ChannelsLast(nn.Module):
    """Maps of shape (B, h, w, C) from the stem to the end, as in Swin."""

    def __init__(self, width=8, classes=4):
        super().__init__()
        self.proj = nn.Conv2d(3, width, 8, stride=8)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Linear(width, width)
        self.last = nn.Identity()
        self.head = nn.Linear(width, classes)

    def forward(self, inputs):
        maps = self.proj(inputs).permute(0, 2, 3, 1)
        return self.head(self.last(maps + self.mlp(self.norm(maps))).mean((1, 2)))


class HubViT(nn.Module):
    """A ViT as the hub's libraries write it: query, key and value apart, optional arguments, an object with `.logits`.

    `pooling`: "class" reads the class token, "mean" the patches. `registers`: tokens after the class token, of which
    the network says nothing. `output`: "logits" (the object) or "tensor".
    """

    def __init__(self, pooling="class", depth=2, width=8, patch=8, registers=0, classes=4, output="logits"):
        super().__init__()
        self.pooling, self.output, self.registers = pooling, output, registers
        self.embeddings = Embeddings(width, patch, 1 + registers)
        self.blocks = nn.ModuleList(AttentionBlock(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, pixel_values, mask=None, return_hidden=False):
        tokens = self.embeddings(pixel_values)
        if mask is not None:
            tokens = tokens * mask.view(len(tokens), -1, 1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        pooled = tokens[:, 0] if self.pooling == "class" else tokens[:, 1 + self.registers :].mean(1)
        logits = self.head(pooled)
        return logits if self.output == "tensor" else SimpleNamespace(hidden=None, logits=logits)


class Embeddings(nn.Module):
    def __init__(self, width, patch, prefix):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, stride=patch)
        self.prefix = nn.Parameter(torch.zeros(1, prefix, width))

    def forward(self, inputs):
        tokens = self.proj(inputs).flatten(2).transpose(1, 2)
        return torch.cat([self.prefix.expand(tokens.shape[0], -1, -1), tokens], 1)


class AttentionBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, tokens):
        tokens = tokens + self.attention(self.norm1(tokens))[0]
        return tokens + self.mlp(self.norm2(tokens))


class Attention(nn.Module):
    """Gives a tuple: the tokens, and what they looked at."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.softmax = nn.Softmax(-1)

    def forward(self, tokens):
        batch, count, width = tokens.shape
        query, key, value = (
            part(tokens).view(batch, count, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        weights = self.softmax(query @ key.transpose(2, 3) / (width // self.heads) ** 0.5)
        return self.out((weights @ value).transpose(1, 2).reshape(batch, count, width)), weights
