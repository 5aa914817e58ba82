"""Pictures to a server and probabilities back, with patience: the client's side of docs/models.md."""

from __future__ import annotations

import base64
import http.client
import io
import json
import logging
import os
import re
import threading
import urllib.error
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from lumiscope.errors import ModelError, UsageError
from lumiscope.files import parse_json
from lumiscope.models._http_connection import host_of, opener, read_within
from lumiscope.types import ByteArray, FloatArray

LONGEST_WAIT = 60.0
MOST_BYTES = 2**26  # of an answer: a thousand pictures with some thousand classes
EXCERPT = 200  # characters of an answer that an error quotes
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HttpOptions:
    """How to talk to a server.

    `format`: of the pictures. `batch_size`: pictures of one request. `concurrency`: requests at the same time.
    `timeout`: seconds without a sign of life until a request has failed; one whose head or body is not whole after
    twice as many has failed, too, whatever trickles in. `retries`: how often it is then sent again.
    `backoff`: seconds before the first of these, doubled for each further one (60 at most). `token_env`: the
    environment variable that holds a bearer token; its value is kept nowhere.
    """

    format: Literal["npy", "png"] = "npy"
    batch_size: int = 16
    concurrency: int = 4
    timeout: float = 60.0
    retries: int = 4
    backoff: float = 0.5
    token_env: str | None = None

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("concurrency", 1), ("retries", 0), ("backoff", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"http: expected {name} of at least {least}; got {getattr(self, name)}")
        if self.timeout <= 0:
            raise UsageError(f"http: expected a timeout above 0 seconds; got {self.timeout}")
        if self.token_env is not None and self.token_env not in os.environ:
            raise UsageError(f"http: there is no environment variable {self.token_env} to take the token from")
        if self.token_env is not None and not re.fullmatch(r"[\x21-\x7e]+", os.environ[self.token_env]):
            raise UsageError(
                f"http: expected a token of plain letters and signs in {self.token_env}; got something else"
            )


class HttpClient:
    """One address that classifies pictures. Errors: `UsageError` for what is no address of a server."""

    def __init__(self, address: str, options: HttpOptions) -> None:
        self.address = address
        self.options = options
        self._opener = opener(host_of(address), 2 * options.timeout)

    def describe(self) -> dict[str, Any]:
        """What the server says of itself in answer to a GET; {} where it says nothing.

        Errors: `ModelError` where it cannot be reached.
        """
        try:
            content = parse_json(self._send(None, "", threading.Event()))
        except (ValueError, _Refused):
            return {}
        return content if isinstance(content, dict) else {}

    def predict(self, pixels: ByteArray) -> FloatArray:
        """(N, h, w, 3) uint8 -> (N, classes) float32, as the server says them. Errors: `ModelError`."""
        size = self.options.batch_size
        parts = [pixels[at : at + size] for at in range(0, len(pixels), size)]
        stopped = threading.Event()
        pool = ThreadPoolExecutor(min(self.options.concurrency, len(parts)), thread_name_prefix="lumiscope-http")
        try:
            asked: list[Future[FloatArray]] = [pool.submit(self._ask, part, stopped) for part in parts]
            answers = [answer.result() for answer in asked]
        finally:  # also where the user stops, or one has failed: the others are not waited for
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
        widths = {answer.shape[1] for answer in answers}
        if len(widths) > 1:
            raise ModelError(f"{self.address} gives different numbers of classes: {sorted(widths)}")
        return np.concatenate(answers)

    def _ask(self, pixels: ByteArray, stopped: threading.Event) -> FloatArray:
        body, kind = as_npy(pixels) if self.options.format == "npy" else as_png(pixels)
        try:
            return _probabilities(self._send(body, kind, stopped), len(pixels), self.address)
        except _Refused as error:
            raise ModelError(f"{self.address} {error}. Is it the address of a classifier (docs/models.md)?") from error

    def _send(self, body: bytes | None, kind: str, stopped: threading.Event) -> bytes:
        """GET, or POST `body`, until it succeeds. Errors: `_Refused` for a final no, `ModelError` after all tries."""
        tries = self.options.retries + 1
        for number in range(tries):
            try:
                with self._opener.open(self._request(body, kind), timeout=self.options.timeout) as answer:
                    return self._body(answer)
            except urllib.error.HTTPError as error:
                problem, wait = f"answered {error.code} {error.reason}{self._excerpt(error)}", _retry_after(error)
                if not _may_pass(error.code, asking=body is not None):
                    raise _Refused(problem) from error
            except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: it points to no address
                problem, wait = f"does not answer ({_reason(error)})", None
            if number + 1 < tries:
                delay = min(LONGEST_WAIT, self.options.backoff * 2**number if wait is None else wait)
                logger.info("%s %s; trying again in %.1f s", self.address, problem, delay)
                if stopped.wait(delay):
                    break
        raise ModelError(
            f"{self.address} {problem}; tried {tries} times. Is the server running, and the address right?"
        )

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        """The whole answer. Errors: `_Refused` for one that is larger than any real one."""
        content = read_within(answer, MOST_BYTES + 1, 2 * self.options.timeout)
        if len(content) > MOST_BYTES:
            raise _Refused(f"answered with more than {MOST_BYTES:,} bytes")
        return content

    def _excerpt(self, error: urllib.error.HTTPError) -> str:
        """How the body of an error begins."""
        try:
            with error:
                content = read_within(error, 4 * EXCERPT, self.options.timeout)
        except (OSError, http.client.HTTPException):
            content = b""
        return f": {_shortened(content)}" if content else ""

    def _request(self, body: bytes | None, kind: str) -> urllib.request.Request:
        request = urllib.request.Request(self.address, data=body, headers={"Accept": "application/json"})
        if body is not None:
            request.add_header("Content-Type", kind)
        if self.options.token_env:  # not for another server that this one may point to
            request.add_unredirected_header("Authorization", f"Bearer {os.environ[self.options.token_env]}")
        return request


class _Refused(Exception):
    """An answer that asking again does not change."""


def as_npy(pixels: ByteArray) -> tuple[bytes, str]:
    """A batch as one .npy file, and its content type."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(pixels), allow_pickle=False)
    return file.getvalue(), "application/x-npy"


def as_png(pixels: ByteArray) -> tuple[bytes, str]:
    """A batch as JSON with a base64 PNG for each picture, and its content type."""
    images = []
    for picture in pixels:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_level=1)
        images.append(base64.b64encode(file.getvalue()).decode())
    return json.dumps({"images": images}).encode(), "application/json"


def _probabilities(content: bytes, count: int, address: str) -> FloatArray:
    """(count, classes) of an answer. Errors: `ModelError` that says what came instead."""
    wanted = f'expected JSON {{"probabilities": [[…], …]}} from {address}, a row for each of {count} pictures'
    try:
        answer = parse_json(content)
        rows = answer["probabilities"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{wanted}; got {_shortened(content)}") from error
    try:
        values = np.array(rows, np.float32)
    except (ValueError, TypeError, OverflowError) as error:
        raise ModelError(f"{wanted}; its rows are no equally long lists of numbers") from error
    if values.ndim != 2 or len(values) != count:
        raise ModelError(f"{wanted}; got numbers of shape {values.shape}")
    return values


def _may_pass(status: int, *, asking: bool) -> bool:
    """Whether asking again may help: too many requests, or trouble on the server's side.

    A server that has no answer to a GET may fail on it as it likes, except where it says that it is busy.
    """
    if status in (429, 503):
        return True
    return asking and status >= 500 and status != 501


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    said = error.headers.get("Retry-After", "") if error.headers else ""
    return float(said) if re.fullmatch("[0-9]{1,9}", said) else None


def _shortened(content: bytes) -> str:
    text = " ".join(content[: 4 * EXCERPT].decode("utf-8", "replace").split())
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def _reason(error: Exception) -> str:
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(inner) or type(inner).__name__
