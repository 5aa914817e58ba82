"""The API as a program meets it."""

from __future__ import annotations

import io
import json
import logging
import zipfile

import pytest

API = "/api/v1"
FILE = {"file": ("parameters.json", b"{}")}


def hand_in(browser, headers, content=b"{}", **more):
    return browser.post(
        f"{API}/challenges/world/submissions", files={"file": ("p.json", content)}, headers={**headers, **more}
    )


def test_a_hand_in_is_received_queued_scored_and_ranked(browser, ada, score):
    answer = hand_in(browser, ada)
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert (view["state"], view["position"], view["file_name"]) == ("queued", 1, "p.json")
    assert answer.headers["location"] == f"{API}/submissions/{view['id']}"
    score(iou=0.75)
    view = browser.get(f"{API}/submissions/{view['id']}", headers=ada).json()
    assert (view["state"], view["scores"]["iou"], view["hidden"]) == ("scored", 0.75, 0.75)
    assert [step["state"] for step in view["timeline"]] == ["received", "validated", "queued", "running", "scored"]
    (row,) = browser.get(f"{API}/challenges/world/leaderboard").json()["rows"]
    assert (row["who"], row["first"], row["last"], row["mean"], row["public"]) == ("ada", 1, 1, 0.75, 0.75)
    assert row["passes"] == 40, "ten for each of four pictures"


def test_hidden_pictures_are_told_of_by_their_mean_alone(browser, ada, score, challenge):
    number = hand_in(browser, ada).json()["id"]
    score()
    told = browser.get(f"{API}/submissions/{number}", headers=ada).text
    assert all(image.name in told for image in challenge.public)
    assert not any(image.name in told for image in challenge.hidden)


def test_faults_are_told_one_by_one(browser, ada, score):
    number = hand_in(browser, ada).json()["id"]
    fault = {"where": "picture-01", "expected": "num_samples of at most 300", "came": "10000"}
    score(faults=[fault])
    view = browser.get(f"{API}/submissions/{number}", headers=ada).json()
    assert (view["state"], view["faults"]) == ("rejected", [fault])
    assert browser.get(f"{API}/challenges/world/leaderboard").json()["rows"] == []


@pytest.mark.parametrize(
    ("headers", "said"),
    [({}, "none came"), ({"Authorization": "Bearer lsk_x"}, "not known"), ({"token": "x" * 300}, "not known")],
)
def test_without_a_token_nothing_is_taken(browser, headers, said):
    answer = hand_in(browser, headers)
    assert answer.status_code == 401
    assert said in answer.json()["message"]
    assert browser.get(f"{API}/submissions", headers=headers).status_code == 401


def test_a_revoked_token_is_worth_nothing(browser, service, ada):
    assert hand_in(browser, ada).status_code == 201
    service.revoke("ada")
    assert hand_in(browser, ada).status_code == 401


def test_submissions_of_others_are_not_there(browser, service, ada):
    number = hand_in(browser, ada).json()["id"]
    eve = {"Authorization": f"Bearer {service.make_token('eve')}"}
    answers = [
        browser.get(f"{API}/submissions/{number}", headers=eve),
        browser.delete(f"{API}/submissions/{number}", headers=eve),
        browser.get(f"{API}/submissions/{number + 99}", headers=eve),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert browser.get(f"{API}/submissions", headers=eve).json()["items"] == []
    admin = {"Authorization": f"Bearer {service.make_token('root', admin=True)}"}
    assert browser.get(f"{API}/submissions/{number}", headers=admin).status_code == 200


def test_the_same_key_is_the_same_submission(browser, ada):
    first, again = (hand_in(browser, ada, **{"Idempotency-Key": "k"}).json()["id"] for _ in range(2))
    assert first == again
    other = hand_in(browser, ada, b"{ }", **{"Idempotency-Key": "k"})
    assert other.status_code == 409
    assert other.json()["code"] == "conflict"


def test_a_used_up_quota_is_told_with_its_day(browser, ada, score, challenge):
    for number in range(challenge.limits.scored_a_day):
        assert hand_in(browser, ada, b"{}" + b" " * number).status_code == 201
        score()
    answer = hand_in(browser, ada, b"[]")
    assert answer.status_code == 429
    assert "until" in answer.json()["message"]
    assert int(answer.headers["retry-after"]) > 0


def test_what_is_too_large_is_refused_while_it_comes(browser, ada, challenge):
    large = hand_in(browser, ada, bytes(challenge.limits.upload_bytes + 2**17))
    assert large.status_code == 413
    assert large.json()["code"] == "too_large"
    assert hand_in(browser, ada, bytes(challenge.limits.upload_bytes + 1)).status_code == 422, (
        "the challenge's own limit"
    )


def test_lists_are_paged(browser, ada):
    numbers = [hand_in(browser, ada, b" " * (count + 1)).json()["id"] for count in range(5)]
    page = browser.get(f"{API}/submissions?limit=2", headers=ada).json()
    assert [item["id"] for item in page["items"]] == numbers[:2:-1]
    page = browser.get(f"{API}/submissions?limit=10&before={page['next']}", headers=ada).json()
    assert [item["id"] for item in page["items"]] == numbers[2::-1]
    assert page["next"] is None


def test_what_has_not_changed_is_not_sent_again(browser):
    for path in ("/challenges/world", "/challenges/world/leaderboard"):
        first = browser.get(f"{API}{path}")
        again = browser.get(f"{API}{path}", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_a_cancelled_submission_is_not_scored(browser, ada, score):
    number = hand_in(browser, ada).json()["id"]
    assert browser.delete(f"{API}/submissions/{number}", headers=ada).json()["state"] == "cancelled"
    score()
    assert browser.get(f"{API}/submissions/{number}", headers=ada).json()["state"] == "cancelled"
    assert browser.delete(f"{API}/submissions/{number}", headers=ada).status_code == 409


def test_events_end_with_the_submission(browser, ada, score):
    number = hand_in(browser, ada).json()["id"]
    score(iou=0.25)
    told = browser.get(f"{API}/submissions/{number}/events", headers=ada).text
    (data,) = [line.removeprefix("data: ") for line in told.splitlines() if line.startswith("data: ")]
    assert json.loads(data)["state"] == "scored"


def test_the_public_part_has_no_hidden_truth(browser, challenge):
    content = browser.get(f"{API}/challenges/world/public.zip").content
    names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    assert sorted(name for name in names if name.startswith("truth/")) == sorted(
        f"truth/{image.name}.png" for image in challenge.public
    )
    assert {name for name in names if name.startswith("images/")} == {f"images/{name}.png" for name in challenge.names}


def test_every_answer_keeps_a_browser_in_bounds(browser):
    for path in ("/", "/livez", f"{API}/challenges", "/nowhere"):
        headers = browser.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]


def test_no_token_stands_in_a_log(browser, ada, caplog):
    with caplog.at_level(logging.INFO, logger="lumiscope.server"):
        hand_in(browser, ada)
        browser.get(f"{API}/submissions?token={ada['Authorization'][7:]}")
    assert "submissions" in caplog.text
    assert "lsk_" not in caplog.text
    assert json.loads(caplog.records[0].message)["status"] == 201


def test_the_course_s_route_answers_with_two_means(browser, ada, score, service, monkeypatch):
    monkeypatch.setattr("lumiscope.server.web._lime.WAIT", 0.0)
    token = {"token": ada["Authorization"].removeprefix("Bearer ")}
    waiting = browser.post("/lime", files=FILE, headers=token)
    assert waiting.status_code == 202
    score(iou=0.5)
    again = browser.post("/lime", files=FILE, headers=token)
    assert (again.status_code, again.json()) == (200, {"avg_iou": 0.5, "avg_time": 0.25})
    assert browser.get(waiting.headers["location"], headers=token).json()["iou"] == 0.5


def test_operations(browser, ada, service):
    hand_in(browser, ada)
    assert browser.get("/readyz").status_code == 200
    told = browser.get("/metrics").text
    assert 'lumiscope_submissions{state="queued"} 1.0' in told
    assert 'lumiscope_oldest_seconds{state="queued"}' in told
    service.stopping.set()
    assert browser.get("/readyz").status_code == 503
