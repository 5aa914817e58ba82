"""Servers on this machine that answer well, late, seldom or wrongly: the client of docs/models.md."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from lumiscope.errors import ModelError, UnknownNameError, UsageError
from lumiscope.models import BlackBox, load_model
from lumiscope.models.http_client import HttpClient, HttpOptions
from models.local_server import ABOUT, Server, shares

PICTURES = np.random.default_rng(0).integers(0, 256, (10, 16, 24, 3), dtype=np.uint8)
QUICK = {"backoff": 0.01, "timeout": 5, "retries": 3}


@pytest.fixture
def server():
    running = Server()
    yield running
    running.server.shutdown()
    running.server.server_close()


def load(server, **options):
    return load_model(server.address, model_options={**QUICK, **options})


def test_a_server_that_describes_itself(server) -> None:
    model = load(server)
    assert isinstance(model, BlackBox)
    assert model.classes == ("red", "green", "blue")
    assert model.geometry.input_size == (16, 24)
    assert (model.activation, model.notes, model.mean) == ("none", (), None)
    assert model.name == server.address.removeprefix("http://").replace(":", "-")
    np.testing.assert_allclose(model.predict(PICTURES), shares(PICTURES), rtol=1e-6)


@pytest.mark.parametrize("form", ["npy", "png"])
def test_pictures_arrive_as_they_are_in_order_and_in_parts(server, form) -> None:
    model = load(server, format=form, batch_size=4, concurrency=3)
    assert model.batch_size == 12
    server.posts.clear()
    np.testing.assert_allclose(model.predict(PICTURES), shares(PICTURES), rtol=1e-6)
    assert sorted(server.posts) == [2, 4, 4]


def test_requests_at_the_same_time_are_bounded(server) -> None:
    model = load(server, batch_size=1, concurrency=3)
    server.delay, server.most_busy = 0.05, 0
    np.testing.assert_allclose(model.predict(PICTURES[:6]), shares(PICTURES[:6]), rtol=1e-6)
    assert server.most_busy == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failing_twice_then_working(server, status) -> None:
    model = load(server)
    server.fail = [(status, {}), (status, {})]
    np.testing.assert_allclose(model.predict(PICTURES[:2]), shares(PICTURES[:2]), rtol=1e-6)
    assert server.fail == []


@pytest.mark.parametrize(
    ("status", "requests"), [(400, 1), (428, 1), (429, 3), (430, 1), (499, 1), (500, 3), (501, 1), (502, 3), (503, 3)]
)
def test_pictures_are_sent_again_where_that_may_help(server, status, requests) -> None:
    """Too many requests, and trouble of the server (RFC 9110, section 15.6), but not what it will never do: 501."""
    model = load(server, retries=2)
    server.fail = [(status, {})] * 5
    with pytest.raises(ModelError, match=f"answered {status}"):
        model.predict(PICTURES[:1])
    assert 5 - len(server.fail) == requests


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (429, 3), (500, 1), (501, 1), (502, 1), (503, 3)])
def test_a_description_is_asked_for_again_where_the_server_is_busy(server, status, requests) -> None:
    server.get_status = status
    client = HttpClient(server.address, HttpOptions(retries=2, backoff=0))
    if requests == 1:
        assert client.describe() == {}
    else:
        with pytest.raises(ModelError, match=f"answered {status} .*tried 3 times"):
            client.describe()
    assert server.gets == requests


def test_waiting_as_long_as_the_server_asks(server) -> None:
    model = load(server, backoff=30)
    server.fail = [(503, {"Retry-After": "0"})]
    started = time.perf_counter()
    model.predict(PICTURES[:1])
    assert time.perf_counter() - started < 10


def test_a_server_that_goes_on_failing(server) -> None:
    model = load(server)
    server.fail = [(500, {})] * 9
    with pytest.raises(ModelError, match=r"answered 500 .*: not now; tried 4 times\. Is the server running"):
        model.predict(PICTURES[:1])
    assert len(server.fail) == 9 - 4
    server.fail = [(404, {})] * 9
    with pytest.raises(ModelError, match=r"answered 404 .*Is it the address of a classifier"):
        model.predict(PICTURES[:1])
    assert len(server.fail) == 8  # asking again does not help


def test_a_slow_server(server) -> None:
    model = load(server, timeout=0.5, retries=1)
    server.delay = 1.5
    with pytest.raises(ModelError, match=r"does not answer \(timed out\); tried 2 times"):
        model.predict(PICTURES[:1])


def test_no_server() -> None:
    with pytest.raises(ModelError, match=r"http://127.0.0.1:9 does not answer \(.*refused.*\); tried 2 times"):
        load_model("http://127.0.0.1:9", model_options={"retries": 1, "backoff": 0})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("<html>hello</html>", r'expected JSON \{"probabilities": .* got <html>hello</html>'),
        ('{"scores": [[1]]}', r"got \{\"scores\": \[\[1\]\]\}"),
        ("[1, 2]", r"got \[1, 2\]"),
        ('{"probabilities": [[1, 0], [1]]}', "no equally long lists"),
        ('{"probabilities": [0.5, 0.5, 0.5]}', r"numbers of shape \(3,\)"),
        ('{"probabilities": [[0.5, 0.5, 0]]}', r"a row for each of 2 pictures; got numbers of shape \(1, 3\)"),
        ('{"probabilities": [[0.5, 0.5], [0.5, 0.5]]}', r"expected 3 scores a picture .*; got 2"),
        ('{"probabilities": [[0.5, 0.5, 7], [0, 0, 0]]}', r"expected probabilities .* to 7"),
        ('{"probabilities": [[0.5, 0.5, NaN], [0, 0, 0]]}', "NaN or infinity for 1 of 2"),
    ],
)
def test_answers_that_do_not_serve(server, answer, message) -> None:
    server.answer = lambda pixels: answer
    with pytest.raises(ModelError, match=message):
        load(server)


@pytest.mark.parametrize(("status", "about"), [(404, b"no"), (501, b"no"), (500, b"no"), (200, b"<p>"), (200, b"[1]")])
def test_without_a_description_flags_take_its_place(server, status, about) -> None:
    server.get_status, server.about = status, about
    model = load_model(server.address, model_options=QUICK, input_size=[16, 24], classes=["r", "g", "b"])
    assert (model.classes, model.geometry.input_size, model.notes) == (("r", "g", "b"), (16, 24), ())
    bare = load(server)
    assert bare.classes == ("class 0", "class 1", "class 2")
    assert bare.notes == ("nothing states this model's preprocessing; assumed: input size 224×224",)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"classes": "cat"}, "classes that are no list of names"),
        ({"input_size": "big"}, "input_size that is no number"),
    ],
)
def test_descriptions_that_do_not_serve(server, about, message) -> None:
    server.about = about
    with pytest.raises(ModelError, match=message):
        load(server)


def test_logits_and_a_single_probability(server) -> None:
    server.answer = lambda pixels: json.dumps({"probabilities": (10 * shares(pixels)).tolist()})
    logits = load_model(server.address, model_options=QUICK, activation="softmax")
    np.testing.assert_allclose(logits.predict(PICTURES), 10 * shares(PICTURES), rtol=1e-6)
    server.about = {"input_size": 16}
    server.answer = lambda pixels: json.dumps({"probabilities": [[0.25]] * len(pixels)})
    yes = load(server)
    assert (yes.classes, yes.geometry.input_size) == (("no", "yes"), (16, 16))
    np.testing.assert_array_equal(yes.predict(PICTURES[:1, :, :16]), [[0.75, 0.25]])


def test_the_fingerprint_follows_the_version_and_the_answers(server) -> None:
    first = load(server).fingerprint
    assert load(server, batch_size=3, format="png").fingerprint == first
    server.about = {**ABOUT, "version": "2"}
    assert load(server).fingerprint != first
    server.about = ABOUT
    server.answer = lambda pixels: json.dumps({"probabilities": shares(pixels)[:, ::-1].tolist()})
    assert load(server).fingerprint != first


def test_a_token_comes_from_the_environment(server, monkeypatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    model = load(server, token_env="MY_TOKEN")
    assert server.headers[-1]["Authorization"] == "Bearer secret"
    assert "secret" not in str(vars(model))
    with pytest.raises(UsageError, match="no environment variable NO_SUCH_TOKEN"):
        load(server, token_env="NO_SUCH_TOKEN")


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"model_options": {"timeuot": 3}}, UnknownNameError, "did you mean timeout"),
        ({"model_options": {"timeout": 0}}, UsageError, "timeout above 0"),
        ({"model_options": {"concurrency": 0}}, UsageError, "concurrency of at least 1"),
        ({"model_options": {"format": "jpg"}}, UsageError, "option format"),
        ({"mean": 0.5}, UsageError, "8-bit pixels as they are"),
        ({"weights": "random"}, UsageError, "brings its own weights"),
    ],
)
def test_what_it_cannot_be_told(server, given, error, message) -> None:
    with pytest.raises(error, match=message):
        load_model(server.address, **given)


@pytest.mark.parametrize("spec", ["http://", "http:localhost", "https:///path", "http://[::1"])
def test_addresses_that_are_none(spec) -> None:
    with pytest.raises(UsageError, match="expected the address of a server"):
        load_model(spec)
