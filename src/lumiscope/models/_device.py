"""Where a model is run: the processor or a graphics card."""

from __future__ import annotations

import torch

from lumiscope.errors import UnknownNameError, UsageError

KINDS = ("cpu", "cuda", "mps")


def usable_device(wanted: str | None) -> torch.device:
    """The device called `wanted`: "cpu" (None), "cuda", "cuda:1" or "mps".

    Errors: `UsageError` for a device that is not here, with those that are; `UnknownNameError` for no device at all.
    """
    kind, colon, number = (wanted or "cpu").partition(":")
    if kind not in KINDS:
        raise UnknownNameError("device", kind, KINDS)
    if colon and not number.isdigit():
        raise UsageError(f"expected a device as cpu, cuda, cuda:1 or mps; got {wanted!r}")
    here = available_devices()
    if kind not in here or (colon and kind + colon + number not in (f"{kind}:0", *here)):
        raise UsageError(f"the device {wanted} is not available to torch on this machine; here are: {', '.join(here)}")
    return torch.device(wanted or "cpu")


def available_devices() -> list[str]:
    """The devices that torch can use here: cpu, then cuda (and cuda:1, … where there are several), mps."""
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [
        "cpu",
        *(["cuda"] if cards else []),
        *(f"cuda:{number}" for number in range(1, cards)),
        *(["mps"] if torch.backends.mps.is_available() else []),
    ]
