"""Tiny models for scorers, with weights from a seed, written by the libraries' own code."""

from __future__ import annotations

import json

import open_clip
import torch
from safetensors.torch import save_file

CONFIG = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {"context_length": 12, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1},
}


def write_image_text_model(path, seed=0):
    """A folder of an open_clip model."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = open_clip.CLIP(**CONFIG)
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    (path / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": preprocess}))
    save_file(model.state_dict(), path / "open_clip_model.safetensors")


def write_sentence_model(path, seed=0):
    """A BERT of one layer over a vocabulary of eight words, with mean pooling; returns its folder below `path`."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    vocabulary = "[PAD] [UNK] [CLS] [SEP] [MASK] cat dog fish red sky a of the".split()  # noqa: SIM905
    (path / "vocab.txt").write_text("\n".join(vocabulary))
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(path / "bert")
        BertTokenizerFast(str(path / "vocab.txt")).save_pretrained(path / "bert")
        SentenceTransformer(modules=[Transformer(str(path / "bert")), Pooling(16)]).save(str(path / "model"))
    return path / "model"
