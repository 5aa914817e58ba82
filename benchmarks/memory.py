"""What this process holds, as Linux counts it."""

from __future__ import annotations

from pathlib import Path


def resident() -> float:
    """MiB that it holds now."""
    return _of_status("VmRSS")


def peak() -> float:
    """MiB that it held at most."""
    return _of_status("VmHWM")


def _of_status(kind: str) -> float:
    status = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith(kind)).split()[1]) / 1024
