"""Answers that no server should give: endless, trickling, cut off, nested, and addresses that are none."""

from __future__ import annotations

import contextlib
import http.server
import resource
import threading
import time

import numpy as np
import pytest

from lumiscope.errors import ModelError, UsageError
from lumiscope.models import load_model
from lumiscope.models.http_client import MOST_BYTES, HttpClient, HttpOptions

PICTURES = np.zeros((2, 4, 4, 3), np.uint8)
TIMEOUT = 0.5


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET and POST alike, as the path says."""

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # the client has gone
            getattr(self, self.path.strip("/"))()

    def begin(self, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def deep(self) -> None:
        self.begin()
        self.wfile.write(b"[" * 100_000)

    def deep_rows(self) -> None:
        self.begin()
        self.wfile.write(b'{"probabilities": ' + b"[" * 900 + b"]" * 900 + b"}")

    def large_numbers(self) -> None:
        self.begin()
        self.wfile.write(b'{"probabilities": [[1' + b"0" * 400 + b"], [1]]}")

    def endless(self) -> None:
        self.begin()
        for _ in range(MOST_BYTES // 10**6 * 4):
            self.wfile.write(b" " * 10**6)

    def trickling_body(self) -> None:
        self.begin()
        self.trickle()

    def trickling_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        self.trickle()

    def trickle(self) -> None:
        for _ in range(200):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.05)

    def cut(self) -> None:
        self.begin(Content_Length="1000")
        self.wfile.write(b"short")

    def cut_error(self) -> None:
        self.begin(404, Content_Length="1000")
        self.wfile.write(b"short")

    def odd_wait(self) -> None:
        self.begin(503, Retry_After="\u00b2")

    def nowhere(self) -> None:
        self.begin(302, Location="http://[")

    def file(self) -> None:
        self.begin(302, Location="file:///etc/passwd")

    def commands(self) -> None:
        self.send_response_only(400, "no\x1b[1m")
        self.end_headers()
        self.wfile.write(b"oops \x1b]0;title\x07\x1b[2J")

    def ftp(self) -> None:
        self.begin(302, Location="ftp://127.0.0.1/x")


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("deep", r"expected JSON .* got \[\[\["),
        ("deep_rows", "no equally long lists|got numbers of shape"),
        ("large_numbers", "no equally long lists"),
        ("endless", f"more than {MOST_BYTES:,} bytes"),
        ("trickling_body", "not whole after 1 s"),
        ("trickling_head", "head of its answer is not whole after 1 s"),
        ("cut", "does not answer"),
        ("cut_error", "answered 404"),
        ("odd_wait", "answered 503"),
        ("nowhere", "does not answer"),
        ("file", "not allowed"),
        ("ftp", "does not answer"),
    ],
)
def test_every_answer_ends_in_words_in_time_and_within_memory(address, path, message):
    client = HttpClient(f"{address}/{path}", HttpOptions(timeout=TIMEOUT, retries=1, backoff=0.01))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(ModelError, match=message):
        client.predict(PICTURES)
    assert time.monotonic() - started < 2 * (2 * TIMEOUT + 1.5), "two tries"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 3 * MOST_BYTES


def test_what_a_terminal_would_obey_is_shown_as_escapes(address):
    client = HttpClient(f"{address}/commands", HttpOptions(timeout=TIMEOUT, retries=0))
    with pytest.raises(ModelError) as caught:
        client.predict(PICTURES)
    assert r"answered 400 no\x1b[1m: oops \x1b]0;title\x07\x1b[2J. Is it" in str(caught.value)


@pytest.mark.parametrize("path", ["deep", "endless", "cut_error"])
def test_a_server_that_describes_itself_so_says_nothing(address, path):
    options = HttpOptions(timeout=TIMEOUT, retries=0, backoff=0.01)
    assert HttpClient(f"{address}/{path}", options).describe() == {}


@pytest.mark.parametrize(
    "spec",
    ["http://", "http://[::1", "http://[", "http://host:99999", "http://host:-1", "http://host:port", "http://host:0",
     "http://a b/", "http://host/a b", "http://host/\u00e4", "http://..", "http://" + "a" * 100 + ".com", "http:///path",
     "http://host/\n", "https://host:x/"],
)  # fmt: skip
def test_addresses_that_are_none(spec):
    with pytest.raises(UsageError, match="expected the address of a server"):
        load_model(spec)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("http://\u00e9.invalid:80/", "In ASCII it is 'http://xn--9ca.invalid:80/'"),
        ("http://host/a b?x=\u00e4&y=1", "In ASCII it is 'http://host/a%20b?x=%C3%A4&y=1'"),
        ("http://[::1]/\u00e4%20", "In ASCII it is 'http://[::1]/%C3%A4%20'"),
        ("http://a b/", "The name of a host has no spaces"),
    ],
)
def test_how_an_address_is_written_in_ascii(address, advice):
    with pytest.raises(UsageError) as caught:
        load_model(address)
    assert advice in str(caught.value)


def test_a_password_in_an_address_is_not_shown():
    with pytest.raises(UsageError, match="token_env") as caught:
        load_model("http://me:secret@127.0.0.1:8000")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["a b", "a\n", "\u00e4", ""])
def test_a_token_that_cannot_be_sent_is_not_shown(monkeypatch, token):
    monkeypatch.setenv("ODD_TOKEN", token)
    with pytest.raises(UsageError, match="expected a token of") as caught:
        HttpOptions(token_env="ODD_TOKEN")
    assert not token or token not in str(caught.value).removeprefix("http: expected a ")
