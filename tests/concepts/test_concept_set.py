"""Concept sets: the shipped one, files, errors, and the common 3k word list against hand-made labels."""

import hashlib
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumiscope.concepts import CATEGORIES, ConceptSet, load_concepts
from lumiscope.errors import UsageError
from lumiscope.world import WORDS

ROOT = Path(__file__).parents[2]
WORDNET = Path("/usr/share/wordnet")
WORDS_3K = ROOT.parent / "shared" / "data" / "concepts" / "3k.txt"

# Chosen by hand from 3k.txt.
SAMPLE_3K = {
    "colour": "black blue brown gray green orange pink red white yellow golden",
    "texture": "rough smooth wet dirty pattern",
    "material": "concrete cotton fabric glass gold leather metal plastic silver steel stone wood wooden",
    "shape": "circle corner line round square",
    "part": "arm brain ceiling door eye finger hair head leg nose roof shoulder tongue tooth wall wheel window wing",
    "object": "bed book bottle camera chair clock computer desk flag gun knife mirror piano table telephone weapon",
    "vehicle": "aircraft bike boat bus car helicopter plane ship train truck",
    "clothing": "boot coat dress glove hat jacket shirt shoe",
    "animal": "bear bird cat chicken cow deer dog fish horse mouse",
    "plant": "flower grass leaf pine rose seed tobacco tree",
    "food": "apple bread cake cheese chocolate coffee egg onion pie salad soup tomato wine",
    "person": "actor army baby brother chef child crowd doctor farmer king lawyer mother police soldier teacher woman",
    "place": "airport bathroom bedroom bridge church city classroom farm garden hospital hotel kitchen museum street",
    "nature": "beach desert forest galaxy hill island lake moon mountain ocean river sky valley",
    "weather": "cloud fire flame rain shadow smoke snow storm",
    "action": "baseball climb cooking dance dig drive eat golf jump kiss laugh run sing sit sleep swim tennis throw",
    "text": "ad headline letter sign symbol",
    "other": "a ability absolutely may can will it at he as in I mine theory justice system Internet percentage",
}


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_shipped_set() -> None:
    shipped = load_concepts(None)
    assert shipped == load_concepts("visual")
    assert shipped.name == "visual"
    assert len(shipped) >= 2500
    assert len(set(shipped.words)) == len({word.lower() for word in shipped.words}) == len(shipped)
    assert shipped.other_share == 0
    assert shipped.notes == ()
    assert all(word == word.strip() and word for word in shipped.words)


def test_shipped_set_has_every_category() -> None:
    counts = load_concepts(None).counts()
    assert tuple(counts) == CATEGORIES
    assert min(count for category, count in counts.items() if category != "other") >= 90
    assert counts["animal"] >= 400
    assert counts["place"] >= 300
    assert sum(counts.values()) == len(load_concepts(None))


def test_the_words_of_the_world() -> None:
    world = load_concepts("world")
    assert set(world.words) == {word for words in WORDS.values() for word in words}
    categories = dict(zip(world.words, world.categories, strict=True))
    wanted = {"fish": "object", "meadow": "place", "wheel": "part", "red": "colour", "striped": "texture"}
    assert {word: categories[word] for word in wanted} == wanted
    assert (world.name, world.other_share, world.notes) == ("world", 0, ())


def test_text_file_with_blank_lines_duplicates_crlf_and_bom(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.txt", b"\xef\xbb\xbfdog\r\n\r\n  red \r\ndog\r\nDog\r\n\t\r\njustice\r\ndog")
    concepts = load_concepts(path)
    assert concepts.name == "mine"
    assert concepts.words == ("dog", "red", "Dog", "justice")
    assert concepts.categories == ("animal", "colour", "animal", "other")
    assert concepts.notes[:2] == ("2 blank lines were left out", "2 duplicates were left out")
    assert concepts.other_share == 0.25
    assert {category: count for category, count in concepts.counts().items() if count} == {
        "colour": 1,
        "animal": 2,
        "other": 1,
    }


def test_notes_in_the_singular_and_a_path_as_string(tmp_path: Path) -> None:
    path = write(tmp_path / "one.txt", b"dog\n\ndog\n")
    assert load_concepts(str(path)).notes == ("1 blank line was left out", "1 duplicate was left out")


def test_a_last_line_end_is_no_blank_line(tmp_path: Path) -> None:
    assert load_concepts(write(tmp_path / "a.txt", b"dog\ncat\n")).notes == ()


def test_categories_after_a_tab_win(tmp_path: Path) -> None:
    concepts = load_concepts(write(tmp_path / "a.tsv", b"dog\tfood\nblorp\t texture \ncat\n"))
    assert concepts.words == ("dog", "blorp", "cat")
    assert concepts.categories == ("food", "texture", "animal")


def test_csv(tmp_path: Path) -> None:
    data = b'Concept,Category\nred,\n"bread, sliced",food\nblorp,texture\n'
    concepts = load_concepts(write(tmp_path / "a.csv", data))
    assert concepts.words == ("red", "bread, sliced", "blorp")
    assert concepts.categories == ("colour", "food", "texture")
    one_column = load_concepts(write(tmp_path / "b.csv", b"concept\ndog\n"))
    assert one_column.categories == ("animal",)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.txt", b"", "no concept at all"),
        ("a.txt", b"\n \n", "no concept at all"),
        ("a.txt", b"dog\x00cat", "binary file"),
        ("a.txt", b"dog\ncaf\xe9\n", "not UTF-8 on line 2"),
        ("a.tsv", b"dog\nred\tcolor\n", r"line 2: expected .* colour, texture, .*got 'color': did you mean 'colour'"),
        ("a.tsv", b"dog\tqqq\n", "leave the category out"),
        ("a.txt", b"dog\rna\xefve\rcat", r"not UTF-8 on line 2, which may have meant 'naïve'; .*iconv -f CP1252"),
        ("a.txt", "dog\ncat".encode("utf-16-le"), "UTF-16 or UTF-32 without a mark; save it as UTF-8"),
        ("a.txt", "dog".encode("utf-32"), "UTF-32"),
        ("a.txt", b"\xff\xfed\x00o", "UTF-16 text that is cut off"),
        ("a.csv", b'concept\n"' + b"x" * 200_000, "no CSV .*mend its quotes"),
        ("a.csv", b"word\ndog\n", "expected the header `concept`"),
        ("a.csv", b"concept\nbread, sliced\n", "line 2: expected 1 column"),
        ("a.csv", b"", "expected the header `concept`"),
    ],
)
def test_unusable_file(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_concepts(write(tmp_path / name, data))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_make_no_difference(tmp_path: Path, encoding: str, end: str) -> None:
    text = end.join(["café", "", "chien\tanimal", "# red", "red  car", ""])
    concepts = load_concepts(write(tmp_path / "a.txt", text.encode(encoding)))
    assert concepts.words == ("café", "chien", "# red", "red  car")
    assert concepts.categories[1] == "animal"
    assert concepts.notes == ("1 blank line was left out",)


def test_words_that_differ_in_case_or_spaces_only_are_kept_and_said(tmp_path: Path) -> None:
    data = "Dog\ndog\nred  car\nred car\ncafe\u0301\ncafé\nsky\n".encode()
    concepts = load_concepts(write(tmp_path / "a.txt", data))
    assert len(concepts) == 7
    (note,) = concepts.notes
    assert note.startswith("3 concepts are written in several ways")
    assert "'Dog' and 'dog'; 'red  car' and 'red car'" in note
    assert load_concepts(write(tmp_path / "b.txt", b"dog\ncat\n")).notes == ()


def test_one_concept_is_a_set(tmp_path: Path) -> None:
    assert load_concepts(write(tmp_path / "a.txt", b"dog")).words == ("dog",)


def test_a_list_of_words_is_treated_as_a_file_is() -> None:
    concepts = ConceptSet.of(["dog", " ", "dog", " red "], ["", "", "", "texture"])
    assert (concepts.words, concepts.categories) == (("dog", "red"), ("animal", "texture"))
    assert concepts.notes == ("1 blank line was left out", "1 duplicate was left out")
    assert ConceptSet.of(["dog"]).fingerprint == ConceptSet("x", ("dog",), ("animal",)).fingerprint
    with pytest.raises(UsageError, match="no concept at all"):
        ConceptSet.of([" "])
    with pytest.raises(UsageError, match=r"line 2: .*'color': did you mean 'colour'"):
        ConceptSet.of(["dog", "red"], ["", "color"])
    with pytest.raises(UsageError, match="a category for each of 2 words of list; got 1"):
        ConceptSet.of(["dog", "red"], [""])


def test_missing_file_names_the_nearest_ones_and_the_shipped_set(tmp_path: Path) -> None:
    write(tmp_path / "concepts.txt", b"dog\n")
    with pytest.raises(UsageError, match=r"no such file; did you mean .*concepts\.txt\? 'visual' is the set"):
        load_concepts(tmp_path / "concpts.txt")
    with pytest.raises(UsageError, match=r"the folder .* does not exist either"):
        load_concepts(tmp_path / "nowhere" / "concepts.txt")


def test_a_folder_is_no_concept_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name a readable file"):
        load_concepts(tmp_path)


def test_lengths_must_agree() -> None:
    with pytest.raises(UsageError, match="got 2 words and 1 categories"):
        ConceptSet("a", ("dog", "cat"), ("animal",))


def test_fingerprint_is_sha256_over_length_and_text() -> None:
    def piece(text: bytes) -> bytes:
        return len(text).to_bytes(8, "big") + text

    expected = hashlib.sha256(piece(b"dog") + piece(b"animal") + piece(b"red") + piece(b"colour")).hexdigest()
    assert ConceptSet("a", ("dog", "red"), ("animal", "colour")).fingerprint == expected
    assert ConceptSet("b", ("dog", "red"), ("animal", "colour"), ("a note",)).fingerprint == expected
    assert ConceptSet("a", ("red", "dog"), ("colour", "animal")).fingerprint != expected
    assert ConceptSet("a", ("dog", "red"), ("animal", "other")).fingerprint != expected


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1, unique=True))
def test_a_written_list_reads_back(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("words") / "list.txt"
    path.write_text("\n".join(words), encoding="utf-8")
    concepts = load_concepts(path)
    assert concepts.words == tuple(words)
    assert set(concepts.categories) <= set(CATEGORIES)
    assert sum(concepts.counts().values()) == len(words)


@pytest.fixture(scope="module")
def words_3k() -> ConceptSet:
    if not WORDS_3K.is_file():
        pytest.skip(f"the word list of CLIP-Dissect is not at {WORDS_3K}")
    return load_concepts(WORDS_3K)


def test_3k_sample(words_3k: ConceptSet) -> None:
    categories = dict(zip(words_3k.words, words_3k.categories, strict=True))
    expected = {word: category for category, words in SAMPLE_3K.items() for word in words.split()}
    assert len(expected) >= 150
    assert {word: categories.get(word) for word in expected} == expected


def test_3k_other_share(words_3k: ConceptSet) -> None:
    # Read through by eye: 875 of the 3,000 words name something visible, give or take 100 that one may argue about.
    assert 0.66 < words_3k.other_share < 0.76


@pytest.mark.slow
def test_data_files_are_what_the_tool_makes(tmp_path: Path) -> None:
    if not (WORDNET / "data.noun").is_file():
        pytest.skip("WordNet is not installed (apt-get install wordnet-base)")
    subprocess.run([sys.executable, ROOT / "tools" / "make_concepts.py", "--out", tmp_path], check=True)
    shipped = resources.files("lumiscope.concepts").joinpath("data")
    for name in ("visual.tsv", "lexicon.tsv"):
        assert (tmp_path / name).read_bytes() == shipped.joinpath(name).read_bytes()
