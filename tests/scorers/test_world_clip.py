"""`world:clip`: cosines of the world's own image-text model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from PIL import Image

from lumiscope.errors import ScorerError, UnknownNameError, UsageError
from lumiscope.scorers import load_scorer
from lumiscope.scorers.embedding import largest_cosines
from lumiscope.scorers.world_clip import WorldClipScorer
from lumiscope.world import OBJECTS, SCENES, WORDS, render
from lumiscope.world.clip import WorldClip
from lumiscope.world.networks import MEAN, STD
from lumiscope.world.pretrained import save_weights
from lumiscope.world.text import tokenise


@dataclass(frozen=True)
class Item:
    pixels: np.ndarray


@dataclass(frozen=True)
class Concepts:
    words: tuple[str, ...]


def random_network(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return WorldClip().eval().half().float()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights from a seed."""
    folder = tmp_path_factory.mktemp("clip")
    save_weights(random_network(0), "clip", folder, {})
    return folder


@pytest.fixture
def images():
    """More than one batch, of different sizes."""
    generator = np.random.default_rng(0)
    return [
        Item(generator.integers(0, 256, (130 + i, 190 - i, 3), np.uint8))
        for i in range(WorldClipScorer.image_batch + 3)
    ]


@pytest.mark.parametrize("templates", [("{}",), ("{}", "a photo of a {}")])
def test_scores_equal_cosines_taken_one_by_one(folder, images, templates):
    words = ("fish", "red", "night", "red fish")
    scores = WorldClipScorer(templates=templates, folder=folder).score(images, Concepts(words))
    assert scores.words == words
    assert scores.values.dtype == np.float32
    network = random_network(0)
    expected = np.empty((len(images), len(words)))
    with torch.no_grad():
        for row, item in enumerate(images):
            small = Image.fromarray(item.pixels)
            short = min(small.size)
            small = small.resize([int(128 * side / short) for side in small.size], Image.Resampling.BILINEAR)
            left, top = (round((side - 128) / 2) for side in small.size)
            pixels = np.asarray(small.crop((left, top, left + 128, top + 128))) / 255
            image = network.image(torch.tensor(((pixels - MEAN) / STD).transpose(2, 0, 1)[None]).float())[0]
            for column, word in enumerate(words):
                each = [network.text(torch.tensor(tokenise([t.format(word)])))[0] for t in templates]
                text = sum(embedding / embedding.norm() for embedding in each)
                expected[row, column] = torch.cosine_similarity(image, text, dim=0)
    np.testing.assert_allclose(scores.values, expected, atol=2e-6)


def test_it_is_limited_to_the_words_of_the_world():
    scorer = load_scorer("world:clip")
    assert scorer.name == "world:clip"
    assert set(scorer.words) == {word for words in WORDS.values() for word in words}
    assert len(set(scorer.words)) == len(scorer.words)


def test_unknown_words_are_named_with_near_ones(folder, images):
    scorer = WorldClipScorer(folder=folder)
    with pytest.raises(ScorerError, match=r"'fishes' \(did you mean fish.*'zebra'"):
        scorer.score(images, Concepts(("cat", "fishes", "zebra")))
    with pytest.raises(ScorerError, match=r"says something about a picture of the world; got 'photo'"):
        scorer.score(images, Concepts(("cat", "photo")))


def test_specs(tmp_path, images):
    with pytest.raises(UnknownNameError, match="did you mean clip"):
        load_scorer("world:clop")
    with pytest.raises(UsageError, match="scheme"):
        load_scorer("world:")
    with pytest.raises(ScorerError, match=r"world:clip: there is no weight file .*lumiscope.world.train"):
        WorldClipScorer(folder=tmp_path).score(images, Concepts(("cat",)))


def test_no_images_and_progress(folder, images):
    seen = []

    def track(items, description, total):
        for item in items:
            seen.append((description, total))
            yield item

    scorer = WorldClipScorer(folder=folder)
    assert scorer.score([], Concepts(("cat", "fish"))).values.shape == (0, 2)
    scorer.score(images, Concepts(("cat",)), track=track)
    assert seen == [("concept scores of images", 2)] * 2  # the word is known from the call before


def test_the_fingerprint_follows_the_weights_and_the_templates(folder, tmp_path):
    fingerprint = WorldClipScorer(folder=folder).fingerprint
    assert WorldClipScorer(folder=folder).fingerprint == fingerprint
    assert WorldClipScorer(folder=folder, templates=("{}",)).fingerprint != fingerprint
    save_weights(random_network(1), "clip", tmp_path, {})
    assert WorldClipScorer(folder=tmp_path).fingerprint != fingerprint


def test_nobodys_random_state_moves(folder, images):
    state = torch.get_rng_state()
    WorldClipScorer(folder=folder).score(images[:1], Concepts(("cat",)))
    assert torch.equal(torch.get_rng_state(), state)


def test_prompts(images):
    words, prompts = ("fish", "red"), ["a drawing of the {}", "the {} in a picture"]
    scorer = load_scorer("world:clip", prompts=prompts)
    assert scorer.templates == tuple(prompts)
    expected = WorldClipScorer(templates=tuple(prompts)).score(images[:2], Concepts(words)).values
    np.testing.assert_array_equal(scorer.score(images[:2], Concepts(words)).values, expected)
    with pytest.raises(ScorerError, match="no word 'sketch'"):
        load_scorer("world:clip", prompts=["a sketch of a {}"]).score(images[:2], Concepts(words))
    assert dict(zip(scorer.words, scorer.categories, strict=True))["meadow"] == "place"


def test_it_knows_the_world():
    scenes = [render(index, 4) for index in range(60)]
    images = [Item(scene.pixels) for scene in scenes]
    scorer = load_scorer("world:clip")
    for words, truth in ((OBJECTS, [scene.object for scene in scenes]), (SCENES, [scene.scene for scene in scenes])):
        best = scorer.score(images, Concepts(words)).values.argmax(axis=1)
        assert np.mean([words[k] == true for k, true in zip(best, truth, strict=True)]) >= 0.85


def test_the_largest_cosine_of_an_image_counts_and_of_no_images_there_are_none():
    words = np.eye(3, dtype=np.float32)
    images = [words[:2], words[2:]]
    np.testing.assert_array_equal(largest_cosines(images, words), [[1, 1, 0], [0, 0, 1]])
    assert largest_cosines([], words).shape == (0, 3)
