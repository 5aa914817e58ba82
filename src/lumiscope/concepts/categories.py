"""What kind of thing a word names: a colour, an animal, a place, …, or nothing that can be seen."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Set
from importlib import resources

OTHER = "other"

DEFINITIONS: Mapping[str, str] = {
    "colour": "a colour, shade or tint: red, turquoise, pale",
    "texture": "how a surface looks, and patterns on it: striped, furry, woven, wet",
    "material": "what things are made of: wood, steel, denim, brick",
    "shape": "a form or outline: circle, square, curve, spiral",
    "part": "a part of a body, a building, a vehicle or a thing: eye, wing, door, wheel, handle",
    "object": "a thing that people made and use: chair, cup, guitar, camera",
    "vehicle": "a thing that carries people or goods: car, boat, aircraft, sledge",
    "clothing": "what is worn: clothes, shoes, hats, glasses, jewellery",
    "animal": "an animal, a breed or a group of animals: dog, terrier, insect",
    "plant": "a plant, a fungus or a part of one: oak, rose, leaf, moss",
    "food": "what is eaten or drunk, with fruit and vegetables: bread, apple, coffee",
    "person": "a human being by role, age or relation, and groups of people: nurse, child, crowd",
    "place": "a scene, a building or a room: kitchen, church, street, harbour, garden",
    "nature": "landscape, water and sky: mountain, river, sea, rock, moon",
    "weather": "weather, light, fire and smoke: fog, snow, sunset, shadow, flame",
    "action": "what someone can be seen doing, with sports and events: running, cooking, tennis, parade",
    "text": "writing, signs and symbols: letter, digit, logo, arrow, caption",
    OTHER: "names nothing visible, or is not known here",
}
"""Category -> one-line definition, in the order in which reports show them; `other` comes last."""

CATEGORIES: tuple[str, ...] = tuple(DEFINITIONS)

# "church-indoor" and its kind are names of scenes in Broden and Places.
SCENE_QUALIFIERS = frozenset({"indoor", "outdoor", "interior", "exterior"})
# Broden and Places also qualify names after a hyphen: "forest-broadleaf" is a forest. Other hyphens are ordinary
# English ("hands-on"), where the part before the hyphen says nothing about the whole.
HEAD_QUALIFIERS = frozenset(
    {
        *("artificial", "backseat", "baseball", "block", "bottle", "broad", "broadleaf", "c", "cascade", "clear"),
        *(
            "corridor",
            "cultivated",
            "door",
            "dry",
            "east",
            "entrance",
            "establishment",
            "fan",
            "football",
            "freestanding",
        ),
        *(
            "freight",
            "frontseat",
            "home",
            "kitchen",
            "lecture",
            "library",
            "massage",
            "natural",
            "needle",
            "needleleaf",
        ),
        *("office", "opaque", "platform", "plunge", "public", "sand", "seats", "shop", "soccer", "south", "urban"),
        *("vegetation", "vehicle", "water", "wild", "barrel"),
    }
)
# The head of "chest of drawers" and of "man in a hat" stands before the preposition.
PREPOSITIONS = frozenset({"of", "in", "on", "with", "for", "at", "from"})
# Tried in this order. A bare "es" is no ending: "rates" are not rats.
PLURAL_ENDINGS = (
    *(("ies", "y"), ("ves", "f"), ("ves", "fe"), ("men", "man"), ("s", "")),
    *((sibilant + "es", sibilant) for sibilant in ("s", "x", "z", "ch", "sh", "o")),
)
MIN_STEM = 3  # shorter stems are chance: "gas" is no plural of "ga"


def category_of(word: str) -> str:
    """Return the category of a word or short phrase; `other` where it names nothing visible or is not known.

    Looked up in this order: the phrase as it stands, its singular, a Broden or Places name without its qualifier
    ("red-c", "church-outdoor"), the head of a phrase (before "of", else the last word), its first word. Of synonyms
    with commas between them, as ImageNet writes its classes, the first that is known decides. Letter case, underscores
    and outer white space do not matter.
    """
    lexicon, adjectives = _lexicon()
    return category_in(word, lexicon, adjectives)


def category_in(word: str, lexicon: Mapping[str, str], adjectives: Set[str]) -> str:
    """Like `category_of`, with a given lexicon (word -> category) and those of its words that are only adjectives."""
    phrase = " ".join(word.lower().replace("_", " ").split())
    category = _look_up(phrase, lexicon)
    if category is None and "," in phrase:
        synonyms = (category_in(synonym, lexicon, adjectives) for synonym in phrase.split(","))
        category = next((category for category in synonyms if category != OTHER), OTHER)
    if category is None and "-" in phrase:
        category = _look_up(phrase.replace("-", " "), lexicon) or _qualified(phrase, lexicon, adjectives)
    if category is None and " " in phrase:
        category = _phrase_head(phrase.split(), lexicon, adjectives)
    return category or OTHER


def _look_up(phrase: str, lexicon: Mapping[str, str]) -> str | None:
    """The category of a phrase or of its singular, or None."""
    return next((lexicon[form] for form in (phrase, *_singulars(phrase)) if form in lexicon), None)


def _singulars(word: str) -> Iterator[str]:
    """Possible singular forms of a regular plural, the most specific rule first; irregular ones are in the lexicon."""
    if word.endswith("ss"):
        return
    for ending, replacement in PLURAL_ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending) + replacement
            if len(stem) >= MIN_STEM:
                yield stem


def _qualified(phrase: str, lexicon: Mapping[str, str], adjectives: Set[str]) -> str | None:
    """The category of "head-qualifier", where the qualifier is one that Broden or Places uses."""
    head, _, qualifier = phrase.rpartition("-")
    words = qualifier.split()
    if words and words[0] in SCENE_QUALIFIERS:
        return "place"
    if words and words[0] in HEAD_QUALIFIERS:
        return category_in(head, lexicon, adjectives)
    return None


def _phrase_head(words: list[str], lexicon: Mapping[str, str], adjectives: Set[str]) -> str | None:
    """The category of a phrase by its head word; an adjective in last place ("mountain snowy") is no head."""
    for position, word in enumerate(words[1:], start=1):
        if word in PREPOSITIONS:
            head = category_in(" ".join(words[:position]), lexicon, adjectives)
            return head if head != OTHER else category_in(" ".join(words[position + 1 :]), lexicon, adjectives)
    last, first = (_look_up(word, lexicon) for word in (words[-1], words[0]))
    if last in (None, OTHER) or words[-1] in adjectives:
        return first if first not in (None, OTHER) else last
    return last


@functools.cache
def _lexicon() -> tuple[dict[str, str], frozenset[str]]:
    """The shipped lexicon: word -> category, and the words in it that are adjectives and never nouns."""
    text = resources.files("lumiscope.concepts").joinpath("data", "lexicon.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    return {row[0]: row[1] for row in rows}, frozenset(row[0] for row in rows if len(row) > 2)
