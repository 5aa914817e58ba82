"""`category_of` against words labelled by hand."""

from pathlib import Path

import pytest

from lumiscope.concepts import CATEGORIES, category_of, load_concepts
from lumiscope.concepts.categories import DEFINITIONS, category_in

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "concepts"

LABELLED = {
    "colour": "crimson turquoise beige magenta orange violet maroon navy_blue",
    "texture": "striped banded furry wrinkled rusty plaid shiny polka-dotted zigzagged",
    "material": "marble denim plywood aluminium bronze velvet ceramic asphalt granite leather",
    "shape": "triangle hexagon spiral oval sphere zigzag circular cone",
    "part": "elbow beak antler tusk eyelid windscreen propeller chimney doorknob paw moustache fin staircase hubcap",
    "object": "hammer violin teapot sofa umbrella laptop scissors wardrobe microphone candle bookcase stapler lantern",
    "vehicle": "lorry tricycle helicopter canoe submarine tractor ambulance sledge gondola minivan airship",
    "clothing": "kimono sandal bikini trousers necklace sombrero sweatshirt mitten apron turban bracelet",
    "animal": "terrier dachshund octopus ladybird salamander flamingo hippopotamus lobster tarantula salmon hen zebra",
    "plant": "fern orchid cactus oak willow tulip moss mushroom seaweed ivy dandelion",
    "food": "spaghetti omelette broccoli strawberry cheeseburger espresso pretzel lettuce sushi yoghurt pineapple",
    "person": "plumber bride toddler astronaut goalkeeper queen crowd ballerina fireman grandmother shepherd",
    "place": "cathedral airport bathroom vineyard supermarket casino barn skyscraper attic courtyard library orchard",
    "nature": "volcano glacier canyon river waterfall boulder beach iceberg moon savanna",
    "weather": "fog rainbow thunderstorm snowflake sunset lightning smoke flame shadow tornado",
    "action": "swimming jumping juggle wrestling archery cooking hugging parade basketball kneel marathon",
    "text": "logo barcode handwriting headline alphabet graffiti signature asterisk",
}
LABELLED_PAIRS = [(word, category) for category, words in LABELLED.items() for word in words.split()]

FUNCTION_WORDS = "can will may might it at he as in i us am do does has was his mine this and the of well but"
ABSTRACT_WORDS = (
    "justice theory happiness democracy idea reason opinion because economy although policy probability truth "
    "technology system internet cell general safe lead felt virus frank jack china month decade belief"
)
UNKNOWN_WORDS = ("", "xqzzv", "rates", "codes")  # "rates" are not rats, "codes" are not cods


def test_categories_have_definitions_and_end_with_other() -> None:
    required = {"colour", "texture", "material", "shape", "part", "object", "animal", "plant", "food", "person"}
    assert required | {"place", "action", "other"} <= set(CATEGORIES)
    assert CATEGORIES[-1] == "other"
    assert tuple(DEFINITIONS) == CATEGORIES
    assert all(DEFINITIONS.values())


def test_enough_words_are_labelled() -> None:
    assert len({word for word, _ in LABELLED_PAIRS}) >= 150


@pytest.mark.parametrize(("word", "category"), LABELLED_PAIRS)
def test_labelled_word(word: str, category: str) -> None:
    assert category_of(word) == category


@pytest.mark.parametrize("word", [*FUNCTION_WORDS.split(), *ABSTRACT_WORDS.split(), *UNKNOWN_WORDS])
def test_nothing_visible(word: str) -> None:
    assert category_of(word) == "other"


@pytest.mark.parametrize(
    ("plural", "category"),
    [
        ("dogs", "animal"),
        ("leaves", "plant"),
        ("wolves", "animal"),
        ("children", "person"),
        ("fishes", "animal"),
        ("knives", "object"),
        ("policemen", "person"),
        ("berries", "food"),
        ("boxes", "object"),
        ("churches", "place"),
        ("geese", "animal"),
        ("tomatoes", "food"),
        ("feet", "part"),
        ("oxen", "animal"),
        ("buses", "vehicle"),
    ],
)
def test_plural(plural: str, category: str) -> None:
    assert category_of(plural) == category


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("red-c", "colour"),
        ("church-indoor", "place"),
        ("wine cellar-bottle storage", "place"),
        ("forest-broad leaf", "nature"),
        ("forest-needleleaf", "nature"),
        ("mountain snowy", "nature"),
        ("plastic-opaque", "material"),
        ("flight of stairs-natural", "part"),
        ("labyrinth-outdoor", "place"),
        ("waterfall-cascade", "nature"),
        ("check-in-desk", "object"),
        ("bow window-indoor", "place"),
    ],
)
def test_broden_name(name: str, category: str) -> None:
    assert category_of(name) == category


@pytest.mark.parametrize(
    ("phrase", "category"),
    [
        ("old oak tree", "plant"),
        ("hot dog", "food"),
        ("chest of drawers", "object"),
        ("man in a red hat", "person"),
        ("Golden_Retriever", "animal"),
        ("  Yellow   SUBMARINE ", "vehicle"),
        ("set of instruments", "object"),
        ("rock python, rock snake, Python sebae", "animal"),
        ("unheard, of things", "other"),
        ("striped shirt", "clothing"),
        ("shirt striped", "clothing"),
        ("hands-on", "other"),
        ("way of life", "other"),
    ],
)
def test_phrase(phrase: str, category: str) -> None:
    assert category_of(phrase) == category


def test_rules_on_a_tiny_lexicon() -> None:
    lexicon = {"dog": "animal", "snowy": "weather", "hill": "nature", "can": "other"}
    adjectives = frozenset({"snowy"})
    assert category_in("hill snowy", lexicon, adjectives) == "nature"
    assert category_in("hill snowy", lexicon, frozenset()) == "weather"  # a noun in last place is the head
    assert category_in("dog can", lexicon, adjectives) == "animal"
    assert category_in("unknown words", lexicon, adjectives) == "other"


def test_shipped_words_keep_their_category_when_looked_up() -> None:
    shipped = load_concepts("visual")
    assert [category_of(word) for word in shipped.words] == list(shipped.categories)


def test_nearly_all_broden_names_have_a_category() -> None:
    path = SHARED / "broden_labels_clean.txt"
    if not path.is_file():
        pytest.skip(f"the Broden label list is not at {path}")
    # By eye 17 of 1,153 distinct names are open: words such as "back", "side", "top" and "system" mean too many things.
    assert load_concepts(path).other_share < 0.02
