"""Prompts: sentences that a concept is put into before a model embeds them (Radford et al., CLIP, ICML 2021)."""

from __future__ import annotations

from collections.abc import Sequence

from lumiscope.errors import UsageError

GAP = "{}"


def check_prompts(prompts: Sequence[str]) -> tuple[str, ...]:
    """`prompts` as they are. Raises UsageError unless there is one at least, and each has the gap {} exactly once."""
    if isinstance(prompts, str) or not prompts:
        raise UsageError(f"expected a list of prompts, such as 'a photo of a {GAP}'; got {prompts!r}")
    for prompt in prompts:
        count = prompt.count(GAP)
        if count != 1:
            came = f"{prompt!r} has none" if count == 0 else f"{prompt!r} has {count}"
            raise UsageError(
                f"every prompt needs {GAP} exactly once, where the concept goes, as in 'a photo of a {GAP}'; {came}"
            )
    return tuple(prompts)


def fill(prompt: str, word: str) -> str:
    """`prompt` with `word` in its gap; other braces stay as they are."""
    return prompt.replace(GAP, word)
