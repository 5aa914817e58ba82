"""Requests that end: an address that is one, nothing but HTTP, and a time by which all of an answer must be there."""

from __future__ import annotations

import contextlib
import functools
import http.client
import re
import socket
import threading
import time
import urllib.request
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from lumiscope.errors import UsageError

PIECE = 2**20  # bytes that are read at once
MARKS = "/%:@!$&'()*+,;=?~"  # what the parts behind the host may have as it is
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def host_of(address: str) -> str:
    """The host of an address. Errors: `UsageError` for what is no address of a server."""
    expected = f"expected the address of a server, as http://127.0.0.1:8000; got {address!r}"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
        known = (host or "").encode("idna")
    except ValueError as error:  # UnicodeError is one, too
        raise UsageError(f"{expected} ({error})") from error
    if parts.scheme not in ("http", "https") or not host or not known:
        raise UsageError(expected)
    if port == 0:
        raise UsageError(f"{expected}: there is no port 0")
    if "@" in parts.netloc:
        raise UsageError(
            f"expected an address without a user name; got one with it, for {host}. A token goes into an environment "
            "variable that --model-option token_env=NAME names"
        )
    if re.search(r"[^\x21-\x7e]", address):
        raise UsageError(f"{expected}. {_in_ascii(parts, known.decode())}")
    return host


def _in_ascii(parts: SplitResult, host: str) -> str:
    """How an address with spaces or letters outside ASCII is written. `host`: its name in ASCII."""
    if not re.fullmatch(r"[\x21-\x7e]+", host):
        return "The name of a host has no spaces and no control characters"
    place = f"[{host}]" if ":" in host else host
    path, query, fragment = (quote(part, safe=MARKS) for part in (parts.path, parts.query, parts.fragment))
    port = f":{parts.port}" if parts.port else ""
    return f"In ASCII it is {urlunsplit((parts.scheme, place + port, path, query, fragment))!r}"


def opener(host: str, seconds: float) -> urllib.request.OpenerDirector:
    """What opens addresses of HTTP and nothing else, wherever the server points to.

    `host`: who is asked; a machine's proxy, made for the outside, does not know its own addresses. `seconds`: until
    the head of an answer must be there.
    """
    director = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if host in THIS_MACHINE else None),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Http(seconds),
        _Https(seconds),
    ):
        director.add_handler(handler)
    return director


class _Timed(http.client.HTTPConnection):
    """A connection whose answer must have begun in time: a head that trickles in is cut off."""

    def __init__(self, *given: Any, seconds: float, **named: Any) -> None:
        super().__init__(*given, **named)
        self._seconds = seconds
        self._is_cut = False

    def getresponse(self) -> http.client.HTTPResponse:
        limit = threading.Timer(self._seconds, self._cut)
        limit.daemon = True
        limit.start()
        try:
            answer = super().getresponse()
        finally:
            limit.cancel()
        if self._is_cut:  # a head that ends early looks like one that is whole
            raise TimeoutError(f"the head of its answer is not whole after {self._seconds:g} s")
        return answer

    def _cut(self) -> None:
        self._is_cut = True
        with contextlib.suppress(OSError):  # it may be done already
            self.sock.shutdown(socket.SHUT_RDWR)


class _TimedTls(_Timed, http.client.HTTPSConnection):
    pass


class _Http(urllib.request.HTTPHandler):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Timed, seconds=self._seconds), request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_TimedTls, seconds=self._seconds), request)


def read_within(answer: Any, most: int, seconds: float) -> bytes:
    """Up to `most` bytes of an answer's body. Errors: `TimeoutError` where they do not come in time, `HTTPException`.

    `answer`: an `HTTPResponse`, or an `HTTPError`, which holds one.
    """
    ends = time.monotonic() + seconds
    content = bytearray()
    while len(content) < most and (part := answer.read1(min(most - len(content), PIECE))):
        content += part
        if time.monotonic() > ends:
            raise TimeoutError(f"its answer is not whole after {seconds:g} s")
    missing = getattr(answer, "length", None)
    if missing and len(content) < most:
        raise http.client.IncompleteRead(bytes(content), missing)
    return bytes(content)
