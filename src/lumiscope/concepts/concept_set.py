"""A list of words with categories, from a file or the one that lumiscope ships."""

from __future__ import annotations

import codecs
import csv
import functools
import hashlib
import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lumiscope.concepts.categories import CATEGORIES, OTHER, category_of
from lumiscope.concepts.world_concepts import WORLD, world_words
from lumiscope.errors import UsageError, nearest
from lumiscope.files import MOST_NAMES, read_bytes

VISUAL = "visual"
SHIPPED = (VISUAL, WORLD)
SHOWN = 3
FORMAT = "a UTF-8 text file with one concept per line (or concept TAB category), or a .csv with a header `concept`"


@dataclass(frozen=True)
class ConceptSet:
    """The words (K of them) that units can be named with.

    `categories`: (K,) one of `CATEGORIES` per word. `notes`: what was left out when the set was read, in plain words.
    """

    name: str
    words: tuple[str, ...]
    categories: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.words) != len(self.categories):
            raise UsageError(
                f"concept set {self.name!r}: expected one category per word, got {len(self.words)} words and "
                f"{len(self.categories)} categories; give both the same length"
            )

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of(cls, words: Iterable[str], categories: Iterable[str] | None = None, name: str = "list") -> ConceptSet:
        """Make a set of a list as `load_concepts` does of a file: blanks and repeated words are left out, with a note.

        `categories`: one of `CATEGORIES` or "" for each word; "" or None: looked up with `category_of`.
        Raises `UsageError` for an unknown category, and where no word is left.
        """
        given = list(words)
        kinds = [""] * len(given) if categories is None else list(categories)
        if len(kinds) != len(given):
            raise UsageError(f"expected a category for each of {len(given)} words of {name}; got {len(kinds)}")
        rows = (
            (number, word.strip(), kind.strip())
            for number, (word, kind) in enumerate(zip(given, kinds, strict=True), 1)
        )
        return _concept_set(name, rows, f"the words of {name}")

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 (64 hex digits) over words and categories in order; the name and the notes do not count."""
        digest = hashlib.sha256()
        for word, category in zip(self.words, self.categories, strict=True):
            # The length in front keeps ("ab", "c") apart from ("a", "bc").
            for text in (word.encode(), category.encode()):
                digest.update(len(text).to_bytes(8, "big") + text)
        return digest.hexdigest()

    @property
    def other_share(self) -> float:
        """The share of words, in [0, 1], whose category is `other`; 0 for an empty set."""
        return self.categories.count(OTHER) / len(self) if self.words else 0.0

    def counts(self) -> dict[str, int]:
        """How many words each category has, in the order of `CATEGORIES`; categories without words are there, as 0."""
        count_of = Counter(self.categories)
        return {category: count_of[category] for category in CATEGORIES}


def load_concepts(source: str | Path | None = None) -> ConceptSet:
    """Read a concept set: a shipped one ("visual", which None means too, or "world"), else a file.

    A file is UTF-8 text (or UTF-16 that begins with its byte order mark) with one concept per line, optionally followed
    by a TAB and its category, or a `.csv` with the header `concept` or `concept,category`. Words without a category get
    one from `category_of`. Blank lines are left out, and of words that are written exactly alike the first is kept;
    `notes` says how many, and which words differ in nothing but letter case and spaces: they are all kept. No line is a
    comment: "# red" is the concept "# red".

    Raises `UsageError` for a file that is missing, empty or not text, and for an unknown category.
    """
    if source is None or str(source) == VISUAL:
        shipped = resources.files("lumiscope.concepts").joinpath("data", f"{VISUAL}.tsv")
        return _concept_set(VISUAL, _text_rows(shipped.read_text(encoding="utf-8")), "the shipped concept set")
    if str(source) == WORLD:
        words = world_words()
        return ConceptSet(WORLD, tuple(words), tuple(words.values()))
    path = Path(source)
    text = _read_text(path)
    rows = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _text_rows(text)
    return _concept_set(path.stem, rows, str(path))


def _concept_set(name: str, rows: Iterable[tuple[int, str, str]], where: str) -> ConceptSet:
    """Make a set from (line number, word, category or ""); `where` names the source in errors."""
    categories: dict[str, str] = {}
    blank = duplicates = 0
    for number, word, category in rows:
        if category and category not in CATEGORIES:
            raise UsageError(_unknown_category(category, f"{where}, line {number}"))
        if not word:
            blank += 1
        elif word in categories:
            duplicates += 1
        else:
            categories[word] = category or category_of(word)
    if not categories:
        raise UsageError(f"{where}: expected {FORMAT}, got no concept at all; add one, or use {VISUAL!r}")
    notes = []
    if blank:
        notes.append(f"{blank} blank {'line was' if blank == 1 else 'lines were'} left out")
    if duplicates:
        notes.append(f"{duplicates} {'duplicate was' if duplicates == 1 else 'duplicates were'} left out")
    return ConceptSet(name, tuple(categories), tuple(categories.values()), (*notes, *_nearly_alike(categories)))


def _nearly_alike(words: Iterable[str]) -> list[str]:
    """A note on words that differ in nothing but letter case, spaces or how Unicode writes them, if there are any."""
    groups: dict[str, list[str]] = {}
    for word in words:
        plain = "".join(unicodedata.normalize("NFKC", word).casefold().split())
        groups.setdefault(plain, []).append(word)
    alike = [" and ".join(map(repr, group)) for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    shown = "; ".join(alike[:SHOWN]) + ("; …" if len(alike) > SHOWN else "")
    which = "one concept is" if len(alike) == 1 else f"{len(alike)} concepts are"
    return [f"{which} written in several ways that differ in letter case or spaces only, and kept as several: {shown}"]


def _unknown_category(category: str, where: str) -> str:
    """The message for a category that does not exist."""
    near = nearest(category, CATEGORIES, count=1)
    advice = f"did you mean {near[0]!r}?" if near else "leave the category out to have it looked up"
    return f"{where}: expected one of the categories {', '.join(CATEGORIES)}; got {category!r}: {advice}"


def _text_rows(text: str) -> Iterator[tuple[int, str, str]]:
    """Rows of a text file: one concept per line, optionally TAB and category."""
    for number, line in enumerate(_lines(text), start=1):
        word, _, category = line.strip().partition("\t")
        yield number, word.strip(), category.strip()


def _lines(text: str) -> list[str]:
    # `splitlines` would also break at form feeds and other separators that may stand inside a line.
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")


def _csv_rows(text: str, path: Path) -> Iterator[tuple[int, str, str]]:
    """Rows of a CSV file with the header `concept[,category]`; other columns are an error, not a guess."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [column.strip().lower() for column in next(reader, [])]
    if header not in (["concept"], ["concept", "category"]):
        raise UsageError(
            f"{path}: expected the header `concept` or `concept,category`, got `{','.join(header)}`; "
            "put that header on the first line, or save the list as plain text, one concept per line"
        )
    for row in _rows(reader, path):
        word, category = ([*row, "", ""])[:2]
        if len(row) > len(header):
            raise UsageError(
                f"{path}, line {reader.line_num}: expected {len(header)} column(s), got {len(row)}; "
                "put a concept that contains a comma between double quotes"
            )
        yield reader.line_num, word.strip(), category.strip()


def _rows(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise UsageError(f"{path}: expected {FORMAT}, got a file that is no CSV ({error}); mend its quotes") from error


def _read_text(path: Path) -> str:
    """Read a text file without its byte order mark; a clear error for what is not UTF-8, nor UTF-16 with that mark."""
    try:
        data = read_bytes(path, MOST_NAMES)
    except FileNotFoundError:
        raise UsageError(_missing(path)) from None
    except OSError as error:
        raise UsageError(f"{path}: expected {FORMAT}; {error.strerror or error}; name a readable file") from None
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    if b"\x00" in data and not utf16:
        raise UsageError(
            f"{path}: expected {FORMAT}, got a binary file, or UTF-16 or UTF-32 without a mark; save it as UTF-8 text"
        )
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(_wrong_encoding(path, data, error, "UTF-16" if utf16 else "UTF-8")) from None


def _wrong_encoding(path: Path, data: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    """The message for bytes that `encoding` cannot have; it shows what the line may have meant."""
    if encoding != "UTF-8":
        return f"{path}: expected {FORMAT}, got {encoding} text that is cut off or damaged; save it as UTF-8 text"
    # Windows' code page has every byte of Latin-1 text as Latin-1 has it.
    before, meant = (part.decode("cp1252", errors="replace") for part in (data[: error.start], data))
    line = len(_lines(before + "."))
    return (
        f"{path}: expected {FORMAT}, got bytes that are not UTF-8 on line {line}, which may have meant "
        f"{_lines(meant)[line - 1].strip()!r}; save it as UTF-8 text (if it is Windows or Latin-1 text: "
        f"iconv -f CP1252 -t UTF-8 {path} > NEW)"
    )


def _missing(path: Path) -> str:
    """The message for a file that does not exist, with the nearest names in its folder."""
    folder = path.parent
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else []
    near = nearest(path.name, names)
    if near:
        advice = f"did you mean {' or '.join(str(folder / name) for name in near)}?"
    elif not folder.is_dir():
        advice = f"the folder {folder} does not exist either."
    else:
        advice = "name a file that exists."
    return f"{path}: expected {FORMAT}, got no such file; {advice} {VISUAL!r} is the set that lumiscope ships"
