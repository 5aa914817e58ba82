"""The pages as a browser gets them."""

from __future__ import annotations

import re

import pytest

from lumiscope.server.web._users import COOKIE


@pytest.fixture
def signed_in(browser, service):
    token = service.make_token("ada")
    assert browser.post("/login", data={"token": token}).status_code == 303
    return browser


def csrf(page: str) -> str:
    return re.search(r'name="csrf" value="([0-9a-f]{64})"', page)[1]


def test_a_token_signs_in_and_never_stands_in_a_page_or_cookie(browser, service):
    token = service.make_token("ada")
    assert browser.post("/login", data={"token": "lsk_wrong"}).status_code == 401
    answer = browser.post("/login", data={"token": token})
    assert {"HttpOnly", "SameSite=strict"} <= set(answer.headers["set-cookie"].split("; "))
    assert token not in answer.headers["set-cookie"]
    page = browser.get("/mine").text
    assert "ada" in page
    assert token not in page


def test_a_forged_session_is_nobody_s(browser, service):
    service.make_token("ada")
    browser.cookies.set(COOKIE, "1.99999999999." + "0" * 64)
    assert browser.get("/mine").headers["location"] == "/login"


def test_a_revoked_token_ends_its_sessions(signed_in, service):
    service.revoke("ada")
    assert signed_in.get("/mine").headers["location"] == "/login"


def test_a_file_is_handed_in_by_the_form_and_followed(signed_in, score):
    page = signed_in.get("/challenges/world").text
    answer = signed_in.post("/challenges/world/hand-in", files={"file": ("p.json", b"{}")}, data={"csrf": csrf(page)})
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert "number 1 in the queue" in signed_in.get(place).text
    score(iou=0.625)
    scored = signed_in.get(place).text
    assert "Mean IoU 0.625" in scored
    assert "0.625" in signed_in.get("/mine").text
    assert ">ada<" in signed_in.get("/challenges/world").text.replace("\n", "")


def test_forms_of_other_sites_do_nothing(signed_in, service):
    answer = signed_in.post("/challenges/world/hand-in", files={"file": ("p.json", b"{}")}, data={"csrf": "0" * 64})
    assert answer.status_code == 403
    assert service.queue.submissions("ada") == []


def test_texts_of_others_are_no_markup(signed_in, service, score):
    page = signed_in.get("/challenges/world").text
    name = "<script>alert(1)</script>.json"
    place = signed_in.post(
        "/challenges/world/hand-in", files={"file": (name, b"{}")}, data={"csrf": csrf(page)}
    ).headers["location"]
    score(faults=[{"where": "<img src=x onerror=y>", "expected": "&", "came": "</td>"}])
    told = signed_in.get(place).text
    assert "<script>alert" not in told
    assert "<img" not in told
    assert "&lt;img src=x onerror=y&gt;" in told


def test_the_admin_makes_and_revokes_tokens_and_others_may_not(browser, service):
    assert browser.get("/admin").status_code == 403
    browser.post("/login", data={"token": service.make_token("ada")})
    assert browser.get("/admin").status_code == 403
    browser.cookies.clear()
    browser.post("/login", data={"token": service.make_token("root", admin=True)})
    page = browser.get("/admin").text
    made = browser.post("/admin/token", data={"csrf": csrf(page), "name": "eve"}).text
    token = re.search(r"lsk_[0-9A-Za-z_]+", made)[0]
    assert service.user_of(token).name == "eve"
    browser.post("/admin/revoke", data={"csrf": csrf(page), "name": "eve"})
    assert service.user_of(token) is None


def test_the_pages_name_what_is_not_there(browser):
    answer = browser.get("/challenges/nothing")
    assert answer.status_code == 404
