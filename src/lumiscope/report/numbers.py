"""How numbers are written: one way everywhere, and never a number where there is none."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Protocol, TypeGuard

from lumiscope.counts import thousands
from lumiscope.p_values import p_equation, p_text

UNKNOWN = "–"
# Not from `calendar`, whose names follow the locale.
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class HasShare(Protocol):
    """A row with a share and the ends of its 95 % interval, all in [0, 1]."""

    @property
    def share(self) -> float:
        """The share."""
        ...

    @property
    def low(self) -> float:
        """The lower end."""
        ...

    @property
    def high(self) -> float:
        """The upper end."""
        ...


def defined(value: float | None) -> TypeGuard[float]:
    """Whether there is a number at all: neither null nor NaN."""
    return value is not None and not math.isnan(value)


def decimal(value: float | None, digits: int = 3) -> str:
    """A fixed number of decimals, 0 without a sign; "–" for null, "undefined" for NaN."""
    if value is None:
        return UNKNOWN
    return f"{value:z.{digits}f}".replace("-", "−") if defined(value) else "undefined"


def significant(value: float | None, digits: int = 3) -> str:
    """About `digits` significant digits for numbers of unknown size, without an exponent where it can be helped."""
    if not defined(value) or value == 0:
        return decimal(value, 0)
    exponent = math.floor(math.log10(abs(value)))
    if -5 <= exponent <= 9:
        return decimal(value, max(0, digits - 1 - exponent))
    return f"{value:.{digits - 1}e}".replace("-", "−")


def percent(value: float | None, digits: int = 1) -> str:
    """A share in [0, 1] as a percentage."""
    return f"{decimal(100 * value, digits)} %" if defined(value) else decimal(value)


def share(row: HasShare, digits: int = 1) -> str:
    """A share with its 95 % interval: "24.1 %; 15–36 %"."""
    return f"{percent(row.share, digits)}; {decimal(100 * row.low, 0)}–{percent(row.high, 0)}"


def interval(low: float | None, high: float | None, digits: int = 3) -> str:
    """The ends of an interval, "0.050 to 0.190"; "undefined" where it has none."""
    return f"{decimal(low, digits)} to {decimal(high, digits)}" if defined(low) else "undefined"


def whole(value: int | None) -> str:
    """An integer with thin spaces between the thousands."""
    return UNKNOWN if value is None else thousands(value)


def p_value(value: float | None) -> str:
    """A p-value with its sign: "p = 0.012", "p < 0.001"."""
    if not defined(value):
        return f"p {decimal(value)}"
    return p_equation(value)


def small(value: float | None) -> str:
    """A number in [0, 1] that may be very small, as p-values are, without its sign: "0.012", "< 0.001"."""
    return p_text(value) if defined(value) else decimal(value)


def signed(value: float | None, digits: int = 1) -> str:
    """A difference with its sign: "+3.1", "−0.4"."""
    text = decimal(value, digits)
    return f"+{text}" if defined(value) and value > 0 and float(f"{value:.{digits}f}") else text


def duration(seconds: float | None) -> str:
    """Seconds as a reader says them: "0.18 s", "3 min 20 s", "2 h 5 min"."""
    if not defined(seconds):
        return decimal(seconds)
    if seconds < 60:
        return f"{significant(seconds, 2)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def date(iso: str | None) -> str:
    """An ISO time in UTC, in words: "22 November 2026, 23:48 UTC"; a time without a zone is taken as it is."""
    if not iso:
        return UNKNOWN
    time = datetime.fromisoformat(iso)
    zone = " UTC" if time.tzinfo else ""
    if time.tzinfo:
        time = time.astimezone(UTC)
    return f"{time.day} {MONTHS[time.month - 1]} {time.year}, {time:%H:%M}{zone}"
