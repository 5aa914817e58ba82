"""Class names in lines: with an index, ImageNet's n…, quotes or dashes, or plain; syntax is never part of a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.models._class_tables import check_no_table, is_header
from lumiscope.models._class_values import FORMS, NAME_WORDS, WNID, ClassNames, in_order, runs

ARROW = r"->|=>|→|:="
SYNTAX = re.compile(
    rf"""(?P<begin>(?:{ARROW}|[=:,;|}}\])]|-\s|\[\[|---|item\s*\{{).*)|(?P<end>.*(?:{ARROW}|[\[({{=:;,|]))"""
    r"""|<[?!/]?\w.*>|"[^"]*|.*[\x00-\x1f\x7f].*|\.{3}|…""",
    re.DOTALL,
)
"""What no name looks like: signs that part or open something at its ends, a tag, control characters."""
HEADER = r"(?i:class|label|category)[ _]?(?i:names?|labels?)"
SETTING = r"[\w.-]+\s*=\s*\S.*"


def names_in_lines(lines: Sequence[str], path: Path) -> ClassNames | None:
    """Names in lines that have something beside them, also below a line that is a header; None where there is none."""
    for header, body in (("", lines), (lines[0], lines[1:])):
        strict = bool(header) and not _is_header(header)
        for read in (_indexed, _wnids, _before_an_index, _quoted, _dashed):
            if (
                len(body) > strict
                and not (strict and read in (_indexed, _before_an_index, _quoted) and not _parted(body))
                and (names := read(body, path)) is not None
            ):
                said = f"; the first line, {header!r}, was taken for a header" if header and header[-1] != ":" else ""
                return ClassNames(names.names, names.note + said)
    return None


def plain_lines(lines: Sequence[str], path: Path) -> ClassNames:
    """One name a line. Errors: `UsageError` where lines are something else, which is said."""
    if len(lines) == 1 and len(names := [_unquoted(name) for name in re.split(r"[,;\t]", lines[0])]) > 1 and all(names):
        return ClassNames(tuple(names), f"class names read from {path} as a single line with separators")
    blank = [number for number, line in enumerate(lines, 1) if not line.strip()]
    if blank:
        raise UsageError(
            f"{path} has a blank line at {blank[0]}: every line names one class, in the order of the logits"
        )
    first = lines[0].strip()
    if first.lower().startswith(("<!doctype", "<html")):
        raise UsageError(f"{path} is a web page, no list of names: its download went wrong. Expected {FORMS}.")
    if re.fullmatch(r"item\s*\{.*", first):
        raise UsageError(f"{path} looks like a label map of TensorFlow. Expected {FORMS}.")
    if len(lines) > 1 and all(re.fullmatch(SETTING, line.strip()) for line in lines):
        raise UsageError(f"{path} looks like settings ({first[:60]!r}), no list of names. Expected {FORMS}.")
    check_no_table(lines, path)
    note = ""
    if len(lines) > 1 and re.fullmatch(HEADER, first):
        lines, note = lines[1:], f"the first line of {path}, {first!r}, was taken for a header"
    if len(lines) > 1 and first.lower() in NAME_WORDS | {"classes", "names", "labels"}:
        note = f"the first line of {path}, {first!r}, looks like a header, and was taken for a class"
    return ClassNames(tuple(line.strip() for line in lines), note)


def check_names(names: Iterable[str], path: Path) -> None:
    """Errors: `UsageError` where a name has what belongs to the syntax of a file."""
    for number, name in enumerate(names):
        uneven = [pair for pair in ("()", "[]", "{}") if name.count(pair[0]) != name.count(pair[1])]
        if uneven or SYNTAX.fullmatch(name):
            raise UsageError(
                f"{path} cannot be read as class names: class {number} would be called {name!r:.80}, which looks like "
                f"the syntax of a file. Expected {FORMS}. If it is a name, put all names into a JSON list."
            )


def without_comments(text: str) -> tuple[str, int]:
    """A text without the lines that begin with # and a space, and how many these are; all where nothing else is."""
    lines = text.splitlines()
    kept = [line for line in lines if not re.match(r"\s*#( |$)", line)]
    return ("\n".join(kept), len(lines) - len(kept)) if any(line.strip() for line in kept) else (text, 0)


def _is_header(line: str) -> bool:
    """Whether a line is one of YAML or TOML that opens a list, or is made of words of headers."""
    return bool(re.fullmatch(r"[\w-]+:|\[[\w.]+\]", line)) or is_header(line)


def _matched(lines: Sequence[str], pattern: str) -> list[tuple[str, str]] | None:
    """The two groups of `pattern` in every line; None where one does not match."""
    matches = [re.fullmatch(pattern, line) for line in lines]
    return [(match[1], match[2]) for match in matches if match] if all(matches) else None


def _unquoted(text: str) -> str:
    text = text.strip().rstrip(",;").strip()
    quoted = re.fullmatch(r"""(["'])(.*)\1""", text)
    return quoted[2].strip() if quoted else text


def _cleaned(names: Iterable[str]) -> list[str]:
    """Names without quotes, and without ImageNet's `n…` where all have one."""
    plain = [_unquoted(name) for name in names]
    behind = _matched(plain, rf"({WNID})[\s,;:|]+(.+)")
    return [_unquoted(name) for _, name in behind] if behind else plain


def _indexed(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`0,name`, `0: name`, `0 - name`, `0 -> name`, `(0) name`, `[0] = name`, `0<tab>name`."""
    body = _without_words(lines)
    body = [line.rstrip(",")[1:-1] for line in body] if all(re.fullmatch(r"\(.*\),?", line) for line in body) else body
    signs = rf"\s*(?:{ARROW}|[,;:|)=\t])\s*|\s+[-–—]\s+|\.?\s+"
    pairs = body and _matched(body, rf"""["'(\[]?(\d{{1,7}})["'\])]?(?:{signs})(\S.*)""")
    if not pairs or not (runs(number for number, _ in pairs) or (len(pairs) > 1 and _separated(body))):
        return None
    names = _cleaned(name for _, name in pairs)
    return in_order([(int(number), name) for (number, _), name in zip(pairs, names, strict=True)], str(path), "lines")


def _without_words(lines: Sequence[str]) -> Sequence[str]:
    """Lines without the word or sign before an index: `class 0: tench`, `labels[0] = tench`, `#0 tench`."""
    begin = re.match(r"#|(?:[^\W\d]+\.?[ _]?)?[\[(]?", lines[0])
    word = begin[0] if begin else ""
    after = r"\d" if word == "#" else rf"\d+[\])]?\s*(?:{ARROW}|[:=])"
    if word and all(line.startswith(word) and re.match(after, line[len(word) :]) for line in lines):
        return [line[len(word) :] for line in lines]
    return lines


def _separated(lines: Sequence[str]) -> bool:
    """Whether numbers are indices even where they have gaps: more than a space is behind them, or they begin so."""
    numbers = [int(match[0]) for line in lines if (match := re.search(r"\d+", line))]
    rising = numbers == sorted(set(numbers)) and numbers[0] in (0, 1)
    return rising or all(re.match(rf"""["']?\d+["']?\s*(?:{ARROW}|[,;:|\t])""", line) for line in lines)


def _parted(lines: Sequence[str]) -> bool:
    """Whether something else than spaces parts what is in every line."""
    return all(re.search(rf"{ARROW}|[,;:|=\t]|\s-\s", line) for line in lines)


def _wnids(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`n01440764 tench`, and with an index between them."""
    pairs = _matched(lines, rf"""["']?({WNID})["']?(?:\s*(?:{ARROW}|[=])|[\s,;:|])\s*(\S.*)""")
    if pairs is None:
        return None
    rest = [_unquoted(name) for _, name in pairs]
    numbered = _matched(rest, r"(\d{1,7})[\s,;:|]+(.+)")
    if numbered and runs(number for number, _ in numbered):
        return in_order([(int(number), name) for number, name in numbered], str(path), "lines")
    return ClassNames(tuple(rest), f"class names read from {path} as what stands behind ImageNet's n…")


def _before_an_index(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`tench 0`, `tench -> 0`, and `/a/airfield 0` of Places365."""
    pairs = _matched(lines, rf"""(.*?[^\s,;:|=])(?:\s*(?:{ARROW})\s*|[\s,;:|=]+)["']?(\d{{1,7}})["']?,?""")
    if pairs is None or len(pairs) < 2 or not runs(number for _, number in pairs):
        return None
    names = _cleaned(name for name, _ in pairs)
    behind = _matched(names, r"(/\w/)(.+)")
    names = [name for _, name in behind] if behind else names
    return in_order([(int(number), name) for (_, number), name in zip(pairs, names, strict=True)], str(path), "lines")


def _quoted(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`"tench, Tinca tinca",`."""
    if any(_unquoted(line) in ("", line.rstrip(",;").strip()) for line in lines):
        return None
    return ClassNames(tuple(_cleaned(lines)), f"class names read from {path} as quoted lines")


def _dashed(lines: Sequence[str], path: Path) -> ClassNames | None:
    """`- tench`, as lists in YAML and Markdown are."""
    pairs = lines and _matched(lines, r"([-*•]) +(.+)")
    return (
        ClassNames(tuple(_cleaned(n for _, n in pairs)), f"class names read from {path} as a list") if pairs else None
    )
