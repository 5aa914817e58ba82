"""Lists and maps that stand in a text as a program writes them: JSON, Python, YAML's flow, TOML, NumPy's print."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

MOST_DEPTH = 20
CLOSING = {"[": "]", "(": ")", "{": "}"}
PAIR_SIGNS = (":", "=", "=>")
CALLS = ("array", "asarray", "list", "tuple", "dict", "OrderedDict", "Index", "constant", "dict_keys", "dict_values")
"""What may be called on a list or map, or with named ones: it changes neither names nor their order."""
CALLED = rf"(?:\w+\.)?(?:{'|'.join(CALLS)})\("
TOKEN = re.compile(
    r"""\s*(?:(?P<comment>(?:\#|//)[^\n]*)
    |(?P<text>[rbuRBU]{0,2}(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
    |(?P<sign>=>|[\[\](){},:=])
    |(?P<word>(?:(?!\s\#|=>)[^\[\](){},:=\n])+))""",
    re.VERBOSE | re.DOTALL,
)
ASSIGNMENT = re.compile(
    r"""^[ \t]*(?:(?:export|public|private|static|final|const|let|var|return|default)[ \t]+)*
    ["']?(?P<name>[\w.-]+)["']?(?:[ \t]*:[^=\n"']*)??[ \t]*(?:=|:)[ \t]*(?=[\[({]|"""
    + CALLED
    + ")",
    re.VERBOSE | re.MULTILINE,
)
BEGIN = re.compile(rf"(?:(?:export\s+default|return)\s+)?(?:[\[({{]|{CALLED})")
WORDS: dict[str, object] = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}


class LiteralError(ValueError):
    """A text that is no list and no map; the message says why."""


def whole_value(text: str) -> tuple[Any] | None:
    """The list or map that `text` is, also one a line (JSON lines); None where it begins as one and goes on as lines.

    Errors: `LiteralError`.
    """
    text = re.sub(r"^(?:export\s+default|return)\s+", "", text)
    try:
        return (json.loads(text),)
    except (ValueError, RecursionError):
        values, lines = [], _Literal(text)
        try:
            while not lines.ended:
                values.append(lines.value())
                lines.skip(",;")
        except LiteralError:
            if values or re.match(r"\[\w+\]\s|\(", text):
                return None
            raise
    if len(values) == 1:
        return (values[0],)
    records = all(isinstance(value, dict) for value in values)
    pairs = text[:1] == "[" and all(isinstance(value, list) and len(value) > 1 for value in values)
    return (values,) if records or pairs else None


def assigned_values(text: str) -> Iterator[tuple[str, int]]:
    """(name, position) of every list or map that is given a name in `text`."""
    for match in ASSIGNMENT.finditer(text):
        yield match["name"], match.end()


def value_at(text: str, position: int) -> tuple[Any, str]:
    """The list or map that begins at `position`, and what stands behind it. Errors: `LiteralError`."""
    literal = _Literal(text, position)
    return literal.value(), literal.rest


class _Literal:
    """Reads values from a text; nothing in it is run."""

    def __init__(self, text: str, position: int = 0) -> None:
        self.text = text
        self.position = position

    @property
    def rest(self) -> str:
        return self.text[self.position :]

    @property
    def ended(self) -> bool:
        return self._peek()[0] == ""

    def skip(self, signs: str) -> None:
        """Pass over one of `signs`, where it is next."""
        self._peek()
        gap = re.compile(rf"\s*[{signs}]").match(self.text, self.position)
        self.position = gap.end() if gap else self.position

    def value(self, depth: int = 0) -> Any:
        """The next value. Errors: `LiteralError`."""
        if depth > MOST_DEPTH:
            raise LiteralError(f"it is nested more than {MOST_DEPTH} levels deep")
        kind, token = self._next()
        if token in CLOSING and kind == "sign":
            return self._group(token, depth)
        if kind == "text":
            return _text_of(token)
        if kind == "word" and self._peek()[1] == "(":
            if token.rpartition(".")[2] not in CALLS:
                raise LiteralError(f"{token[:40]}(…) would have to be run")
            self._next()
            return self._group("(", depth, called=True)
        if kind == "word":
            return _word(token)
        raise LiteralError(f"a name or number is missing before {token[:20] or 'its end'!r}")

    def _group(self, opening: str, depth: int, *, called: bool = False) -> Any:
        """What stands until the bracket closes: a list, or a dict of pairs; of a call what it is given."""
        parts: list[Any] = []
        pairs: list[tuple[Any, Any]] = []
        kinds, commas, gaps, apart = set(), 0, 0, True
        while (token := self._peek())[1] != CLOSING[opening] or token[0] != "sign":
            kinds.add(token[0])
            if token == ("sign", ",") and not apart:
                self._next()
                commas, apart = commas + 1, True
                continue
            gaps += not apart
            part = self.value(depth + 1)
            if self._peek()[0] == "sign" and self._peek()[1] in PAIR_SIGNS:
                self._next()
                pairs.append((part, self.value(depth + 1)))
            else:
                parts.append(part)
            apart = False
        self._next()
        if gaps and (commas or pairs or "word" in kinds):  # NumPy prints texts without commas
            raise LiteralError("a comma is missing between two names, or names were left out where it was printed")
        if called and parts and isinstance(parts[0], list | dict):
            return parts[0]
        if pairs and not parts and (called or opening == "{"):
            return _mapping(pairs)
        if pairs or (parts and opening == "{"):
            raise LiteralError("not every name has an index; names in braces alone have no order")
        return {} if opening == "{" else parts

    def _peek(self) -> tuple[str, str]:
        """(kind, text) of the next token; ("", "") at the end."""
        return self._token()[:2]

    def _next(self) -> tuple[str, str]:
        kind, token, self.position = self._token()
        return kind, token

    def _token(self) -> tuple[str, str, int]:
        while (match := TOKEN.match(self.text, self.position)) and match["comment"] is not None:
            self.position = match.end()
        if match is None or (match["word"] is not None and not match["word"].strip()):
            rest = self.text[self.position : self.position + 40].strip()
            if not rest:
                return "", "", len(self.text)
            raise LiteralError(f"nothing that can be read begins at {rest[:20]!r}")
        kind = str(match.lastgroup)
        return kind, match[kind].strip(), match.end()


def _text_of(token: str) -> str:
    try:
        text = ast.literal_eval(token.replace("\n", "\\n"))
    except (ValueError, SyntaxError) as error:
        raise LiteralError(f"{token[:40]} is no text") from error
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)


def _word(token: str) -> object:
    if token.startswith(("...", "…")):
        raise LiteralError("names were left out where it was printed (...)")
    if re.fullmatch(r"[+-]?\d{1,18}", token):
        return int(token)
    return WORDS.get(token, token)


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    keys = [key for key, _ in pairs]
    if not all(isinstance(key, str | int) for key in keys):
        raise LiteralError("an index is a list or a map")
    if len(set(keys)) < len(keys):
        raise LiteralError(f"{next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return dict(pairs)
