"""How a child ended, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["done", "failed", "out of time", "out of memory", "killed", "too much output"]


@dataclass(frozen=True)
class ChildResult:
    """`result` is there for "done" alone. Nothing in it is to be trusted: the child read what others wrote.

    `error`: what happened, a sentence, "" for "done". `cpu_seconds`, `peak_bytes`: of the processor and of resident
    memory, as the kernel counted. `log_tail`: the end of what it wrote to its standard output and error.
    """

    state: State
    result: dict[str, Any] | None
    error: str
    cpu_seconds: float
    peak_bytes: int
    log_tail: str
