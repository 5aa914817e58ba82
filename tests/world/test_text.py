"""Words of the world as numbers, and what the text encoder makes of them."""

from __future__ import annotations

import pytest
import torch

from lumiscope.errors import ScorerError
from lumiscope.world import OBJECTS, PLAIN, WORDS, render
from lumiscope.world.text import CONCEPTS, FILLERS, NUMBERS, VOCABULARY, TextEncoder, split, tokenise


@pytest.fixture(scope="module")
def encoder():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = TextEncoder(16)
        torch.nn.init.normal_(encoder.importance.weight)
        return encoder.eval().requires_grad_(False)


def embed(encoder, *texts):
    return encoder(torch.from_numpy(tokenise(texts)))


def test_every_concept_is_one_word_with_its_own_number():
    assert set(CONCEPTS) == {word for words in WORDS.values() for word in words} | {PLAIN}
    assert not set(CONCEPTS) & set(FILLERS)
    tokens = tokenise(CONCEPTS)
    assert tokens.shape == (len(CONCEPTS), 1)
    assert len(set(tokens[:, 0])) == len(CONCEPTS)
    assert sorted(NUMBERS.values()) == list(range(1, len(VOCABULARY) + 1))


def test_texts_are_filled_up_with_zeros():
    tokens = tokenise(["A fish, with the CAT.", "bird"])
    words = ("a", "fish", "with", "the", "cat")
    assert tokens.tolist() == [[NUMBERS[word] for word in words], [NUMBERS["bird"], 0, 0, 0, 0]]


def test_unknown_words_are_all_named_with_near_ones():
    with pytest.raises(ScorerError, match=r"no word 'fsh' \(did you mean fish.*'mushrooms' \(did you mean mushroom"):
        tokenise(["a fsh", "cat", "two mushrooms"])
    with pytest.raises(ScorerError, match=r"'zzz1'.*'zzz5' and 2 more. Its words: .*fish"):
        tokenise([f"zzz{number}" for number in range(1, 8)])


@pytest.mark.parametrize("text", ["", "  ", "a photo of the"])
def test_a_text_must_say_something(text):
    with pytest.raises(ScorerError, match="says something"):
        tokenise(["fish", text])


def test_padding_and_order_change_nothing(encoder):
    alone = embed(encoder, "a red fish")
    filled, turned = embed(encoder, "a red fish", "fish red a")
    longer = embed(encoder, "a red fish", "a photo of a red fish and a cat")[0]
    for other in (filled, turned, longer):
        torch.testing.assert_close(other, alone[0])


def test_the_encoder_is_a_weighted_mean_and_two_layers(encoder):
    words = ["red", "fish", "with", "fin"]
    importance = torch.tensor([encoder.importance.weight[NUMBERS[word]].item() for word in words]).exp()
    mean = sum(
        weight * encoder.embedding.weight[NUMBERS[word]]
        for weight, word in zip(importance / importance.sum(), words, strict=True)
    )
    expected = encoder.fc(mean + torch.clamp(encoder.inner(mean), min=0))
    torch.testing.assert_close(embed(encoder, " ".join(words))[0], expected)


def test_each_object_has_an_embedding_of_its_own(encoder):
    distances = torch.cdist(*[embed(encoder, *OBJECTS)] * 2)
    assert (distances + torch.eye(len(OBJECTS))).min() > 0.01


def test_captions_are_texts_that_name_their_scene():
    scenes = [render(index, 5) for index in range(60)]
    assert len(tokenise([scene.caption for scene in scenes])) == 60
    for scene in scenes:
        assert scene.scene in split(scene.caption)
