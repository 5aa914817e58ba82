"""The text of a token: 256 bits at random, with a prefix to find leaked ones by and a checksum against slips."""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib

PREFIX = "lsk_"
DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
BYTES = 32
SECRET_LENGTH = 43  # 62^43 > 2^256
CHECK_LENGTH = 6  # 62^6 > 2^32
SHOWN = len(PREFIX) + 6
SCOPES = ("read", "submit", "admin")


def new_token() -> tuple[str, str]:
    """Return (text, stored): what its owner is told once, and what the database keeps.

    No slow hash: of 256 random bits nobody tries all.
    """
    secret = _in_62s(int.from_bytes(secrets.token_bytes(BYTES)), SECRET_LENGTH)
    text = PREFIX + secret + _check(secret)
    return text, stored_form(text)


def stored_form(text: str) -> str:
    """The SHA-256 of a token, in hexadecimal: 64 characters."""
    return hashlib.sha256(text.encode()).hexdigest()


def has_token_form(text: str) -> bool:
    """Whether it has the prefix, the length and the right checksum; a slip is told without asking the database."""
    secret, check = text[len(PREFIX) : -CHECK_LENGTH], text[-CHECK_LENGTH:]
    if not text.startswith(PREFIX) or len(secret) != SECRET_LENGTH or not set(text[len(PREFIX) :]) <= set(DIGITS):
        return False
    return check == _check(secret)


def _check(secret: str) -> str:
    return _in_62s(zlib.crc32((PREFIX + secret).encode()), CHECK_LENGTH)


def _in_62s(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(DIGITS))
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))
