"""Which isolation this machine can give: each is tried by a child that tries to get out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lumiscope.errors import UsageError
from lumiscope.server.isolation.bubblewrap import Bubblewrap
from lumiscope.server.isolation.isolation import GUARANTEES, Isolation
from lumiscope.server.isolation.landlock import Landlock
from lumiscope.server.isolation.limits import ChildLimits
from lumiscope.server.isolation.rlimits import Rlimits
from lumiscope.server.isolation.run import run_child

KINDS: tuple[type[Isolation], ...] = (Bubblewrap, Landlock, Rlimits)
"""Best first."""
_PROBE = "lumiscope.server.isolation._probe:attempts"
_PROBE_LIMITS = ChildLimits(memory_bytes=256 * 2**20, cpu_seconds=20, wall_seconds=30)


def choose_isolation(kinds: Sequence[type[Isolation]] = KINDS) -> Isolation:
    """The first of `kinds` that holds a child here, with its proof; a strong one must hold all of `GUARANTEES`.

    Starts a child for each that is tried. Errors: `UsageError` where none of `kinds` works.
    """
    passed_over: list[str] = []
    for kind in kinds:
        isolation = kind()
        trouble = isolation.lacking()
        proof, trouble = ({}, trouble) if trouble else prove(isolation)
        if not trouble:
            return replace(isolation, proof=proof, passed_over=tuple(passed_over))
        passed_over.append(f"{isolation.name}: {trouble}")
    raise UsageError(f"no child process can be held in on this machine. {'; '.join(passed_over)}")


def prove(isolation: Isolation) -> tuple[Mapping[str, bool], str]:
    """(guarantee -> whether a child that tried was refused, why the isolation cannot be used or "")."""
    with tempfile.TemporaryDirectory(prefix="lumiscope-probe-") as folder:
        secret = Path(folder) / "secret"
        secret.write_text("not for children")
        request = {"secret": str(secret), "parent": os.getpid()}
        result = run_child(isolation, _PROBE, request, {}, _PROBE_LIMITS)
    if result.state != "done" or result.result is None or result.result.keys() != GUARANTEES.keys():
        return {}, f"a child could not be run: {result.error or 'it did not try'}"
    proof = {name: result.result[name] is True for name in GUARANTEES}
    escaped = [name for name, held in proof.items() if not held]
    if isolation.strength == "strong" and escaped:
        return proof, f"it does not hold here against: {', '.join(escaped)}"
    return proof, ""
