"""The model hub where there is no network: the cache, or an answer at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def quick_hub() -> Iterator[None]:
    """Use the hub's cache alone where its address cannot be resolved.

    Without this the hub's client tries again for two minutes before it looks into the cache or gives up. A proxy, which
    resolves names itself, keeps the client's own way.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not (_proxied() or _resolves(constants.ENDPOINT))
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def _resolves(address: str) -> bool:
    try:
        socket.getaddrinfo(urlsplit(address).hostname, 443)
    except OSError:
        return False
    return True


def _proxied() -> bool:
    from urllib.request import getproxies

    return "https" in getproxies() or "all" in getproxies()
