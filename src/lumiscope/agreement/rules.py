"""How a user names the rule that makes a mask of a map, and which rules there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, TypeVar

from lumiscope.errors import UsageError
from lumiscope.registry import Registry
from lumiscope.types import BoolArray

# What a rule takes depends on the rule: its map, and a fraction if its form has one.
RuleFunction: TypeAlias = Callable[..., BoolArray]
Rule = TypeVar("Rule", bound=RuleFunction)


@dataclass(frozen=True)
class RegisteredRule:
    """A kind of rule. `form`: an example of how to write it. `needs_segments`: it takes segment maps only."""

    name: str
    form: str
    needs_segments: bool
    function: RuleFunction

    @property
    def has_fraction(self) -> bool:
        """Whether a fraction follows the name."""
        return ":" in self.form


def forms(*, any_map: bool = False) -> list[str]:
    """Return how the rules are written; `any_map`: only those that need no segments."""
    return [rule.form for rule in MASK_RULES.values() if not (any_map and rule.needs_segments)]


MASK_RULES: Registry[RegisteredRule] = Registry("mask rule", hint=lambda: "Write it as " + " or ".join(forms()) + ".")
"""Every way to make a mask, by the name that its rules begin with."""


@dataclass(frozen=True)
class MaskRule:
    """A rule as parsed. `fraction`: in (0, 1], None for a rule that has none. `str()` gives the canonical text."""

    name: str
    fraction: float | None = None

    def __str__(self) -> str:
        if self.fraction is None:
            return self.name
        # Decimal, as 0.07 * 100 is 7.000000000000001 in binary and the text must read back as the same rule.
        number = Decimal(repr(self.fraction))
        if MASK_RULES[self.name].form.endswith("%"):
            return f"{self.name}:{(number * 100).normalize():f}%"
        return f"{self.name}:{number.normalize():f}"


def mask_rule(name: str, *, form: str, needs_segments: bool = False) -> Callable[[Rule], Rule]:
    """Register the decorated function as the rule `name`.

    It takes a `SaliencyMap` with finite values, (H, W), then the fraction if `form` has one, and returns (H, W) bool.
    """

    def register(function: Rule) -> Rule:
        MASK_RULES.register(name, RegisteredRule(name, form, needs_segments, function), defined_by=function)
        return function

    return register


def parse_rule(text: str) -> MaskRule:
    """Read a rule such as "top:20%", "top:0.2", "max:0.5", "otsu" or "lime".

    Raises UnknownNameError for an unknown rule, UsageError for a number that is missing, not wanted or out of range.
    """
    name, colon, number = (part.strip() for part in text.partition(":"))
    rule = MASK_RULES[name]
    if rule.has_fraction:
        return MaskRule(name, _fraction(number, rule))
    if colon:
        raise UsageError(f"the mask rule {name} takes no number; got {text.strip()!r}. Write {rule.form}.")
    return MaskRule(name)


def _fraction(number: str, rule: RegisteredRule) -> float:
    try:
        fraction = float(Decimal(number.removesuffix("%")) / (100 if number.endswith("%") else 1))
    except (ArithmeticError, ValueError):
        fraction = 0.0
    if not 0 < fraction <= 1:
        came = repr(number) if number else "no number"
        raise UsageError(
            f"the mask rule {rule.name} takes a fraction above 0 and at most 1, or a percentage above 0% and at most "
            f"100%; got {came}. Write for example {rule.form}."
        )
    return fraction


def parse_rules(text: str) -> dict[str, str]:
    """Read "gradcam=max:0.5,lime=lime" as {method: canonical rule}; an empty text names no method.

    Raises UsageError if a part is not method=rule, or a method comes twice, and whatever `parse_rule` raises.
    """
    rules: dict[str, str] = {}
    for part in text.split(",") if text.strip() else []:
        method, equals, rule = (piece.strip() for piece in part.partition("="))
        if not method or not equals:
            raise UsageError(f"expected method=rule, such as gradcam=max:0.5,lime=lime; got {part.strip()!r}")
        if method in rules:
            raise UsageError(f"two mask rules for {method}: {rules[method]} and {rule}. Keep one of them.")
        rules[method] = str(parse_rule(rule))
    return rules
