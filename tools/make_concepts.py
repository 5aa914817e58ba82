"""Make the data files of `lumiscope.concepts` from WordNet 3.0 and the hand-made list beside this file.

    apt-get install wordnet-base
    python tools/make_concepts.py            # writes src/lumiscope/concepts/data/{visual,lexicon}.tsv

`visual.tsv` is hand-made: every word of the `[visual]` sections of `concepts_curated.tsv`. `lexicon.tsv` is WordNet's
nouns that name something visible, corrected and extended by the same file. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from lumiscope.concepts.categories import CATEGORIES, OTHER, category_in  # noqa: E402

WORDNET = Path("/usr/share/wordnet")
DATA = ROOT / "src" / "lumiscope" / "concepts" / "data"
CURATED = Path(__file__).with_name("concepts_curated.tsv")

# WordNet sorts its synsets into numbered files; these hold things that can be seen. Everything else (acts,
# communication, cognition, feelings, time, quantities, …) is not visible unless a root below says so.
FILE_CATEGORY = {
    5: "animal", 6: "object", 8: "part", 13: "food", 17: "nature", 18: "person", 20: "plant", 25: "shape",
    27: "material",
}  # fmt: skip

# Finer than the files: the nearest of these ancestors decides. Each is a lemma with the number of its file; `None`
# cuts off branches of those files that nobody sees in a picture.
ROOTS: dict[str | None, str] = {
    "colour": "color.7",
    "material": "fabric.6 metallic_element.27 alloy.27",
    "part": "part.6 supporting_structure.6 wall.6 surface.6",
    "object": "creation.6 mechanism.6",
    "vehicle": "vehicle.6",
    "clothing": "clothing.6 footwear.6 headdress.6 jewelry.6",
    "place": "building.6 room.6 way.6 area.6 house.6 facility.6 mercantile_establishment.6 housing.6 fortification.6 "
    "tower.6 bridge.6 shelter.6 establishment.6 place_of_business.6 excavation.6 "
    "tract.15 urban_area.15 field.15 piece_of_land.15",
    "weather": "atmospheric_phenomenon.19 weather.19 light.19",
    "action": "locomotion.4 sport.4 dancing.4 workout.4 dance.10",
    "text": "written_symbol.10 grapheme.10",
    None: "drug.6 chemical.27 compound.27 chemical_element.27 element.27 macromolecule.27 molecule.27 isotope.27 "
    "organic_compound.27 fluid.27 protein.27 acid.27 agent.27 poison.27 particle.17 line.15 "
    "geographic_point.15 topographic_point.15 cell.3 microorganism.5 spiritual_being.18 "
    "body_substance.8 liquid_body_substance.8 gland.8 nerve.8 vein.8 artery.8",
}

MIN_LETTERS = 3
VISIBLE_SHARE = 0.5
MAX_RANK = 3  # of a word's senses, rarer ones say nothing about what the word usually means


@dataclass(frozen=True)
class Synset:
    """One meaning: its lexicographer file, its words as written, the offsets of its hypernyms, and two marks."""

    file: int
    words: tuple[str, ...]
    hypernyms: tuple[int, ...]
    proper: bool
    offensive: bool


def read_synsets(path: Path) -> dict[int, Synset]:
    """Read a WordNet `data.*` file; see wndb(5WN) for its format."""
    synsets = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith("  "):
            continue
        record, _, gloss = line.partition("|")
        fields = record.split()
        count = int(fields[3], 16)
        words = tuple(fields[4 + 2 * i] for i in range(count))
        pointers = fields[5 + 2 * count :]
        steps = [(pointers[i], int(pointers[i + 1])) for i in range(0, 4 * int(fields[4 + 2 * count]), 4)]
        hypernyms = tuple(offset for symbol, offset in steps if symbol in ("@", "@i"))
        proper = any(symbol == "@i" for symbol, _ in steps)
        synsets[int(fields[0])] = Synset(
            int(fields[1]), words, hypernyms, proper, "slur" in gloss or "offensive" in gloss
        )
    return synsets


def read_index(path: Path) -> dict[str, tuple[int, ...]]:
    """Read a WordNet `index.*` file: lemma -> offsets of its senses, the most frequent first."""
    index = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        if not line.startswith("  "):
            fields = line.split()
            index[fields[0]] = tuple(int(offset) for offset in fields[-int(fields[2]) :])
    return index


def read_counts(path: Path) -> dict[tuple[str, str, int], int]:
    """Read `cntlist.rev`: (lemma, part of speech, sense number) -> how often it was seen in tagged text."""
    kinds = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
    counts = {}
    for line in path.read_text(encoding="latin-1").splitlines():
        key, sense, count = line.split()
        lemma, rest = key.split("%")
        counts[lemma, kinds[rest[0]], int(sense)] = int(count)
    return counts


class WordNet:
    """WordNet's nouns, and the category of what each of them names."""

    def __init__(self, folder: Path) -> None:
        self.synsets = read_synsets(folder / "data.noun")
        self.nouns = read_index(folder / "index.noun")
        self.adjectives = read_index(folder / "index.adj")
        self.counts = read_counts(folder / "cntlist.rev")
        self.roots = {
            offset: category
            for category, roots in ROOTS.items()
            for lemma, file in (root.split(".") for root in roots.split())
            for offset in self.nouns.get(lemma, ())
            if self.synsets[offset].file == int(file)
        }
        self.verb_forms = {line.split()[0] for line in (folder / "verb.exc").read_text("latin-1").splitlines()}
        self.other_uses: dict[str, int] = defaultdict(int)
        for (lemma, kind, _), count in self.counts.items():
            if kind != "noun":
                self.other_uses[lemma] += count
        self.sense_category = lru_cache(maxsize=None)(self._sense_category)

    def _sense_category(self, offset: int) -> str | None:
        """The category of one sense: its nearest ancestor in the root table, else its lexicographer file."""
        level, seen = [offset], {offset}
        while level:
            for ancestor in level:
                if ancestor in self.roots:
                    return self.roots[ancestor]
            above = [parent for ancestor in level for parent in self.synsets[ancestor].hypernyms]
            level = [parent for parent in dict.fromkeys(above) if parent not in seen]
            seen.update(level)
        return FILE_CATEGORY.get(self.synsets[offset].file)

    def category(self, lemma: str) -> str | None:
        """The category that most uses of a lemma fall into, or None where most name nothing visible.

        A sense weighs its count in tagged text plus 1/rank, so that words that were never tagged go by sense order.
        """
        weights: dict[str | None, float] = defaultdict(float)
        for rank, offset in enumerate(self.nouns[lemma], start=1):
            count = self.counts.get((lemma, "noun", rank), 0)
            if count or rank <= MAX_RANK:
                weights[self._written_category(lemma, offset)] += count + 1 / rank
        if lemma in self.verb_forms and not any(
            (lemma, "noun", rank) in self.counts for rank in range(1, MAX_RANK + 1)
        ):
            return None  # "shook" is a verb in every text, though it is also a set of staves for a barrel
        total = sum(weights.values()) + self.other_uses[lemma]
        visible = [(weight, category) for category, weight in weights.items() if category]
        if not visible or sum(weight for weight, _ in visible) < VISIBLE_SHARE * total:
            return None
        return max(visible)[1]

    def _written_category(self, lemma: str, offset: int) -> str | None:
        """Like `sense_category`, but None for slurs and for proper names: "turkey" counts, "Turkey" does not."""
        synset = self.synsets[offset]
        usable = lemma in synset.words and not synset.proper and not synset.offensive
        return self.sense_category(offset) if usable else None


def read_curated(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Read the hand-made list: `(shipped, corrections)`, both word -> category.

    Lines are `category TAB word, word, …`; `[visual]` and `[lexicon]` switch between the two; `#` starts a comment.
    """
    parts: dict[str, dict[str, str]] = {"[visual]": {}, "[lexicon]": {}}
    section = "[lexicon]"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        if line in parts:
            section = line
            continue
        category, _, words = line.partition("\t")
        if category not in CATEGORIES:
            raise SystemExit(f"{path}:{number}: unknown category {category!r}")
        for word in filter(None, (word.strip() for word in words.split(","))):
            if parts[section].setdefault(word, category) != category:
                raise SystemExit(f"{path}:{number}: {word!r} is {parts[section][word]} above and {category} here")
    clash = {word for word, category in parts["[lexicon]"].items() if parts["[visual]"].get(word, category) != category}
    if clash:
        raise SystemExit(f"{path}: two categories for {sorted(clash)}")
    return parts["[visual]"], parts["[lexicon]"]


def ing_form(verb: str) -> str:
    """The -ing form of a short English verb: run -> running, ride -> riding, lie -> lying."""
    vowels = "aeiou"
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "ye", "oe")):
        return verb[:-1] + "ing"
    doubles = len(verb) >= 3 and verb[-1] not in "aeiouwxy" and verb[-2] in vowels and verb[-3] not in vowels
    one_syllable = sum(letter in vowels for letter in verb) == 1
    return verb + (verb[-1] if doubles and one_syllable else "") + "ing"


def irregular_plurals(path: Path, lexicon: dict[str, str]) -> Iterator[tuple[str, str]]:
    """WordNet's irregular plurals (`children`, `wolves`) whose singular is in the lexicon."""
    for line in path.read_text(encoding="latin-1").splitlines():
        plural, *bases = line.split()
        for base in bases:
            if "_" not in plural and base in lexicon and lexicon[base] != OTHER:
                yield plural, lexicon[base]
                break


def wordnet_words(wordnet: WordNet) -> Iterator[tuple[str, str]]:
    """The words and phrases that WordNet alone puts into a category, single words first."""
    singles, phrases = {}, {}
    for lemma in wordnet.nouns:
        word = lemma.replace("_", " ")
        letters = word.replace(" ", "").replace("-", "")
        if len(word) >= MIN_LETTERS and letters.isalpha() and letters.isascii():
            category = wordnet.category(lemma)
            if category:
                (singles if letters == word else phrases)[word] = category
    yield from singles.items()
    # Most phrases follow their last word ("oak tree"); only the others ("hot dog") need a line of their own.
    for word, category in phrases.items():
        if category_in(word, singles, frozenset()) != category:
            yield word, category


def make_lexicon(wordnet: WordNet, curated: dict[str, str], exceptions: Path) -> dict[str, str]:
    """Word -> category: curated words first, then verb forms, WordNet's words and irregular plurals."""
    lexicon = dict(curated)
    for word, category in curated.items():
        if category == "action" and word.isalpha() and not word.endswith("ing"):
            lexicon.setdefault(ing_form(word), category)
    for word, category in wordnet_words(wordnet):
        lexicon.setdefault(word, category)
    for plural, category in irregular_plurals(exceptions, lexicon):
        lexicon.setdefault(plural, category)
    return lexicon


def write(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write tab-separated rows, UTF-8, with Unix line ends on every system."""
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")


def main() -> None:
    """Write both data files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="folder with data.noun, index.noun, …")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write visual.tsv and lexicon.tsv into")
    options = parser.parse_args()
    wordnet = WordNet(options.wordnet)
    visual, corrections = read_curated(CURATED)
    lexicon = make_lexicon(wordnet, {**corrections, **visual}, options.wordnet / "noun.exc")
    adjective = {word for word in lexicon if word in wordnet.adjectives and word not in wordnet.nouns}
    rows = [(w, c, "adjective") if w in adjective else (w, c) for w, c in sorted(lexicon.items())]
    order = {category: rank for rank, category in enumerate(CATEGORIES)}
    write(options.out / "lexicon.tsv", rows)
    write(options.out / "visual.tsv", sorted(visual.items(), key=lambda row: (order[row[1]], row[0])))


if __name__ == "__main__":
    main()
