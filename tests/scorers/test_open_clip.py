"""The real loading path of open_clip models, on a tiny model with random weights written by open_clip's own code."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from lumiscope.errors import ScorerError, UnknownNameError, UsageError
from lumiscope.scorers import load_scorer
from lumiscope.scorers.open_clip import OpenClipScorer
from scorers.tiny_models import CONFIG, write_image_text_model

WORDS = ("zebra", "red sky", "a hen of the woods", "…")


@dataclass(frozen=True)
class Item:
    pixels: np.ndarray


@dataclass(frozen=True)
class Concepts:
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An open_clip model folder; the weights come from a seed."""
    path = tmp_path_factory.mktemp("tiny_clip")
    write_image_text_model(path)
    return path


@pytest.fixture
def images():
    """More than one batch, of different sizes."""
    generator = np.random.default_rng(0)
    return [Item(generator.integers(0, 256, (30 + i, 50 - i, 3), dtype=np.uint8)) for i in range(19)]


def one_by_one(folder, images, words, templates=("{}",)):
    """Cosines of one image and one word at a time, from a model built without the scorer."""
    model = open_clip.CLIP(**CONFIG)
    open_clip.load_checkpoint(model, str(folder / "open_clip_model.safetensors"))
    model.eval()
    transform = open_clip.image_transform(32, is_train=False, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4))
    tokenize = open_clip.SimpleTokenizer(context_length=12)

    def text(word):
        each = [model.encode_text(tokenize([template.format(word)]), normalize=True)[0] for template in templates]
        return torch.stack(each).mean(0)

    values = np.empty((len(images), len(words)))
    with torch.no_grad():
        texts = [text(word) for word in words]
        for row, image in enumerate(images):
            embedding = model.encode_image(transform(Image.fromarray(image.pixels))[None])[0]
            for column, word in enumerate(texts):
                values[row, column] = torch.cosine_similarity(embedding, word, dim=0)
    return values


@pytest.mark.parametrize("templates", [("{}",), ("a photo of a {}.", "a drawing of a {}.")])
def test_scores_equal_cosines_taken_one_by_one(folder, images, templates):
    scorer = load_scorer(f"open_clip:local-dir:{folder}")
    scorer = OpenClipScorer(scorer.name, scorer.architecture, None, templates=templates)
    scores = scorer.score(images, Concepts(WORDS))
    assert scores.values.dtype == np.float32
    assert scores.words == WORDS
    assert scorer.words is None
    np.testing.assert_allclose(scores.values, one_by_one(folder, images, WORDS, templates), atol=2e-6)
    assert np.ptp(scores.values, axis=0).min() > 1e-4


def test_prompts_reach_the_model_and_only_the_words(folder, images):
    """They change the vectors of words and the fingerprint, and neither of the images'."""
    spec, prompts = f"open_clip:local-dir:{folder}", ["a photo of a {}.", "{braces} of {}"]
    plain, prompted = load_scorer(spec), load_scorer(spec, prompts=prompts)
    expected = one_by_one(folder, images[:2], WORDS, ["a photo of a {}.", "{{braces}} of {}"])
    np.testing.assert_allclose(prompted.score(images[:2], Concepts(WORDS)).values, expected, atol=2e-6)
    assert prompted.fingerprint != plain.fingerprint
    assert prompted.image_fingerprint == plain.image_fingerprint
    assert load_scorer(spec, prompts=[]).fingerprint == plain.fingerprint


def test_a_word_is_embedded_once(folder, images, monkeypatch):
    asked = []
    embed = OpenClipScorer.embed_words
    monkeypatch.setattr(OpenClipScorer, "embed_words", lambda self, words: asked.extend(words) or embed(self, words))
    scorer = load_scorer(f"open_clip:local-dir:{folder}")
    first = scorer.score(images[:2], Concepts(("zebra", "red sky"))).values
    second = scorer.score(images[:2], Concepts(("…", "red sky", "zebra"))).values
    assert asked == ["zebra", "red sky", "…"]
    np.testing.assert_array_equal(first, second[:, :0:-1])


def test_a_weights_file_after_the_slash(folder, images, tmp_path, monkeypatch):
    """The same path with a built-in architecture; its configuration is replaced by the tiny one for the test."""
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "ViT-B-32", CONFIG)
    weights = tmp_path / "weights.pt"
    torch.save({"state_dict": load_file(folder / "open_clip_model.safetensors")}, weights)
    scorer = load_scorer(f"open_clip:ViT-B-32/{weights}")
    assert scorer.name == f"open_clip:ViT-B-32/{weights}"
    values = scorer.score(images[:2], Concepts(WORDS)).values
    assert values.shape == (2, 4)
    assert np.abs(values).max() <= 1 + 1e-6


def test_progress_is_tracked(folder, images):
    seen = []

    def track(items, description, total):
        for item in items:
            seen.append((description, total))
            yield item

    load_scorer(f"open_clip:local-dir:{folder}").score(images, Concepts(WORDS), track=track)
    assert seen == [("embedding concepts", 1), *[("concept scores of images", 2)] * 2]


def test_no_global_state_changes(folder, images):
    root, state = logging.getLogger(), torch.get_rng_state()
    before = list(root.handlers), root.level, torch.is_grad_enabled(), open_clip.list_models()
    load_scorer(f"open_clip:local-dir:{folder}").score(images[:1], Concepts(WORDS))
    assert (list(root.handlers), root.level, torch.is_grad_enabled(), open_clip.list_models()) == before
    assert torch.equal(torch.get_rng_state(), state)


def test_the_fingerprint_follows_the_weights_and_the_templates(folder, tmp_path):
    scorer = load_scorer(f"open_clip:local-dir:{folder}")
    assert load_scorer(f"open_clip:local-dir:{folder}").fingerprint == scorer.fingerprint
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert load_scorer(f"open_clip:local-dir:{tmp_path}").fingerprint == scorer.fingerprint
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"other weights")
    assert load_scorer(f"open_clip:local-dir:{tmp_path}").fingerprint != scorer.fingerprint
    other = OpenClipScorer(scorer.name, scorer.architecture, None, templates=("a photo of a {}.",))
    assert other.fingerprint != scorer.fingerprint
    tags = [load_scorer(f"open_clip:ViT-B-32/{tag}").fingerprint for tag in ("openai", "laion2b_e16")]
    assert tags[0] != tags[1]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ViT-B-33/openai", "did you mean ViT-B-32"),
        ("ViT-B-32/openia", "did you mean openai.*weights file"),
        ("/nowhere/openai", "unknown open_clip model ''"),
    ],
)
def test_unknown_names_name_the_nearest(spec, message):
    with pytest.raises(UnknownNameError, match=message):
        load_scorer(f"open_clip:{spec}")


@pytest.mark.parametrize("spec", ["ViT-B-32", "ViT-B-32/"])
def test_weights_are_asked_for(spec):
    with pytest.raises(UsageError, match=r"weights are missing.*openai"):
        load_scorer(f"open_clip:{spec}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ViT-B-32//nowhere/w.safetensors", "no weights file /nowhere"),
        ("ViT-B-32/w.pt", "no weights file w.pt"),
        ("ViT-B-32/here/w", "no weights file here/w"),
        ("local-dir:/nowhere", "/nowhere is not one"),
    ],
)
def test_files_that_are_not_there_are_said(spec, message):
    with pytest.raises(ScorerError, match=message):
        load_scorer(f"open_clip:{spec}")


def test_weights_that_do_not_fit_are_an_error(folder, tmp_path, images):
    (tmp_path / "open_clip_config.json").write_bytes((folder / "open_clip_config.json").read_bytes())
    scorer = load_scorer(f"open_clip:local-dir:{tmp_path}")
    with pytest.raises(ScorerError, match="cannot be loaded"):
        scorer.score(images[:1], Concepts(WORDS))
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(ScorerError, match="cannot be loaded"):
        load_scorer(f"open_clip:local-dir:{tmp_path}").score(images[:1], Concepts(WORDS))


def test_weights_out_of_reach_name_the_offline_ways(monkeypatch, tmp_path, images):
    def unreachable(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr("open_clip.pretrained.hf_hub_download", unreachable)
    monkeypatch.setattr("open_clip.pretrained.download_pretrained_from_url", unreachable)
    with pytest.raises(ScorerError, match=r"cannot be loaded.*local-dir.*HF_HUB_OFFLINE"):
        load_scorer("open_clip:ViT-B-32/openai").score(images[:1], Concepts(WORDS))


def test_a_tag_gets_the_activation_it_was_trained_with(monkeypatch):
    """OpenAI's weights need QuickGELU; open_clip only warns when the architecture's config has another."""
    asked = {}

    def create(architecture, pretrained, **options):
        asked[pretrained] = options["force_quick_gelu"]
        raise RuntimeError("far enough")

    monkeypatch.setattr(open_clip, "create_model_from_pretrained", create)
    for tag in ("openai", "laion2b_e16"):
        with pytest.raises(ScorerError, match="far enough"):
            load_scorer(f"open_clip:ViT-B-32/{tag}").score([], Concepts(WORDS))
    assert asked == {"openai": True, "laion2b_e16": False}
